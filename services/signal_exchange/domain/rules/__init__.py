"""Routing: which destination gets a signal, in which form, and why (R-ROUTE)."""
