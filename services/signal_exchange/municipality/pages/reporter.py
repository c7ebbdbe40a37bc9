"""The pages of a reporter, without a log-in: tell what was seen, be thanked, and read the answer later.

An address holds a random receipt at most, never a reference. Nothing of a device is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from http import HTTPStatus
from typing import Annotated, Final
from uuid import uuid4

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from signal_exchange import words
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.domain.times import local_day
from signal_exchange.municipality.actions import MunicipalityActions
from signal_exchange.municipality.reports.contents import LONGEST, Minor, told_of
from signal_exchange.reference.loading import load_code_lists
from signal_exchange.runtime.faults import WorldUnavailableError
from signal_exchange.web.forms import FieldFault, Form
from signal_exchange.web.pace import Pace
from signal_exchange.web.rendering import open_page
from signal_exchange.web.visits import form_of

HOME: Final = "/meld"
ANSWER: Final = HOME + "/antwoord"
REPORTS_A_MINUTE: Final = 30
ANSWERS_A_MINUTE: Final = 10
"""Of everybody together: trying every reference would take years."""
MINORS: Final = {
    Minor.YES: "reporter.minor.YES",
    Minor.NO: "reporter.minor.NO",
    Minor.UNKNOWN: "reporter.minor.UNKNOWN",
}
SIGNS: Final = (
    "FREE_NO_CONTACT",
    "FREE_NO_ID",
    "DEP_ADDRESS_UNKNOWN",
    "FREE_NO_MOVEMENT",
    "COND_LOW_PAY",
    "COND_LONG_DAYS",
    "INT_INJURY",
    "PLACE_MANY_MOVES",
)
"""Codes of indicator.csv that somebody at a counter or a door can see."""
WORKPLACES: Final = ("COUNTER_STAFF", "AREA_TEAM", "ENFORCEMENT", "EDUCATION", "HEALTHCARE", "STAFF_OTHER", "NGO", "RESIDENT")
"""Codes of reporter_source.csv of those who use this form."""
Sent = Annotated[Form, Depends(form_of)]
"""A form that a page of this site sent, of somebody who is not logged in."""


def router(actions: MunicipalityActions) -> APIRouter:
    """Return the routes of a reporter."""
    found = APIRouter()
    found.include_router(_telling(actions))
    found.include_router(_answers(actions))
    return found


def _telling(actions: MunicipalityActions) -> APIRouter:
    found, pace = APIRouter(), Pace(REPORTS_A_MINUTE, actions.now)

    @found.get(HOME)
    def begin(request: Request) -> Response:
        """Show the form."""
        return _form(request, actions, Form())

    @found.post(HOME)
    def report(request: Request, form: Sent) -> Response:
        """Keep a report, and thank for it. What cannot be kept stays on the page."""
        if not pace.takes_one():
            return _form(request, actions, _with(form, "reporter.busy"), HTTPStatus.TOO_MANY_REQUESTS)
        try:
            kept = actions.reports.report(told_of(form.values), form.value("submission"))
        except RefusedError as refusal:
            return _form(request, actions, form.refused(refusal), HTTPStatus.UNPROCESSABLE_ENTITY)
        except WorldUnavailableError:
            return _form(request, actions, _with(form, "reporter.not_kept"), HTTPStatus.SERVICE_UNAVAILABLE)
        return RedirectResponse(f"{HOME}/dank/{kept.receipt}", status_code=303)

    @found.get(HOME + "/dank/{receipt}")
    def thank(request: Request, receipt: str) -> Response:
        """Show the reference, what happens next, and what to do meanwhile."""
        report = actions.reports.of_receipt(receipt)
        if report is None:
            return RedirectResponse(HOME, status_code=303)
        return open_page(
            request,
            "municipality/reporter_thanks.html.j2",
            report=report,
            read_by=actions.reports.read_by(report.received_at),
            answer_by=actions.reports.answer_by(report.received_at),
            phone=actions.node.settings.officer_phone,
        )

    return found


def _answers(actions: MunicipalityActions) -> APIRouter:
    found, pace = APIRouter(), Pace(ANSWERS_A_MINUTE, actions.now)

    @found.get(ANSWER)
    def ask(request: Request) -> Response:
        """Show where a reporter gives the reference."""
        return _answer(request, actions, Form())

    @found.post(ANSWER)
    def read(request: Request, form: Sent) -> Response:
        """Show the answer of the officer to a reporter, and nothing else."""
        if not pace.takes_one():
            return _answer(request, actions, _with(form, "reporter.busy"), HTTPStatus.TOO_MANY_REQUESTS)
        try:
            answer = actions.reports.answer_to(form.value("reference"))
        except RefusedError as refusal:
            return _answer(request, actions, form.refused(refusal), HTTPStatus.UNPROCESSABLE_ENTITY)
        return _answer(request, actions, form, answer=answer)

    return found


def _form(request: Request, actions: MunicipalityActions, form: Form, status: HTTPStatus = HTTPStatus.OK) -> Response:
    today = local_day(actions.now())
    return open_page(
        request,
        "municipality/reporter_form.html.j2",
        status=status.value,
        form=form,
        submission=form.value("submission") or str(uuid4()),
        minors=[(code.value, words.text(key)) for code, key in MINORS.items()],
        signs=_of_codes("indicator", SIGNS, today),
        workplaces=[("", words.text("reporter.works.unsaid")), *_of_codes("reporter_source", WORKPLACES, today)],
        longest=LONGEST,
        phone=actions.node.settings.officer_phone,
    )


def _answer(
    request: Request, actions: MunicipalityActions, form: Form, status: HTTPStatus = HTTPStatus.OK, *, answer: str | None = None
) -> Response:
    return open_page(
        request,
        "municipality/reporter_answer.html.j2",
        status=status.value,
        form=form,
        answer=answer,
        phone=actions.node.settings.officer_phone,
    )


def _of_codes(code_list: str, chosen: Sequence[str], today: date) -> list[tuple[str, str]]:
    """Return these codes with their labels, as far as they hold today."""
    valid, labels = load_code_lists().codes_on(code_list, today), {each: words.label(code_list, each) for each in chosen}
    return [(each, text[:1].upper() + text[1:]) for each, text in labels.items() if each in valid]


def _with(form: Form, key: str) -> Form:
    return form.with_faults([FieldFault("", words.text(key))])
