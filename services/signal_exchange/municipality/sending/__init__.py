"""Sending: what was kept gets its number and signature, and is sent until the exchange has it."""
