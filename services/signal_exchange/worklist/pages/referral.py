"""One referral: what was delivered, why, what was done with it, and the steps that its coordinator can take."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response

from signal_exchange import words
from signal_exchange.cli.naming import number_of
from signal_exchange.domain.referrals.clocks import first_contact_by, progress_note_by
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.domain.times import local_day
from signal_exchange.web.forms import Form
from signal_exchange.web.rendering import page
from signal_exchange.web.visits import Submitted, Visit, Visitor
from signal_exchange.worklist.actions import SignalDetails, WorklistActions
from signal_exchange.worklist.pages.auditing import looking
from signal_exchange.worklist.pages.conflict import conflict_of, seen_of
from signal_exchange.worklist.pages.steps import STEPS
from signal_exchange.worklist.pages.telling import HOME, Told, begun, events_of, fields_of, grounds_of

UNKNOWN = ("NUMBER_UNKNOWN", "NUMBER_INCOMPLETE")
NOT_ALLOWED = "NOT_ALLOWED"


def router(actions: WorklistActions) -> APIRouter:
    """Return the routes of one referral."""
    found, desk = APIRouter(), Desk(actions)

    @found.get(HOME + "/{named}")
    def referral(visit: Visitor, named: str) -> Response:
        """Show one referral; its summary stays closed."""
        return desk.show(visit, named)

    @found.post(HOME + "/{named}/samenvatting")
    def summary(visit: Submitted, named: str) -> Response:
        """Open the summary, in this answer only: who opened it is kept, and an offer counts as seen."""
        return desk.open_summary(visit, named)

    @found.post(HOME + "/{named}/{step}")
    def take(visit: Submitted, named: str, step: str) -> Response:
        """Take a step, or say what is wrong with it."""
        return desk.take(visit, named, step)

    return found


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer that a page of a referral gives besides: an opened summary, or the result of the form of a step."""

    status: HTTPStatus = HTTPStatus.OK
    summary: str | None = field(default=None, repr=False)
    step: str = ""
    form: Form = field(default_factory=Form, repr=False)
    clashes: bool = False


@dataclass(frozen=True, slots=True)
class Desk:
    """The pages of one referral."""

    actions: WorklistActions

    def show(self, visit: Visit, named: str, answer: Answer | None = None) -> Response:
        """Return the page of a referral."""
        try:
            with looking(visit, self.actions) as doing:
                details = self.actions.show(named)
                doing.about = details.signal_id
        except RefusedError as refusal:
            return self._gone(visit, named, refusal)
        said = answer or Answer()
        facts = {**self._facts(details), "said": said, "conflict": None}
        if said.clashes and details.referrals:
            facts["conflict"] = conflict_of(details, details.referrals[0], said.form, STEPS[said.step])
        return page(visit, "worklist/referral.html.j2", status=said.status, **facts)

    def open_summary(self, visit: Visit, named: str) -> Response:
        """Return the page of a referral with its summary."""
        try:
            text = self.actions.open_summary(named, visit.person)
        except RefusedError as refusal:
            return self._again(visit, named, Answer(form=visit.form.refused(refusal)), refusal)
        return self.show(visit, named, Answer(summary=text or words.text("summary.no_text")))

    def take(self, visit: Visit, named: str, name: str) -> Response:
        """Take a step, and go back to the page of the referral."""
        if name not in STEPS:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        step, form = STEPS[name], visit.form
        seen = form.value("seen_version")
        try:
            step.take(self.actions, named, visit.person, form, int(seen) if seen.isascii() and seen.isdigit() else -1)
        except RefusedError as refusal:
            return self._again(visit, named, Answer(step=name, form=_with_fault(form, refusal, step.fields)), refusal)
        visit.tell(step.done)
        return visit.go(f"{HOME}/{named}")

    def _again(self, visit: Visit, named: str, answer: Answer, refusal: RefusedError) -> Response:
        """Return the page with what was typed, and what is wrong with it or what changed meanwhile."""
        if refusal.code in {*UNKNOWN, NOT_ALLOWED}:
            raise refusal
        if refusal.code == "CHANGED_SINCE_SEEN":
            unfaulted = replace(answer, form=Form(answer.form.values), status=HTTPStatus.CONFLICT, clashes=True)
            return self.show(visit, named, unfaulted)
        return self.show(visit, named, replace(answer, status=HTTPStatus.UNPROCESSABLE_ENTITY))

    def _gone(self, visit: Visit, named: str, refusal: RefusedError) -> Response:
        """Say that a signal was erased, which is all that is left of it; of one that never was here nothing is said."""
        if refusal.code not in UNKNOWN:
            raise refusal
        erased = self.actions.erased_at(named)
        if erased is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        status = HTTPStatus.GONE
        return page(visit, "worklist/erased.html.j2", status=status, number=number_of(named), erased=erased, HOME=HOME)

    def _facts(self, details: SignalDetails) -> dict[str, Any]:
        row = details.referrals[0] if details.referrals else None
        delivery, now, rules = details.delivery, self.actions.now(), self.actions.rules
        opened = max((each.version for each in details.openings), default=None)
        return {
            "HOME": HOME,
            "fields": fields_of(details),
            "events": events_of(details),
            "grounds": list(grounds_of(delivery)) if delivery else [],
            "told": Told(rules.calendar, now),
            "number": number_of(details.signal_id),
            "details": details,
            "row": row,
            "others": details.referrals[1:],
            "delivery": delivery,
            "possible": details.possible,
            "seen": seen_of(row) | {"was_at": now.isoformat()} if row else {},
            "is_newer": bool(row and opened and row.version > opened),
            "contact_by": first_contact_by(row.urgency, now, rules.calendar) if row else None,
            "note_by": progress_note_by(now, rules.calendar),
            "options": {name: _options(self.actions, name) for name in OPTIONS},
        }


OPTIONS = ("rejection_reason", "referral_result", "withdrawal_reason")
NEVER = "NO_CAPACITY"
"""No reason to reject: nobody is turned away for lack of capacity (R-REF)."""


def _options(actions: WorklistActions, code_list: str) -> list[tuple[str, str]]:
    codes = actions.rules.codes.codes_on(code_list, local_day(actions.now()))
    choose = ("", words.text("worklist.page.choose"))
    return [choose, *((code, begun(words.label(code_list, code))) for code in codes if code != NEVER)]


def _with_fault(form: Form, refusal: RefusedError, fields: tuple[str, ...]) -> Form:
    """Return the form with its fault; one that names no field of the form is about the first."""
    faulted = form.refused(refusal)
    if fields and refusal.field not in fields:
        return Form(form.values, [replace(each, field=fields[0]) for each in faulted.faults])
    return faulted
