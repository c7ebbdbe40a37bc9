"""The data files that the oracle reads: code lists, members, the default rules and the equated days.

The path is given to it; nothing of the product is imported.
"""

import csv
import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

Json = dict[str, Any]
CODES = Path(__file__).resolve().parents[3] / "schemas" / "codes"
DEFAULT_DATA = Path(__file__).resolve().parents[2] / "signal_exchange" / "reference" / "data"


@dataclass(frozen=True)
class Reference:
    """Everything that the rules look up, as plain rows."""

    codes: dict[str, dict[str, dict[str, str]]]
    members: dict[str, dict[str, str]]
    rules: Json
    equated: frozenset[date]

    def valid(self, list_name: str, code: str, day: date) -> bool:
        """Say whether a code is in its list and valid on that day (an empty valid_from is reserved)."""
        row = self.codes[list_name].get(code)
        if row is None:
            return False
        return _within(row["valid_from"], row["valid_to"], day)

    def member(self, code: str, day: date) -> bool:
        """Say whether a municipality takes part on that day (R-VAL-02)."""
        row = self.members.get(code)
        if row is None:
            return False
        if row["accession_status"] == "ACCEDED":
            return date.fromisoformat(row["accession_date"]) <= day
        if row["accession_status"] == "LEFT":
            return day < date.fromisoformat(row["left_date"])
        return False

    def full_code(self, short: str) -> str:
        """Give the code on the wire of a short one: V05 is V05_SECTOR."""
        return next(code for code in self.codes["validation_error"] if code.startswith(short + "_"))

    def dead_letter(self, short: str) -> str:
        """Give the reason under which a message with that error is parked."""
        return self.codes["validation_error"][self.full_code(short)]["dead_letter"]


def _within(start: str, end: str, day: date) -> bool:
    if start == "":
        return False
    return start <= day.isoformat() and (end == "" or end >= day.isoformat())


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def load(data: Path = DEFAULT_DATA) -> Reference:
    """Read the data files once per folder."""
    return Reference(
        codes={path.stem: {row["code"]: row for row in _rows(path)} for path in sorted(CODES.glob("*.csv"))},
        members={row["gm_code"]: row for row in _rows(data / "municipalities.csv")},
        rules=json.loads((data / "routing_rules.json").read_text(encoding="utf-8")),
        equated=frozenset(date.fromisoformat(row["date"]) for row in _rows(data / "equated_days.csv")),
    )
