"""Reads a written region again, record by record, with what is true about each."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from signal_exchange_demo.refusing import DemoError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

MANIFEST = "manifest.json"
CORRECTION = "correction"
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """One record of a municipality with its row of truth_signals.csv, and the event that left, if one did."""

    row: Row
    record: dict[str, Any] = field(repr=False)
    event: dict[str, Any] | None = field(repr=False)


def inside_file(municipality: str, kind: str) -> str:
    """Return the file with a record of this kind: corrections have one of their own, since a file has each reference once."""
    return f"inside/{municipality}.corrections.jsonl" if kind == CORRECTION else f"inside/{municipality}.jsonl"


def manifest_of(folder: Path) -> dict[str, Any]:
    """Return the manifest of a region.

    Raises:
        DemoError: the folder holds no region.
    """
    try:
        found: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        found["files"], found["counts"]["arrivals"]
    except (OSError, ValueError, KeyError, TypeError):
        raise DemoError(f"{folder} holds no synthetic region: {MANIFEST} is missing or no manifest.") from None
    return found


def rows_of(folder: Path, name: str) -> Iterator[Row]:
    """Give the rows of a table, one after another."""
    with (folder / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def lines_of(folder: Path) -> Iterator[Line]:
    """Give every record in order of arrival: files inside and truth_signals.csv have the same order, so none is held.

    Raises:
        DemoError: a file has less lines than truth_signals.csv says.
    """
    with ExitStack() as opened:
        names = [path.relative_to(folder).as_posix() for path in sorted((folder / "inside").glob("*.jsonl"))]
        files = {name: opened.enter_context((folder / name).open(encoding="utf-8")) for name in (*names, "published.jsonl")}
        for row in rows_of(folder, "truth_signals.csv"):
            record = _next(files, inside_file(row["municipality"], row["kind"]))
            yield Line(row, record, _next(files, "published.jsonl") if row["published"] else None)


def _next(files: Mapping[str, Iterator[str]], name: str) -> dict[str, Any]:
    found: dict[str, Any] | None = json.loads(next(files[name], "null")) if name in files else None
    if found is None:
        raise DemoError(f"{name} has less lines than truth_signals.csv says.")
    return found


def leaks_of(folder: Path) -> Mapping[str, Sequence[tuple[int, int, str]]]:
    """Return where values leak in the narratives, by signal."""
    leaks: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for row in rows_of(folder, "truth_leaks.csv"):
        leaks[row["signal_id"]].append((int(row["start"]), int(row["end"]), row["leak_type"]))
    return leaks
