"""Verifies signals, applies the rules and delivers need-to-know."""
