"""A site of one page that shows every part of the screens, in each of its states: what unit tests read and a browser looks at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from signal_exchange.domain.people import Person
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.migrations import store_tables
from signal_exchange.web.forms import FieldFault, Form
from signal_exchange.web.login import PRACTICE_ISSUER, PracticeEntrance
from signal_exchange.web.rendering import page
from signal_exchange.web.site import MenuItem, Site
from signal_exchange.web.sittings import sitting_table
from signal_exchange.web.visits import Visitor

NOW: Final = datetime(2026, 11, 22, 9, 42, tzinfo=UTC)
IRIS: Final = Person("Iris Voorbeeld", PRACTICE_ISSUER, "af-1", "ATTENTION_OFFICER", "GM0983")
MENU: Final = (
    MenuItem("list-details", "municipality.page.signals", "/"),
    MenuItem("clipboard-list", "worklist.page.title", "/leeg"),
)
FAULTY: Final = Form(
    {"who": ["Een naam"], "text": ["Een tekst"], "due": ["25-12-2026"], "place": ["HOME"], "age": ["MINOR"], "help": ["SHELTER"]},
    (
        FieldFault("due", "Kies een werkdag. 25 december is een feestdag."),
        FieldFault("age", "Kies een leeftijd."),
        FieldFault("", "Dit signaal is intussen gewijzigd."),
    ),
)
ENDINGS: Final = tuple(SimpleNamespace(at=NOW + timedelta(minutes=5), can_extend=can_extend) for can_extend in (True, False))


@contextmanager
def parts_site(folder: Path) -> Iterator[Site]:
    """Give the site, with a store in a folder."""
    tables = store_tables("worklist")
    sitting_table(tables)
    database = Database(f"sqlite+pysqlite:///{folder}/store.sqlite", tables)
    with database.transaction() as connection:
        tables.create_all(connection)
    try:
        yield _site(database)
    finally:
        database.close()


def _site(database: Database) -> Site:
    return Site(
        name="parts",
        database=database,
        routers=[_router()],
        templates=("screen_parts",),
        menu=lambda _: MENU,
        home="/",
        now=lambda: NOW,
        entrances=[PracticeEntrance([IRIS])],
        organisation="Gemeente Venlo",
        practice=True,
        secure=False,
    )


def _router() -> APIRouter:
    router = APIRouter()

    @router.get("/")
    def parts(visit: Visitor) -> Response:
        visit.tell("web.session.extended")
        return page(visit, "screen_parts/parts.html.j2", form=Form(), faulty=FAULTY, now=NOW, ending=ENDINGS[0])

    @router.get("/verlengen-kan-niet")
    def no_longer(visit: Visitor) -> Response:
        return page(visit, "screen_parts/parts.html.j2", form=Form(), faulty=FAULTY, now=NOW, ending=ENDINGS[1])

    @router.get("/rijen")
    def rows(visit: Visitor) -> Response:
        block = "rows" if visit.wants_fragment else None
        return page(visit, "screen_parts/parts.html.j2", block=block, form=Form(), faulty=Form(), now=NOW)

    return router
