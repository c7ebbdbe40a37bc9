"""Short numbers by which people name what has a random id: the start of the id, which tells nothing."""

from __future__ import annotations

from collections.abc import Collection

from signal_exchange.domain.refusals import RefusedError

SHORTEST = 8
"""Signs of an id that a person must give at least."""


def number_of(identity: str, kind: str = "V") -> str:
    """Return the short number of an id, as V-09f6398d.

    `kind`: V a referral, P an agenda item, A an alert, K a link, Q a question about one, S a signal.
    """
    return f"{kind}-{identity[:SHORTEST]}"


def start_of(named: str) -> str:
    """Return the start of the id that a person means, who gives the whole id or its short number."""
    return named.strip().lower().removeprefix("v-").removeprefix("p-").removeprefix("a-").removeprefix("k-").removeprefix("q-")


def the_one(found: Collection[str], start: str) -> str:
    """Return the only id that starts like this.

    Raises:
        RefusedError: there is none, or it could be another one too.
    """
    if not found:
        raise RefusedError("NUMBER_UNKNOWN")
    if len(found) > 1 or len(start) < SHORTEST:
        raise RefusedError("NUMBER_INCOMPLETE")
    return next(iter(found))
