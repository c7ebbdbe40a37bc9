"""Reads records from JSON Lines, a JSON document or CSV, line by line; whatever the input is, it raises nothing.

A line gives either a record, which the rules then judge, or why it is none. Nothing is guessed: what cannot be read stays as
it was written, for the reject file.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from signal_exchange.municipality.csv_format import Layout
from signal_exchange.municipality.refusals import NOT_A_RECORD, TOO_LARGE, Refusal

MAX_LINE_BYTES: Final = 262_144
"""The longest line that is read; a municipal record takes a few thousand bytes."""
MAX_DOCUMENT_BYTES: Final = 33_554_432
"""The largest JSON document that is read as a whole; JSON Lines and CSV have no such limit."""
_EMPTY_ROW: Final = ' ,;"\t'
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """One record of an input, and what was wrong already when it was read.

    `number` is its line, in a JSON document its place, both from 1; `record` is None when there is none.
    """

    number: int
    original: str = field(repr=False)
    record: object = field(default=None, repr=False)
    refusals: tuple[Refusal, ...] = ()


def read_lines(stream: BinaryIO, *, is_csv: bool = False) -> Iterator[Line]:
    """Give each record of an input in order; empty lines give nothing.

    CSV has the columns of `csv_format.COLUMNS`. Anything else is JSON Lines, or one JSON document: a list, or one record.
    """
    lines = _raw_lines(stream)
    if is_csv:
        yield from _csv_lines(lines)
        return
    first = next(lines, None)
    while first is not None and not first[1].strip():
        first = next(lines, None)
    if first is None:
        return
    if first[1].strip() == b"{" or first[1].lstrip().startswith(b"["):
        yield from _document(first[1], lines)
    else:
        yield from _json_line(first)
        for line in lines:
            yield from _json_line(line)


def parsed(text: str | bytes) -> object:
    """Return what a JSON text holds.

    Raises:
        ValueError: it is no JSON by the standard, is nested too deeply, names a field twice, or holds half characters.
    """
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
        json.dumps(value, ensure_ascii=False).encode()
    except (RecursionError, UnicodeError):
        raise ValueError("The text is no JSON that can be kept.") from None
    return value


def _raw_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    number = 0
    while raw := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(raw) > MAX_LINE_BYTES:
            _skip_line(stream, raw)
        yield number, raw.removeprefix(_BOM) if number == 1 else raw


def _skip_line(stream: BinaryIO, start: bytes) -> None:
    while start and not start.endswith(b"\n"):
        start = stream.readline(MAX_LINE_BYTES)


def _json_line(line: tuple[int, bytes]) -> Iterator[Line]:
    number, raw = line
    original = raw.decode(errors="replace").rstrip("\r\n")
    if len(raw) > MAX_LINE_BYTES:
        yield Line(number, original, refusals=(TOO_LARGE,))
    elif raw.strip():
        yield _read(number, original, raw)


def _read(number: int, original: str, text: str | bytes) -> Line:
    try:
        return Line(number, original, parsed(text))
    except ValueError:
        return Line(number, original, refusals=(NOT_A_RECORD,))


def _document(first: bytes, lines: Iterator[tuple[int, bytes]]) -> Iterator[Line]:
    text = bytearray(first)
    for _, raw in lines:
        text += raw
        if len(text) > MAX_DOCUMENT_BYTES:
            yield Line(1, "", refusals=(TOO_LARGE,))
            return
    whole = _read(1, text.decode(errors="replace"), bytes(text))
    if not isinstance(whole.record, list):
        yield whole
        return
    for place, record in enumerate(whole.record, start=1):
        yield Line(place, json.dumps(record, ensure_ascii=False), record)


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("A field stands twice in a record.")
    return fields


def _no_number(_name: str) -> object:
    raise ValueError("JSON has no such number.")


class _Kept:
    """Passes lines on to the CSV reader as text, and keeps what the row in hand was made of."""

    def __init__(self, lines: Iterator[tuple[int, bytes]]) -> None:
        self._lines = lines
        self.row: list[str] = []
        self.first = 0

    def __iter__(self) -> Iterator[str]:
        for number, raw in self._lines:
            # Bytes that are no UTF-8 become half characters, by which the row is refused; all other rows are read.
            text = raw.decode(errors="surrogateescape")
            self.first = self.first or number
            self.row.append(text)
            yield text

    def taken(self) -> tuple[int, str]:
        """Return the first line and the text of the row in hand, and begin the next one."""
        number, text = self.first, "".join(self.row)
        self.row, self.first = [], 0
        return number, text.encode(errors="surrogateescape").decode(errors="replace").rstrip("\r\n")


def _csv_lines(lines: Iterator[tuple[int, bytes]]) -> Iterator[Line]:
    first = next(lines, None)
    if first is None:
        return
    header = first[1].decode(errors="replace").rstrip("\r\n")
    delimiter = ";" if header.count(";") > header.count(",") else ","
    layout = _layout(header, delimiter)
    if layout is None:
        yield Line(1, header, refusals=(NOT_A_RECORD,))
        return
    kept = _Kept(lines)
    rows = csv.reader(kept, delimiter=delimiter, strict=True)
    while (line := _next_row(rows, kept, layout)) is not None:
        if line.original.strip(_EMPTY_ROW):
            yield line


def _layout(header: str, delimiter: str) -> Layout | None:
    try:
        return Layout.of(next(csv.reader([header], delimiter=delimiter), []))
    except csv.Error:
        return None


def _next_row(rows: Iterator[list[str]], kept: _Kept, layout: Layout) -> Line | None:
    try:
        cells = next(rows, None)
    except csv.Error:
        number, original = kept.taken()
        return Line(number, original, refusals=(NOT_A_RECORD,))
    if cells is None:
        return None
    number, original = kept.taken()
    return Line(number, original, *layout.record(cells)) if _is_text(cells) else Line(number, original, None, (NOT_A_RECORD,))


def _is_text(cells: Sequence[str]) -> bool:
    try:
        "".join(cells).encode()
    except UnicodeError:
        return False
    return True
