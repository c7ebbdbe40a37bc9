"""An officer enters a signal in a real browser, at every width: each page and state can be used, and by the keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import looking
import pytest
from nodes import VENLO, a_town, served
from playwright.sync_api import Page, expect

from signal_exchange.domain.people import Person
from signal_exchange.municipality.pages.site import site_of
from signal_exchange.web.app import pages_app
from signal_exchange.web.login import PRACTICE_ISSUER, PracticeEntrance

OFFICER = Person("af-1", PRACTICE_ISSUER, "af-1", "ATTENTION_OFFICER", VENLO)
TEXT = "Zijn baas, J. Peeters, houdt het paspoort vast. Ioana weet meer. Bereikbaar op 06 12 34 56 78."
MOST_TABS = 150


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the screens of Venlo, with one officer whom anybody may be."""
    town = a_town(tmp_path_factory.mktemp("entering"), web_organisation="gemeente Venlo")
    entrances = [PracticeEntrance([OFFICER])]
    site = replace(site_of(town.actions), practice=True, secure=False, entrances=entrances, known=lambda person: person)
    with served([(pages_app(site), 0)]) as (address,):
        yield address


@pytest.fixture
def begun(page_at: Callable[[int], Page], address: str) -> Callable[[int], Page]:
    def opened(width: int) -> Page:
        page = page_at(width)
        page.goto(f"{address}/melden")
        page.get_by_role("main").get_by_role("button").first.click()
        page.goto(f"{address}/melden")
        return page

    return opened


def on(page: Page, title: str) -> None:
    page.get_by_role("button", name=f"Naar: {title}").click()


@pytest.mark.parametrize("width", [1280, pytest.param(390, marks=pytest.mark.slow), 320])
def test_every_page_and_state_of_the_form_can_be_used(width: int, begun: Callable[[int], Page]) -> None:
    page, seen = begun(width), []

    def look(name: str) -> None:
        seen.append(name)
        page.evaluate("window.scrollTo(0, 0)")  # else the hidden skip link lies over what is above the window
        looking.picture(page, f"melden-{name}-{width}")
        found = [*looking.violations(page), *looking.overlaps(page), *looking.keyboard_faults(page)]
        assert (name, found, looking.sideways(page)) == (name, [], 0)

    look("1-begin")
    page.get_by_label("Vertel kort").fill(TEXT)
    on(page, "Soort en spoed")
    look("1-gevonden")
    for button in (r"Vervang door \[naam\].*Peeters", "Haal weg.*06 12 34 56 78", "Is geen naam.*Ioana"):
        page.get_by_role("button", name=re.compile(button)).click()
    look("1-opgelost")
    on(page, "Soort en spoed")
    on(page, "Wie en waar")
    look("2-fout")
    page.get_by_role("radio", name="Uitbuiting op het werk").check()
    page.get_by_role("radio", name="Acuut").check()
    page.get_by_role("radio", name="Weet ik niet Wij").check()
    on(page, "Wie en waar")
    expect(page.get_by_role("alert")).to_contain_text("U koos Acuut")
    look("2-acuut")
    on(page, "Wie en waar")
    page.get_by_label("Geboortedatum").first.fill("14-03-2031")
    look("3")
    on(page, "Controleren")
    look("4-fout")
    page.get_by_role("link", name=re.compile("R-VAL-07")).first.click()
    look("3-fout")
    page.get_by_label("Geboortedatum").first.fill("14-03-1994")
    on(page, "Controleren")
    page.get_by_text("Waarvoor en op welke grond").click()
    look("4")
    page.get_by_label("Ik heb de tekst gelezen").check()
    page.get_by_role("button", name="Verstuur signaal").click()
    expect(page.get_by_text(re.compile("S-[0-9A-Z]{4}-[0-9A-Z]{2}"))).to_be_visible()
    look("5-ontvangen")


def test_the_guard_reads_along_and_the_cursor_stays(begun: Callable[[int], Page]) -> None:
    page = begun(1280)
    page.get_by_label("Vertel kort").press_sequentially(TEXT[:50])
    expect(page.get_by_role("list", name="Gevonden in uw tekst")).to_contain_text("J. Peeters")
    expect(page.locator("#announced")).not_to_be_empty()
    expect(page.get_by_label("Vertel kort")).to_be_focused()
    assert page.evaluate("document.activeElement.selectionStart") == 50


def test_a_signal_is_sent_by_the_keyboard_alone(begun: Callable[[int], Page]) -> None:
    page = begun(1280)

    def press(wanted: str, key: str) -> None:
        for _ in range(MOST_TABS):
            page.keyboard.press("Tab")
            if page.evaluate(
                "wanted => (document.activeElement.name + document.activeElement.innerText).includes(wanted)", wanted
            ):
                page.keyboard.press(key)
                return
        raise AssertionError(f"the Tab key never came to {wanted}")

    press("summary", "k")
    press("Naar: Soort", "Enter")
    page.wait_for_url("**/soort")
    for question in ("form", "urgency", "age_band"):
        press(question, "ArrowDown")
    press("Naar: Wie", "Enter")
    page.wait_for_url("**/wie-en-waar")
    press("Naar: Controleren", "Enter")
    page.wait_for_url("**/controleren")
    press("gelezen", "Space")
    press("Verstuur signaal", "Enter")
    page.wait_for_url("**/ontvangen")
