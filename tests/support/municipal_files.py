"""Files as a municipality writes them, and the ordinary command that publishes them. All is synthetic."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nodes import Town
from typer.testing import Result

from signal_exchange.municipality.publishing.csv_format import COLUMNS

Run = Callable[..., Result]
"""Runs a command of a node, and gives what it said."""


def environment(town: Town) -> dict[str, str]:
    """Give the settings of a node as a command finds them."""
    return town.region.environment(f"municipality-{town.node.settings.municipality.lower()}", "127.0.0.1:1")


def written(path: Path, *records: object) -> Path:
    """Write records as JSON Lines."""
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    return path


def csv_of(*rows: Mapping[str, Any], delimiter: str = ",", columns: tuple[str, ...] = COLUMNS) -> str:
    """Write records as CSV, as a municipality's own system would: empty where a record says nothing."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, delimiter=delimiter)
    writer.writeheader()
    writer.writerows({column: cell(value_at(record, column)) for column in columns} for record in rows)
    return text.getvalue()


def value_at(record: Mapping[str, Any], column: str) -> Any:
    name, _, part = column.partition(".")
    prefix = name.rstrip("0123456789")
    if prefix == name:
        value = record.get(name)
        return (value or {}).get(part) if part else value
    rows = record[prefix + "s"]
    index = int(name.removeprefix(prefix)) - 1
    return rows[index].get(part) if index < len(rows) else None


def cell(value: Any) -> str:
    if isinstance(value, list):
        return "|".join(value)
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
