"""The migrations of the store of routing, made by `make migration`."""
