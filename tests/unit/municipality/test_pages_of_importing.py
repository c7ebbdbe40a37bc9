"""Importing a file on screens: looked at row by row before anything leaves, and never a value repeated."""

from __future__ import annotations

from pathlib import Path

import pytest
from municipal_files import csv_of
from nodes import Town, a_town, example
from own_signals import OUTSIDER, at_the_screens
from visiting import Browser

IMPORT = "/signalen/importeren"
"""The page on which a file is chosen."""


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return a_town(tmp_path)


@pytest.fixture
def browser(town: Town) -> Browser:
    return at_the_screens(town)


def given(browser: Browser, content: str, name: str = "november.csv") -> str:
    """Send a file and give the address of its result."""
    answer = browser.post(IMPORT, data={"csrf": browser.csrf(IMPORT)}, files={"bestand": (name, content.encode())})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def test_b18_nothing_is_sent_until_a_person_says_so(town: Town, browser: Browser) -> None:
    at = given(browser, csv_of(example(local_ref="A-1"), example(local_ref="A-2")))
    assert "Er is nog niets verstuurd." in browser.get(at).text
    assert town.waiting() == []
    assert browser.submit(f"{at}/versturen", at).headers["location"] == "/signalen"
    assert len(town.waiting()) == 2
    assert "2 signalen zijn verstuurd." in browser.get("/signalen").text
    assert browser.get(at).status_code == 422


def test_b16_a_remark_names_row_column_what_to_do_and_rule_and_never_the_value(browser: Browser) -> None:
    at = given(browser, csv_of(example(local_ref="A-1"), example(local_ref="A-2", sector="CRI_THEFT", summary="Bel 06-12345678")))
    text = browser.get(at).text
    for said in ("sector", "R-VAL-05", "summary", "R-LEAK-02", "Vervang het in uw bestand"):
        assert said in text
    assert "CRI_THEFT" not in text
    assert "12345678" not in text
    assert "Testescu" not in text


def test_b17_what_gives_no_link_is_a_warning_and_goes(town: Town, browser: Browser) -> None:
    record = example(local_ref="A-1")
    record["plates"] = [{"plate": "ABC-123", "country": "NL"}]
    at = given(browser, csv_of(record))
    text = browser.get(at).text
    assert "Geeft geen koppeling" in text
    assert "1 rij kan mee" in text
    browser.submit(f"{at}/versturen", at)
    assert len(town.waiting()) == 1


def test_b19_refused_rows_come_as_a_file_that_is_not_kept(town: Town, browser: Browser) -> None:
    at = given(browser, csv_of(example(local_ref="A-1"), example(local_ref="A-2", sector="CRI_THEFT")))
    folder = town.node.settings.data_dir
    before = sorted(each.name for each in folder.rglob("*"))
    made = browser.submit(f"{at}/geweigerd", at)
    assert ("A-2" in made.text, "A-1" in made.text, "geweigerd" in made.text) == (True, False, True)
    assert made.headers["content-disposition"] == 'attachment; filename="geweigerd.csv"'
    assert sorted(each.name for each in folder.rglob("*")) == before


def test_the_template_has_every_column_and_is_no_record(browser: Browser) -> None:
    template = browser.get(f"{IMPORT}/sjabloon.csv")
    assert template.content.startswith(b"\xef\xbb\xbflocal_ref;")
    again = browser.post(IMPORT, data={"csrf": browser.csrf(IMPORT)}, files={"bestand": ("sjabloon.csv", template.content)})
    assert (again.status_code, 'href="#bestand"' in again.text) == (422, True)


def test_without_a_file_the_form_says_so(browser: Browser) -> None:
    assert browser.submit(IMPORT, IMPORT).status_code == 422


def test_an_upload_is_for_who_sent_it_and_ends(town: Town, browser: Browser) -> None:
    at = given(browser, csv_of(example(local_ref="A-1")))
    assert at_the_screens(town).get(at).status_code == 422
    town.clock.pass_seconds(1700)
    assert browser.get(at).status_code == 200
    town.clock.pass_seconds(200)
    assert browser.get(at).status_code == 422


def test_who_is_no_officer_imports_nothing(town: Town) -> None:
    assert at_the_screens(town, OUTSIDER).get(IMPORT).status_code == 403
