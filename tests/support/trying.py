"""How often a property is tried."""

from __future__ import annotations

from hypothesis import settings


def examples(most: int) -> int:
    """Return how many examples a property of a store tries: `most`, and fewer where the suite runs again on PostgreSQL.

    Properties are tried at length on SQLite; on PostgreSQL it matters that the statements mean the same (see conftest.py).
    """
    return min(most, int(settings.default.max_examples)) if settings.default else most
