"""The trace of one signal, taking it back and erasing it, in a browser without script."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from node_views import a_step, a_view, an_erasure, an_outcome_of, hear
from nodes import Town, a_town, example
from own_signals import CARE, DUE, LATER, OUTSIDER, ROUTED, TABLE, an_answer, at_the_screens, heard, published
from visiting import Browser

ROUTES = [
    {"destination": CARE, "effect": "SEND", "deliver_as": "FULL_PSEUDONYMOUS", "rule_id": "C30", "reason": "MATCHED"},
    {"destination": TABLE, "effect": "DENY", "deliver_as": None, "rule_id": "A90", "reason": "ENRICH_FIRST"},
]


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return a_town(tmp_path)


@pytest.fixture
def signal_id(town: Town) -> str:
    return published(town)


@pytest.fixture
def browser(town: Town) -> Browser:
    return at_the_screens(town)


def routed(town: Town, signal_id: str, *steps: dict[str, Any], **last: Any) -> None:
    report = an_outcome_of(town, signal_id, {"deliveries": ROUTES, "urgency": "URGENT"})
    told = [an_outcome_of(town, signal_id, last.pop("detail", None), LATER + timedelta(hours=1), **last)] if last else []
    for number, each in enumerate(told):
        each["outcome_id"] = f"33333333-3333-4333-8333-33333333333{number}"
    heard(town, signal_id, ROUTED, DUE, *steps, outcomes=[report, *told])


def test_b3_every_receiver_is_named_with_rule_and_result_also_who_got_nothing(
    town: Town, browser: Browser, signal_id: str
) -> None:
    routed(town, signal_id)
    text = browser.get(f"/signalen/{signal_id}").text
    assert "Zorgcoördinator</strong>, volledig, pseudoniem" in text
    assert "Regel C30: regel van toepassing" in text
    assert "Agenda screeningsoverleg" in text
    assert "Regel A90: eerst verrijken" in text
    assert "Niet verstuurd" in text


def test_b4_the_outcome_stands_before_the_route(town: Town, browser: Browser, signal_id: str) -> None:
    done = an_answer(CARE, None, None)
    routed(town, signal_id, done, kind="REFERRAL", state="COMPLETED", outcome="CARE_ARRANGED")
    text = browser.get(f"/signalen/{signal_id}").text
    assert text.index("Uitkomst voor u") < text.index("Hulp geregeld</strong>") < text.index("Wie kreeg dit signaal?")


def test_a_referral_that_was_turned_down_does_not_look_like_one_that_went_well(
    town: Town, browser: Browser, signal_id: str
) -> None:
    last = an_answer(CARE, None, None)
    routed(town, signal_id, last, detail={"reason": None}, kind="REFERRAL", state="REJECTED", outcome="CARE_DECLINED")
    text = browser.get(f"/signalen/{signal_id}").text
    route = text[text.index("Wie kreeg dit signaal?") : text.index("Het spoor van dit signaal")]
    assert ("Afgewezen" in route, "sp-b--warn" in route, "sp-b--ok" in route) == (True, True, False)


def test_b9_the_waiting_step_says_who_and_until_when(town: Town, browser: Browser, signal_id: str) -> None:
    routed(town, signal_id)
    text = browser.get(f"/signalen/{signal_id}").text
    waits = text[text.index("sp-tl__dot--wait") :]
    assert "De zorgcoördinator antwoordt, uiterlijk di 24 nov." in waits


def test_b10_who_looked_is_told_by_role_and_day(town: Town, browser: Browser, signal_id: str) -> None:
    routed(town, signal_id, an_answer(CARE, CARE, "2026-11-24"), kind="REFERRAL", state="SEEN")
    assert "<li>Zorgcoördinator mensenhandel, zondag 22 november 2026</li>" in browser.get(f"/signalen/{signal_id}").text


def test_b6_an_older_version_is_readable_and_says_that_it_is_not_the_last(town: Town, browser: Browser, signal_id: str) -> None:
    town.publish(example(sector="SEX_STREET"))
    assert f"/signalen/{signal_id}/versies/1" in browser.get(f"/signalen/{signal_id}").text
    old, new = (browser.get(f"/signalen/{signal_id}/versies/{number}").text for number in (1, 2))
    assert ("Oudere versie" in old, "Oudere versie" in new) == (True, False)
    assert old.index("Gaat weg") < old.index(example()["summary"].split()[0])
    assert "Testescu" not in old
    assert browser.get(f"/signalen/{signal_id}/versies/3").status_code == 422


def test_r_ret_02_b15_the_day_of_erasing_is_shown_once_a_signal_is_closed(town: Town, browser: Browser, signal_id: str) -> None:
    routed(town, signal_id)
    assert "Zolang het signaal open staat" in browser.get(f"/signalen/{signal_id}").text
    report = an_outcome_of(town, signal_id, None, kind="REFERRAL", state="COMPLETED", outcome="CARE_ARRANGED")
    hear(town, a_view(signal_id, revision=3, steps=[ROUTED, an_answer(CARE, None, None)], outcomes=[report]))
    assert "maandag 22 november 2027" in browser.get(f"/signalen/{signal_id}").text


def test_b7_withdrawing_says_who_is_told_asks_why_and_shows_who_took_it_back(
    town: Town, browser: Browser, signal_id: str
) -> None:
    routed(town, signal_id)
    path = f"/signalen/{signal_id}/intrekken"
    assert "Wij melden het aan: Zorgcoördinator." in browser.get(path).text
    refused = browser.submit(path, path)
    assert (refused.status_code, 'href="#reason"' in refused.text) == (422, True)
    assert town.actions.trace(signal_id)["state"] == "PUBLISHED"
    done = browser.submit(path, path, reason="MISTAKE")
    assert (done.status_code, done.headers["location"]) == (303, f"/signalen/{signal_id}")
    text = browser.get(f"/signalen/{signal_id}").text
    assert "Het signaal is ingetrokken." in text
    assert "Zorgcoördinator: nog niet bevestigd" in text
    gone = a_step("STORED", LATER + timedelta(days=1), service="worklist", destination=CARE, verdict="RETRACTED")
    hear(town, a_view(signal_id, revision=9, steps=[ROUTED, gone]))
    assert "Zorgcoördinator: weg sinds" in browser.get(f"/signalen/{signal_id}").text


def test_b7_erasing_asks_for_the_short_number_and_shows_the_receipts(town: Town, browser: Browser, signal_id: str) -> None:
    routed(town, signal_id)
    path = f"/signalen/{signal_id}/wissen"
    wrong = browser.submit(path, path, nummer="S-00000000")
    assert (wrong.status_code, 'href="#nummer"' in wrong.text) == (422, True)
    done = browser.submit(path, path, nummer=f"s-{signal_id[:8]}")
    assert (done.status_code, done.headers["location"]) == (303, f"/vernietigd/{signal_id}")
    assert "Iris Voorbeeld" in browser.get(f"/vernietigd/{signal_id}").text
    receipt = an_outcome_of(town, signal_id, None, kind="RECEIPT", state="DONE", source="worklist")
    receipt["outcome_id"] = "44444444-4444-4444-8444-444444444444"
    hear(town, a_view(signal_id, revision=9, outcomes=[an_erasure(town, signal_id), receipt]))
    text = browser.get(f"/vernietigd/{signal_id}").text
    assert "<dt>Zorgcoördinator</dt><dd>uitgevoerd</dd>" in text
    assert f'href="/vernietigd/{signal_id}"' in browser.get("/vernietigd").text
    assert browser.get(f"/signalen/{signal_id}").status_code == 422


def test_b11_the_way_back_keeps_the_filters_and_leads_nowhere_else(browser: Browser, signal_id: str) -> None:
    assert 'href="/signalen?vorm=SEXUAL"' in browser.get(f"/signalen/{signal_id}?terug=/signalen%3Fvorm%3DSEXUAL").text
    assert "example.org" not in browser.get(f"/signalen/{signal_id}?terug=https://example.org").text


def test_who_is_no_officer_neither_sees_nor_ends_a_signal(town: Town, signal_id: str) -> None:
    other = at_the_screens(town, OUTSIDER)
    for path in (f"/signalen/{signal_id}", f"/signalen/{signal_id}/wissen", f"/signalen/{signal_id}/intrekken", "/vernietigd"):
        assert other.get(path).status_code == 403
    assert town.actions.trace(signal_id)["state"] == "PUBLISHED"
