"""Each word of the glossary is used: a word that nobody uses misleads, and a thing has one word."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
GLOSSARY = ROOT / "docs" / "glossary.md"
TEXTS = {".po", ".py", ".md", ".avsc", ".csv", ".json", ".yml"}
WORDS_IN = {"People and organisations": 2, "The field": 2, "The machine": 1, "Four counters": 1, "Names that are fixed": 1}
"""How many columns of the table of a chapter hold words."""


@cache
def all_text() -> str:
    folders = (ROOT / each for each in ("services", "schemas", "docs", "deploy"))
    files = [*ROOT.glob("*.md"), *(file for folder in folders for file in folder.rglob("*") if file.suffix in TEXTS)]
    texts = (
        file.read_text(encoding="utf-8", errors="replace") for file in files if file != GLOSSARY and "libs" not in file.parts
    )
    return re.sub(r"[\s_]+", " ", "\n".join(texts)).lower()


def chapters() -> dict[str, str]:
    parts = re.split(r"^## ", GLOSSARY.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {part.split("\n", 1)[0]: part for part in parts}


def words() -> list[tuple[str, str]]:
    """Return each word with its chapter."""
    found = []
    for title, part in chapters().items():
        for row in re.findall(r"^\|(?! ---)(.*)\|$", part, re.MULTILINE)[1:]:
            cells = (re.sub(r"\(.*?\)|`", "", cell) for cell in row.split("|")[: WORDS_IN[title]])
            found += [(title, word.strip()) for cell in cells for word in cell.split(",") if word.strip()]
    return found


def test_each_word_is_used_in_code_or_documents() -> None:
    assert len(words()) > 100
    unused = [word for _, word in words() if word.lower().replace("_", " ") not in all_text()]
    assert not unused, f"docs/glossary.md has words that nothing uses: {', '.join(unused)}"


def test_no_word_stands_twice_in_a_chapter() -> None:
    twice = [word for (title, word), count in Counter(words()).items() if count > 1 and title == "The machine"]
    assert twice == []


NOT_USED = {"chair": "chain director", "voorzitter": "ketenregisseur"}
"""Words for a thing that has another word here."""
FIXED = re.compile(r"chair[-_ ]?alerts?|a_chair_alert", re.IGNORECASE)
"""Names that are fixed on the wire: the glossary explains them."""


def test_a_thing_has_one_word() -> None:
    folders = ("services", "schemas", "docs", "deploy", "tests")
    files = [
        *ROOT.glob("*.md"),
        *(file for each in folders for file in (ROOT / each).rglob("*") if file.suffix in TEXTS | {".po"}),
    ]
    found = []
    for file in files:
        if file in (GLOSSARY, Path(__file__)) or "libs" in file.parts:
            continue
        text = FIXED.sub("", file.read_text(encoding="utf-8", errors="replace"))
        found += [
            f"{file.relative_to(ROOT)} says {word}, which is {right} here"
            for word, right in NOT_USED.items()
            if re.search(rf"\b{word}\b", text, re.IGNORECASE)
        ]
    assert not found, "\n".join(found)
