"""The whole exchange on one machine, with a synthetic region."""
