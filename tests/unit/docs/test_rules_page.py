"""The rules stand in docs/rules.md: whatever cites one cites a rule of that page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
RULES = ROOT / "docs" / "rules.md"
RULE_ID = re.compile(r"\bR-(?:VAL|ROUTE|CAL|AGENDA|REF|LINK|STAT|RET|FLOW|LEAK)-\d{2}\b")
CITING = ("services", "schemas", "tests", "docs")
SUFFIXES = {".py", ".md", ".avsc", ".json", ".csv"}


def citing_files() -> Iterator[Path]:
    for folder in CITING:
        for file in sorted((ROOT / folder).rglob("*")):
            if file.suffix in SUFFIXES and file.is_file() and not {"libs", "files"} & set(file.parts[len(ROOT.parts) :]):
                yield file


def defined_rules() -> set[str]:
    return set(RULE_ID.findall(RULES.read_text(encoding="utf-8")))


@pytest.mark.parametrize("folder", CITING)
def test_every_cited_rule_stands_on_the_page(folder: str) -> None:
    files = [file for file in citing_files() if file.is_relative_to(ROOT / folder) and file != Path(__file__)]
    cited = {rule: file.name for file in files for rule in RULE_ID.findall(file.read_text(encoding="utf-8", errors="replace"))}
    assert files
    assert {rule: file for rule, file in cited.items() if rule not in defined_rules() and rule != "R-VAL-99"} == {}


def test_every_file_that_the_page_names_is_there() -> None:
    text = RULES.read_text(encoding="utf-8")
    named = re.findall(r"`((?:tests|services|decisions)/[^`*]+)`", text) + re.findall(r"\]\(([^)]+)\)", text)
    assert named
    assert [each for each in named if not (ROOT / each).exists() and not (RULES.parent / each).exists()] == []
