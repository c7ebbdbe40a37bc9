"""What a synthetic region consists of: records, withdrawals, bad input and the truth behind them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

Record = dict[str, Any]
"""A municipal record, of the shape of contracts/data/examples/inside."""

ArrivalKind = Literal["new", "correction", "duplicate", "bad"]


@dataclass(frozen=True, slots=True, order=True)
class SignalKey:
    """Names a signal before it has an id: the municipality and its own reference."""

    municipality: str
    local_ref: str

    def __str__(self) -> str:
        return f"{self.municipality}/{self.local_ref}"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One record in the order in which a municipality takes it in.

    `version` is what publishing makes of it: a duplicate repeats the version before it, a bad record gets none (0).
    """

    key: SignalKey
    kind: ArrivalKind
    version: int
    record: Record = field(repr=False)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A signal that its municipality takes back after publishing, with a code of withdrawal_reason."""

    key: SignalKey
    reason: str


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that the municipality must refuse: which field, by which rule, with which validation code.

    The field is the outermost one; a refusal may name a place inside it, as `acts[0]` or `observed.from`.
    """

    kind: str
    key: SignalKey
    record: Record = field(repr=False)
    field: str
    rule: str
    code: str


@dataclass(frozen=True, slots=True)
class Forgery:
    """A message that goes past the municipality's own validation.

    `changes` are written over the coded signal of the base record (path with dots, value). A new signal gets an id of
    its own and version 1; else id and version of the base are used again. `expected_reason` is the dead letter reason
    at the exchange, None when the message is a repeat that changes nothing. An unattributed one blames nobody and
    counts in no one's numbers.
    """

    kind: str
    base: SignalKey
    sender: str
    changes: tuple[tuple[str, object], ...]
    is_new_signal: bool
    expected_reason: str | None
    expected_codes: tuple[str, ...]
    unattributed: bool = False
    days_old: int = 0


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

    key: SignalKey
    ref: str
    person_id: str


@dataclass(frozen=True, slots=True)
class TrueLink:
    """Two signals that truly share a person or a thing; `key_types` are those whose normalised values agree."""

    first: SignalKey
    second: SignalKey
    kind: Literal["SAME_PERSON", "SHARED_CONTEXT"]
    key_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leak:
    """A personal value in an unguarded narrative: characters from `start` up to `end`."""

    key: SignalKey
    start: int
    end: int
    leak_type: str


@dataclass(frozen=True, slots=True)
class Truth:
    """What is really the case, for scoring."""

    persons: tuple[TruePerson, ...]
    mentions: tuple[Mention, ...]
    links: tuple[TrueLink, ...]
    clusters: tuple[tuple[SignalKey, ...], ...]
    leaks: tuple[Leak, ...]


@dataclass(frozen=True, slots=True)
class Region:
    """A synthetic region: the same arguments give the same region, byte for byte."""

    seed: int
    signals: int
    today: date
    municipalities: tuple[str, ...]
    arrivals: tuple[Arrival, ...] = field(repr=False)
    withdrawals: tuple[Withdrawal, ...] = field(repr=False)
    bad_records: tuple[BadRecord, ...] = field(repr=False)
    forgeries: tuple[Forgery, ...] = field(repr=False)
    truth: Truth = field(repr=False)

    def of(self, municipality: str) -> tuple[Arrival, ...]:
        """Give everything that one municipality takes in, in order, bad records among it."""
        return tuple(arrival for arrival in self.arrivals if arrival.key.municipality == municipality)

    @property
    def good(self) -> tuple[Arrival, ...]:
        """Give what publishing accepts, in order: new signals, corrections and duplicates."""
        return tuple(arrival for arrival in self.arrivals if arrival.kind != "bad")

    @property
    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """Count arrivals, withdrawals, bad records and forgeries by kind."""
        return {
            "arrivals": _count(arrival.kind for arrival in self.arrivals),
            "withdrawals": _count(withdrawal.reason for withdrawal in self.withdrawals),
            "bad_records": _count(bad.kind for bad in self.bad_records),
            "forgeries": _count(forgery.kind for forgery in self.forgeries),
        }


def _count(kinds: Iterable[str]) -> Mapping[str, int]:
    return dict(sorted(Counter(kinds).items()))
