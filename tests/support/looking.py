"""What a browser sees of a page: whether people with other ways of reading and writing can use it, and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page

ROOT: Final = Path(__file__).resolve().parents[2]
SCREENSHOTS: Final = ROOT / "build" / "screenshots"
AXE: Final = (ROOT / "tests" / "browser" / "axe.min.js").read_text(encoding="utf-8")
LEVELS: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
"""WCAG 2.2, levels A and AA."""
FONTS_LOADED: Final = "() => document.fonts.ready.then(() => true)"
WIDER_THAN_WINDOW: Final = "() => document.documentElement.scrollWidth - window.innerWidth"
OVERLAPPING: Final = """() => {
  const shown = node => {
    for (let each = node.parentElement; each; each = each.parentElement) {
      const style = getComputedStyle(each);
      if (style.clipPath === 'inset(50%)' || style.opacity === '0') return false;
    }
    return node.parentElement.checkVisibility({visibilityProperty: true});
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  while (walker.nextNode()) {
    const node = walker.currentNode, range = document.createRange();
    if (!node.textContent.trim() || !shown(node)) continue;
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) if (box.width > 1) found.push({node, box});
  }
  const across = (one, other) => {
    const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
    const high = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
    return wide > 2 && high > 0.4 * Math.min(one.height, other.height);
  };
  const said = each => each.node.textContent.trim().slice(0, 40), overlaps = [];
  for (let i = 0; i < found.length; i++) for (let j = i + 1; j < found.length; j++)
    if (found[i].node !== found[j].node && across(found[i].box, found[j].box))
      overlaps.push(said(found[i]) + ' | ' + said(found[j]));
  return overlaps;
}"""
WIDER_TEXT: Final = """() => {
  const sheet = new CSSStyleSheet();
  const letters = 'line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important';
  sheet.replaceSync(`* { ${letters} } p { margin-block-end: 2em !important }`);
  document.adoptedStyleSheets.push(sheet);
}"""
"""The spacing of text that a reader may choose (WCAG 1.4.12)."""
STOP: Final = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const style = getComputedStyle(at), box = at.getBoundingClientRect();
  const on = document.elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height / 2, 20));
  at.dataset.stop ||= String(document.querySelectorAll('[data-stop]').length + 1);
  const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  return {key: at.dataset.stop, name: (at.textContent || at.id).trim().slice(0, 40), ring, x: box.x, y: box.y + scrollY,
    covered: !(on && (at.contains(on) || on.contains(at)))};
}"""
"""Where the keyboard is: the name of the element, its place, and whether its ring and the element itself can be seen."""
MOST_STOPS: Final = 400


def watched(page: Page) -> list[str]:
    """Return the list to which is added what goes wrong in a page, what breaks its policy, and what it asks of another host."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.extend(_broken(said)))
    page.on("request", lambda asked: faults.extend(_elsewhere(asked.url)))
    return faults


def _broken(said: ConsoleMessage) -> list[str]:
    # That a server refuses what was asked is no fault of the page.
    return [said.text] if said.type == "error" and "Failed to load resource" not in said.text else []


def _elsewhere(url: str) -> list[str]:
    asked = urlsplit(url)
    return [] if asked.scheme in {"data", "blob"} or asked.hostname == "127.0.0.1" else [f"asked {url}"]


def violations(page: Page) -> list[str]:
    """Return what axe finds wrong, as rule and places."""
    page.evaluate(FONTS_LOADED)
    found = page.evaluate("levels => axe.run(document, {runOnly: levels})", list(LEVELS))
    return [f"{each['id']}: {_places(each['nodes'])}" for each in found["violations"]]


def _places(nodes: Sequence[dict[str, Any]]) -> str:
    return " | ".join(" ".join(str(part) for part in each["target"]) for each in nodes[:5])


def overlaps(page: Page) -> list[str]:
    """Return the pairs of texts that stand over each other."""
    page.evaluate(FONTS_LOADED)
    found: list[str] = page.evaluate(OVERLAPPING)
    return found


def sideways(page: Page) -> int:
    """Return how many pixels a reader has to scroll to the side."""
    page.evaluate(FONTS_LOADED)
    return max(0, int(page.evaluate(WIDER_THAN_WINDOW)))


def keyboard_faults(page: Page) -> list[str]:
    """Return what is wrong with the way of the Tab key through a page: no ring, a covered stop, a jump back, or no end."""
    found: list[str] = []
    seen, before = set(), None
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(STOP)
        if stop is None or stop["key"] in seen:
            return found
        seen.add(stop["key"])
        found += _faults_of(stop, before)
        before = stop
    return [*found, "the Tab key does not leave the page"]


def _faults_of(stop: dict[str, Any], before: dict[str, Any] | None) -> list[str]:
    back = before is not None and stop["y"] < before["y"] - 60 and stop["x"] <= before["x"]
    faults = {"no ring": not stop["ring"], "covered": stop["covered"], "a jump back": back}
    return [f"{fault}: {stop['name']}" for fault, holds in faults.items() if holds]


def picture(page: Page, name: str, *, whole: bool = True) -> None:
    """Write a picture of the whole page, or of what a window shows of it."""
    page.evaluate(FONTS_LOADED)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=whole)
