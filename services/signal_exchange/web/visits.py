"""One request of a person who is logged in, as pages get it."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field, replace
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from signal_exchange.domain.people import Person
from signal_exchange.web.forms import Form
from signal_exchange.web.site import Site
from signal_exchange.web.sittings import Notice, Sitting, Sittings

CSRF_FIELD = "csrf"
LOG_IN = "/aanmelden"


class NotLoggedInError(Exception):
    """Nobody is logged in, or no longer: the log-in comes first, and then the page that was asked for, or `back`."""

    def __init__(self, back: str = "") -> None:
        super().__init__()
        self.back = back


class ForeignRequestError(Exception):
    """A form that did not come from a page of ours (OWASP: cross-site request forgery)."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request: who asks, by which log-in, on which site. `form` holds what was sent."""

    request: Request
    site: Site
    sittings: Sittings
    sitting: Sitting
    form: Form = field(default_factory=Form, repr=False)

    @property
    def person(self) -> Person:
        """Return the person who asks."""
        return self.sitting.person

    @property
    def csrf(self) -> str:
        """Return the token that a form of this visit carries."""
        return self.sitting.csrf

    @property
    def wants_fragment(self) -> bool:
        """Say whether htmx asks for a part of the page only."""
        return self.request.headers.get("hx-request") == "true"

    def tell(self, key: str, kind: str = "ok", **facts: object) -> None:
        """Let the next page tell a text of the catalogue."""
        self.sittings.tell(self.sitting, Notice(key, facts, kind))

    def go(self, href: str) -> RedirectResponse:
        """Return the answer after an act: the browser asks the next page, so that a reload does nothing twice."""
        return RedirectResponse(href, status_code=303)


def site_of(request: Request) -> Site:
    """Return the site of a request."""
    site: Site = request.app.state.site
    return site


def sittings_of(request: Request) -> Sittings:
    """Return the log-ins of the site of a request."""
    sittings: Sittings = request.app.state.sittings
    return sittings


def visit_of(request: Request) -> Visit | None:
    """Return the visit, None when nobody is logged in. A person whom the people list no longer has is logged out."""
    site, sittings = site_of(request), request.app.state.sittings
    sitting = sittings.find(request.cookies.get(site.cookie, "")) if sittings else None
    person = site.known(sitting.person) if sitting else None
    if sitting is None or person is None:
        return None
    return Visit(request, site, sittings, replace(sitting, person=person))


def peeking(request: Request) -> Visit | None:
    """Return the visit of a page that asks by itself, which does not extend the log-in; None: it ended."""
    site, sittings = site_of(request), sittings_of(request)
    sitting = sittings.peek(request.cookies.get(site.cookie, ""))
    return Visit(request, site, sittings, sitting) if sitting else None


def _visit(request: Request) -> Visit:
    visit = visit_of(request)
    if visit is None:
        raise NotLoggedInError
    return visit


async def _submitted(request: Request) -> Visit:
    visit = await run_in_threadpool(visit_of, request)
    form = await form_of(request)
    if visit is None:
        raise NotLoggedInError(await run_in_threadpool(_rescued, request, form))
    if not _is_of(visit.sitting, form):
        raise ForeignRequestError
    return replace(visit, form=form)


def _is_of(sitting: Sitting, form: Form) -> bool:
    return hmac.compare_digest(form.value(CSRF_FIELD).encode(), sitting.csrf.encode())


def _rescued(request: Request, form: Form) -> str:
    """Keep what was typed under a log-in that ended meanwhile, for who typed it; return where that person goes on."""
    site, sittings = site_of(request), request.app.state.sittings
    ended = sittings.ended(request.cookies.get(site.cookie, "")) if sittings else None
    person = site.known(ended.person) if ended and _is_of(ended, form) else None
    return site.rescue(person, request.url.path, form) if person else ""


async def form_of(request: Request) -> Form:
    """Return the texts of a form; files are read by the page that asks for one.

    Raises:
        ForeignRequestError: a page of another site sent it.
    """
    require_own_origin(request)
    given = await request.form()
    texts = {name: [each for each in given.getlist(name) if isinstance(each, str)] for name in given}
    return Form(texts)


def require_own_origin(request: Request) -> None:
    """Check that a page of this site sent a form, by what the browser says of it.

    Raises:
        ForeignRequestError: another did.
    """
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    ours = urlsplit(origin).netloc == request.headers.get("host") if origin else site in {None, "same-origin"}
    if not ours:
        raise ForeignRequestError


def require_practice(request: Request) -> None:
    """Check that this is a practice environment, and that its start page or a page of this site sent a form.

    Raises:
        ForeignRequestError: it is none, or another page did.
    """
    site = site_of(request)
    if not site.practice:
        raise ForeignRequestError
    if not site.start or request.headers.get("origin") != site.start:
        require_own_origin(request)


def log_in_first(request: Request, back: str = "") -> RedirectResponse:
    """Return the way to the log-in, and back to the page that was asked for, or to another one."""
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = back or (path if request.method == "GET" else site_of(request).home)
    return RedirectResponse(f"{LOG_IN}?terug={quote(back)}", status_code=303)


def own_path(asked: str, otherwise: str) -> str:
    """Return a path of this site that was asked for; what leads elsewhere becomes the other one."""
    parts = urlsplit(asked)
    inside = asked.startswith("/") and not asked.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return asked if inside else otherwise


Visitor = Annotated[Visit, Depends(_visit)]
"""For a page that is looked at."""
Submitted = Annotated[Visit, Depends(_submitted)]
"""For a form that is sent: it came from a page of ours, of this log-in."""
