"""A real browser for the tests of the screens: Debian's Chromium, which asks nothing of any other host than this one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import looking
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

PROGRAM = "chromium"
HEIGHT = 800
PageAt = Callable[[int], Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder: `make browser` alone runs them."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give the browser that all tests share."""
    program = shutil.which(PROGRAM)
    assert program, f"{PROGRAM} is missing: run `make browser-system`"
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=[*flags, "--disable-background-networking"])
        yield started
        started.close()


@pytest.fixture
def page_at(browser: Browser) -> Iterator[PageAt]:
    """Give pages by their width; at the end nothing went wrong in them, and none asked another host or broke the policy."""
    faults: list[list[str]] = []
    contexts = []

    def opened(width: int) -> Page:
        size = {"width": width, "height": HEIGHT}
        context = browser.new_context(viewport=size, locale="nl-NL", reduced_motion="reduce")  # type: ignore[arg-type]
        contexts.append(context)
        context.add_init_script(looking.AXE)
        page = context.new_page()
        faults.append(looking.watched(page))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [each for found in faults for each in found] == []


@pytest.fixture
def axe() -> Callable[[Page], list[str]]:
    """Give what axe finds wrong with a page at WCAG 2.2 A and AA."""
    return looking.violations


@pytest.fixture
def shot() -> Callable[[Page, str], None]:
    """Give a way to keep a picture of a page in build/screenshots."""
    return looking.picture


@pytest.fixture
def no_overlap() -> Callable[[Page], None]:
    """Give the check that no text stands over another."""

    def checked(page: Page) -> None:
        assert looking.overlaps(page) == []

    return checked


@pytest.fixture
def no_sideways_scroll() -> Callable[[Page], None]:
    """Give the check that nobody has to scroll to the side."""

    def checked(page: Page) -> None:
        assert looking.sideways(page) == 0

    return checked
