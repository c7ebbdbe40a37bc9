"""The weekly screening meeting: its weeks and its agenda (R-AGENDA)."""
