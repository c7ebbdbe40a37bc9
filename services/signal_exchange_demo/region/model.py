"""The parts of a synthetic region: records, their aftermath, bad input and the truth behind them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from signal_exchange_demo.region.events import Event
from signal_exchange_demo.region.plan import Plan

Record = dict[str, Any]
"""A municipal record, of the shape of reference/data/examples/inside."""

ArrivalKind = Literal["new", "correction", "duplicate", "bad", "refused"]


@dataclass(frozen=True, slots=True, order=True)
class SignalKey:
    """Names a signal before it has an id: the municipality and its own reference."""

    municipality: str
    local_ref: str

    def __str__(self) -> str:
        return f"{self.municipality}/{self.local_ref}"


@dataclass(frozen=True, slots=True)
class Built:
    """A record with what is true about it: who its subjects are and which things stand in which place of it."""

    signal_id: str
    event: Event
    day: date
    record: Record = field(repr=False)
    persons: tuple[tuple[str, str], ...]
    things: tuple[tuple[str, str, int], ...]
    leaks: tuple[tuple[int, int, str], ...]


def key_of(record: Record) -> SignalKey:
    """Give the name of a record's signal inside."""
    return SignalKey(record["municipality"], record["local_ref"])


@dataclass(frozen=True, slots=True)
class Arrival:
    """One record in the order in which a municipality takes it in, at the moment `came`.

    `version` is what publishing makes of it: a duplicate repeats the version before it, a bad record gets none (0), and
    neither does a refused one, of a municipality that has not joined yet. `signal_id` names the signal in the truth.
    """

    signal_id: str
    kind: ArrivalKind
    version: int
    came: datetime
    record: Record = field(repr=False)

    @property
    def key(self) -> SignalKey:
        """Give the name of the signal inside."""
        return key_of(self.record)


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a signal: under which version, and when."""

    signal_id: str
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Withdrawal(Ending):
    """A signal that its municipality takes back after publishing, with a code of withdrawal_reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class Erasure(Ending):
    """A signal that its municipality has erased everywhere (R-RET-03)."""


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that the municipality must refuse: which field, by which rule, with which validation code.

    The field is the outermost one; a refusal may name a place inside it, as `acts[0]` or `observed.from`.
    """

    kind: str
    came: datetime
    record: Record = field(repr=False)
    field: str
    rule: str
    code: str

    @property
    def key(self) -> SignalKey:
        """Give the name of the record inside."""
        return key_of(self.record)


@dataclass(frozen=True, slots=True)
class Forgery:
    """A message that goes past the municipality's own validation.

    `base` is the id of the signal that it copies. `changes` are written over the coded signal (path with dots, value). A new
    signal gets an id of its own and version 1; else id and version of the base are used again. `expected_reason` is the dead
    letter reason at the service that `parked_by` names, None when the message is a repeat that changes nothing. An
    unattributed one blames nobody and counts in no one's numbers.
    """

    kind: str
    base: str
    municipality: str
    sender: str
    changes: tuple[tuple[str, object], ...]
    is_new_signal: bool
    expected_reason: str | None
    expected_codes: tuple[str, ...]
    unattributed: bool = False
    days_old: int = 0
    parked_by: str = "routing"


@dataclass(frozen=True, slots=True)
class TruePerson:
    """A person behind the signals; the form is empty for someone who is no victim of trafficking."""

    person_id: str
    form: str
    is_minor: bool
    first_week: str
    last_week: str


@dataclass(frozen=True, slots=True)
class Mention:
    """Which person a subject of a signal is."""

    signal_id: str
    ref: str
    person_id: str


@dataclass(frozen=True, slots=True)
class TrueLink:
    """Two signals that truly share a person or a thing; `key_types` are those whose normalised values agree."""

    first: str
    second: str
    kind: Literal["SAME_PERSON", "SHARED_CONTEXT"]
    key_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leak:
    """A personal value in an unguarded narrative: characters from `start` up to `end`."""

    signal_id: str
    start: int
    end: int
    leak_type: str


@dataclass(frozen=True, slots=True)
class Truth:
    """The truth behind a region, for scoring."""

    persons: tuple[TruePerson, ...]
    mentions: tuple[Mention, ...]
    links: tuple[TrueLink, ...]
    clusters: tuple[tuple[str, ...], ...]
    leaks: tuple[Leak, ...]


@dataclass(frozen=True, slots=True)
class Region:
    """A synthetic region in memory: the same arguments give the same region, byte for byte.

    `barred` are the values (type, value) that every municipality has on its list (R-LINK-07).
    """

    plan: Plan
    signals: int
    built: tuple[Built, ...] = field(repr=False)
    arrivals: tuple[Arrival, ...] = field(repr=False)
    withdrawals: tuple[Withdrawal, ...] = field(repr=False)
    erasures: tuple[Erasure, ...] = field(repr=False)
    bad_records: tuple[BadRecord, ...] = field(repr=False)
    forgeries: tuple[Forgery, ...] = field(repr=False)
    truth: Truth = field(repr=False)
    barred: tuple[tuple[str, str], ...] = field(repr=False)

    @property
    def municipalities(self) -> tuple[str, ...]:
        """Give the codes of the municipalities."""
        return self.plan.codes

    def of(self, municipality: str) -> tuple[Arrival, ...]:
        """Give everything that one municipality takes in, in order, bad records among it."""
        return tuple(arrival for arrival in self.arrivals if arrival.record["municipality"] == municipality)

    @property
    def keys(self) -> Mapping[str, SignalKey]:
        """Give the name inside of each signal."""
        return {arrival.signal_id: arrival.key for arrival in self.arrivals if arrival.kind == "new"}

    @property
    def good(self) -> tuple[Arrival, ...]:
        """Give the accepted records, in order: new signals, corrections and duplicates."""
        return tuple(arrival for arrival in self.arrivals if arrival.kind != "bad")

    @property
    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """Count arrivals, withdrawals, erasures, bad records and forgeries by kind."""
        return {
            "arrivals": _count(arrival.kind for arrival in self.arrivals),
            "withdrawals": _count(withdrawal.reason for withdrawal in self.withdrawals),
            "erasures": _count("erased" for _ in self.erasures),
            "bad_records": _count(bad.kind for bad in self.bad_records),
            "forgeries": _count(forgery.kind for forgery in self.forgeries),
        }


def _count(kinds: Iterable[str]) -> Mapping[str, int]:
    return dict(sorted(Counter(kinds).items()))
