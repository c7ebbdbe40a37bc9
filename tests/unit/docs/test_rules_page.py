"""The rules stand in docs/rules.md, each once, with whether it is built and where; and each built rule has a test of its name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
RULES = ROOT / "docs" / "rules.md"
RULE_ID = re.compile(r"\bR-(?:VAL|ROUTE|CAL|AGENDA|REF|LINK|STAT|RET|FLOW|LEAK)-\d{2}\b")
ROW = re.compile(r"^\| \[(R-[A-Z]+-\d{2})\]\(#([a-z]+-[a-z]+-\d{2})\) \| ([^|]+) \| ([^|]*) \|$", re.MULTILINE)
"""A row of a table of what is built: the rule, its anchor, its state, and where it is built or what is missing."""
CITING = ("services", "schemas", "tests", "docs", "deploy", "benchmarks")
SUFFIXES = {".py", ".md", ".avsc", ".json", ".csv", ".yml"}
NO_RULE = {"R-VAL-99"}
"""What tests cite because it is no rule."""


def citing_files() -> Iterator[Path]:
    yield from ROOT.glob("*.md")
    for folder in CITING:
        for file in sorted((ROOT / folder).rglob("*")):
            if file.suffix in SUFFIXES and file.is_file() and not {"libs", "files"} & set(file.parts[len(ROOT.parts) :]):
                yield file


def page() -> str:
    return RULES.read_text(encoding="utf-8")


def defined_rules() -> list[str]:
    """Return the rules in the order of the page: each has an anchor before its id."""
    return [f"R-{found}" for found in re.findall(r'<a id="r-[a-z]+-\d{2}"></a>\**R-([A-Z]+-\d{2})', page())]


def rows() -> list[tuple[str, str, str]]:
    return [(rule, state.strip(), where.strip()) for rule, _, state, where in ROW.findall(page())]


def test_each_rule_has_one_anchor_of_its_own_name_and_one_row_that_links_to_it() -> None:
    assert len(defined_rules()) > 80
    assert [rule for rule, count in Counter(defined_rules()).items() if count > 1] == []
    assert re.findall(r'<a id="(r-[a-z]+-\d{2})"', page()) == [rule.lower() for rule in defined_rules()]
    assert sorted(rule for rule, _, _ in rows()) == sorted(defined_rules())
    assert [rule for rule, anchor, *_ in ROW.findall(page()) if anchor != rule.lower()] == []


def test_each_row_says_where_a_rule_is_built_or_what_is_missing() -> None:
    assert {state for _, state, _ in rows()} <= {"built", "in part", "not built"}
    without_place = [rule for rule, state, where in rows() if state != "not built" and "`" not in where]
    without_rest = [rule for rule, state, where in rows() if state == "in part" and "; " not in where]
    assert (without_place, without_rest) == ([], [])


def test_every_cited_rule_stands_on_the_page() -> None:
    known = {*defined_rules(), *NO_RULE}
    unknown = [
        f"{file.relative_to(ROOT)} cites {rule}, which docs/rules.md does not have"
        for file in citing_files()
        for rule in sorted(set(RULE_ID.findall(file.read_text(encoding="utf-8", errors="replace"))) - known)
    ]
    assert not unknown, "\n".join(unknown)


def names_of_tests() -> str:
    files = (file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    return "\n".join(name for text in files for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE))


@pytest.mark.parametrize("state", ["built", "in part"])
def test_each_rule_that_is_built_is_in_the_name_of_a_test(state: str) -> None:
    names = names_of_tests()
    chosen = [rule for rule, its_state, _ in rows() if its_state == state]
    assert chosen
    assert [rule for rule in chosen if not re.search(rf"_{rule.lower().replace('-', '_')}(?!\d)", names)] == []


def test_no_test_carries_the_name_of_a_rule_that_is_not_built() -> None:
    names = names_of_tests()
    not_built = [rule for rule, state, _ in rows() if state == "not built"]
    assert [rule for rule in not_built if re.search(rf"_{rule.lower().replace('-', '_')}(?!\d)", names)] == []
