"""Questions about links on screens: opening is recorded, and what an answer does stands above its button (R-LINK-04)."""

from __future__ import annotations

from pathlib import Path

import pytest
from node_views import DETAIL, SIGNAL, asked
from nodes import Town, a_town
from own_signals import OUTSIDER, at_the_screens
from visiting import Browser

from signal_exchange.municipality.inbox.questions import ACTS

OTHER = {"form": "LABOUR", "subjects": [{"role": "VICTIM", "age_class": "AGE_23_PLUS"}]}


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return a_town(tmp_path)


@pytest.fixture
def browser(town: Town) -> Browser:
    return at_the_screens(town)


def opened(browser: Browser, question: str) -> str:
    return browser.submit(f"/vragen/{question}/open", f"/vragen/{question}").text


def test_r_link_04_a_question_says_nothing_until_it_is_opened_and_that_is_recorded(town: Town, browser: Browser) -> None:
    question = asked(town)
    for path in ("/vragen", f"/vragen/{question}"):
        assert "Mogelijk dezelfde persoon." not in browser.get(path).text
    assert town.rows(ACTS) == []
    assert "Mogelijk dezelfde persoon." in opened(browser, question)
    assert [(row["kind"], row["who"]) for row in town.rows(ACTS)] == [("SHOW", "Iris Voorbeeld")]


def test_i9_each_answer_stands_below_what_it_does_and_names_no_other_municipality(town: Town, browser: Browser) -> None:
    text = opened(browser, asked(town))
    for what, do in (
        ("Kiest de andere kant dit ook?", 'value="COMPARE"'),
        ("Dit kunt u terugdraaien.", 'value="CONFIRM"'),
        ("De signalen blijven los.", 'value="REJECT"'),
    ):
        assert text.index(do) < text.index(what)
    assert 'value="UNDO"' not in text
    assert "GM0" not in text.replace("GM0983", "")


def test_the_other_signal_is_shown_after_both_chose_to_compare_only(town: Town, browser: Browser) -> None:
    question = asked(town)
    assert "Uitbuiting op het werk" not in opened(browser, question)
    asked(town, "COMPARING", revision=2, question=question, detail={**DETAIL, "other": OTHER})
    assert "uitbuiting" in opened(browser, question).lower().split("het andere signaal")[1].split("</dl>")[0]


def test_an_answer_is_recorded_told_and_can_be_undone(town: Town, browser: Browser) -> None:
    question = asked(town)
    path = f"/vragen/{question}"
    assert browser.submit(f"{path}/antwoord", path, antwoord="CONFIRM").headers["location"] == path
    assert "U antwoordde: bevestigd" in browser.get(path).text
    text = opened(browser, question)
    assert ('value="UNDO"' in text, 'value="CONFIRM"' in text) == (True, False)
    town.clock.pass_seconds(1)
    browser.submit(f"{path}/antwoord", path, antwoord="UNDO")
    assert town.actions.questions()[0]["answer"] == "UNDO"


def test_what_is_no_answer_changes_nothing(town: Town, browser: Browser) -> None:
    question = asked(town)
    path = f"/vragen/{question}"
    assert browser.submit(f"{path}/antwoord", path, antwoord="MAYBE").status_code == 422
    assert (town.rows(ACTS), town.actions.questions()[0]["signal_id"]) == ([], SIGNAL)


def test_who_is_no_officer_opens_nothing(town: Town) -> None:
    question = asked(town)
    assert at_the_screens(town, OUTSIDER).get(f"/vragen/{question}").status_code == 403
    assert town.rows(ACTS) == []
