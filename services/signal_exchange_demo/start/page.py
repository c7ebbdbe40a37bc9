"""The start page: where one is, who one can be, and a path of a few steps. It listens on loopback only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any, Final

import uvicorn
from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.types import ASGIApp

from signal_exchange.domain.people import Person
from signal_exchange.runtime import clock
from signal_exchange.runtime.health import LOOPBACK
from signal_exchange.runtime.http_border import SERVER_OPTIONS
from signal_exchange.web.rendering import open_page
from signal_exchange.web.serving import served
from signal_exchange.web.site import Site
from signal_exchange_demo.start.practice import Place, Practice

STOP_SECONDS: Final = 5.0
GROUPS: Final = (
    ("start.municipalities", ("ATTENTION_OFFICER",)),
    ("start.care", ("CARE_COORDINATOR", "YOUTH_COORDINATOR")),
)
"""The heading of each group of people, and the roles in it."""
DOES: Final = {
    "ATTENTION_OFFICER": "start.does.officer",
    "CARE_COORDINATOR": "start.does.care",
    "YOUTH_COORDINATOR": "start.does.youth",
}
"""What somebody does, by role."""
STEPS: Final = (
    ("start.step.report", "start.hint.report", "ATTENTION_OFFICER", "/melden"),
    ("start.step.accept", "start.hint.accept", "CARE_COORDINATOR", "/verwijzingen"),
    ("start.step.outcome", "start.hint.outcome", "ATTENTION_OFFICER", "/signalen"),
)
"""The path through the demo: its text, what to do there, who does it, and the page where it begins."""


@dataclass(frozen=True, slots=True)
class Someone:
    """One of the people one can be, and where."""

    person: Person
    place: Place
    does: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the path."""

    key: str
    hint: str
    someone: Someone
    page: str


def start_site(practice: Practice, works: Callable[[], tuple[int, int]]) -> Site:
    """Return the site of the start page; `works` says how many processes of all run."""
    return Site(
        name="start",
        database=None,
        routers=[router(practice, works)],
        templates=("signal_exchange_demo.start",),
        menu=lambda _: (),
        home="/",
        now=clock.now,
        practice=True,
        secure=False,
        forms_to=[place.address for place in practice.places],
    )


def router(practice: Practice, works: Callable[[], tuple[int, int]]) -> APIRouter:
    """Return the one page."""
    found = APIRouter()

    @found.get("/")
    def start(request: Request) -> Response:
        """Show the persons as whom one can log in here."""
        everybody = tuple(_everybody(practice))
        running, wanted = works()
        facts: dict[str, Any] = {"now": clock.now(), "running": running, "wanted": wanted}
        return open_page(request, "start/start.html.j2", groups=_groups(everybody), steps=_steps(everybody), **facts)

    return found


def _everybody(practice: Practice) -> Iterator[Someone]:
    for place in practice.places:
        yield from (Someone(person, place, DOES[person.role]) for person in place.people)


def _groups(everybody: tuple[Someone, ...]) -> list[tuple[str, list[Someone]]]:
    return [(key, [each for each in everybody if each.person.role in roles]) for key, roles in GROUPS]


def _steps(everybody: tuple[Someone, ...]) -> list[Step]:
    first = {each.person.role: each for each in reversed(everybody)}
    return [Step(key, hint, first[role], page) for key, hint, role, page in STEPS if role in first]


@contextmanager
def serving(site: Site, port: int) -> Iterator[None]:
    """Serve a site on a loopback port while the block runs."""
    app: ASGIApp = served(site)
    server = uvicorn.Server(uvicorn.Config(app, host=LOOPBACK, port=port, **SERVER_OPTIONS))
    thread = Thread(target=server.run, name="start page", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(STOP_SECONDS)
