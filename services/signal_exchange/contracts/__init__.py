"""Bytes to domain and back: schemas, codec, topics, reference data."""
