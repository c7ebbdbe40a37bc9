"""The migrations of the store of statistics, made by `make migration`."""
