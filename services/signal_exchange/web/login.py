"""The ways in: the persons of a practice environment, and the log-out of everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from signal_exchange.domain.people import Person
from signal_exchange.web.forms import Form
from signal_exchange.web.rendering import open_page, page
from signal_exchange.web.visits import (
    LOG_IN,
    Submitted,
    Visit,
    Visitor,
    own_path,
    peeking,
    require_practice,
    site_of,
    sittings_of,
    visit_of,
)

PRACTICE_ISSUER = "practice"
"""Issuer of the persons of a practice environment."""


def sit_down(request: Request, person: Person, back: str, id_token: str | None = None) -> RedirectResponse:
    """Log a person in, and go to the page that was asked for."""
    site = site_of(request)
    token = sittings_of(request).begin(person, id_token)
    answer = RedirectResponse(own_path(back, site.home), status_code=303)
    answer.set_cookie(site.cookie, token, path="/", secure=site.secure, httponly=True, samesite="lax")
    return answer


@dataclass(frozen=True, slots=True)
class PracticeEntrance:
    """In a practice environment a click makes one of its invented persons. A site in production never has it."""

    persons: Sequence[Person]

    def end_elsewhere(self, _person: Person, _id_token: str) -> str:
        """Return nothing: a practice log-in ends here."""
        return ""

    def router(self) -> APIRouter:
        """Return the page with the persons, and the click."""
        router = APIRouter()

        @router.get(LOG_IN)
        def choose(request: Request, terug: str = "/") -> Response:
            """Show the persons as whom one can log in here."""
            return open_page(request, "web/practice_login.html.j2", persons=self.persons, back=own_path(terug, "/"))

        @router.post("/oefenen/word")
        async def become(request: Request) -> Response:
            """Log in as one of them; the start page of the same practice environment may send this too."""
            require_practice(request)
            form = Form({name: [str(value)] for name, value in (await request.form()).items()})
            person = next((each for each in self.persons if each.subject == form.value("wie")), None)
            if person is None:
                raise HTTPException(HTTPStatus.NOT_FOUND)
            return await run_in_threadpool(sit_down, request, person, form.value("terug"))

        return router


def _ends_elsewhere(visit: Visit) -> str:
    ends = (each.end_elsewhere(visit.person, visit.sitting.id_token or "") for each in visit.site.entrances)
    return next(filter(None, ends), "")


def _leaving(visit: Visit, elsewhere: str) -> Response:
    """Return a page that goes on by itself: a browser follows no redirect of a form to another site (CSP form-action)."""
    answer = open_page(visit.request, "web/logged_out.html.j2", elsewhere=elsewhere)
    answer.headers["Refresh"] = f"0; url={elsewhere}"
    return answer


def session_router() -> APIRouter:
    """Return the routes of a log-in once it is there: how long it lasts, extending it, and logging out."""
    router = APIRouter()

    @router.post("/afmelden")
    def log_out(visit: Submitted) -> Response:
        """Log out here, and then where the log-in was given."""
        elsewhere = _ends_elsewhere(visit)
        visit.sittings.end(visit.sitting)
        answer = _leaving(visit, elsewhere) if elsewhere else RedirectResponse("/afgemeld", status_code=303)
        answer.delete_cookie(visit.site.cookie, path="/", secure=visit.site.secure, httponly=True, samesite="lax")
        return answer

    @router.get("/afgemeld")
    def logged_out(request: Request) -> Response:
        """Say that the log-in ended."""
        return open_page(request, "web/logged_out.html.j2")

    @router.get("/sessie")
    def ends(request: Request) -> Response:
        """Tell a page that stays open how its log-in ends: soon, or now. It asks by itself, so that this extends nothing."""
        visit = peeking(request)
        if visit is None:
            return open_page(request, "web/session_over.html.j2", block="over")
        return page(visit, "web/session_ends.html.j2", back=own_path(_path_of(request.headers.get("hx-current-url", "")), "/"))

    @router.post("/sessie")
    def extend(visit: Submitted) -> Response:
        """Stay logged in for another while; the absolute limit stays."""
        visit.sittings.extend(visit.sitting)
        visit.tell("web.session.extended")
        return visit.go(own_path(visit.form.value("terug"), visit.site.home))

    return router


def _path_of(address: str) -> str:
    """Return the path of the page that a browser shows."""
    return urlsplit(address).path


def own_pages() -> APIRouter:
    """Return the pages that every site has: the own log-in, and what the site does with who uses it."""
    router = APIRouter()

    @router.get("/account")
    def account(visit: Visitor) -> Response:
        """Show the person who is logged in, and the end of the log-in."""
        limits = visit.sittings.limits
        minutes, hours = limits.idle.seconds // 60, limits.absolute.seconds // 3600
        return page(visit, "web/own_account.html.j2", sitting=visit.sitting, minutes=minutes, hours=hours)

    @router.get("/toegankelijkheid")
    def accessibility(request: Request) -> Response:
        """Show the accessibility of these pages: the ways for everybody to use them, and the way on for somebody who cannot."""
        return for_anybody(request, "web/accessibility.html.j2")

    @router.get("/privacy")
    def privacy(request: Request) -> Response:
        """Show the data that is kept of the people who use these pages."""
        return for_anybody(request, "web/privacy.html.j2")

    return router


def for_anybody(request: Request, template: str) -> Response:
    """Return a page that needs no log-in, with the menu of who has one."""
    visit = visit_of(request)
    return page(visit, template) if visit else open_page(request, template)
