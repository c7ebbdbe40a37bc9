"""The migrations of the store of worklist, made by `make migration`."""
