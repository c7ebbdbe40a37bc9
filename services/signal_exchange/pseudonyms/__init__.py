"""A keeper: evaluates blinded points and never sees a value."""
