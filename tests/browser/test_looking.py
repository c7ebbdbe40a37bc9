"""The checks of the screens see what they look for."""

from __future__ import annotations

import looking
import pytest
from playwright.sync_api import Browser, Page

PAGE = "<!doctype html><html lang='nl'><title>Pagina</title><main><h1>Kop</h1>{}</main></html>"


@pytest.fixture
def page(browser: Browser) -> Page:
    """Give a page that no policy binds."""
    context = browser.new_context(viewport={"width": 320, "height": 800})
    context.add_init_script(looking.AXE)
    page = context.new_page()
    page.goto("about:blank")
    return page


def test_axe_sees_a_field_without_a_label(page: Page) -> None:
    page.set_content(PAGE.format("<input id='naam'>"))
    assert looking.violations(page) == ["label: #naam"]
    page.set_content(PAGE.format("<label for='naam'>Naam</label><input id='naam'>"))
    assert looking.violations(page) == []


def test_texts_over_each_other_are_seen(page: Page) -> None:
    page.set_content(PAGE.format("<p>Een</p><p style='margin-block-start:-2.1em'>Twee</p>"))
    assert looking.overlaps(page) == ["Een | Twee"]
    page.set_content(PAGE.format("<p>Een</p><p>Twee</p>"))
    assert looking.overlaps(page) == []


def test_what_is_wider_than_the_window_is_seen(page: Page) -> None:
    page.set_content(PAGE.format("<p style='inline-size:500px'>Breed</p>"))
    assert looking.sideways(page) > 0


def test_a_stop_of_the_keyboard_without_a_ring_is_seen(page: Page) -> None:
    page.set_content(
        PAGE.format("<style>a{outline:none} button:focus{outline:3px solid}</style><a href='#a'>Eerst</a> <button>Dan</button>")
    )
    assert looking.keyboard_faults(page) == ["no ring: Eerst"]


def test_what_breaks_the_policy_of_a_page_and_what_asks_another_host_is_seen(page: Page) -> None:
    faults = looking.watched(page)
    page.goto(
        "data:text/html,<meta http-equiv=Content-Security-Policy content=\"style-src 'none'\"><p style='color: red'>Een</p>"
    )
    assert len(faults) == 1
    assert "Content Security Policy" in faults[0]
    page.evaluate("() => fetch('http://exchange.invalid/').catch(() => null)")
    assert faults[1:] == ["asked http://exchange.invalid/"]
