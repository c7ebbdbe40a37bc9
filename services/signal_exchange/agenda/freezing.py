"""Frozen agendas: made once after the cut-off, then final; the same items always give the same bytes (R-AGENDA-06)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from signal_exchange.agenda.items import Item, Known, Placed, agenda_of
from signal_exchange.agenda.records import Agenda
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.meetings.agenda import is_allowed
from signal_exchange.domain.meetings.dates import cutoff_of, meeting_of
from signal_exchange.domain.people import Person
from signal_exchange.domain.plain_json import canonical_json
from signal_exchange.domain.refusals import RefusedError

DRAFT, FINAL = "DRAFT", "FINAL"


def next_agenda(
    week: str, found: Iterable[Placed], known: Known, last: Agenda | None, *, at: datetime, who: Person | None
) -> tuple[Agenda, tuple[Item, ...]]:
    """Return the next version of a week's agenda and the items that it puts off: the draft, and then the final one.

    Raises:
        RefusedError: there is no meeting, the cut-off has not passed, nobody signs the final one, or it is final already.
    """
    if last is None:
        return _draft(week, found, known, at, who)
    if not is_allowed(last.state, FINAL):
        raise RefusedError("AGENDA_FINAL", rule="R-AGENDA-06")
    if who is None:
        raise RefusedError("AGENDA_UNSIGNED", field="by", rule="R-AGENDA-06")
    return Agenda(week, last.version + 1, FINAL, last.content, at, who.name), ()


def _draft(week: str, found: Iterable[Placed], known: Known, at: datetime, who: Person | None) -> tuple[Agenda, tuple[Item, ...]]:
    cutoff = closing(week, known.calendar)
    if at < cutoff:
        raise RefusedError("AGENDA_STILL_OPEN", rule="R-AGENDA-02", until=cutoff)
    stays, rolls = agenda_of(week, found, known)
    content = content_of(week, stays, rolls, known.calendar)
    return Agenda(week, 1, DRAFT, content, at, who.name if who else None), tuple(item for each in rolls for item in each.members)


def closing(week: str, calendar: WorkingCalendar) -> datetime:
    """Return the moment at which the agenda of a week closes.

    Raises:
        RefusedError: this is no week, or nobody meets in it.
    """
    try:
        cutoff = cutoff_of(week, calendar)
    except ValueError:
        raise RefusedError("NO_SUCH_WEEK", field="week") from None
    if cutoff is None:
        raise RefusedError("NO_MEETING", field="week", rule="R-AGENDA-01")
    return cutoff


def content_of(week: str, stays: Sequence[Placed], rolls: Sequence[Placed], calendar: WorkingCalendar) -> bytes:
    """Return the content of an agenda as canonical JSON; nothing in it depends on when or by whom it is made."""
    content = {
        "week": week,
        "meeting": _text(meeting_of(week, calendar)),
        "cutoff": _text(cutoff_of(week, calendar)),
        "items": [_entry(each) for each in stays],
        "rolled_over": [each.cluster_id for each in rolls],
    }
    return canonical_json(content).encode()


def _entry(each: Placed) -> dict[str, Any]:
    return {
        "cluster_id": each.cluster_id,
        "signals": [[item.signal_id, item.version, item.offer] for item in each.members],
        "urgency": each.entry.urgency,
        "minor": each.entry.minor,
        "deferrals": each.entry.deferrals,
        "due_from": _text(each.entry.due_from),
        "reason": each.reason,
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="milliseconds")


def frozen_of(agendas: Mapping[str, Agenda]) -> dict[str, frozenset[str]]:
    """Return the clusters on the latest frozen agenda of each week."""
    items = {week: json.loads(agenda.content)["items"] for week, agenda in agendas.items()}
    return {week: frozenset(each["cluster_id"] for each in found) for week, found in items.items()}
