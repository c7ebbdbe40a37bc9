"""Scripts that no other test runs: every name that they take from the product or the demo is there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("signal_exchange", "signal_exchange_demo")


def imported_names(file: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in OURS:
            yield from ((node.module, alias.name) for alias in node.names)


@pytest.mark.parametrize("folder", ["benchmarks", "deploy", "tests/support"])
def test_every_name_that_a_script_imports_is_there(folder: str) -> None:
    wanted = {name for file in sorted((ROOT / folder).rglob("*.py")) for name in imported_names(file)}
    missing = [f"{module}.{name}" for module, name in sorted(wanted) if not _is_there(module, name)]
    assert missing == []


def _is_there(module: str, name: str) -> bool:
    try:
        return hasattr(import_module(module), name) or bool(import_module(f"{module}.{name}"))
    except ModuleNotFoundError:
        return False
