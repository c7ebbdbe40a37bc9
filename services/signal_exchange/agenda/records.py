"""The records that people made at the agenda, and the alerts that they answer, as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from signal_exchange.contracts.records import SealedPart


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert to the chain director, and who took note of it."""

    alert_id: str
    signal_id: str
    version: int
    municipality: str
    urgency: str
    minor: bool
    rule_id: str
    raised_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None


@dataclass(frozen=True, slots=True)
class RecordedDecision:
    """A decision as it is kept. Dates are as 2026-11-20."""

    signal_id: str
    offer: int
    number: int
    cluster_id: str
    version: int
    decision: str
    instruments: Sequence[str]
    seats_present: Sequence[str]
    legal_basis: str
    owner_role: str | None
    owner_organisation: str | None
    due_date: str | None
    kept_signal: str | None
    week: str
    agenda_version: int
    decided_at: datetime
    who: str
    words: SealedPart | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Agenda:
    """One frozen version of a week's agenda; `content` is canonical JSON."""

    week: str
    version: int
    state: str
    content: bytes = field(repr=False)
    made_at: datetime
    who: str | None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """That a decision was followed up, and until when it must be again: a date as 2026-11-20, None when it is done with."""

    signal_id: str
    offer: int
    number: int
    next_date: str | None
    at: datetime
    who: str


LINK_UNDONE = "R-LINK-06"
"""The rule by which a decided item gets a note when a link of it is undone."""

RULE_CHANGED = "R-AGENDA-02"
"""The rule by which a decided item stays decided when another rule sends it to the agenda from now on."""


@dataclass(frozen=True, slots=True)
class Note:
    """A note on a decided item about a later event: a rule took it back, or LINK_UNDONE or RULE_CHANGED."""

    signal_id: str
    offer: int
    rule_id: str
    at: datetime
