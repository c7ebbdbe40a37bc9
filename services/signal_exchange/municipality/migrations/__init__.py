"""The migrations of the store of municipality, made by `make migration`."""
