"""The application of a site: static files, headers, log-ins, error pages, and the pages of its service."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from signal_exchange import words
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.runtime import logs
from signal_exchange.runtime.faults import WorldUnavailableError
from signal_exchange.runtime.http_border import Border
from signal_exchange.web import login
from signal_exchange.web.headers import SafeHeaders
from signal_exchange.web.rendering import STATIC, open_page, page, static_files
from signal_exchange.web.site import Site
from signal_exchange.web.sittings import Sittings
from signal_exchange.web.visits import ForeignRequestError, NotLoggedInError, Visit, log_in_first, visit_of

FOR_EVER: Final = "public, max-age=31536000, immutable"
KINDS: Final = {"css": "text/css", "js": "text/javascript", "woff2": "font/woff2", "svg": "image/svg+xml", "png": "image/png"}

TEXTS: Final = {
    "foreign": words.keyed("web.error.foreign.title", "web.error.foreign.safe", "web.error.foreign.next"),
    "not_allowed": words.keyed("web.error.not_allowed.title", "web.error.not_allowed.safe", "web.error.not_allowed.next"),
    "refused": words.keyed("web.error.refused.title", "web.error.refused.safe", "web.error.refused.next"),
    "unavailable": words.keyed("web.error.unavailable.title", "web.error.unavailable.safe", "web.error.unavailable.next"),
    "not_found": words.keyed("web.error.not_found.title", "web.error.not_found.safe", "web.error.not_found.next"),
    "wrong": words.keyed("web.error.wrong.title", "web.error.wrong.safe", "web.error.wrong.next"),
    "broken": words.keyed("web.error.broken.title", "web.error.broken.safe", "web.error.broken.next"),
}
"""What the page of each kind of error says: what went wrong, what is safe, and what to do."""


def pages_app(site: Site) -> FastAPI:
    """Return the application of a site, without the border that stands around it."""
    app = FastAPI(title=site.product, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.site = site
    app.state.sittings = Sittings(site.database, site.limits, site.now) if site.database else None
    for router in (
        _static(),
        login.session_router(),
        login.own_pages(),
        *(each.router() for each in site.entrances),
        *site.routers,
    ):
        app.include_router(router)
    app.add_exception_handler(NotLoggedInError, _log_in)
    app.add_exception_handler(ForeignRequestError, _foreign)
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(WorldUnavailableError, _unavailable)
    app.add_exception_handler(HTTPException, _of_framework)
    app.add_exception_handler(Exception, _broken)
    app.add_middleware(SafeHeaders, forms_to=site.forms_to)
    return app


def bordered(app: FastAPI, longest: dict[str, int] | None = None) -> Border:
    """Return an application of pages behind the border of all our HTTP: bounded in length, time and number."""
    return Border(app, knows=lambda _: True, longest=longest or {})


def _static() -> APIRouter:
    router = APIRouter()

    @router.get(STATIC + "/{name}")
    def static(name: str) -> Response:
        """Serve one file that never changes under its name."""
        if name not in static_files():
            raise HTTPException(HTTPStatus.NOT_FOUND)
        kind = KINDS.get(name.rpartition(".")[2], "application/octet-stream")
        return Response(static_files()[name], media_type=kind, headers={"Cache-Control": FOR_EVER})

    @router.get("/favicon.ico")
    def no_icon() -> Response:
        """Say that there is none beside the one in the page."""
        return Response(status_code=HTTPStatus.NO_CONTENT)

    return router


def _error(request: Request, status: HTTPStatus, kind: str, said: str = "", *, reason: str = "") -> Response:
    """Return the page of an error: what went wrong, what is safe, and what to do."""
    logs.log("request_refused", status=status.value, reason=reason or kind)
    visit = _visit_or_none(request)
    facts: dict[str, Any] = {"kind": kind, "texts": TEXTS[kind], "said": said}
    if visit is None:
        return open_page(request, "web/error.html.j2", status=status.value, **facts)
    return page(visit, "web/error.html.j2", status=status.value, **facts)


def _visit_or_none(request: Request) -> Visit | None:
    try:
        return visit_of(request)
    except WorldUnavailableError:
        return None  # the store is away: nobody is known


async def _log_in(request: Request, fault: Exception) -> Response:
    return log_in_first(request, fault.back if isinstance(fault, NotLoggedInError) else "")


def _foreign(request: Request, _fault: Exception) -> Response:
    return _error(request, HTTPStatus.FORBIDDEN, "foreign")


def _refused(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, RefusedError)  # noqa: S101 - registered for this type
    if fault.code == "NOT_ALLOWED":
        return _error(request, HTTPStatus.FORBIDDEN, "not_allowed")
    status = HTTPStatus.CONFLICT if fault.code == "CHANGED_SINCE_SEEN" else HTTPStatus.UNPROCESSABLE_ENTITY
    return _error(request, status, "refused", words.sentence(fault))


def _unavailable(request: Request, _fault: Exception) -> Response:
    return _error(request, HTTPStatus.SERVICE_UNAVAILABLE, "unavailable")


def _of_framework(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)  # noqa: S101 - registered for this type
    known = {HTTPStatus.NOT_FOUND: "not_found", HTTPStatus.METHOD_NOT_ALLOWED: "not_found"}
    status = HTTPStatus(fault.status_code)
    return _error(request, status, known.get(status, "wrong"))


def _broken(request: Request, fault: Exception) -> Response:
    return _error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "broken", reason=type(fault).__name__)
