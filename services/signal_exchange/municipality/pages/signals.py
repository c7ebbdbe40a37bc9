"""The pages of a municipality's own signals: where each is and what came back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import Response

from signal_exchange import words
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.domain.signals.coded import URGENCIES
from signal_exchange.domain.times import at, local_day
from signal_exchange.municipality.actions import MunicipalityActions
from signal_exchange.municipality.inbox.listing import PAGE, Kind, Page, Wanted
from signal_exchange.municipality.inbox.questions import CLOSED
from signal_exchange.municipality.pages import report
from signal_exchange.municipality.pages.wording import told
from signal_exchange.municipality.publishing.wording import label
from signal_exchange.people.access import Act, require
from signal_exchange.reference.loading import load_code_lists
from signal_exchange.web.rendering import page
from signal_exchange.web.visits import Submitted, Visit, Visitor

HOME: Final = "/signalen"
FORMS: Final = "form_of_exploitation"
TABS: Final = {
    Kind.OPEN: "municipality.page.tab.open",
    Kind.ASKS: "municipality.page.tab.vraag",
    Kind.ENDED: "municipality.page.tab.uitkomst",
    Kind.WITHDRAWN: "municipality.page.tab.ingetrokken",
}
PERIODS: Final = {"maand": 31, "kwartaal": 92, "jaar": 366}
"""How far a period goes back, in days."""
PERIOD_TEXTS: Final = words.keyed(
    "municipality.page.period.maand", "municipality.page.period.kwartaal", "municipality.page.period.jaar"
)
LONGEST_NUMBER: Final = 7
"""Digits of a page number that is believed."""


def router(actions: MunicipalityActions) -> APIRouter:
    """Return the routes of my signals."""
    found = APIRouter()

    @found.get("/")
    def home(visit: Visitor) -> Response:
        """Go to my signals."""
        return visit.go(HOME)

    @found.get(HOME)
    def mine(visit: Visitor) -> Response:
        """Show the signals of this municipality: what asks something first."""
        require(visit.person, Act.MUNICIPALITY_TRACE)
        return _list(visit, actions, _filters(visit), _number(visit))

    @found.post(f"{HOME}/zoek")
    def search(visit: Submitted) -> Response:
        """Go to the signal of an own reference, which stands in no address."""
        require(visit.person, Act.MUNICIPALITY_TRACE)
        try:
            signal_id = actions.signal_id(visit.form.value("kenmerk"))
        except RefusedError as refusal:
            form = visit.form.refused(RefusedError(refusal.code, field="kenmerk"))
            return _list(visit, actions, {"soort": Kind.OPEN.value}, 1, form=form, status=422)
        return visit.go(f"{HOME}/{signal_id}")

    return found


def _filters(visit: Visit) -> dict[str, str]:
    """Return the filters of an address; what is no filter of ours is left out."""
    asked, codes = visit.request.query_params, load_code_lists()
    known = {"soort": set(Kind), "vorm": codes.codes(FORMS), "spoed": URGENCIES, "sinds": PERIODS}
    chosen = {name: value for name in known if (value := asked.get(name, "")) in known[name]}
    return {"soort": Kind.OPEN.value, **chosen}


def _number(visit: Visit) -> int:
    asked = visit.request.query_params.get("blz", "")
    return int(asked) if asked.isdecimal() and len(asked) < LONGEST_NUMBER else 1


def _list(visit: Visit, actions: MunicipalityActions, filters: Mapping[str, str], number: int, **more: Any) -> Response:  # noqa: ANN401 - facts of a page
    today, kind = local_day(actions.now()), Kind(filters["soort"])
    back = PERIODS.get(filters.get("sinds", ""))
    since = at(today - timedelta(days=back), time()) if back else None
    wanted = Wanted(kind, filters.get("vorm", ""), filters.get("spoed", ""), since, number)
    listed = actions.signals(wanted)
    facts = {
        "rows": [told(each, today) for each in listed.rows],
        "tabs": [_tab(each, listed, filters, current=each is kind) for each in Kind],
        "chips": list(_chips(filters)),
        "filters": filters,
        "forms": _codes(FORMS, actions.now()),
        "urgencies": [(each, label("urgency", each)) for each in URGENCIES],
        "periods": [(each, words.text(PERIOD_TEXTS[each])) for each in PERIODS],
        "here": address(filters, listed.page),
        "pager": _pager(listed, kind, filters),
        "hidden": listed.unfiltered[kind] - listed.counts[kind],
        "without": address({"soort": kind.value}),
        "asks": listed.unfiltered[Kind.ASKS],
        "questions": sum(each["state"] != CLOSED and each["answer"] is None for each in actions.questions()),
        "parked": len(actions.parked()),
        "report": report.HOME,
        "form": visit.form,
        **more,
    }
    return page(visit, "municipality/signals.html.j2", **facts)


def address(filters: Mapping[str, str], number: int = 1) -> str:
    """Return the address of the list with its filters; it holds codes only."""
    chosen = {name: value for name, value in filters.items() if value and (name, value) != ("soort", Kind.OPEN.value)}
    query = urlencode({**chosen, **({"blz": str(number)} if number > 1 else {})})
    return f"{HOME}?{query}" if query else HOME


def _tab(kind: Kind, listed: Page, filters: Mapping[str, str], *, current: bool) -> dict[str, object]:
    href = address({**filters, "soort": kind.value})
    return {"text": words.text(TABS[kind]), "href": href, "current": current, "count": listed.counts[kind]}


def _chips(filters: Mapping[str, str]) -> Iterator[dict[str, str]]:
    lists = {"vorm": FORMS, "spoed": "urgency"}
    for name in ("vorm", "spoed", "sinds"):
        if chosen := filters.get(name):
            text = label(lists[name], chosen) if name in lists else words.text(PERIOD_TEXTS[chosen])
            yield {"text": text, "href": address({**filters, name: ""})}


def _codes(code_list: str, moment: datetime) -> list[tuple[str, str]]:
    return [(each, label(code_list, each)) for each in load_code_lists().codes_on(code_list, local_day(moment))]


def _pager(listed: Page, kind: Kind, filters: Mapping[str, str]) -> dict[str, object]:
    number, total = listed.page, listed.counts[kind]
    first, last = (number - 1) * PAGE + 1, min(number * PAGE, total)
    before = address(filters, number - 1) if number > 1 else ""
    return {
        "first": first,
        "last": last,
        "total": total,
        "previous": before,
        "next": address(filters, number + 1) if last < total else "",
    }
