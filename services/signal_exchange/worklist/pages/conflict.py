"""Somebody was first: what the person saw, what there is now, and what the person wanted; only what differs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from signal_exchange import words
from signal_exchange.web.forms import Form
from signal_exchange.web.rendering import day
from signal_exchange.worklist.actions import SignalDetails
from signal_exchange.worklist.listing import WorklistRow
from signal_exchange.worklist.pages.steps import Step
from signal_exchange.worklist.pages.telling import LISTS, begun, state_of

SEEN: Final = ("state", "version", "urgency", "planned_contact", "first_contact")
"""What a form carries of the row on which its page stood, besides its version."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One part of a referral that is not as the person saw it or wants it."""

    part: str
    then: str
    now: str
    mine: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """The changes since a page was made at `seen_at`: by which step, if it was one, and each difference."""

    seen_at: datetime | None
    changed_at: datetime | None
    changed_by: str
    differences: list[Difference]


def seen_of(row: WorklistRow) -> dict[str, str]:
    """Return the hidden fields by which a later page can tell what was seen."""
    return {f"was_{name}": str(getattr(row, name) or "") for name in SEEN}


def conflict_of(details: SignalDetails, row: WorklistRow, form: Form, step: Step) -> Conflict:
    """Return the changes since the page of a form was made."""
    # A new version of the signal is no step of anybody.
    changed = next((each for each in details.transitions if each.row_version == row.row_version), None)
    found = list(_differences(row, form, step))
    return Conflict(_moment(form.value("was_at")), changed.at if changed else None, changed.who if changed else "", found)


def _differences(row: WorklistRow, form: Form, step: Step) -> Iterator[Difference]:
    wanted = {"state": step.to or "", **{name: form.value(name) for name in step.fields}}
    for name in (*SEEN, *(each for each in step.fields if each not in SEEN)):
        then, now, mine = form.value(f"was_{name}"), str(getattr(row, name, None) or ""), wanted.get(name, "")
        if then != now or (mine and mine != now):
            yield Difference(words.text(PARTS[name]), *(_said(name, each, step) for each in (then, now, mine)))


def _said(name: str, value: str, step: Step) -> str:
    if not value:
        return words.text("worklist.conflict.nothing")
    if name == "state":
        return state_of(value)
    if name in {"planned_contact", "first_contact"}:
        return _day(value)
    code_list = "urgency" if name == "urgency" else LISTS.get(step.to or "")
    return begun(words.label(code_list, value)) if name in {"urgency", "reason", "result"} and code_list else value


def _day(value: str) -> str:
    try:
        return day(date.fromisoformat(value))
    except ValueError:
        return value  # as the person typed it


def _moment(value: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else None


PARTS: Final = words.keyed(
    "worklist.part.state",
    "worklist.part.version",
    "worklist.part.urgency",
    "worklist.part.planned_contact",
    "worklist.part.first_contact",
    "worklist.part.reason",
    "worklist.part.result",
    "worklist.part.text",
    "worklist.part.reached",
    "worklist.part.next_try",
)
"""What each part of a referral is called."""
