"""Entering one signal by hand, step by step: what was answered, the record that it makes, and what is expected to happen."""
