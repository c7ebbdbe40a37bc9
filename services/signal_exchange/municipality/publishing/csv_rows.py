"""Finds the header of a CSV and its rows: which separator, what stands above it, and where a row ends when a quote does not.

Rows are numbered as a spreadsheet shows them: each record is one row, blank ones too, and a line `sep=;` is none.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Final

from signal_exchange.domain.refusals import Phrase
from signal_exchange.municipality.publishing.causes import Cause
from signal_exchange.municipality.publishing.csv_format import Layout
from signal_exchange.municipality.publishing.decoding import MAX_LINE_CHARACTERS, TextLine, readable
from signal_exchange.municipality.publishing.unreadable import UnreadableFileError

SEPARATORS: Final = {";": "semicolons", ",": "commas", "\t": "tabs", "|": "bars"}
LOOKED_AT: Final = 30
"""So many lines may stand before the rows: a title, blank lines, the header."""
_NAMED_SEPARATOR: Final = re.compile(r"""["']?sep=(?P<mark>\\t|tab|[^\w"'\s]|\t)["']?[;,\t| ]*""", re.IGNORECASE)
_BLANK: Final = " \t\r\n\v\f\xa0\x1a\ufeff\"='"
csv.field_size_limit(MAX_LINE_CHARACTERS)


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a CSV: as it is written, with the line that names the separator if there is one, and what it means."""

    raw: str
    separator: str
    layout: Layout
    number: int
    named: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it is written, with its cells, or why it has none."""

    number: int
    raw: str = field(repr=False)
    cells: tuple[str, ...] = field(default=(), repr=False)
    cause: Cause | None = None


def header_and_rest(lines: Iterator[TextLine]) -> tuple[Header, Iterator[TextLine]]:
    """Return the header, and the lines behind it.

    Raises:
        UnreadableFileError: there is none, or it names a column twice.
    """
    top = list(islice(lines, LOOKED_AT))
    places = [place for place, line in enumerate(top) if not line.is_blank]
    if not places:
        raise UnreadableFileError(Phrase("file_empty"))
    mark = _separator_named_in(top[places[0]])
    found = [_found(top, place, separator) for place in places for separator in _possible(mark)]
    best = max(found, key=lambda each: each[1])
    if not best[1]:
        raise _without_header(top, lines, places[0])
    header = best[0]
    place = next(place for place in places if top[place].raw == header.raw)
    header = Header(header.raw, header.separator, header.layout, place + (mark is None), top[places[0]].raw if mark else "")
    rest = chain(top[place + 1 :], lines)
    _refuse_twice(header, rest)
    return header, rest


def _possible(mark: str | None) -> tuple[str, ...]:
    return (mark, *SEPARATORS) if mark and mark not in SEPARATORS else tuple(SEPARATORS)


def _found(top: Sequence[TextLine], place: int, separator: str) -> tuple[Header, int]:
    line = top[place]
    layout = Layout.of(_cells(line.raw, separator))
    return Header(line.raw, separator, layout, 0), layout.known


def _cells(raw: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([readable(raw) or raw], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:
        return []


def _separator_named_in(line: TextLine) -> str | None:
    found = _NAMED_SEPARATOR.fullmatch(line.raw.strip("\ufeff \r\n"))
    return {"\\t": "\t", "tab": "\t"}.get(found["mark"].lower(), found["mark"]) if found else None


def _without_header(top: Sequence[TextLine], lines: Iterable[TextLine], first: int) -> UnreadableFileError:
    rows = sum(not line.is_blank for line in chain(top[first + 1 :], lines))
    seen = max(SEPARATORS, key=top[first].raw.count)
    parts = Phrase("separated_by", {"signs": Phrase(SEPARATORS[seen])}) if seen in top[first].raw else ""
    quote = Phrase("quote_open") if top[first].raw.count('"') % 2 else ""
    found = Phrase("no_column_known", {"count": len(top), "parts": parts, "quote": quote})
    return UnreadableFileError(found, Phrase("expected_header"), rows, field="csv_columns")


def _refuse_twice(header: Header, rest: Iterator[TextLine]) -> None:
    if twice := header.layout.twice:
        rows = sum(not is_blank(row, header.separator) for row in rows_of(header, rest))
        raise UnreadableFileError(Phrase("column_twice", {"column": twice}), Phrase("leave_one"), rows)


def is_blank(row: Row, separator: str) -> bool:
    """Say whether nothing stands in a row."""
    return not row.raw.strip(_BLANK + separator)


def rows_of(header: Header, lines: Iterator[TextLine]) -> Iterator[Row]:
    """Give every row behind the header, blank ones too. Of a quote that does not close, only its own line is lost."""
    pending: deque[TextLine] = deque()
    number = header.number
    while pending or _one_more(pending, lines):
        number += 1
        yield _row(number, header, pending, lines)


def _one_more(pending: deque[TextLine], lines: Iterator[TextLine]) -> bool:
    pending.extend(islice(lines, 1))
    return bool(pending)


def _row(number: int, header: Header, pending: deque[TextLine], lines: Iterator[TextLine]) -> Row:
    """Take the lines of one row; those that a wrong quote swallowed are put back."""
    if pending[0].is_too_long:
        return Row(number, pending.popleft().raw, cause=Cause.LONG_LINE)
    taken: list[TextLine] = []
    try:
        offered = _offered(header, taken, pending, lines)
        cells = next(csv.reader(offered, delimiter=header.separator, strict=True, skipinitialspace=True), [])
        is_whole = len(taken) == 1 or not _has_swallowed(cells, header)
    except csv.Error:
        is_whole = False
    if is_whole:
        raw = "".join(line.raw for line in taken)
        return Row(number, raw, tuple(cells), None if all(map(_is_text, cells)) else Cause.ENCODING)
    pending.extendleft(reversed(taken[1:]))
    return Row(number, taken[0].raw, cause=Cause.QUOTE)


def _offered(header: Header, taken: list[TextLine], pending: deque[TextLine], lines: Iterator[TextLine]) -> Iterator[str]:
    """Offer lines to the CSV reader, which asks for another one only inside quotes; `taken` tells which it got."""
    length = 0
    while line := pending.popleft() if pending else next(lines, None):
        taken.append(line)
        length += len(line.raw)
        if line.is_too_long or length > MAX_LINE_CHARACTERS or _is_far_inside(taken, header):
            return
        yield readable(line.raw) or line.raw


def _is_far_inside(taken: Sequence[TextLine], header: Header) -> bool:
    """Say whether several rows seem to be swallowed already: there is no need to read on until the end of the file."""
    most = 4 * max(header.layout.width, 8)
    return len(taken) > 2 and sum(_tight(line.raw, header.separator) for line in taken) > most  # noqa: PLR2004


def _has_swallowed(cells: Sequence[str], header: Header) -> bool:
    """Say whether a row of several lines holds others: it is short of cells, or one cell is full of separators."""
    width = header.layout.width
    few = max(1, (width - 1) // 2)
    return len(cells) < width or any("\n" in cell.replace("\r", "\n") and _tight(cell, header.separator) >= few for cell in cells)


def _tight(text: str, separator: str) -> int:
    """Count the separators that divide cells, and are not in a sentence."""
    return len(re.findall(re.escape(separator) + r"(?=[^ \r\n])", text))


def _is_text(cell: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in cell)
