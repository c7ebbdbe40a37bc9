"""Every decision record has a date, stands in the index, and its number is explained when it is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DECISIONS = Path(__file__).resolve().parents[3] / "docs" / "decisions"
PAGES = sorted(DECISIONS.glob("[0-9]*.md"))
INDEX = DECISIONS / "README.md"
DATED = re.compile(r"(?:^|\. )Date: (\d{4}-\d{2}-\d{2})\.$", re.MULTILINE)
ALL_TOGETHER = 32
"""From this number on the index explains the missing ones together."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_decision_has_a_number_a_status_a_date_and_its_parts(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {int(page.name[:4])}. ")
    assert re.search(r"^Status: \w", text, re.MULTILINE), f"{page.name} has no line `Status: accepted.`"
    assert DATED.search(text), f"{page.name} has no `Date: 2026-11-30.`"
    for part in ("## Context", "## Decision", "## Consequences"):
        assert f"\n{part}\n" in text


def test_the_index_has_one_row_for_each_decision_with_its_title_and_date() -> None:
    rows = re.findall(r"^\| (\d+) \| ([\d-]+) \| \[(.+)\]\((.+)\) \| \S.* \|$", INDEX.read_text(encoding="utf-8"), re.MULTILINE)
    known = [(page, page.read_text(encoding="utf-8")) for page in PAGES]
    expected = [
        (str(int(page.name[:4])), dated[1], text.split("\n", 1)[0].partition(". ")[2], page.name)
        for page, text in known
        if (dated := DATED.search(text))
    ]
    assert rows == expected, "docs/decisions/README.md needs a row `| number | date | [title](file) | one sentence |`"


def test_the_index_explains_each_missing_number() -> None:
    numbers = {int(page.name[:4]) for page in PAGES}
    missing = [number for number in range(1, ALL_TOGETHER) if number not in numbers]
    assert [number for number in missing if f"**{number} was given out" not in INDEX.read_text(encoding="utf-8")] == []
