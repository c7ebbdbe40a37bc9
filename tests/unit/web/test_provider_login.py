"""Coming in through an identity provider: whose browser it is, which page was asked for, who is let in, and how one leaves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
import pytest
from fastapi import APIRouter
from fastapi.responses import Response
from small_provider import CLIENT, LOW, SECRET, SUBJECT, SUBSTANTIAL, SmallProvider, small_provider
from visiting import Browser

from signal_exchange.domain.people import Person
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.runtime import clock
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.migrations import store_tables
from signal_exchange.web.app import pages_app
from signal_exchange.web.oidc.providers import providers_of
from signal_exchange.web.pending import GOOD_FOR, KEPT_FOR, TRIES_A_MINUTE, TRIES_ALTOGETHER, PendingLogIns, Turnstile
from signal_exchange.web.provider_login import ProviderEntrance
from signal_exchange.web.rendering import page
from signal_exchange.web.site import Site
from signal_exchange.web.sittings import sitting_table
from signal_exchange.web.visits import Visitor

ADDRESS = "http://127.0.0.1:8123"
NAME = "Zoë de Coördinator"


class Desk:
    """A site with one page, an identity provider, and browsers."""

    def __init__(self, folder: Path, there: SmallProvider) -> None:
        self.there, self.now, self.listed = there, clock.now(), True
        tables = store_tables("worklist")
        sitting_table(tables)
        database = Database(f"sqlite+pysqlite:///{folder}/store.sqlite", tables)
        with database.transaction() as connection:
            tables.create_all(connection)
        (folder / "secret").write_text(SECRET, encoding="utf-8")
        self.file = folder / "providers.json"
        own = {"issuer": there.issuer, "client_id": CLIENT, "acr_values": [SUBSTANTIAL], "secret_file": "secret"}
        entries = [{"name": "venlo", "title": "Gemeente Venlo", **own}, {"name": "politie", "title": "Politie", **own}]
        self.file.write_text(json.dumps({"providers": entries}), encoding="utf-8")
        for each in ("secret", "providers.json"):
            (folder / each).chmod(0o600)
        entrance = ProviderEntrance(
            address=ADDRESS,
            providers=providers_of(self.file, clock.now),
            find=self.find,
            pending=PendingLogIns(lambda: self.now),
            turnstile=Turnstile(lambda: self.now),
        )
        self.app = pages_app(
            Site(
                name="desk",
                database=database,
                templates=(),
                routers=[self.router()],
                menu=lambda _: (),
                home="/werk",
                now=lambda: self.now,
                entrances=[entrance],
                secure=False,
            )
        )
        self.browser = Browser(self.app)

    def find(self, issuer: str, subject: str) -> Person | None:
        known = (issuer, subject) == (self.there.issuer, SUBJECT) and self.listed
        return Person(NAME, issuer, subject, "CARE_COORDINATOR", "worklist", "id-1") if known else None

    def router(self) -> APIRouter:
        router = APIRouter()

        @router.get("/werk")
        def work(visit: Visitor) -> Response:
            return page(visit, "web/logged_out.html.j2")

        return router

    def begun(self, back: str = "/werk", browser: Browser | None = None) -> str:
        """Begin a log-in, and return the address at the provider."""
        answer = (browser or self.browser).get("/aanmelden/venlo", params={"terug": back})
        assert answer.status_code == 303
        return str(answer.headers["Location"])

    def come_back(self, url: str, browser: Browser | None = None, **change: str) -> httpx2.Response:
        """Prove who one is at the provider, and come back."""
        return (browser or self.browser).get("/aanmelden/terug", params=self.there.log_in(url) | change)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with small_provider() as there:
        yield Desk(tmp_path, there)


def links(answer: httpx2.Response) -> list[str]:
    return [unescape(each) for each in re.findall(r'href="(/aanmelden/[^"]+)"', answer.text)]


def test_who_is_not_logged_in_chooses_an_organisation_and_ends_at_the_page_that_was_asked_for(desk: Desk) -> None:
    asked = desk.browser.get("/werk?stuk=7")
    choice = desk.browser.get(asked.headers["Location"])
    assert "Gemeente Venlo" in choice.text
    assert [each.partition("?")[0] for each in links(choice)] == ["/aanmelden/venlo", "/aanmelden/politie"]
    away = desk.browser.get(links(choice)[0])
    back = desk.come_back(away.headers["Location"])
    assert (back.status_code, back.headers["Location"]) == (303, "/werk?stuk=7")
    assert desk.browser.get("/werk").status_code == 200


def test_the_provider_is_told_the_way_back_that_is_registered_there(desk: Desk) -> None:
    assert parse_qs(urlsplit(desk.begun()).query)["redirect_uri"] == [f"{ADDRESS}/aanmelden/terug"]


def test_two_tabs_log_in_at_once(desk: Desk) -> None:
    one, other = desk.begun("/werk?stuk=1"), desk.begun("/werk?stuk=2")
    assert desk.come_back(one).headers["Location"] == "/werk?stuk=1"
    assert desk.come_back(other).headers["Location"] == "/werk?stuk=2"


def test_an_answer_counts_only_in_the_browser_that_asked(desk: Desk) -> None:
    """Else somebody is made to work under another's name: the answer of a log-in is a link that can be sent."""
    answer = desk.there.log_in(desk.begun())
    tricked = Browser(desk.app)
    refused = tricked.get("/aanmelden/terug", params=answer)
    assert refused.status_code == 403
    assert tricked.get("/werk").status_code == 303
    desk.begun(browser=tricked)  # also when it has a log-in of its own under way
    assert tricked.get("/aanmelden/terug", params=answer).status_code == 403
    assert desk.browser.get("/aanmelden/terug", params=answer).status_code == 303


def test_an_answer_counts_once(desk: Desk) -> None:
    answer = desk.there.log_in(desk.begun())
    desk.browser.get("/aanmelden/terug", params=answer)
    assert desk.browser.get("/aanmelden/terug", params=answer).status_code == 403


@pytest.mark.parametrize("late", [GOOD_FOR, KEPT_FOR - timedelta(seconds=1)])
def test_an_answer_that_comes_too_late_begins_anew_and_keeps_the_page_that_was_asked_for(desk: Desk, late: timedelta) -> None:
    answer = desk.there.log_in(desk.begun("/werk?stuk=7"))
    desk.begun("/werk?stuk=8", Browser(desk.app))
    desk.now += late
    refused = desk.browser.get("/aanmelden/terug", params=answer)
    assert refused.status_code == 403
    assert "te laat" in refused.text
    away = desk.browser.get(links(refused)[0])
    assert desk.come_back(away.headers["Location"]).headers["Location"] == "/werk?stuk=7"


def test_an_answer_with_another_state_begins_anew_and_keeps_the_page_that_was_asked_for(desk: Desk) -> None:
    refused = desk.come_back(desk.begun("/werk?stuk=7"), state="of-another")
    assert refused.status_code == 403
    assert links(refused)[0] == "/aanmelden/venlo?terug=/werk%3Fstuk%3D7"


def test_who_logged_in_too_weakly_reads_what_to_do(desk: Desk) -> None:
    desk.there.acr = LOW
    refused = desk.come_back(desk.begun("/werk?stuk=7"))
    assert refused.status_code == 403
    assert "tweede stap" in refused.text
    assert links(refused)[0] == "/aanmelden/venlo?terug=/werk%3Fstuk%3D7"


def test_who_is_on_no_list_reads_whom_to_ask_and_no_hint_more(desk: Desk) -> None:
    desk.listed = False
    refused = desk.come_back(desk.begun())
    assert refused.status_code == 403
    assert "beheerder" in refused.text
    assert [each for each in (SUBJECT, NAME, desk.there.issuer) if each in refused.text] == []
    assert desk.browser.get("/werk").status_code == 303


@pytest.mark.parametrize("back", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example"])
def test_no_log_in_ends_at_another_site(desk: Desk, back: str) -> None:
    assert desk.come_back(desk.begun(back)).headers["Location"] == "/"
    assert "elsewhere.example" not in desk.browser.get("/aanmelden", params={"terug": back}).text


def test_a_provider_that_is_away_is_told_with_the_choice(desk: Desk) -> None:
    desk.there.answers = {"/.well-known/openid-configuration": (500, {}, b"")}
    refused = desk.browser.get("/aanmelden/venlo", params={"terug": "/werk?stuk=7"})
    assert (refused.status_code, links(refused)[0]) == (502, "/aanmelden/venlo?terug=/werk%3Fstuk%3D7")


def test_an_organisation_that_is_not_there_is_not_found(desk: Desk) -> None:
    assert desk.browser.get("/aanmelden/elders").status_code == 404


def test_too_many_log_ins_from_one_address_wait(desk: Desk) -> None:
    for _ in range(TRIES_A_MINUTE):
        desk.begun()
    there = {"X-Forwarded-For": "198.51.100.1, 203.0.113.7"}
    refused = desk.browser.get("/aanmelden/venlo")
    assert refused.status_code == 429
    assert "Wacht een minuut" in refused.text
    assert desk.browser.get("/aanmelden/venlo", headers=there).status_code == 303
    desk.now += timedelta(minutes=1)
    assert desk.browser.get("/aanmelden/venlo").status_code == 303


def test_a_forged_address_gets_round_one_limit_and_not_round_the_other() -> None:
    turnstile = Turnstile(lambda: datetime(2026, 12, 1, tzinfo=UTC))
    for each in range(TRIES_ALTOGETHER):
        turnstile.let_through(str(each))
    with pytest.raises(RefusedError, match="LOGIN_TOO_OFTEN"):
        turnstile.let_through("another")


def test_who_logs_out_is_out_here_and_goes_on_to_the_provider(desk: Desk) -> None:
    desk.come_back(desk.begun())
    left = desk.browser.submit("/afmelden", "/werk")
    assert left.status_code == 200
    assert desk.browser.get("/werk").status_code == 303
    _, _, url = left.headers["Refresh"].partition("url=")
    told = dict(parse_qsl(urlsplit(url).query))
    assert url.startswith(desk.there.issuer + "/end?")
    assert told["post_logout_redirect_uri"] == f"{ADDRESS}/afgemeld"
    assert told["id_token_hint"].count(".") == 2
    assert url in unescape(left.text)


def test_who_logs_out_while_the_provider_is_away_is_out_here(desk: Desk) -> None:
    desk.come_back(desk.begun())
    desk.there.metadata = {"issuer": "https://elsewhere.example"}
    for each in desk.app.state.site.entrances[0].providers.values():
        each.provider._publication._held = None
    assert desk.browser.submit("/afmelden", "/werk").headers["Location"] == "/afgemeld"


def test_the_cookie_of_a_log_in_is_for_the_server_alone(desk: Desk) -> None:
    cookie = desk.browser.get("/aanmelden/venlo").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
