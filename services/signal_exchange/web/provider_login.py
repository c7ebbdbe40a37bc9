"""The way in through the identity provider of a person's own organisation."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from signal_exchange import words
from signal_exchange.domain.people import Person
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.runtime import logs
from signal_exchange.web.login import sit_down
from signal_exchange.web.oidc.providers import NamedProvider
from signal_exchange.web.pending import KEPT_FOR, PendingLogIns, Turnstile
from signal_exchange.web.rendering import open_page
from signal_exchange.web.visits import LOG_IN, own_path, site_of

COME_BACK: Final = f"{LOG_IN}/terug"
"""Where a provider sends the browser back to: registered there."""
LOGGED_OUT: Final = "/afgemeld"
STATUSES: Final = {
    "LOGIN_TOO_OFTEN": HTTPStatus.TOO_MANY_REQUESTS,
    "PROVIDER_SILENT": HTTPStatus.BAD_GATEWAY,
    "PROVIDER_UNREADABLE": HTTPStatus.BAD_GATEWAY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEntrance:
    """Lets people in whom their organisation's provider proves and whom the list of people has.

    `address` is the origin at which browsers reach the site, `find` gives the person of an issuer and a subject who may come in.
    """

    address: str
    providers: Mapping[str, NamedProvider]
    find: Callable[[str, str], Person | None]
    pending: PendingLogIns
    turnstile: Turnstile = field(repr=False)

    def router(self) -> APIRouter:
        """Return the page with the organisations, the way to each, and the way back."""
        router = APIRouter()

        @router.get(LOG_IN)
        def choose(request: Request, terug: str = "/") -> Response:
            """Show the organisations at which one can log in."""
            return self._choice(request, terug)

        @router.get(COME_BACK)
        def come_back(request: Request) -> Response:
            """Let somebody in, or say why not."""
            browser = request.cookies.get(_cookie(request), "")
            try:
                return self._come_back(request, browser)
            except RefusedError as refusal:
                return self._choice(request, self.pending.asked_for(browser, "/"), refusal)

        @router.get(LOG_IN + "/{name}")
        def begin(request: Request, name: str, terug: str = "/") -> Response:
            """Go to the provider of one organisation."""
            if name not in self.providers:
                raise HTTPException(HTTPStatus.NOT_FOUND)
            try:
                return self._begin(request, self.providers[name], own_path(terug, "/"))
            except RefusedError as refusal:
                return self._choice(request, terug, refusal)

        return router

    def end_elsewhere(self, person: Person, id_token: str) -> str:
        """Return where the log-in of a person ends at the provider too; empty where that cannot be."""
        found = next((each.provider for each in self.providers.values() if each.provider.issuer == person.issuer), None)
        try:
            return found.end(id_token, self.address + LOGGED_OUT) if found else ""
        except RefusedError:
            return ""  # who logs out is logged out here, whatever the provider does

    def _begin(self, request: Request, chosen: NamedProvider, back: str) -> Response:
        self.turnstile.let_through(_address(request))
        started = chosen.provider.begin(self.address + COME_BACK)
        browser = request.cookies.get(_cookie(request)) or secrets.token_urlsafe(32)
        self.pending.keep(chosen.name, started, browser, back)
        answer = RedirectResponse(started.url, status_code=HTTPStatus.SEE_OTHER)
        lasts, secure = int(KEPT_FOR.total_seconds()), site_of(request).secure
        answer.set_cookie(_cookie(request), browser, max_age=lasts, path="/", secure=secure, httponly=True, samesite="lax")
        return answer

    def _come_back(self, request: Request, browser: str) -> Response:
        self.turnstile.let_through(_address(request))
        pending = self.pending.take(request.query_params.get("state", ""), browser)
        named = self.providers[pending.provider]
        try:
            proven = named.provider.finish(pending.started, request.query_params)
        except RefusedError as refusal:
            return self._choice(request, pending.back, refusal)
        person = self.find(proven.issuer, proven.subject)
        if person is None:
            return _unknown(request, named.title)
        return sit_down(request, person, pending.back, proven.id_token)

    def _choice(self, request: Request, back: str, refusal: RefusedError | None = None) -> Response:
        status = STATUSES.get(refusal.code, HTTPStatus.FORBIDDEN) if refusal else HTTPStatus.OK
        if refusal:
            logs.log("request_refused", status=status.value, reason=refusal.code)
        said = words.sentence(refusal) if refusal else ""
        facts: dict[str, Any] = {"providers": self.providers.values(), "back": own_path(back, "/"), "said": said}
        return open_page(request, "web/log_in.html.j2", status=status.value, **facts)


def _unknown(request: Request, organisation: str) -> Response:
    """Say whom to ask, and nothing else: neither who came, nor who is known here."""
    status = HTTPStatus.FORBIDDEN
    logs.log("request_refused", status=status.value, reason="NOT_ON_LIST")
    return open_page(request, "web/not_on_list.html.j2", status=status.value, organisation=organisation)


def _cookie(request: Request) -> str:
    site = site_of(request)
    return f"__Host-log-in-{site.name}" if site.secure else f"log-in-{site.name}"


def _address(request: Request) -> str:
    """Return where a request comes from: the last address is the one that the proxy before us added, and saw itself."""
    told = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return told or (request.client.host if request.client else "")
