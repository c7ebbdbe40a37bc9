"""Where the demo finds what is no part of the package."""

from pathlib import Path


def checkout() -> Path:
    """Return the root of the checkout that this package runs from; the demo needs its deploy/kafka and tests/oracle."""
    return Path(__file__).resolve().parents[3]
