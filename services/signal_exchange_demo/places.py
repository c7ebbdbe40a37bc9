"""The places of the files that the demo needs and that are no part of the package."""

from pathlib import Path


def checkout() -> Path:
    """Return the root of the checkout that this package runs from; the demo needs its deploy/kafka."""
    return Path(__file__).resolve().parents[2]
