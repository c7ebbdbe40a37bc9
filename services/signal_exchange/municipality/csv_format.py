"""A municipal record as one row of CSV, for systems that export tables.

The first row names the columns, in any order; the cells are divided by commas or semicolons, in UTF-8. An empty cell is
absent. Fields within fields have a point (`forms.primary`); lists of codes divide their items by a bar (`RECRUIT|HOUSE`);
persons, places, plates and exchanges are numbered (`subject1.role`, `exchange2.purpose`). Flags are true, false, ja or nee.
A value of the wrong type stays as it is written, so that the rules refuse it by its field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from signal_exchange.municipality.refusals import NOT_A_RECORD, Refusal

_TEXTS: Final = (
    "local_ref",
    "municipality",
    "received_at",
    "emergency_advised_at",
    "reporter_source",
    "sector",
    "urgency",
    "narrative",
    "summary",
    "erasure_key_id",
)
_FLAGS: Final = ("synthetic", "corroborated", "police_data")
_NUMBERS: Final = ("estimated_victims",)
_LISTS: Final = ("acts", "means", "indicators", "vulnerabilities", "care_needs", "accounts", "companies")
_NESTED: Final = {
    "observed": ("from", "to"),
    "reporter": ("name", "function", "phone", "email"),
    "forms": ("primary",),
    "consent": ("status", "given_by", "recorded_on"),
}
_SUBJECT: Final = (
    "ref",
    "role",
    "family_name",
    "given_names",
    "birth_date",
    "age_band",
    "sex",
    "nationality",
    "nationality_group",
    "bsn",
    "phone",
    "relation",
)
_PLACE: Final = ("kind", "postcode", "number", "addition", "street", "bag_id")
_EXCHANGE: Final = ("purpose", "legal_basis", "partnership", "release_ref")
_NUMBERED: Final = {
    "subject": ("subjects", 4, _SUBJECT),
    "place": ("places", 4, _PLACE),
    "plate": ("plates", 4, ("plate", "country")),
    "exchange": ("exchanges", 8, _EXCHANGE),
}
_COLUMN_NAME: Final = re.compile(r"[a-z][a-z_]{0,39}[0-9]{0,2}(\.[a-z_]{1,39})?")
_FLAG_WORDS: Final = {"true": True, "ja": True, "false": False, "nee": False}

Cell = tuple[tuple[str | int, ...], Callable[[str], object]]
"""Where a cell goes in the record, as ("subjects", 0, "role"), and how its text is read."""


def _flag(text: str) -> object:
    return _FLAG_WORDS.get(text.lower(), text)


def _number(text: str) -> object:
    return int(text) if text.isascii() and text.isdigit() and len(text) < len(str(2**31)) else text


def _list(text: str) -> object:
    return [item.strip() for item in text.split("|") if item.strip()]


def _cells() -> Iterator[tuple[str, Cell]]:
    yield from ((name, ((name,), str)) for name in _TEXTS)
    yield from ((name, ((name,), _flag)) for name in _FLAGS)
    yield from ((name, ((name,), _number)) for name in _NUMBERS)
    yield from ((name, ((name,), _list)) for name in _LISTS)
    yield from ((f"{name}.{part}", ((name, part), str)) for name, parts in _NESTED.items() for part in parts)
    yield "forms.secondary", (("forms", "secondary"), _list)
    for prefix, (name, most, parts) in _NUMBERED.items():
        for index in range(most):
            yield from ((f"{prefix}{index + 1}.{part}", ((name, index, part), str)) for part in parts)


_CELLS: Final[Mapping[str, Cell]] = dict(_cells())
COLUMNS: Final = tuple(_CELLS)
"""Every column that a CSV may have."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one CSV, in its own order."""

    columns: tuple[str, ...]

    @classmethod
    def of(cls, header: Sequence[str]) -> Self | None:
        """Return the layout of a header; None when it names a column twice or not one that we know."""
        columns = tuple(name.strip() for name in header)
        named = [name for name in columns if name]
        known = any(name in _CELLS for name in columns)
        return cls(columns) if known and len(set(named)) == len(named) else None

    def record(self, cells: Sequence[str]) -> tuple[dict[str, object] | None, tuple[Refusal, ...]]:
        """Return the record of one row, or None when it has more cells than columns, and its cells that have no place."""
        if len(cells) > len(self.columns):
            return None, (NOT_A_RECORD,)
        filled = [(column, text.strip()) for column, text in zip(self.columns, cells, strict=False) if text.strip()]
        record: dict[str, Any] = {"subjects": [], **{name: [] for name in _LISTS}}
        for column, text in filled:
            if column in _CELLS:
                path, read = _CELLS[column]
                _put(record, path, read(text))
        for name, _, _ in _NUMBERED.values():
            record[name] = [row for row in record.get(name, []) if row]
        return record, tuple(_no_place(column) for column, _ in filled if column not in _CELLS)


def _no_place(column: str) -> Refusal:
    return Refusal(column if _COLUMN_NAME.fullmatch(column) else "?", "R-VAL-17", "V17_UNKNOWN_FIELD")


def _put(record: dict[str, Any], path: tuple[str | int, ...], value: object) -> None:
    name, *rest = path
    if not rest:
        record[str(name)] = value
    elif isinstance(rest[0], str):
        record.setdefault(str(name), {})[rest[0]] = value
    else:
        rows = record.setdefault(str(name), [])
        rows.extend({} for _ in range(rest[0] + 1 - len(rows)))
        rows[rest[0]][rest[1]] = value
