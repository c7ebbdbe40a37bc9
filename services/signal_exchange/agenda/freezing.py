"""Frozen agendas: made once after the cut-off, then final; the same items always give the same bytes (R-AGENDA-06)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from signal_exchange.agenda.items import Frozen, Item, Known, Placed, agenda_of
from signal_exchange.agenda.records import Agenda
from signal_exchange.domain.agenda import cutoff_of, is_allowed, meeting_of
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.runtime.faults import Refused
from signal_exchange.stream.commands import shown

DRAFT, FINAL = "DRAFT", "FINAL"


def next_agenda(
    week: str, found: Iterable[Placed], known: Known, last: Agenda | None, *, at: datetime, who: str | None
) -> tuple[Agenda, tuple[Item, ...]]:
    """Return the next version of a week's agenda and the items that it puts off: the draft, and then the final one.

    Raises:
        Refused: there is no meeting, the cut-off has not passed, nobody signs the final one, or it is final already.
    """
    if last is None:
        return _draft(week, found, known, at, who)
    if not is_allowed(last.state, FINAL):
        raise Refused("Deze agenda is al vastgesteld.")
    if who is None:
        raise Refused("Zeg met --by wie de agenda vaststelt.")
    return Agenda(week, last.version + 1, FINAL, last.content, at, who), ()


def _draft(week: str, found: Iterable[Placed], known: Known, at: datetime, who: str | None) -> tuple[Agenda, tuple[Item, ...]]:
    cutoff = closing(week, known.calendar)
    if at < cutoff:
        raise Refused(f"Deze agenda sluit pas op {shown(cutoff)}.")
    stays, rolls = agenda_of(week, found, known)
    content = content_of(week, stays, rolls, known.calendar)
    return Agenda(week, 1, DRAFT, content, at, who), tuple(item for each in rolls for item in each.members)


def closing(week: str, calendar: WorkingCalendar) -> datetime:
    """Return the moment at which the agenda of a week closes.

    Raises:
        Refused: this is no week, or nobody meets in it.
    """
    try:
        cutoff = cutoff_of(week, calendar)
    except ValueError:
        raise Refused("Dit is geen week: schrijf haar als 2026-W48.") from None
    if cutoff is None:
        raise Refused("In deze week is geen overleg.")
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
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


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


def frozen_of(agendas: Mapping[str, Agenda]) -> dict[str, Frozen]:
    """Return which clusters stand on the latest frozen agenda of each week."""
    contents = {week: json.loads(agenda.content) for week, agenda in agendas.items()}
    return {week: Frozen(week, frozenset(each["cluster_id"] for each in content["items"])) for week, content in contents.items()}
