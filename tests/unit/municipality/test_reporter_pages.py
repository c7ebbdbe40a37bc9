"""A reporter tells something without a log-in, is thanked once, and reads the answer of the officer by the reference."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from pathlib import Path

import httpx2
import pytest
from nodes import Town, a_town
from own_signals import at_the_screens
from visiting import Browser

from signal_exchange.domain.references import REPORT
from signal_exchange.domain.references import reference as make_reference
from signal_exchange.municipality.pages.reporter import ANSWERS_A_MINUTE, REPORTS_A_MINUTE
from signal_exchange.municipality.store import REPORTS
from signal_exchange.runtime.faults import StoreUnavailableError

TEXT = "Een man kwam zich inschrijven.\nZijn begeleider hield het paspoort vast."


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return a_town(tmp_path, web_organisation="gemeente Venlo", officer_phone="077 000 00 00")


@pytest.fixture
def browser(town: Town) -> Browser:
    visitor = at_the_screens(town)
    visitor.cookies.clear()
    return visitor


def tell(browser: Browser, submission: str = "", **answers: str | list[str]) -> httpx2.Response:
    seen = browser.get("/meld").text
    found = re.search(r'name="submission" value="([^"]+)"', seen)
    assert found
    return browser.post("/meld", data={"submission": submission or found[1], "text": TEXT, "minor": "UNKNOWN", **answers})


def reference_of(browser: Browser, answer: httpx2.Response) -> str:
    found = re.search(r"M-[0-9A-Z]{4}-[0-9A-Z]{2}", browser.get(answer.headers["location"]).text)
    assert found
    return found[0]


def test_m1_m4_and_m6_112_stands_before_the_first_field_and_nobody_logs_in(browser: Browser) -> None:
    seen = browser.get("/meld")
    assert seen.status_code == 200
    assert not browser.cookies
    assert seen.text.index('href="tel:112"') < seen.text.index("<textarea")
    assert seen.text.index("Alles blijft bij gemeente Venlo.") < seen.text.index("<textarea")
    assert "077 000 00 00" in seen.text


def test_m3_and_m8_the_text_alone_is_enough_and_the_thanks_say_until_when(browser: Browser) -> None:
    answer = browser.post("/meld", data={"text": TEXT})
    assert answer.status_code == 303
    thanks = browser.get(answer.headers["location"]).text
    assert re.search(r"M-[0-9A-Z]{4}-[0-9A-Z]{2}", thanks)
    assert "Uiterlijk maandag 23 november 2026, 17.00 uur." in thanks
    assert "Uiterlijk vrijdag 4 december 2026." in thanks
    assert "Praat er niet over" in thanks


def test_without_a_text_nothing_is_kept_and_the_other_answers_stay_on_the_page(town: Town, browser: Browser) -> None:
    answer = tell(browser, text=" ", place="Balie", signs=["FREE_NO_ID"])
    assert answer.status_code == 422
    assert 'href="#text"' in answer.text
    assert 'value="Balie"' in answer.text
    assert re.search(r'value="FREE_NO_ID"[^>]* checked', answer.text)
    assert town.rows(REPORTS) == []


def test_what_is_too_long_is_said_and_stays(town: Town, browser: Browser) -> None:
    answer = tell(browser, text="x" * 4_001)
    assert answer.status_code == 422
    assert "x" * 4_001 in answer.text
    assert town.rows(REPORTS) == []


def test_m7_nothing_of_a_device_is_kept_and_nothing_told_can_be_read_in_the_store(town: Town, browser: Browser) -> None:
    tell(browser, name="Jan Voorbeeld", contact="06 12 34 56 78")
    [row] = town.rows(REPORTS)
    kept = {name for name, value in row.items() if value is not None}
    assert kept == {"reference", "sent_mac", "receipt", "received_at", "state", "due_at", "wrapped_key", "ciphertext"}
    stored = town.node.settings.data_dir.rglob("*.sqlite*")
    assert not any(b"paspoort" in file.read_bytes() or b"12 34 56" in file.read_bytes() for file in stored)


def test_m9_sent_twice_is_one_report_and_changed_words_are_another(town: Town, browser: Browser) -> None:
    first, again = tell(browser, "one"), tell(browser, "one")
    assert reference_of(browser, first) == reference_of(browser, again)
    assert len(town.rows(REPORTS)) == 1
    changed = tell(browser, "one", text="Het was een vrouw.")
    assert reference_of(browser, changed) != reference_of(browser, first)
    other = tell(browser, "two")
    assert reference_of(browser, other) != reference_of(browser, first)


def test_a_page_of_another_site_cannot_send_a_report(town: Town, browser: Browser) -> None:
    foreign = browser.post("/meld", data={"text": TEXT}, headers={"Origin": "https://elders.example"})
    assert foreign.status_code == 403
    assert town.rows(REPORTS) == []


def test_m12_when_it_is_too_busy_the_text_stays_and_a_minute_later_it_goes(town: Town, browser: Browser) -> None:
    for number in range(REPORTS_A_MINUTE):
        assert tell(browser, str(number)).status_code == 303
    busy = tell(browser, "late")
    assert busy.status_code == 429
    assert TEXT in busy.text
    assert 'value="late"' in busy.text
    town.clock.pass_seconds(60)
    assert tell(browser, "late").status_code == 303


def test_m12_when_the_store_is_away_the_text_stays(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailableError

    monkeypatch.setattr("signal_exchange.municipality.reports.acts.Reports.report", away)
    answer = tell(browser)
    assert answer.status_code == 503
    assert TEXT in answer.text
    assert "Er is niets verstuurd" in answer.text


def test_the_thanks_can_be_opened_by_their_receipt_for_a_day_and_by_nothing_else(town: Town, browser: Browser) -> None:
    sent = tell(browser)
    assert reference_of(browser, sent) not in sent.headers["location"]
    assert browser.get("/meld/dank/something").headers["location"] == "/meld"
    town.clock.now += timedelta(days=1)
    assert browser.get(sent.headers["location"]).headers["location"] == "/meld"


def test_m10_a_reporter_reads_what_the_officer_wrote_and_nothing_of_the_report(town: Town, browser: Browser) -> None:
    reference = reference_of(browser, tell(browser, name="Jan Voorbeeld"))
    none = browser.post("/meld/antwoord", data={"reference": reference}).text
    assert "nog geen antwoord" in none
    officer = at_the_screens(town)
    path = f"/postvak/{reference}"
    officer.submit(f"{path}/sluiten", path, reason="NO_INDICATION", answer="Wij hebben gekeken. Er was niets aan de hand.")
    written = browser.post("/meld/antwoord", data={"reference": f" {reference.lower().replace('-', '')} "}).text
    assert "Er was niets aan de hand." in unescape(written)
    for secret in ("paspoort", "Voorbeeld", "Geen aanwijzing"):
        assert secret not in written


def test_a_reference_that_nobody_has_answers_as_one_without_an_answer(browser: Browser) -> None:
    reference = reference_of(browser, tell(browser))
    other = next(each for each in (make_reference(REPORT, 1), make_reference(REPORT, 2)) if each != reference)
    said = [browser.post("/meld/antwoord", data={"reference": each}).text for each in (reference, other)]
    assert said[0].replace(reference, "") == said[1].replace(other, "")
    wrong = browser.post("/meld/antwoord", data={"reference": "M-1234"})
    assert wrong.status_code == 422
    assert 'href="#reference"' in wrong.text


def test_references_cannot_be_tried_one_after_another(town: Town, browser: Browser) -> None:
    for _ in range(ANSWERS_A_MINUTE):
        assert browser.post("/meld/antwoord", data={"reference": "M-1234"}).status_code == 422
    assert browser.post("/meld/antwoord", data={"reference": "M-1234"}).status_code == 429
    town.clock.pass_seconds(60)
    assert browser.post("/meld/antwoord", data={"reference": "M-1234"}).status_code == 422
