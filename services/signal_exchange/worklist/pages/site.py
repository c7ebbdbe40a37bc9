"""The screens of both worklists, put together."""

from __future__ import annotations

from collections.abc import Sequence

from signal_exchange.domain.people import Person
from signal_exchange.people.actions import PeopleActions
from signal_exchange.runtime import clock
from signal_exchange.runtime.settings import WebSettings
from signal_exchange.stream.acting import ActionStore
from signal_exchange.web.serving import common_of
from signal_exchange.web.site import MenuItem, Site
from signal_exchange.worklist.composition import actions_in
from signal_exchange.worklist.pages import listing, referral
from signal_exchange.worklist.pages.telling import HOME
from signal_exchange.worklist.service import WORKLIST, WORKLIST_YOUTH
from signal_exchange.worklist.store import TABLES


def care_site(settings: WebSettings) -> Site:
    """Return the screens of the care coordinator."""
    return _site(WORKLIST, settings)


def youth_site(settings: WebSettings) -> Site:
    """Return the screens of the youth coordinator."""
    return _site(WORKLIST_YOUTH, settings)


def _site(service: str, settings: WebSettings) -> Site:
    store = ActionStore.opened(service, TABLES, settings)
    actions = actions_in(store)
    return Site(
        name=service,
        templates=("signal_exchange.worklist",),
        database=store.database,
        routers=[listing.router(actions), referral.router(actions)],
        menu=menu,
        home=HOME,
        now=clock.now,
        **common_of(settings, PeopleActions(store.database, service, clock.now)),
    )


def menu(_person: Person) -> Sequence[MenuItem]:
    """Return the main menu of a coordinator."""
    return (MenuItem("clipboard-list", "worklist.page.title", HOME),)
