"""The kit of the screens: log-ins, forms of our own pages only, headers, and errors that say what is safe."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from fastapi import APIRouter
from fastapi.responses import Response
from visiting import Browser

from signal_exchange.domain.people import Person
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.migrations import store_tables
from signal_exchange.web.app import pages_app
from signal_exchange.web.login import PRACTICE_ISSUER, PracticeEntrance
from signal_exchange.web.rendering import page, static
from signal_exchange.web.site import Site
from signal_exchange.web.sittings import Limits, sitting_table
from signal_exchange.web.visits import Submitted, Visitor

ANNA = Person("zc-1", PRACTICE_ISSUER, "zc-1", "CARE_COORDINATOR", "worklist")
BEGAN = datetime(2026, 11, 23, 9, tzinfo=UTC)


class Desk:
    """A site with two pages, a browser, and a clock that the test moves."""

    def __init__(self, folder: Path) -> None:
        tables = store_tables("worklist")
        sitting_table(tables)
        self.database = Database(f"sqlite+pysqlite:///{folder}/store.sqlite", tables)
        with self.database.transaction() as connection:
            tables.create_all(connection)
        self.now, self.known, self.did = BEGAN, True, 0
        self.site = Site(
            name="desk",
            database=self.database,
            templates=(),
            routers=[self.router()],
            menu=lambda _: (),
            home="/werk",
            now=lambda: self.now,
            known=lambda person: person if self.known else None,
            entrances=[PracticeEntrance([ANNA])],
            practice=True,
            secure=False,
            limits=Limits(timedelta(minutes=30), timedelta(hours=8)),
        )
        self.browser = Browser(pages_app(self.site))

    def router(self) -> APIRouter:
        router = APIRouter()

        @router.get("/werk")
        def work(visit: Visitor) -> Response:
            return page(visit, "web/logged_out.html.j2")

        @router.get("/stuk")
        def broken(visit: Visitor) -> Response:
            raise ValueError(visit.person.name)

        @router.post("/doe")
        def do(visit: Submitted) -> Response:
            if visit.form.value("code"):
                raise RefusedError(visit.form.value("code"))
            self.did += 1
            visit.tell("web.session.extended")
            return visit.go("/werk")

        return router

    def log_in(self, back: str = "") -> httpx2.Response:
        return self.browser.become("zc-1", back)

    @property
    def csrf(self) -> str:
        return self.browser.csrf("/werk")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.database.close()


def test_who_is_not_logged_in_is_sent_to_the_log_in_and_back_to_the_page(desk: Desk) -> None:
    asked = desk.browser.get("/werk?urgentie=ACUTE")
    assert (asked.status_code, asked.headers["location"]) == (303, "/aanmelden?terug=/werk%3Furgentie%3DACUTE")
    assert desk.log_in("/werk?urgentie=ACUTE").headers["location"] == "/werk?urgentie=ACUTE"
    assert desk.browser.get("/werk").status_code == 200


@pytest.mark.parametrize("elsewhere", ["https://example.org/", "//example.org", "/\\example.org", "javascript:alert(1)", ""])
def test_the_way_back_never_leads_to_another_site(desk: Desk, elsewhere: str) -> None:
    assert desk.log_in(elsewhere).headers["location"] == "/werk"


def test_a_form_of_another_site_changes_nothing(desk: Desk) -> None:
    desk.log_in()
    csrf = desk.csrf
    foreign = desk.browser.post("/doe", data={"csrf": csrf}, headers={"Origin": "https://example.org"})
    without = desk.browser.post("/doe", data={"csrf": "guessed"})
    across = desk.browser.post("/doe", data={"csrf": csrf}, headers={"Sec-Fetch-Site": "cross-site"})
    assert [each.status_code for each in (foreign, without, across)] == [403, 403, 403]
    assert desk.did == 0
    assert desk.browser.post("/doe", data={"csrf": csrf}, headers={"Origin": "http://testserver"}).status_code == 303
    assert desk.did == 1


def test_what_was_done_is_told_once(desk: Desk) -> None:
    desk.log_in()
    desk.browser.post("/doe", data={"csrf": desk.csrf})
    assert "U blijft aangemeld." in desk.browser.get("/werk").text
    assert "U blijft aangemeld." not in desk.browser.get("/werk").text


def test_a_log_in_ends_when_nobody_asks_anything_and_at_its_absolute_limit(desk: Desk) -> None:
    desk.log_in()
    for _ in range(19):
        desk.now += timedelta(minutes=25)
        assert desk.browser.get("/werk").status_code == 200
    desk.now = BEGAN + timedelta(hours=8)
    assert desk.browser.get("/werk").status_code == 303
    desk.log_in()
    desk.now += timedelta(minutes=30)
    assert desk.browser.get("/werk").status_code == 303


def test_who_logs_out_or_leaves_the_people_list_is_out_at_once(desk: Desk) -> None:
    desk.log_in()
    cookie = dict(desk.browser.cookies)
    assert desk.browser.post("/afmelden", data={"csrf": desk.csrf}).headers["location"] == "/afgemeld"
    desk.browser.cookies.update(cookie)
    assert desk.browser.get("/werk").status_code == 303
    desk.log_in()
    desk.known = False
    assert desk.browser.get("/werk").status_code == 303


def test_the_store_never_holds_the_token_of_a_browser(desk: Desk, tmp_path: Path) -> None:
    desk.log_in()
    token = next(iter(desk.browser.cookies.values()))
    assert token.encode() not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_every_answer_has_the_strict_headers(desk: Desk) -> None:
    for path in ("/aanmelden", "/werk", "/nergens", static("icons.json")):
        answer = desk.browser.get(path)
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert desk.browser.get("/aanmelden").headers["cache-control"] == "no-store"
    assert "immutable" in desk.browser.get(static("icons.json")).headers["cache-control"]


def test_an_error_says_what_is_safe_and_nothing_of_the_fault(desk: Desk) -> None:
    desk.log_in()
    broken = desk.browser.get("/stuk")
    assert broken.status_code == 500
    assert "Er ging iets mis bij ons" in broken.text
    assert "ValueError" not in broken.text
    missing = desk.browser.get("/nergens")
    assert (missing.status_code, "Deze pagina bestaat niet" in missing.text) == (404, True)
    refused = desk.browser.post("/doe", data={"csrf": desk.csrf, "code": "NO_SUMMARY"})
    assert (refused.status_code, "Er is niets veranderd." in refused.text) == (422, True)
    changed = desk.browser.post("/doe", data={"csrf": desk.csrf, "code": "CHANGED_SINCE_SEEN"})
    assert changed.status_code == 409


def test_a_page_that_asks_by_itself_warns_five_minutes_before_the_end_and_extends_nothing(desk: Desk) -> None:
    desk.log_in()
    for minutes in range(1, 30):
        desk.now = BEGAN + timedelta(minutes=minutes)
        warned = "Blijf aangemeld" in desk.browser.get("/sessie", headers={"HX-Current-URL": "http://testserver/werk"}).text
        assert warned is (minutes >= 25)
    desk.now = BEGAN + timedelta(minutes=30)
    over = desk.browser.get("/sessie").text
    assert "Uw sessie is voorbij." in over
    assert "<html" not in over


def test_an_idle_log_in_can_be_extended_and_the_absolute_end_says_that_it_cannot(desk: Desk) -> None:
    desk.log_in()
    csrf = desk.csrf
    desk.now += timedelta(minutes=26)
    assert desk.browser.post("/sessie", data={"csrf": csrf, "terug": "/werk"}).headers["location"] == "/werk"
    assert "Blijf aangemeld" not in desk.browser.get("/sessie").text
    while desk.now < BEGAN + timedelta(hours=7, minutes=50):
        desk.now += timedelta(minutes=10)
        assert desk.browser.get("/werk").status_code == 200
    desk.now = BEGAN + timedelta(hours=7, minutes=56)
    assert "Verlengen kan niet." in desk.browser.get("/sessie").text


def test_everybody_can_read_how_accessible_the_pages_are_and_what_is_kept(desk: Desk) -> None:
    assert [desk.browser.get(path).status_code for path in ("/toegankelijkheid", "/privacy", "/account")] == [200, 200, 303]
    desk.log_in()
    assert [desk.browser.get(path).status_code for path in ("/toegankelijkheid", "/privacy", "/account")] == [200, 200, 200]
    assert "Na 8 uur wordt u altijd afgemeld." in desk.browser.get("/account").text
