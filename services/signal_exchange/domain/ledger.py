"""The ledger of the exchange: every number a municipality gave out is in exactly one place (R-FLOW-01)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from signal_exchange.domain.policy import Policy

Number = tuple[str, str, int]
"""Municipality, publisher run and sequence."""

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


@dataclass(frozen=True, slots=True)
class Ledger:
    """The balance.

    `sent` comes from the checkpoints, never from our own trace; `early` are numbers seen before a checkpoint names them;
    `overdue` are those that were named and never seen in time: an alarm.
    """

    sent: int
    early: int
    counts: Mapping[str, int]
    signals: Mapping[str, int]
    published: int
    unattributed: int
    overdue: tuple[Number, ...]

    @property
    def conserved(self) -> bool:
        """Say whether nothing is lost: numbers and signals add up, and no number is overdue."""
        numbers = sum(self.counts.values()) == self.sent + self.early
        return numbers and sum(self.signals.values()) == self.published and not self.overdue


def balance(
    entries: Iterable[Entry], checkpoints: Iterable[Checkpoint], *, now: datetime | None = None, policy: Policy | None = None
) -> Ledger:
    """Draw up the ledger from the facts in the order of the trace; without `now` nothing is overdue.

    A later fact about the same record moves its number, as parked after a retry to routed. A record about another
    signal or version under a used number is unattributed and leaves the first one's place alone.
    """
    placed, unattributed = _place(entries)
    named = list(checkpoints)
    announced = _announced(named)
    missing = [number for number in announced if number not in placed]
    counts = Counter(entry.verdict for entry in placed.values())
    counts[IN_FLIGHT] += len(missing)
    signals = _signals(placed.values())
    return Ledger(
        sent=len(announced),
        early=len(placed.keys() - announced),
        counts={verdict: counts[verdict] for verdict in VERDICTS},
        signals={state: signals[state] for state in SIGNAL_STATES},
        published=len({entry.signal_id for entry in placed.values()} - {None}),
        unattributed=unattributed,
        overdue=() if now is None else _overdue(missing, named, now, policy or Policy()),
    )


def _place(entries: Iterable[Entry]) -> tuple[dict[Number, Entry], int]:
    placed: dict[Number, Entry] = {}
    unattributed = 0
    for entry in entries:
        if entry.number is None or is_another(entry, placed.get(entry.number)):
            unattributed += 1
        else:
            placed[entry.number] = entry
    return placed, unattributed


def is_another(entry: Entry, first: Entry | None) -> bool:
    """Say whether an entry is about another record than the `first` one under its number, or about nobody's record."""
    if entry.verdict == UNATTRIBUTED:
        return True
    return first is not None and (entry.signal_id, entry.version) != (first.signal_id, first.version)


def _announced(checkpoints: Sequence[Checkpoint]) -> set[Number]:
    highest: dict[tuple[str, str], int] = {}
    for named in checkpoints:
        run = (named.municipality, named.run)
        highest[run] = max(named.highest, highest.get(run, 0))
    return {(*run, sequence) for run, last in highest.items() for sequence in range(1, last + 1)}


def _overdue(missing: Sequence[Number], checkpoints: Sequence[Checkpoint], now: datetime, policy: Policy) -> tuple[Number, ...]:
    patience = timedelta(minutes=policy.missing_number_minutes)
    late = {(named.municipality, named.run, named.highest) for named in checkpoints if now - named.at > patience}
    highest: dict[tuple[str, str], int] = {}
    for municipality, run, last in late:
        highest[municipality, run] = max(last, highest.get((municipality, run), 0))
    return tuple(sorted(number for number in missing if number[2] <= highest.get(number[:2], 0)))


def _signals(placed: Iterable[Entry]) -> Counter[str]:
    """Give each signal its place: that of its highest accepted version, else of its highest version."""
    best: dict[str, tuple[bool, int, str]] = {}
    for entry in placed:
        if entry.signal_id is not None:
            verdict = entry.verdict if entry.verdict in SIGNAL_STATES else IN_FLIGHT
            rank = (verdict in ACCEPTED, entry.version, verdict)
            best[entry.signal_id] = max(rank, best.get(entry.signal_id, rank))
    return Counter(state for _, _, state in best.values())
