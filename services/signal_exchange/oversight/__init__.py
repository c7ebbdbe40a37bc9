"""Watches that nothing is lost or silent: the ledger, what is parked, deadlines, and how far every consumer is."""
