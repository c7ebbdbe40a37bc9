"""The steps that a coordinator takes on a screen: each reads its form, calls one action, and says what was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from signal_exchange.domain.people import Person
from signal_exchange.web.forms import Form
from signal_exchange.worklist.actions import WorklistActions

Take = Callable[[WorklistActions, str, Person, Form, int | None], object]


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what takes it, and the key of what is told when it was done.

    `fields` are those of its form; a refusal that names none of them is about the first. `to` is the state to which it leads.
    """

    take: Take
    done: str
    fields: tuple[str, ...] = ()
    to: str | None = None


def _accept(actions: WorklistActions, named: str, who: Person, form: Form, seen: int | None) -> None:
    actions.accept(named, who, planned_contact=form.day("planned_contact"), seen_version=seen)


def _reject(actions: WorklistActions, named: str, who: Person, form: Form, seen: int | None) -> None:
    actions.reject(named, who, reason=form.value("reason"), seen_version=seen)


def _start_care(actions: WorklistActions, named: str, who: Person, form: Form, seen: int | None) -> None:
    actions.start_care(named, who, first_contact=form.day("first_contact"), seen_version=seen)


def _complete(actions: WorklistActions, named: str, who: Person, form: Form, seen: int | None) -> None:
    actions.complete(named, who, result=form.value("result"), seen_version=seen)


def _withdraw(actions: WorklistActions, named: str, who: Person, form: Form, seen: int | None) -> None:
    actions.withdraw(named, who, reason=form.value("reason"), seen_version=seen)


def _mark_seen(actions: WorklistActions, named: str, who: Person, _form: Form, seen: int | None) -> None:
    actions.mark_seen(named, who, seen_version=seen)


def _note_progress(actions: WorklistActions, named: str, who: Person, _form: Form, seen: int | None) -> None:
    actions.note_progress(named, who, seen_version=seen)


def _note_contact(actions: WorklistActions, named: str, who: Person, form: Form, _seen: int | None) -> None:
    reached = {"ja": True, "nee": False}.get(form.value("reached"))
    actions.note_contact(named, who, reached=reached, next_try=form.day("next_try"))


def _advise(actions: WorklistActions, named: str, who: Person, form: Form, seen: int | None) -> None:
    actions.advise(named, form.value("text"), who, seen_version=seen)


STEPS: Final[Mapping[str, Step]] = {
    "gezien": Step(_mark_seen, "worklist.done.seen", to="SEEN"),
    "aannemen": Step(_accept, "worklist.done.accepted", ("planned_contact",), "ACCEPTED"),
    "afwijzen": Step(_reject, "worklist.done.rejected", ("reason",), "REJECTED"),
    "zorg-begonnen": Step(_start_care, "worklist.done.in_care", ("first_contact",), "IN_CARE"),
    "voortgang": Step(_note_progress, "worklist.done.progress"),
    "contact": Step(_note_contact, "worklist.done.contact", ("reached", "next_try")),
    "afronden": Step(_complete, "worklist.done.completed", ("result",), "COMPLETED"),
    "terugnemen": Step(_withdraw, "worklist.done.withdrawn", ("reason",), "WITHDRAWN"),
    "advies": Step(_advise, "worklist.done.advised", ("text",)),
}
"""Every step by the end of its address."""
