"""The start page of the demo: everybody one can be, in one click, and nowhere but in a practice environment."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest
from visiting import Browser

from signal_exchange.participants.region import SIX, init_region
from signal_exchange.runtime.settings import WebSettings
from signal_exchange.web.app import pages_app
from signal_exchange_demo.start.page import start_site
from signal_exchange_demo.start.practice import Practice


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Practice:
    return Practice(init_region(tmp_path_factory.mktemp("region"), SIX, date(2026, 11, 23)))


def shown(practice: Practice, running: int = 18) -> str:
    return Browser(pages_app(start_site(practice, lambda: (running, 18)))).get("/").text


def test_everybody_whom_a_site_knows_is_one_click_away_on_that_site(practice: Practice) -> None:
    for process, settings in practice.settings().items():
        place = next(each for each in practice.places if each.process == process)
        known = json.loads(Path(settings["SIGNAL_EXCHANGE_PRACTICE_PEOPLE_FILE"]).read_text(encoding="utf-8"))
        assert known["start"] == practice.start
        for person in known["people"]:
            form = (
                rf'action="{re.escape(place.address)}/oefenen/word"><input type="hidden" name="wie" value="{person["subject"]}"'
            )
            assert re.search(form, shown(practice))


def test_the_path_begins_in_venlo_and_has_a_button_for_each_step(practice: Practice) -> None:
    text = shown(practice)
    assert [f"Stap {number} als" in text for number in (1, 2, 3, 4)] == [True, True, True, False]
    assert text.index("Stap 1 als Iris") < text.index("Bij een gemeente") < text.index("Gemeente Venlo", text.index("Bij een"))


def test_the_page_says_that_all_is_invented_and_when_a_process_is_gone(practice: Practice) -> None:
    assert "Alles is verzonnen." in shown(practice)
    assert "17 van 18 processen werken" in shown(practice, running=17)


def test_its_forms_may_go_to_the_sites_and_nowhere_else(practice: Practice) -> None:
    headers = Browser(pages_app(start_site(practice, lambda: (1, 1)))).get("/").headers
    allowed = headers["content-security-policy"].partition("form-action ")[2].split()
    assert allowed == ["'self'", *(place.address for place in practice.places)]
    assert headers["referrer-policy"] == "strict-origin"


def test_production_refuses_people_whom_anybody_may_be(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="production"):
        WebSettings.model_validate({"mode": "production", "practice_people_file": tmp_path / "practice.json"})
