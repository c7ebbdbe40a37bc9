"""The migrations of the store of oversight, made by `make migration`."""
