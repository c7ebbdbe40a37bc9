"""Brings home to each municipality what became of its own signals."""
