"""The migrations of the store of pseudonyms, made by `make migration`."""
