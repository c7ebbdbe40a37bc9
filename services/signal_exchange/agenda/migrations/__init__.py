"""The migrations of the store of agenda, made by `make migration`."""
