"""The screens of one municipality, put together: served by its node, beside the REST API."""

from __future__ import annotations

from collections.abc import Sequence

from signal_exchange.contracts.topics import municipality_principal
from signal_exchange.domain.people import Person
from signal_exchange.municipality.actions import MunicipalityActions
from signal_exchange.municipality.pages import ending, importing, postbox, questions, report, reporter, signal, signals
from signal_exchange.municipality.service import SERVICE
from signal_exchange.people.actions import PeopleActions
from signal_exchange.web.serving import common_of
from signal_exchange.web.site import MenuItem, Site

MENU = (
    MenuItem("edit", "municipality.page.report", report.HOME),
    MenuItem("inbox", "postbox.menu", postbox.HOME),
    MenuItem("list-details", "municipality.page.signals", signals.HOME),
)
ROUTERS = (
    reporter.router,
    report.router,
    postbox.router,
    importing.router,
    signals.router,
    signal.router,
    ending.router,
    ending.certificates_router,
    questions.router,
)


def site_of(actions: MunicipalityActions) -> Site:
    """Return the screens of the municipality whose acts these are."""
    settings = actions.node.settings
    return Site(
        name=municipality_principal(settings.municipality),
        database=actions.node.database,
        templates=("signal_exchange.municipality",),
        routers=[each(actions) for each in ROUTERS],
        menu=menu,
        home=signals.HOME,
        now=actions.now,
        rescue=report.rescue(actions),
        longest={importing.IMPORT: importing.LONGEST_BYTES},
        **common_of(settings, PeopleActions(actions.node.database, SERVICE, actions.now)),
    )


def menu(_person: Person) -> Sequence[MenuItem]:
    """Return the main menu of a person."""
    return MENU
