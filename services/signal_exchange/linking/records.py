"""The rows of linking as values: a signal, the use of a token, and a link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from signal_exchange.contracts.records import LinkSubject
from signal_exchange.domain.links.sharing import SAME_PERSON

OPEN, WITHDRAWN, ERASED = "OPEN", "WITHDRAWN", "ERASED"


def next_revision(before: int, now: datetime) -> int:
    """Return the revision of the next record: above the last one, which is 0 when there was none.

    It is the moment in milliseconds: a restored linking does not know its last record, and is above that as well.
    """
    return max(before + 1, round(now.timestamp() * 1000))


class Value(NamedTuple):
    """A value that two signals can share: a type, its epoch and the token. The token is never shown, logged or sent."""

    type: str
    epoch: str
    token: bytes


@dataclass(frozen=True, slots=True)
class Signal:
    """The coded minimum of one signal."""

    signal_id: str
    revision: int
    version: int
    municipality: str
    status: str
    publish_day: str
    appended_at: datetime
    stated_at: datetime
    form: str | None
    subjects: list[LinkSubject]

    @property
    def closed_at(self) -> datetime | None:
        """Return since when it is not open any more."""
        return None if self.status == OPEN else self.stated_at


@dataclass(frozen=True, slots=True)
class TokenUse:
    """One token of one version of a signal; `since` is when it came, `appended_at` when the signal first came."""

    signal_id: str
    version: int
    carrier: str
    value: Value = field(repr=False)
    appended_at: datetime
    since: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """One link as it is published. `refs` are the pairs of subjects that share a person's value."""

    link_id: str
    kind: str
    signal_a: str
    signal_b: str
    versions: tuple[int, int]
    across: bool
    key_types: tuple[str, ...]
    refs: tuple[tuple[str, str], ...]
    frequency: str
    state: str
    evidence_gone: bool
    found_at: datetime
    last_day: str
    released_at: datetime | None
    compared: tuple[str, ...]
    awaits: tuple[str, ...]
    answer_by: datetime | None
    overdue: bool
    changed_at: datetime
    revision: int = field(default=0, compare=False)

    @property
    def pair(self) -> tuple[str, str]:
        """Return both signals, the smaller id first."""
        return self.signal_a, self.signal_b

    @property
    def confirmed(self) -> bool:
        """Say whether the link stands."""
        return self.state == "CONFIRMED"

    @property
    def stood(self) -> bool:
        """Say whether the link stands or once stood: then both signals may have been told a cluster."""
        return self.evidence_gone or self.state in ("CONFIRMED", "REVOKED")

    @property
    def asked(self) -> bool:
        """Say whether officers were asked about it."""
        return self.kind == SAME_PERSON and (self.released_at is not None or not self.across)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Link:
        """Return a link as its row holds it."""
        lists = {name: tuple(row[name]) for name in ("versions", "key_types", "compared", "awaits")}
        return cls(**{**row, **lists, "refs": tuple((one, other) for one, other in row["refs"])})
