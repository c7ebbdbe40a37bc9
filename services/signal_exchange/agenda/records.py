"""What people entered at the agenda, and the alerts they answer, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert to the chair, and who took note of it."""

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
class Decided:
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
    words: Mapping[str, Any] = field(repr=False)


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
class Note:
    """A decided item that was taken back afterwards."""

    signal_id: str
    offer: int
    rule_id: str
    at: datetime
