"""Finds what may belong together, without knowing who it is, and keeps what people decide about it."""
