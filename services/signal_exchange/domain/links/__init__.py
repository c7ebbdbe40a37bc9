"""Links between signals (R-LINK)."""
