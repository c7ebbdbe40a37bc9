"""Whose fault it is: the world's (wait, do not commit), or ours (stop without commit)."""

from __future__ import annotations


class WorldUnavailable(Exception):  # noqa: N818 - names a state of the world
    """Something we stand on does not answer; the same step may work later. Nothing is committed meanwhile."""


class StoreUnavailable(WorldUnavailable):
    """The database of this service does not answer, is locked or is full."""


class StoreContended(StoreUnavailable):
    """Another transaction changed the same rows first, or both waited for each other: done again, the same step works."""


class BytesKept(StoreUnavailable):
    """What was erased still stands in the pages or the log of the store. The text says what holds it, and no value."""


class StoreMisused(Exception):  # noqa: N818 - says what we did
    """The database refuses what we ask of it: our own fault. Names the driver's error only, whose text may hold values."""


class BrokerUnavailable(WorldUnavailable):
    """Kafka did not acknowledge a record in time."""


class Refused(Exception):  # noqa: N818 - says what happened to the wish of a person
    """What a person asked is against a rule, or comes too late. The text is meant for that person and holds no personal value."""
