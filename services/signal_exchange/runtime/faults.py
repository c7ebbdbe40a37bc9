"""The faults of the world (wait, do not commit), and our own (stop without commit)."""

from __future__ import annotations


class WorldUnavailableError(Exception):
    """Something we stand on does not answer; the same step may work later. Nothing is committed meanwhile."""


class StoreUnavailableError(WorldUnavailableError):
    """The database of this service does not answer, is locked or is full."""


class StoreContendedError(StoreUnavailableError):
    """Another transaction changed the same rows first, or both waited for each other: done again, the same step works."""


class BytesKeptError(StoreUnavailableError):
    """Erased content still stands in the pages or the log of the store. The text says what holds it, and no value."""


class StoreMisusedError(Exception):
    """The database refuses what we ask of it: our own fault. Names the driver's error only, whose text may hold values."""


class BrokerUnavailableError(WorldUnavailableError):
    """Kafka did not acknowledge a record in time."""
