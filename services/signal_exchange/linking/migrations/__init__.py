"""The migrations of the store of linking, made by `make migration`."""
