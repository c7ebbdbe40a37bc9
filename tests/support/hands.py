"""How a person works a page: with a mouse, or with the keyboard alone."""

from __future__ import annotations

from typing import Protocol

from playwright.sync_api import Locator, Page

MOST_KEYS = 300
HAS_FOCUS = "it => it === document.activeElement"


class Hands(Protocol):
    """What a person does with a page."""

    def press(self, what: Locator) -> None:
        """Press a button, or follow a link."""

    def choose(self, what: Locator) -> None:
        """Choose an option, or tick a box."""

    def pick(self, what: Locator, option: str) -> None:
        """Pick an option of a list by its words."""

    def write(self, what: Locator, text: str) -> None:
        """Write into a field."""


class Mouse:
    """Clicks, and types where it clicked."""

    def press(self, what: Locator) -> None:
        """Click it."""
        what.click()

    def choose(self, what: Locator) -> None:
        """Click it unless it is chosen."""
        what.check()

    def pick(self, what: Locator, option: str) -> None:
        """Open the list and click it."""
        what.select_option(label=option)

    def write(self, what: Locator, text: str) -> None:
        """Click into the field and type."""
        what.click()
        what.fill(text)


class Keyboard:
    """Uses no mouse: Tab goes on, Enter presses, Space ticks, and arrows choose among what belongs together."""

    def press(self, what: Locator) -> None:
        """Go there and press Enter."""
        self._go_to(what, "Tab")
        what.page.keyboard.press("Enter")

    def choose(self, what: Locator) -> None:
        """Tick the box, or go through the group to the option."""
        page, group = what.page, what.get_attribute("name")
        if what.get_attribute("type") == "checkbox":
            self._go_to(what, "Tab")
            if not what.is_checked():
                page.keyboard.press("Space")
            return
        self._press_until(page, "Tab", f"it => document.activeElement.name === '{group}'", what)
        if not what.evaluate(HAS_FOCUS):
            self._go_to(what, "ArrowDown")
        if not what.is_checked():
            page.keyboard.press("Space")

    def pick(self, what: Locator, option: str) -> None:
        """Go to the list and type the words, as browsers let one choose."""
        self._go_to(what, "Tab")
        what.page.keyboard.type(option)
        assert what.evaluate("it => it.selectedOptions[0].label") == option

    def write(self, what: Locator, text: str) -> None:
        """Go to the field and type over what is there."""
        self._go_to(what, "Tab")
        what.page.keyboard.press("Control+A")
        what.page.keyboard.type(text)

    def _go_to(self, what: Locator, key: str) -> None:
        self._press_until(what.page, key, HAS_FOCUS, what)

    def _press_until(self, page: Page, key: str, holds: str, what: Locator) -> None:
        what.wait_for()
        for _ in range(MOST_KEYS):
            if what.evaluate(holds):
                return
            page.keyboard.press(key)
        raise AssertionError(f"{key} does not come to {what}")
