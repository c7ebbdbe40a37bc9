"""The list of a worklist: what waits, and what ended."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, cast
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import Response

from signal_exchange import words
from signal_exchange.domain.referrals.transitions import FINAL_STATES
from signal_exchange.domain.signals.coded import URGENCIES, Urgency
from signal_exchange.reference.loading import load_members
from signal_exchange.web.rendering import page
from signal_exchange.web.visits import Visitor
from signal_exchange.worklist.actions import WorklistActions
from signal_exchange.worklist.cases import DUE
from signal_exchange.worklist.listing import CONSULT, PAGE, Focus, Wanted, WorklistPage
from signal_exchange.worklist.pages.auditing import looking
from signal_exchange.worklist.pages.telling import HOME, Told, begun, municipality_of, state_of

ENDED: Final = "beeindigd"
NUMBER: Final = re.compile("[1-9][0-9]{0,5}")
FOCUS: Final[Mapping[str, Focus]] = {"te-laat": "late", "vandaag": "today", "nieuw": "new"}
FOCUS_TEXTS: Final = words.keyed("worklist.page.late", "worklist.page.today", "worklist.page.new")
PLACE_TEXTS: Final = words.keyed("worklist.place.acute", "worklist.place.new", "worklist.place.open", "worklist.place.ended")
STATES: Final = {False: (*DUE, CONSULT), True: (*sorted(FINAL_STATES), CONSULT)}
"""The states of the rows that are open, and of those that ended."""


def router(actions: WorklistActions) -> APIRouter:
    """Return the routes of the list."""
    found = APIRouter()

    @found.get("/")
    def home(visit: Visitor) -> Response:
        """Go to the worklist."""
        return visit.go(HOME)

    @found.get(HOME)
    def referrals(visit: Visitor) -> Response:
        """Show the rows that wait, or those that ended."""
        query = {name: value for name, value in visit.request.query_params.items() if value}
        asked = Asked.of(query)
        with looking(visit, actions):
            found = actions.page(asked.wanted, asked.number)
        if asked.number > found.last:
            return visit.go(asked.href(bladzijde=found.last))
        told = Told(actions.rules.calendar, actions.now())
        part = "rows" if visit.wants_fragment else None
        facts = asked.facts(found)
        return page(visit, "worklist/referrals.html.j2", block=part, page=found, told=told, HOME=HOME, part=part, **facts)

    return found


class Asked:
    """The wishes in the address of the list. An unknown one is left out, so that an old link still works."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self.given = given
        self.ended = given.get("lijst") == ENDED
        number = given.get("bladzijde", "")
        self.number = int(number) if NUMBER.fullmatch(number) else 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Asked:
        """Return the wishes of a query."""
        known: Mapping[str, Callable[[str], bool]] = {
            "lijst": lambda value: value == ENDED,
            "bladzijde": lambda _: True,
            "wat": FOCUS.__contains__,
            "urgentie": URGENCIES.__contains__,
            "stand": lambda value: value in STATES[query.get("lijst") == ENDED],
            "gemeente": lambda value: load_members().get(value) is not None,
        }
        return cls({name: value for name, value in query.items() if name in known and known[name](value)})

    @property
    def wanted(self) -> Wanted:
        """Return the wish for the worklist."""
        given = self.given
        urgency = cast("Urgency | None", given.get("urgentie"))
        return Wanted(self.ended, urgency, given.get("stand"), given.get("gemeente"), FOCUS.get(given.get("wat", "")))

    @property
    def cleared(self) -> str:
        """Return the address of the same list without a filter."""
        return Asked({name: value for name, value in self.given.items() if name == "lijst"}).href()

    def href(self, **changed: object) -> str:
        """Return the address of the list with something else asked; what is None is asked no more."""
        asked = {**self.given, "bladzijde": None, **changed}
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        return f"{HOME}?{query}" if query else HOME

    def facts(self, found: WorklistPage) -> dict[str, Any]:
        """Return the facts that the template shows beside the rows."""
        places = groupby(found.rows, lambda row: row.place)
        return {
            "asked": self,
            "groups": [(words.text(PLACE_TEXTS[place]), list(rows)) for place, rows in places],
            "stats": self._stats(found),
            "tabs": self._tabs(found),
            "chips": self._chips(),
            "pager": self._pager(found),
            "options": self._options(),
        }

    def _stats(self, found: WorklistPage) -> Sequence[tuple[str, int, str, bool]]:
        figures = found.figures
        counted = {"late": figures.late, "today": figures.today, "new": figures.new}
        focused = [
            (words.text(FOCUS_TEXTS[name]), counted[name], Asked({"wat": code}).href(), name == "late" and counted[name] > 0)
            for code, name in FOCUS.items()
        ]
        return [*focused, (words.text("worklist.page.open"), figures.open, HOME, False)]

    def _tabs(self, found: WorklistPage) -> Sequence[dict[str, Any]]:
        open_text, ended_text = words.text("worklist.page.open"), words.text("worklist.page.ended_list")
        return (
            {"href": HOME, "text": open_text, "count": found.figures.open, "current": not self.ended},
            {"href": f"{HOME}?lijst={ENDED}", "text": ended_text, "count": found.figures.ended, "current": self.ended},
        )

    def _chips(self) -> Sequence[dict[str, str]]:
        says: Mapping[str, Callable[[str], str]] = {
            "wat": lambda code: words.text(FOCUS_TEXTS[FOCUS[code]]),
            "urgentie": lambda code: begun(words.label("urgency", code)),
            "stand": state_text,
            "gemeente": municipality_of,
        }
        return [{"text": says[name](self.given[name]), "href": self.href(**{name: None})} for name in says if name in self.given]

    def _pager(self, found: WorklistPage) -> dict[str, Any]:
        first = (found.number - 1) * PAGE
        return {
            "first": min(first + 1, found.figures.found),
            "last": first + len(found.rows),
            "total": found.figures.found,
            "previous": self.href(bladzijde=found.number - 1) if found.number > 1 else None,
            "next": self.href(bladzijde=found.number + 1) if found.number < found.last else None,
        }

    def _options(self) -> dict[str, Sequence[tuple[str, str]]]:
        everything = ("", words.text("worklist.page.everything"))
        members = sorted((each.name, each.code) for each in load_members().by_code.values())
        return {
            "urgency": (everything, *((code, begun(words.label("urgency", code))) for code in URGENCIES)),
            "state": (everything, *((code, state_text(code)) for code in STATES[self.ended])),
            "municipality": (everything, *((code, name) for name, code in members)),
        }


def state_text(code: str) -> str:
    """Return a state, or what stands in its place, in words."""
    return words.text("worklist.page.consult") if code == CONSULT else state_of(code)
