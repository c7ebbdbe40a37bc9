"""A signal: its shape, its rules and its versions (R-VAL)."""
