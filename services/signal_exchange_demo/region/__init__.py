"""The synthetic region: a region without real persons and with a known truth."""
