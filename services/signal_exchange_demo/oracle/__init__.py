"""The rules a second time, written naively from their text alone; it imports nothing of the product."""
