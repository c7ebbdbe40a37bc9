"""Every part of the screens in every state, as a browser shows it under the policy of the product."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing

import looking
import pytest
from playwright.sync_api import Browser, Page, expect
from screen_parts import parts_site

from signal_exchange_demo.start.page import serving

WIDTHS = (1280, 390, 320)
PATHS = {"onderdelen": "/", "verlengen-kan-niet": "/verlengen-kan-niet", "bestaat-niet": "/nergens"}
Checked = Callable[[Page], None]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with parts_site(tmp_path_factory.mktemp("parts")) as site, serving(site, port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def logged_in(page_at: Callable[[int], Page], address: str) -> Callable[[int], Page]:
    def opened(width: int) -> Page:
        page = page_at(width)
        page.goto(f"{address}/aanmelden")
        page.get_by_role("button", name="Word deze persoon").click()
        return page

    return opened


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PATHS)
def test_everybody_can_use_every_part(
    name: str,
    width: int,
    logged_in: Callable[[int], Page],
    address: str,
    *,
    axe: Callable[[Page], list[str]],
    shot: Callable[[Page, str], None],
    no_overlap: Checked,
    no_sideways_scroll: Checked,
) -> None:
    page = logged_in(width)
    page.goto(address + PATHS[name])
    shot(page, f"{name}-{width}")
    assert axe(page) == []
    no_overlap(page)
    no_sideways_scroll(page)


def test_the_keyboard_reaches_everything_in_order_and_shows_where_it_is(logged_in: Callable[[int], Page], address: str) -> None:
    page = logged_in(1280)
    page.goto(f"{address}/verlengen-kan-niet")
    page.evaluate("() => document.activeElement.blur()")
    assert looking.keyboard_faults(page) == []


def test_what_is_wrong_with_a_form_has_the_focus_and_leads_to_the_field(logged_in: Callable[[int], Page]) -> None:
    page = logged_in(1280)
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    summary.get_by_role("link", name="Kies een werkdag").press("Enter")
    assert page.evaluate("() => document.activeElement.id || location.hash") in {"due", "#due"}


def test_wider_text_spacing_makes_nobody_scroll_to_the_side(
    logged_in: Callable[[int], Page], no_sideways_scroll: Checked, no_overlap: Checked
) -> None:
    """WCAG 1.4.12."""
    page = logged_in(320)
    page.evaluate(looking.WIDER_TEXT)
    no_sideways_scroll(page)
    no_overlap(page)


def test_a_page_works_without_script(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/aanmelden")
    page.get_by_role("button", name="Word deze persoon").click()
    page.locator("summary", has_text="Gemeente Venlo").click()
    expect(page.get_by_role("link", name="Uw account", exact=True)).to_be_visible()
    page.get_by_role("button", name="Afmelden").click()
    expect(page.get_by_role("heading", name="U bent afgemeld")).to_be_visible()
    context.close()


def test_a_part_of_a_page_comes_alone_is_announced_and_leaves_the_focus_where_it_was(logged_in: Callable[[int], Page]) -> None:
    page = logged_in(1280)
    page.evaluate("() => { document.body.dataset.loaded = 'once' }")
    page.get_by_label("Kenmerk").fill("V-X2NR")
    page.get_by_role("button", name="Toon").click()
    expect(page.locator("#announced")).to_have_text("4 verwijzingen")
    expect(page.get_by_role("button", name="Toon")).to_be_focused()
    expect(page.locator("#plek tbody tr")).to_have_count(4)
    assert page.url.endswith("/rijen?kenmerk=V-X2NR&spoed=URGENT")
    assert page.evaluate("() => document.body.dataset.loaded") == "once"
    page.reload()
    expect(page.get_by_role("heading", name="Onderdelen van een scherm")).to_be_visible()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_account_menu_opens_in_the_page(
    width: int, logged_in: Callable[[int], Page], *, axe: Callable[[Page], list[str]], shot: Callable[[Page, str], None]
) -> None:
    page = logged_in(width)
    page.locator("summary", has_text="Gemeente Venlo").press("Enter")
    shot(page, f"accountmenu-{width}")
    expect(page.get_by_role("link", name="Uw account", exact=True)).to_be_visible()
    assert axe(page) == []
    assert looking.overlaps(page) == []
