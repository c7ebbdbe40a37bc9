"""Watches what another vendor's client sends to the demo, and says step by step what is right or wrong (schemas/WRITING.md)."""
