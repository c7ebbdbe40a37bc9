"""The ledger of the exchange: every number a municipality gave out is in exactly one place (R-FLOW-01)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

Number = tuple[str, str, int]
"""Municipality, publisher run and sequence."""
Run = tuple[str, str]
"""Municipality and publisher run."""
GAPS_SHOWN: Final = 100
"""Of the gaps that are overdue the first ones are named; all their numbers are counted."""

IN_FLIGHT: Final = "in_flight"
UNATTRIBUTED: Final = "unattributed"
VERDICTS: Final = (
    IN_FLIGHT, "routed", "superseded", "repeat", "renewed", "parked", "discarded", "withdrawn", "erased", "answer",
)  # fmt: skip
"""The places of a number; exactly one at a time."""

SIGNAL_STATES: Final = (IN_FLIGHT, "routed", "parked", "discarded", "withdrawn", "erased")
"""The places of a signal; what was published is their sum."""

ACCEPTED: Final = frozenset({"routed", "withdrawn", "erased"})
"""The places of a version that was taken."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact of the trace: what became of a number. Without a number it is unattributed: it blames nobody."""

    number: Number | None
    verdict: str
    signal_id: str | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A municipality's signed word that it gave out the numbers 1 to `highest` of a run."""

    municipality: str
    run: str
    highest: int
    at: datetime


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """The numbers `first` to `last` of a run, of which none has a place."""

    municipality: str
    run: str
    first: int
    last: int

    @property
    def numbers(self) -> int:
        """Return the size of the gap."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Ledger:
    """The balance.

    `sent` comes from the checkpoints, never from our own trace; `early` are numbers seen before a checkpoint names them;
    `overdue` counts those that were named and never seen in time, an alarm, and `gaps` are the first of them.
    """

    sent: int
    early: int
    counts: Mapping[str, int]
    signals: Mapping[str, int]
    published: int
    unattributed: int
    overdue: int
    gaps: tuple[Gap, ...]

    @property
    def conserved(self) -> bool:
        """Say whether nothing is lost: numbers and signals add up, and no number is overdue."""
        numbers = sum(self.counts.values()) == self.sent + self.early
        return numbers and sum(self.signals.values()) == self.published and not self.overdue


def is_another(entry: Entry, first: Entry | None) -> bool:
    """Say whether an entry is about another record than the `first` one under its number, or about nobody's record."""
    if entry.verdict == UNATTRIBUTED:
        return True
    return first is not None and (entry.signal_id, entry.version) != (first.signal_id, first.version)
