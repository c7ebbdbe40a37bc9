"""A document names only things that exist: files, functions of a file, links and the headings they lead to.

A function is named with its file: `routing/handler.py: RoutingHandler`. A path begins at the root, at one of the packages, or
at the folder of the document itself.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *(page for folder in ("docs", "schemas", "benchmarks") for page in (ROOT / folder).rglob("*.md")),
]
PACKAGES = ("services/signal_exchange", "services/signal_exchange_demo")
STARTS = [ROOT / each for each in (".", "docs", "services", *PACKAGES, "services/signal_exchange/reference/data", "tests")]
FOLDERS = frozenset(each.name for start in STARTS for each in start.iterdir() if each.is_dir())
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED = re.compile(r"(?P<path>[\w./-]+?)(?:: (?P<names>[\w., ]+))?")
SUFFIXES = (".py", ".md", ".avsc", ".csv", ".json", ".toml", ".yml", ".xml", ".txt", ".java")
MADE_LATER = ("var/", "region/", "released/", "schemas/released/")
"""Beginnings of paths that exist only after something ran."""


def ids(page: Path) -> str:
    return str(page.relative_to(ROOT))


def is_path(text: str) -> bool:
    """Say whether a word in code type is a path of the repository: by its ending, or by the folder that it begins with."""
    first, slash, _ = text.partition("/")
    if not slash:
        return text.endswith((".py", ".md"))
    return bool(first) and not text.startswith(MADE_LATER) and (first in FOLDERS or text.endswith(SUFFIXES))


def named_in(page: Path) -> Iterator[re.Match[str]]:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for span in SPAN.findall(text):
        if (found := NAMED.fullmatch(span)) and is_path(found["path"]):
            yield found


@cache
def names_of_files() -> frozenset[str]:
    return frozenset(
        file.name for folder in ("services", "docs", "tests", "schemas", "deploy") for file in (ROOT / folder).rglob("*.*")
    )


def found_at(path: str, page: Path) -> Path | None:
    """Return the file or folder; a bare name may be that of any file, as in "every service has a `store.py`"."""
    for start in (page.parent, *STARTS):
        if (start / path).exists():
            return start / path
        if re.fullmatch(r"(docs/)?decisions/\d{4}", path) and list(start.glob(f"{path}-*.md")):
            return start / path
    return ROOT if path in names_of_files() else None


@cache
def defined_in(file: Path) -> frozenset[str]:
    """Return the names of everything that a module defines, also inside classes, as `name` and as `Class.name`."""

    def names(body: list[ast.stmt], prefix: str = "") -> Iterator[str]:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from (node.name, prefix + node.name)
            if isinstance(node, ast.ClassDef):
                yield from names(node.body, f"{node.name}.")
            targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
            yield from (each.id for each in targets if isinstance(each, ast.Name))

    return frozenset(names(ast.parse(file.read_text(encoding="utf-8")).body))


def missing(page: Path) -> Iterator[str]:
    for span in named_in(page):
        file = found_at(span["path"], page)
        if file is None:
            yield f"{ids(page)} names the file {span['path']}, which is not there"
        elif span["names"]:
            undefined = set(span["names"].split(", ")) - defined_in(file)
            yield from (f"{ids(page)} names {name} in {ids(file)}, which does not define it" for name in sorted(undefined))


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_every_file_and_function_that_a_document_names_is_there(page: Path) -> None:
    assert not list(missing(page)), "\n".join(missing(page))


def headings(page: Path) -> set[str]:
    text = page.read_text(encoding="utf-8")
    titles = (re.sub(r"[^\w\s-]", "", line.lstrip("# ").lower()) for line in text.splitlines() if line.startswith("#"))
    return {title.strip().replace(" ", "-") for title in titles} | set(re.findall(r'<a id="([^"]+)">', text))


def broken_links(page: Path) -> Iterator[str]:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if link.startswith(("http:", "https:", "mailto:")):
            continue
        if not target.exists():
            yield f"{ids(page)} links to {link}, which is not there"
        elif anchor and anchor not in headings(target):
            yield f"{ids(page)} links to {link}, and {ids(target)} has no such heading"


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_every_relative_link_of_a_document_leads_somewhere(page: Path) -> None:
    assert not list(broken_links(page)), "\n".join(broken_links(page))


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_no_document_holds_a_mark_of_an_unfinished_merge(page: Path) -> None:
    assert re.findall(r"^(?:<{7} .*|>{7} .*|={7})$", page.read_text(encoding="utf-8"), re.MULTILINE) == []
