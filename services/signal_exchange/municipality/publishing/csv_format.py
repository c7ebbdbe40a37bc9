"""A municipal record as one row of CSV, for systems that export tables.

A header names the columns, in any order; an empty cell is absent. Fields within fields have a point (`forms.primary`); lists of
codes divide their items by a bar (`RECRUIT|HOUSE`); persons, places, plates and exchanges are numbered (`subject1.role`,
`exchange2.purpose`). What a spreadsheet put around a text to guard it (`="007"`) is taken off. A value of the wrong type stays
as it is written, so that the rules refuse it by its field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from signal_exchange.domain.signals.fields import SIGNAL, Field, Kind, entered
from signal_exchange.municipality.publishing.causes import Cause
from signal_exchange.municipality.publishing.field_faults import FieldFault, unreadable

_COLUMN_NAME: Final = re.compile(r"[a-z][a-z_]{0,39}[0-9]{0,2}(\.[a-z_]{1,39})?")
_GUARDED: Final = re.compile(r'="((?:[^"]|"")*)"')
_HARD_BLANKS: Final = "\ufeff\u200b\u00ad\u2060"
REASONS: Final = "geweigerd"
"""The column of a reject file that says what was wrong; it is not read."""

Cell = tuple[tuple[str | int, ...], Callable[[str], object]]
"""Where a cell goes in the record, as ("subjects", 0, "role"), and how its text is read."""


def _codes(text: str) -> object:
    return [item.strip() for item in re.split(r"[|;,\n]", text) if item.strip()]


def _list(text: str) -> object:
    return [item.strip() for item in text.split("|") if item.strip()]


Path = tuple[str | int, ...]
_LISTS: Final = tuple(each.inside for each in entered(SIGNAL) if each.kind in {Kind.CODES, Kind.TEXTS})
_ROWS: Final = tuple(each.inside for each in entered(SIGNAL) if each.kind is Kind.ROWS)
_PARTED: Final = {each.inside: each for each in entered(SIGNAL) if each.parts}
_READ: Final[Mapping[Kind, Callable[[str], object]]] = {Kind.CODES: _codes, Kind.TEXTS: _list}
_NUMBERED: Final = 3
"""The length of the path of a column that is numbered."""
_RANKS: Final = {Kind.FLAG: 1, Kind.COUNT: 2, Kind.CODES: 3, Kind.TEXTS: 3}


def _prefix(rows: Field) -> str:
    return rows.inside.removesuffix("s")


def _columns() -> Iterator[tuple[str, Path, Kind]]:
    for each in entered(SIGNAL):
        parts = entered(each.parts)
        if each.kind is Kind.ROWS:
            for index in range(each.most):
                for part in parts:
                    yield f"{_prefix(each)}{index + 1}.{part.inside}", (each.inside, index, part.inside), part.kind
        elif parts:
            yield from ((f"{each.inside}.{part.inside}", (each.inside, part.inside), part.kind) for part in parts)
        else:
            yield each.inside, (each.inside,), each.kind


def _rank(column: tuple[str, Path, Kind]) -> tuple[int, int]:
    """Texts before flags, numbers and lists; then what has parts; then what is numbered."""
    _, path, kind = column
    return len(path), 0 if len(path) == _NUMBERED else _RANKS.get(kind, 0)


_CELLS: Final[Mapping[str, Cell]] = {column: (path, _READ.get(kind, str)) for column, path, kind in sorted(_columns(), key=_rank)}
_FREE: Final = frozenset(column for column, _, kind in _columns() if kind is Kind.WORDS)
"""Columns in which people write what they like, an apostrophe at the start too, as in 't Veld."""
COLUMNS: Final = tuple(_CELLS)
"""Every column that a CSV may have."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Which columns the fields of one record came from: `numbers` gives those of its subjects, places, plates and exchanges."""

    numbers: Mapping[str, tuple[int, ...]]

    def column(self, field: str) -> str:
        """Return the column of a field as the rules name it, as subject1.birth_date of subjects[0].birth_date."""
        found = _FIELD.fullmatch(field)
        name, index, part = found.groups() if found else (field, None, None)
        group = _PARTED.get(name)
        if group is None:
            return name if name in _CELLS else field
        part = part or entered(group.parts)[0].inside
        if group.kind is not Kind.ROWS:
            return f"{name}.{part}"
        place, numbers = int(index or 0), self.numbers.get(name, ())
        return f"{_prefix(group)}{numbers[place] if place < len(numbers) else place + 1}.{part}"


_FIELD: Final = re.compile(r"([a-z_]+)(?:\[([0-9]{1,4})\])?(?:\.([a-z_]+)(?:\[[0-9]{1,4}\])?)?")


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one CSV, in its own order: by our names where we know them, else as they are written."""

    columns: tuple[str, ...]

    @classmethod
    def of(cls, header: Sequence[str]) -> Self:
        """Return the layout of a header, whatever its case and blanks."""
        return cls(tuple(map(_column_name, header)))

    @property
    def known(self) -> int:
        """Return the number of known columns."""
        return sum(name in _CELLS for name in self.columns)

    def is_repeated_by(self, cells: Sequence[str]) -> bool:
        """Say whether a row is the header once more, as in files that were put behind one another."""
        return bool(cells) and _column_name(cells[0]) == self.columns[0] and Layout.of(cells).columns == self.columns

    @property
    def width(self) -> int:
        """Return the number of columns up to the last one with a name."""
        return max((number for number, name in enumerate(self.columns, start=1) if name), default=0)

    @property
    def twice(self) -> str | None:
        """Return a column that stands twice, or None."""
        return next((name for name in self.columns if name in _CELLS and self.columns.count(name) > 1), None)

    def read(self, cells: Sequence[str]) -> tuple[dict[str, object] | None, tuple[FieldFault, ...], Placed]:
        """Return the record of one row, or None when it has more filled cells than columns; its faults; where it came from."""
        filled = [(number, _unguarded(self._name(number), text)) for number, text in enumerate(cells)]
        filled = [(number, text) for number, text in filled if text]
        if filled and filled[-1][0] >= len(self.columns):
            return None, (unreadable(Cause.CELLS),), Placed({})
        record: dict[str, Any] = {"subjects": [], **{name: [] for name in _LISTS}}
        for number, text in filled:
            if self.columns[number] in _CELLS:
                path, read = _CELLS[self.columns[number]]
                _put(record, path, read(text))
        faults = tuple(_wrong(number, self.columns[number], text) for number, text in filled)
        return record, tuple(each for each in faults if each), _compacted(record)

    def _name(self, number: int) -> str:
        return self.columns[number] if number < len(self.columns) else ""


def _compacted(record: dict[str, Any]) -> Placed:
    """Leave out persons and things of which nothing was filled, and remember which numbers the others had."""
    numbers = {}
    for name in _ROWS:
        rows = record.get(name, [])
        numbers[name] = tuple(number for number, row in enumerate(rows, start=1) if row)
        record[name] = [row for row in rows if row]
    return Placed(numbers)


def _column_name(written: str) -> str:
    """Return our name of a column: case, blanks and what a spreadsheet put around it do not matter."""
    text = _unguarded("", written)
    name = re.sub(r"[\s-]+(?=[0-9])", "", re.sub(r"\s*\.\s*", ".", text))
    name = re.sub(r"[\s-]+", "_", name).lower()
    return name if name in _CELLS or name == REASONS else text


def _unguarded(column: str, text: str) -> str:
    """Take off what guards a text in a spreadsheet: ="007" and, where no text begins so, an apostrophe in front."""
    text = text.strip().strip(_HARD_BLANKS).strip()
    if guarded := _GUARDED.fullmatch(text):
        text = guarded[1].replace('""', '"').strip()
    if column in _FREE or not text.startswith("'"):
        return text
    return text[1:-1].strip() if len(text) > 1 and text.endswith("'") else text[1:].strip()


def _wrong(number: int, column: str, text: str) -> FieldFault | None:
    if column == REASONS:
        return None
    if column not in _CELLS:
        return FieldFault(
            column if _COLUMN_NAME.fullmatch(column) else f"kolom {_letters(number)}", "R-VAL-17", "V17_UNKNOWN_FIELD"
        )
    return unreadable(Cause.FORMULA, column) if text.startswith("=") else None


def _letters(number: int) -> str:
    """Return the name of a column in a spreadsheet: A to Z, and then AA."""
    before, last = divmod(number, 26)
    return (_letters(before - 1) if before else "") + chr(ord("A") + last)


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
