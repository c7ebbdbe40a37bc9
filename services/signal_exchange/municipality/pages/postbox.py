"""The pages of what waits for an officer: one list, and each report with what can be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import Response

from signal_exchange import words
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.municipality.actions import MunicipalityActions
from signal_exchange.municipality.pages import report as report_pages
from signal_exchange.municipality.pages.questions import QUESTIONS
from signal_exchange.municipality.pages.reporter import MINORS
from signal_exchange.municipality.reports.acts import CloseReason, Opened
from signal_exchange.municipality.reports.contents import Told
from signal_exchange.municipality.reports.postbox import PAGE, Box, Item, Kind
from signal_exchange.municipality.reports.store import State
from signal_exchange.people.access import Act, require
from signal_exchange.web.forms import Form
from signal_exchange.web.rendering import day, moment, page
from signal_exchange.web.visits import Submitted, Visit, Visitor

HOME: Final = "/postvak"
SHORT: Final = 60
"""Characters of the first words of a report, by which a list names it."""
LONGEST_NUMBER: Final = 7
"""Digits of a page number that is believed."""
TABS: Final = {
    Kind.ALL: "postbox.tab.all",
    Kind.REPORT: "postbox.tab.reports",
    Kind.QUESTION: "postbox.tab.questions",
    Kind.DRAFT: "postbox.tab.drafts",
    Kind.DONE: "postbox.tab.done",
}
REASONS: Final = {
    CloseReason.SIGNAL_MADE: "postbox.reason.SIGNAL_MADE",
    CloseReason.NO_INDICATION: "postbox.reason.NO_INDICATION",
    CloseReason.OTHER_HELP: "postbox.reason.OTHER_HELP",
    CloseReason.KNOWN_ALREADY: "postbox.reason.KNOWN_ALREADY",
    CloseReason.TOO_LITTLE: "postbox.reason.TOO_LITTLE",
}


@dataclass(frozen=True, slots=True)
class _Look:
    """Look of a kind of row: tone, icon, and the key of its word."""

    tone: str
    icon: str
    key: str


LOOKS: Final = {
    State.NEW: _Look("info", icon="sparkles", key="postbox.badge.NEW"),
    State.READ: _Look("", icon="eye", key="postbox.badge.READ"),
    State.MERGED: _Look("", icon="git-merge", key="postbox.badge.MERGED"),
    State.CLOSED: _Look("ok", icon="circle-check", key="postbox.badge.CLOSED"),
}
"""How a report shows, by where it is."""
QUESTION: Final = _Look("warn", icon="link", key="postbox.badge.question")
DRAFT: Final = _Look("", icon="pencil", key="postbox.badge.draft")


@dataclass(frozen=True, slots=True)
class Row:
    """One row in words: its title, where it leads, a badge, and until when it waits."""

    title: str
    href: str
    tone: str
    icon: str
    badge: str
    said: str
    late: bool = False
    minor: bool = False


def router(actions: MunicipalityActions) -> APIRouter:
    """Return the routes of an officer's post."""
    found = APIRouter()

    @found.get(HOME)
    def listed(visit: Visitor) -> Response:
        """Show the postbox, the shortest time first."""
        require(visit.person, Act.MUNICIPALITY_REPORTS)
        asked = visit.request.query_params.get("soort", "")
        kind = Kind(asked) if asked in set(Kind) else Kind.ALL
        return page(visit, "municipality/postbox.html.j2", **_list(visit, actions, kind), alone=actions.is_nobody_there())

    @found.get(HOME + "/{reference}")
    def report(visit: Visitor, reference: str) -> Response:
        """Show a report; from now on it is read."""
        require(visit.person, Act.MUNICIPALITY_OPEN_REPORT)
        return _report(visit, actions, reference, Form())

    @found.post(HOME + "/{reference}/signaal")
    def make_signal(visit: Submitted, reference: str) -> Response:
        """Take the text along into a draft; nothing is sent."""
        require(visit.person, Act.MUNICIPALITY_PUBLISH)
        try:
            return visit.go(f"{report_pages.HOME}/{actions.signal_of_report(reference, visit.person)}/gezien")
        except RefusedError as refusal:
            return _refused(visit, actions, reference, refusal)

    @found.post(HOME + "/{reference}/sluiten")
    def close(visit: Submitted, reference: str) -> Response:
        """Close a report with an answer to its reporter."""
        require(visit.person, Act.MUNICIPALITY_CLOSE_REPORT)
        form = visit.form
        try:
            actions.reports.close(reference, form.value("reason"), form.value("answer"), visit.person)
        except RefusedError as refusal:
            return _refused(visit, actions, reference, refusal)
        visit.tell("postbox.closed")
        return visit.go(HOME)

    @found.post(HOME + "/{reference}/samen")
    def merge(visit: Submitted, reference: str) -> Response:
        """Put a report with another one."""
        require(visit.person, Act.MUNICIPALITY_CLOSE_REPORT)
        into = visit.form.value("into")
        try:
            actions.reports.merge(reference, into)
        except RefusedError as refusal:
            return _refused(visit, actions, reference, refusal)
        visit.tell("postbox.merged")
        return visit.go(f"{HOME}/{into}")

    return found


def _list(visit: Visit, actions: MunicipalityActions, kind: Kind) -> dict[str, Any]:
    asked = visit.request.query_params.get("blz", "")
    number = int(asked) if asked.isdecimal() and len(asked) < LONGEST_NUMBER else 1
    box = actions.postbox(kind, number, visit.person)
    return {
        "kind": kind.value,
        "today": actions.now(),
        "rows": [_row(each, actions) for each in box.rows],
        "total": box.counts[kind],
        "tabs": [_tab(each, box, current=each is kind) for each in Kind],
        "pager": _pager(box, kind),
    }


def _tab(kind: Kind, box: Box, *, current: bool) -> dict[str, object]:
    return {"text": words.text(TABS[kind]), "href": _address(kind), "current": current, "count": box.counts[kind]}


def _address(kind: Kind, number: int = 1) -> str:
    chosen = {"soort": kind.value} if kind is not Kind.ALL else {}
    query = urlencode({**chosen, **({"blz": str(number)} if number > 1 else {})})
    return f"{HOME}?{query}" if query else HOME


def _pager(box: Box, kind: Kind) -> dict[str, object]:
    total, number = box.counts[kind], box.page
    first, last = (number - 1) * PAGE + 1, min(number * PAGE, total)
    before, after = _address(kind, number - 1) if number > 1 else "", _address(kind, number + 1) if last < total else ""
    return {"first": first, "last": last, "total": total, "previous": before, "next": after}


def _row(item: Item, actions: MunicipalityActions) -> Row:
    if item.opened is not None:
        return _report_row(item, item.opened, late=item.kind is Kind.REPORT and item.at < actions.now())
    if item.kind is Kind.QUESTION:
        said = _until(item.number, "postbox.answer_by", item.at)
        look = (QUESTION.tone, QUESTION.icon, words.text(QUESTION.key))
        return Row(words.text("postbox.question"), f"{QUESTIONS}/{item.name}", *look, said, late=item.at < actions.now())
    form = words.label("form_of_exploitation", item.form).capitalize() if item.form else words.text("postbox.no_form")
    said = words.text("postbox.ends", reference=item.name, day=day(item.at))
    return Row(form, f"{report_pages.HOME}/{item.name}/gezien", DRAFT.tone, DRAFT.icon, words.text(DRAFT.key), said)


def _until(reference: str, key: str, at: datetime) -> str:
    return words.text("postbox.until", reference=reference, said=words.text(key), at=moment(at))


def _report_row(item: Item, opened: Opened, *, late: bool) -> Row:
    keys = {State.NEW: "postbox.read_by", State.READ: "postbox.choose_by"}
    key = keys.get(State(opened.report.state), "postbox.closed_on")
    said, minor = _until(item.name, key, item.at), opened.may_be_minor
    return Row(title_of(opened.told), f"{HOME}/{item.name}", *_look(opened), said, late=late, minor=minor)


def _look(opened: Opened) -> tuple[str, str, str]:
    """Return tone, icon and word of where a report is."""
    look = LOOKS[State(opened.report.state)]
    return look.tone, look.icon, words.text(look.key)


def title_of(told: Told) -> str:
    """Return the first words of what was told."""
    line = told.text.split("\n", 1)[0].strip()
    return line if len(line) <= SHORT else f"{line[:SHORT].rsplit(' ', 1)[0]}…"


def _refused(visit: Visit, actions: MunicipalityActions, reference: str, refusal: RefusedError) -> Response:
    if refusal.code == "REPORT_UNKNOWN":
        raise refusal
    return _report(visit, actions, reference, visit.form.refused(refusal), HTTPStatus.UNPROCESSABLE_ENTITY)


def _report(
    visit: Visit, actions: MunicipalityActions, reference: str, form: Form, status: HTTPStatus = HTTPStatus.OK
) -> Response:
    reports = actions.reports
    opened = reports.open(reference)
    report = opened.report
    others = [(name, f"{name}: {title_of(reports.look(name).told)}") for name, _ in reports.waiting() if name != report.reference]
    facts: dict[str, Any] = {
        "report": report,
        "opened": opened,
        "title": title_of(opened.told),
        "look": _look(opened),
        "told": [(report, _told(opened.told)), *((each, _told(told)) for each, told in opened.merged)],
        "others": others[:PAGE],
        "reasons": [("", words.text("postbox.reason.choose")), *((each.value, words.text(key)) for each, key in REASONS.items())],
        "closed_for": words.text(REASONS[CloseReason(report.reason)]) if report.reason else "",
        "late": report.is_open and report.due_at < actions.now(),
        "kept_until": reports.kept_until(report.closed_at or actions.now()),
        "form": form,
    }
    return page(visit, "municipality/postbox_report.html.j2", status=status.value, **facts)


def _told(told: Told) -> tuple[str, list[tuple[str, str]]]:
    """Return the text of a report, and its other answers as terms with values."""
    minor = words.text("postbox.minor_unknown") if told.minor == "UNKNOWN" else words.text(MINORS[told.minor])
    asked = [
        (words.text("postbox.term.place"), told.place),
        (words.text("postbox.term.signs"), ", ".join(words.label("indicator", each) for each in told.signs)),
        (words.text("postbox.term.minor"), minor),
        (words.text("postbox.term.works"), words.label("reporter_source", told.works) if told.works else ""),
        (words.text("postbox.term.name"), told.name),
        (words.text("postbox.term.contact"), told.contact),
    ]
    return told.text, [each for each in asked if each[1]]
