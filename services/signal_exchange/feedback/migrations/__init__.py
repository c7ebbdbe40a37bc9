"""The migrations of the store of feedback, made by `make migration`."""
