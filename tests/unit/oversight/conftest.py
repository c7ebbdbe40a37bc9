"""Settings of the property tests: a busy machine is no failure."""

from hypothesis import settings

settings.register_profile("oversight", deadline=None)
settings.load_profile("oversight")
