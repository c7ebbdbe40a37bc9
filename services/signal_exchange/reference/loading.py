"""The reference data in the package, read into the domain's own types."""

import csv
import json
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final, Literal

from signal_exchange.domain.codes import Code, CodeList, CodeLists
from signal_exchange.domain.ids import parse_municipality_code
from signal_exchange.domain.members import Members, Municipality
from signal_exchange.domain.rules.reading import parse_ruleset
from signal_exchange.domain.rules.ruleset import RuleSet
from signal_exchange.reference.folders import schemas_folder

Row = Mapping[str, str]
Side = Literal["inside", "published"]

_DATA: Final = files("signal_exchange.reference") / "data"
_CODE_COLUMNS: Final = frozenset({"code", "label_nl", "label_en", "valid_from", "valid_to", "note", "parent", "source"})


def _rows(source: Traversable | Path) -> Iterator[Row]:
    yield from csv.DictReader(source.read_text(encoding="utf-8").splitlines())


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _code(row: Row) -> Code:
    return Code(
        code=row["code"],
        label_nl=row["label_nl"],
        label_en=row["label_en"],
        valid_from=_day(row["valid_from"]),
        valid_to=_day(row["valid_to"]),
        note=row["note"],
        parent=row["parent"] or None,
        extra={column: value for column, value in row.items() if column not in _CODE_COLUMNS},
    )


def _code_list(source: Path) -> CodeList:
    codes = (_code(row) for row in _rows(source))
    return CodeList(source.name.removesuffix(".csv"), {code.code: code for code in codes})


@cache
def load_code_lists() -> CodeLists:
    """Read every code list, named as its file without `.csv`."""
    lists = (_code_list(source) for source in (schemas_folder() / "codes").glob("*.csv"))
    return CodeLists({code_list.name: code_list for code_list in sorted(lists, key=lambda found: found.name)})


def _municipality(row: Row) -> Municipality:
    return Municipality(
        code=parse_municipality_code(row["gm_code"]),
        name=row["name"],
        subregion=row["subregion"],
        population=int(row["population"]),
        accession_status=row["accession_status"],
        accession_date=_day(row["accession_date"]),
        left_date=_day(row["left_date"]),
        oin=row["test_oin"],
    )


@cache
def load_members() -> Members:
    """Read the municipalities of the region with their accession (R-VAL-02), in file order."""
    found = (_municipality(row) for row in _rows(_DATA / "municipalities.csv"))
    return Members({municipality.code: municipality for municipality in found})


@cache
def load_equated_days() -> frozenset[date]:
    """Read the days that decrees equated with holidays (R-CAL-01)."""
    return frozenset(date.fromisoformat(row["date"]) for row in _rows(_DATA / "equated_days.csv"))


@cache
def load_default_ruleset() -> RuleSet:
    """Read the default rules of the region (R-ROUTE-03)."""
    return parse_ruleset(json.loads((_DATA / "routing_rules.json").read_text(encoding="utf-8")))


def load_example(name: str, side: Side) -> dict[str, Any]:
    """Read a synthetic example, as 01_sexual: the municipal record (inside) or the CloudEvent (published)."""
    text = (_DATA / "examples" / side / f"{name}.json").read_text(encoding="utf-8")
    example: dict[str, Any] = json.loads(text)
    return example
