"""Counts: persons and the ledger (R-STAT, R-FLOW)."""
