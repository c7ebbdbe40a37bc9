"""Each command that a document names is there, under its present name and with the options that stand behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from signal_exchange.cli import main as cli

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMED = re.compile(r"(?:`|^|/)signal-exchange(?: -e \S+)? ([^`\n]+)", re.MULTILINE)
WORD = re.compile(r"[a-z][a-z-]*")
OPTION = re.compile(r"--[a-z][a-z-]*")
OF_ALL = {"--help", "--version"}


def found(words: list[str]) -> tuple[Any, str | None]:
    """Return the command that the first words name, and the word that names none; what follows a command are its arguments."""
    known: Any = typer.main.get_command(cli.app)
    if words[0] in cli.FORMER:
        return known, words[0]
    for word in words:
        if not (hasattr(known, "get_command") and WORD.fullmatch(word)):
            break
        inner = known.get_command(None, word)
        if inner is None:
            return known, word
        known = inner
    return known, None


def options_of(command: Any) -> set[str]:
    return {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}


def faults(page: Path) -> Iterator[str]:
    for text in NAMED.findall(page.read_text(encoding="utf-8")):
        if text.startswith("-"):
            continue
        command, unknown = found(text.replace("|", " ").split())
        strange = set(OPTION.findall(text)) - options_of(command) - OF_ALL
        if unknown is not None:
            yield f"{page.name} names `signal-exchange {text}`, and there is no {unknown}"
        elif strange:
            yield f"{page.name} names `signal-exchange {text}`, which has no {', '.join(sorted(strange))}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_command_that_a_document_names_is_there(page: Path) -> None:
    assert not list(faults(page)), "\n".join(faults(page))
