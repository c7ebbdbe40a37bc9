"""Runs the screens of one service as a process of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from signal_exchange.domain.people import Person
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.people.actions import PeopleActions
from signal_exchange.runtime import logs
from signal_exchange.runtime.http_border import SERVER_OPTIONS
from signal_exchange.runtime.private_files import require_private
from signal_exchange.runtime.production_checks import refuse_sample_settings
from signal_exchange.runtime.settings import PREFIX, SiteSettings, WebSettings
from signal_exchange.web.app import bordered, pages_app
from signal_exchange.web.login import PracticeEntrance
from signal_exchange.web.oidc.providers import providers_of
from signal_exchange.web.oidc.published import is_safe
from signal_exchange.web.pending import PendingLogIns, Turnstile
from signal_exchange.web.provider_login import ProviderEntrance
from signal_exchange.web.site import Entrance, Site
from signal_exchange.web.sittings import Limits

SiteOf = Callable[[WebSettings], Site]


def serve_site(site_of: SiteOf, settings: SiteSettings, service: str) -> None:
    """Serve the pages of a site until the process is told to stop.

    Raises:
        RefusedError: in production mode, what is only good for a demo.
    """
    refuse_sample_settings(settings)
    logs.configure(f"web-{service}", settings.log_level)
    app, certificate = served(site_of(settings)), settings.certificate_file
    uvicorn.run(app, host=settings.listen, port=settings.web_port, ssl_certfile=certificate, **SERVER_OPTIONS)


def served(site: Site) -> ASGIApp:
    """Return the application of a site, behind its border."""
    return bordered(pages_app(site), dict(site.longest))


def by_path(apps: Mapping[str, ASGIApp], otherwise: ASGIApp) -> ASGIApp:
    """Return an application that leaves what is asked under a path to the one of that path, and all else to another."""

    async def chosen(scope: Scope, receive: Receive, send: Send) -> None:
        app = next((each for start, each in apps.items() if scope.get("path", "").startswith(start)), otherwise)
        await app(scope, receive, send)

    return chosen


def common_of(settings: WebSettings, people: PeopleActions) -> dict[str, Any]:
    """Return the facts of a site that its settings and its list of people give: the same for each service."""
    limits = Limits(timedelta(minutes=settings.idle_minutes), timedelta(hours=settings.longest_hours))
    demo = settings.mode == "demo"
    common = {"practice": demo, "secure": not demo, "limits": limits, "organisation": settings.web_organisation}
    common |= {"known": lambda person: people.again(person.person_id)}
    if settings.practice_people_file:
        return common | practice_of(settings.practice_people_file)
    return common | {"entrances": entrances_of(settings, people)}


def entrances_of(settings: WebSettings, people: PeopleActions) -> Sequence[Entrance]:
    """Return the ways in of those on the list of people: their organisations' identity providers.

    Raises:
        RefusedError: the file of providers is not as it must be, or they have no address to send people back to.
    """
    if settings.identity_providers_file is None:
        return ()
    if not is_safe(settings.web_address):
        raise RefusedError("NO_WEB_ADDRESS", setting=f"{PREFIX}WEB_ADDRESS")
    entrance = ProviderEntrance(
        address=settings.web_address.rstrip("/"),
        providers=providers_of(settings.identity_providers_file, people.now),
        find=people.find,
        pending=PendingLogIns(people.now),
        turnstile=Turnstile(people.now),
    )
    return (entrance,)


def practice_of(file: Path) -> dict[str, Any]:
    """Return the way in of a practice environment: its invented people, who stand on no list, and the origin of its start page.

    Raises:
        RefusedError: others may read the file.
    """
    require_private(file)
    given = json.loads(file.read_text(encoding="utf-8"))
    people = [Person(**each, person_id=str(uuid5(NAMESPACE_URL, each["subject"]))) for each in given["people"]]
    return {"entrances": (PracticeEntrance(people),), "start": given["start"], "known": lambda person: person}
