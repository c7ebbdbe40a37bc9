"""Referrals to the care and the youth coordinator: their transitions and their clocks (R-REF)."""
