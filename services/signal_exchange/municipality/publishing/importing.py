"""Reads the records of a file: CSV, JSON Lines or a JSON document, in any usual encoding (docs/decisions/0028).

A row gives either a record, which the rules then judge, or why it is none. A file of which no row can be read is refused as a
whole. Nothing is guessed: what cannot be read stays as it was written, for the reject file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, BinaryIO, Final

from signal_exchange.domain.refusals import Phrase
from signal_exchange.municipality.publishing.causes import Cause
from signal_exchange.municipality.publishing.csv_format import Placed
from signal_exchange.municipality.publishing.csv_rows import Header, Row, header_and_rest, is_blank, rows_of
from signal_exchange.municipality.publishing.decoding import MAX_TEXT_CHARACTERS, Encoding, TextLine, readable, shown, text_of
from signal_exchange.municipality.publishing.field_faults import TOO_LARGE, FieldFault, unreadable
from signal_exchange.municipality.publishing.json_records import NotJsonError, document_records, parsed
from signal_exchange.municipality.publishing.justifying import Justified
from signal_exchange.municipality.publishing.unreadable import UnreadableFileError
from signal_exchange.municipality.publishing.written_values import understood

ROW, LINE, RECORD = "unit.row", "unit.line", "unit.record"
"""What a person counts: rows of a table, lines of JSON Lines, records of a document."""
_REJECT: Final = {"line", "errors", "original"}
"""The fields of a line of a reject file, in which the record stands as text."""


@dataclass(frozen=True, slots=True)
class Line:
    """One record of a file, and what was wrong already when it was read.

    `number` counts from 1 what `unit` names; `record` is None when there is none. `original` is as it was written, where bytes
    that are no text are half characters. `placed` knows the columns of a record of a table. `justified` is what a person lets
    pass in its texts.
    """

    number: int
    original: str = field(repr=False)
    record: object = field(default=None, repr=False)
    faults: tuple[FieldFault, ...] = ()
    unit: str = LINE
    placed: Placed | None = field(default=None, repr=False)
    justified: tuple[Justified, ...] = field(default=(), repr=False)

    def named(self, refusal_field: str) -> str:
        """Return a field as the owner of the file knows it: by its column, if it has columns."""
        return self.placed.column(refusal_field) if self.placed else refusal_field


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is read: its bytes, its encoding, its header if it is a table, and its records, which can be read once."""

    stream: BinaryIO = field(repr=False)
    encoding: Encoding
    header: Header | None
    lines: Iterator[Line] = field(repr=False)


def source_of(stream: BinaryIO, *, is_csv: bool = False) -> Source:
    """Return a file with its records; what it is shows from how it begins.

    Raises:
        UnreadableFileError: no row of it can be read.
    """
    text = text_of(stream)
    top: list[TextLine] = []
    for line in text.lines:
        top.append(line)
        if sum(not each.is_blank for each in top) == 2:  # noqa: PLR2004 - the first one and what follows it
            break
    filled = [line.raw.lstrip("\ufeff \t\r\n") for line in top if not line.is_blank]
    if not filled:
        raise UnreadableFileError(Phrase("file_empty"))
    lines = chain(top, text.lines)
    if is_csv or not _looks_like_json(filled):
        return _table(stream, text.encoding, lines)
    is_document = filled[0].startswith("[") or (
        len(filled) > 1 and not filled[1].startswith(("{", "[")) and not _is_json(filled[0])
    )
    return Source(stream, text.encoding, None, _document(lines) if is_document else _json_lines(lines))


def _looks_like_json(filled: Sequence[str]) -> bool:
    """Say whether a file is JSON by how it begins; a first line that is none may stand above records."""
    return filled[0][0] in "{[" or (len(filled) > 1 and filled[1][0] == "{" and _is_json(filled[1]))


def _is_json(raw: str) -> bool:
    try:
        parsed(raw.strip().removesuffix(","))
    except NotJsonError:
        return False
    return True


def _table(stream: BinaryIO, encoding: Encoding, lines: Iterator[TextLine]) -> Source:
    header, rest = header_and_rest(lines)
    filled = (row for row in rows_of(header, rest) if not is_blank(row, header.separator))
    first = next(filled, None)
    if first is None:
        raise UnreadableFileError(Phrase("file_header_only"))
    return Source(stream, encoding, header, (_table_line(row, header) for row in chain([first], filled)))


def _table_line(row: Row, header: Header) -> Line:
    if row.cause is Cause.LONG_LINE:
        return Line(row.number, row.raw, faults=(TOO_LARGE,), unit=ROW)
    if row.cause is not None:
        return Line(row.number, row.raw, faults=(unreadable(row.cause),), unit=ROW)
    if header.layout.is_repeated_by(row.cells):
        return Line(row.number, row.raw, faults=(unreadable(Cause.HEADER_AGAIN),), unit=ROW)
    record, faults, placed = header.layout.read(row.cells)
    return Line(row.number, row.raw, understood(record), faults, ROW, placed)


def _json_lines(lines: Iterator[TextLine]) -> Iterator[Line]:
    for number, line in enumerate(lines, start=1):
        if line.is_too_long:
            yield Line(number, shown(line.raw), faults=(TOO_LARGE,))
        elif not line.is_blank:
            yield _json_line(number, line.raw)


def _json_line(number: int, raw: str) -> Line:
    text = readable(raw)
    original = shown(raw).strip("\ufeff\r\n")
    if text is None:
        return Line(number, original, faults=(unreadable(Cause.ENCODING),))
    try:
        value = parsed(text.strip("\ufeff \t\r\n\x1a").removesuffix(","))
        return _of_reject(number, value) if _is_reject(value) else Line(number, original, understood(value))
    except NotJsonError as fault:
        return Line(number, original, faults=(unreadable(fault.cause),))


def is_reject_line(stream: BinaryIO) -> bool:
    """Say whether a file begins with a line that this program made of a refused record."""
    first = next((line for line in text_of(stream).lines if not line.is_blank), None)
    try:
        return first is not None and _is_reject(parsed(first.raw.strip()))
    except NotJsonError:
        return False


def _is_reject(value: object) -> bool:
    return isinstance(value, dict) and value.keys() == _REJECT and isinstance(value["original"], str)


def _of_reject(number: int, value: Any) -> Line:  # noqa: ANN401 - a line of a reject file
    """Return the record of a line of a reject file, which its owner mended there."""
    original = value["original"]
    return Line(number, original, understood(parsed(original.strip().removesuffix(","))))


def _document(lines: Iterator[TextLine]) -> Iterator[Line]:
    place = 0
    for place, record in enumerate(document_records(_whole(lines)), start=1):
        yield Line(place, json.dumps(record, ensure_ascii=False), understood(record), unit=RECORD)
    if not place:
        raise UnreadableFileError(Phrase("file_empty_list"))


def _whole(lines: Iterator[TextLine]) -> str:
    pieces, length = [], 0
    for line in lines:
        pieces.append(shown(line.raw))
        length += len(line.raw)
        if length > MAX_TEXT_CHARACTERS:
            seen = Phrase("document_too_large", {"megabytes": MAX_TEXT_CHARACTERS // 1024**2})
            raise UnreadableFileError(seen, Phrase("expected_lines"))
    return "".join(pieces).lstrip("\ufeff")
