"""The list of own signals, as an attention officer uses it in a browser without script."""

from __future__ import annotations

from pathlib import Path

import pytest
from node_views import asked
from nodes import Town, a_town, example
from own_signals import CARE, DUE, OUTSIDER, ROUTED, US, an_answer, at_the_screens, heard, published
from visiting import Browser


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return a_town(tmp_path)


@pytest.fixture
def browser(town: Town) -> Browser:
    return at_the_screens(town)


def test_b1_what_asks_something_of_the_officer_stands_on_top_with_a_way_to_it(town: Town, browser: Browser) -> None:
    waits, other = published(town, local_ref="A-1"), published(town, local_ref="A-2")
    heard(town, waits, ROUTED, DUE, an_answer(CARE, US, "2026-12-18"))
    heard(town, other, ROUTED, DUE)
    asked(town)
    text = browser.get("/signalen").text
    assert "1 signaal vraagt iets van u." in text
    assert 'href="/signalen?soort=vraag"' in text
    assert "Er is 1 vraag over een koppeling." in text
    assert text.index("A-1") < text.index("A-2")


def test_b2_and_b9_a_row_says_where_the_signal_is_and_who_does_what_until_when(town: Town, browser: Browser) -> None:
    heard(town, published(town), ROUTED, DUE)
    text = browser.get("/signalen").text
    assert "Bij de zorgcoördinator" in text
    assert "De zorgcoördinator antwoordt, uiterlijk di 24 nov." in text


def test_b5_an_address_holds_ids_and_codes_and_never_a_reference(town: Town, browser: Browser) -> None:
    signal_id = published(town)
    text = browser.get("/signalen").text
    assert f'href="/signalen/{signal_id}?terug=' in text
    found = browser.submit("/signalen/zoek", "/signalen", kenmerk="VEN-2026-0311")
    assert (found.status_code, found.headers["location"]) == (303, f"/signalen/{signal_id}")
    missed = browser.submit("/signalen/zoek", "/signalen", kenmerk="VEN-2026-9999")
    assert missed.status_code == 422
    assert 'href="#kenmerk"' in missed.text


def test_b8_a_parked_signal_shows_as_parked(town: Town, browser: Browser) -> None:
    signal_id = published(town)
    town.relay().send_all()
    [row] = town.waiting()
    heard(town, signal_id, received=[{"publisher_run": row.publisher_run, "sequence": row.sequence, "verdict": "parked"}])
    text = browser.get("/signalen").text
    assert "Geparkeerd, niet verdeeld" in text
    assert "Verstuurd" not in text


def test_b11_filters_are_chips_and_stand_in_the_way_back_from_a_signal(town: Town, browser: Browser) -> None:
    published(town)
    text = browser.get("/signalen?vorm=SEXUAL&spoed=URGENT").text
    assert "?terug=/signalen%3Fvorm%3DSEXUAL%26spoed%3DURGENT" in text
    assert 'href="/signalen?spoed=URGENT"' in text
    assert '<option value="SEXUAL" selected>' in text


def test_b12_what_is_late_is_told_with_a_word_and_an_icon(town: Town, browser: Browser) -> None:
    heard(town, published(town), ROUTED, {**DUE, "next_date": "2026-11-20"})
    text = browser.get("/signalen").text
    assert "Te laat" in text
    assert "Deze dag is voorbij." in text


def test_b13_each_cell_has_its_label_for_a_phone(town: Town, browser: Browser) -> None:
    published(town)
    text = browser.get("/signalen").text
    assert all(f'data-l="{name}"' in text for name in ("Kenmerk", "Gemeld", "Vorm", "Spoed", "Waar is het nu?", "Volgende stap"))


def test_b14_withdrawn_signals_have_their_own_tab(town: Town, browser: Browser) -> None:
    published(town, local_ref="A-1")
    published(town, local_ref="A-2")
    town.actions.withdraw("A-2", "MISTAKE")
    assert "A-2" not in browser.get("/signalen").text
    withdrawn = browser.get("/signalen?soort=ingetrokken").text
    assert ("A-1" in withdrawn, "A-2" in withdrawn, "Ingetrokken" in withdrawn) == (False, True, True)


def test_an_empty_list_says_why_and_one_without_hits_offers_to_clear_the_filters(town: Town, browser: Browser) -> None:
    assert "Hier staat nog niets." in browser.get("/signalen").text
    published(town)
    text = browser.get("/signalen?vorm=LABOUR").text
    assert "Geen signalen met deze filters." in text
    assert "Zonder filters staat er 1." in text


def test_a_filter_that_is_none_of_ours_is_left_out(town: Town, browser: Browser) -> None:
    published(town)
    assert "VEN-2026-0311" in browser.get("/signalen?vorm=%3Cb%3E&spoed=x&sinds=eeuw&blz=-1&soort=y").text


def test_a_page_of_the_list_leads_to_the_next(town: Town, browser: Browser) -> None:
    town.publish(*(example(local_ref=f"A-{number}") for number in range(26)))
    text = browser.get("/signalen").text
    assert "1 tot en met 25 van 26" in text
    assert 'href="/signalen?blz=2"' in text
    assert "26 tot en met 26 van 26" in browser.get("/signalen?blz=2").text


def test_who_is_no_officer_sees_nothing(town: Town) -> None:
    published(town)
    refused = at_the_screens(town, OUTSIDER).get("/signalen")
    assert (refused.status_code, "VEN-2026-0311" in refused.text) == (403, False)
