"""Turns the bytes of a file into lines of text: which encoding it has, what is no text at all, and where a line ends.

UTF-8 and UTF-16 are known by their mark or by their form. A line that is no UTF-8 is read as Windows-1252 when it can be nothing
else (docs/decisions/0028). A line ends at LF, CR LF, or CR alone.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from signal_exchange.domain.refusals import Phrase
from signal_exchange.municipality.publishing.unreadable import UnreadableFileError

MAX_LINE_CHARACTERS: Final = 262_144
"""The longest line that may be a record, which takes a few thousand bytes."""
MAX_TEXT_CHARACTERS: Final = 33_554_432
"""The most that is ever held of one line: a JSON document may stand in one."""
HEAD_BYTES: Final = 4_096
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_FOREIGN: Final = (
    (b"PK\x03\x04", "file_workbook"),
    (b"PK\x05\x06", "file_empty_archive"),
    (b"\xd0\xcf\x11\xe0", "file_old_workbook"),
    (b"%PDF", "file_pdf"),
    (b"{\\rtf", "file_rtf"),
    (b"\x1f\x8b", "file_gzip"),
    (b"7z\xbc\xaf", "file_7z"),
    (b"Rar!", "file_rar"),
    (b"\x89PNG", "file_image"),
    (b"\xff\xd8\xff", "file_image"),
    (b"GIF8", "file_image"),
)
"""How files that are no text begin, and their word in the catalogue."""
_SAMPLE: Final = 80
_MOSTLY: Final = 0.7
_HARDLY: Final = 0.1
_ODD_BYTES: Final = frozenset(range(32)) - frozenset(b"\t\n\r\x0c\x1a")
_HALF: Final = re.compile("[\ud800-\udfff]")
_BEYOND_ASCII: Final = re.compile("[\x80-\ud7ff\ue000-\U0010ffff]")
_WINDOWS_1252: Final = re.compile(
    r"[\x00-\x7f\x80\x85\x91-\x94\x96\x97\xa0\xab\xb0\xb2-\xb4\xb7\xbb\xbd\xc0-\xd6\xd8-\xf6\xf8-\xff]*"
)
"""Bytes that stand for letters, the euro sign, quotes and dashes: what else there is comes from another encoding."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """Encoding of the text of a file, and the mark at its start."""

    name: str
    mark: bytes = b""

    def encode(self, text: str) -> bytes:
        """Return text as this file would have it; what was no text comes out as the bytes that it was."""
        return text.encode(self.name, "surrogateescape" if self.name == "utf-8" else "replace")


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line with its end. In `raw`, bytes that are no UTF-8 stand as half characters; of a too long one it is the start."""

    raw: str = field(repr=False)

    @property
    def is_too_long(self) -> bool:
        """Say whether it can be no record."""
        return len(self.raw) > MAX_LINE_CHARACTERS

    @property
    def is_blank(self) -> bool:
        """Say whether nothing stands in it."""
        return not self.raw.strip("\x1a\ufeff \t\r\n\v\f\xa0")


@dataclass(frozen=True, slots=True)
class Text:
    """A file as text: its encoding, and its lines, which can be read once."""

    encoding: Encoding
    lines: Iterator[TextLine] = field(repr=False)


def text_of(stream: BinaryIO) -> Text:
    """Return a file as text.

    Raises:
        UnreadableFileError: it is no text, as a workbook or a PDF is none.
    """
    head = stream.read(HEAD_BYTES)
    encoding = _encoding_of(head)
    if encoding.name == "utf-8":
        _refuse_what_is_no_text(head.removeprefix(encoding.mark))
    rest: BinaryIO = io.BufferedReader(_Joined(head.removeprefix(encoding.mark), stream))
    return Text(encoding, _lines(rest, encoding))


def readable(raw: str) -> str | None:
    """Return a line as text: as it is, or read as Windows-1252 where it is no UTF-8; None when it may be something else."""
    if not _HALF.search(raw):
        return raw
    if _BEYOND_ASCII.search(raw):
        return None
    found = raw.encode("utf-8", "surrogateescape").decode("latin-1")
    return found.encode("latin-1").decode("cp1252") if _WINDOWS_1252.fullmatch(found) else None


def shown(raw: str) -> str:
    """Return a line so that a person can read it and it can be written as UTF-8, whatever it holds."""
    found = readable(raw)
    return found if found is not None else raw.encode("utf-8", "surrogateescape").decode("latin-1")


class _Joined(io.RawIOBase):
    """A stream of which the head was read already."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - whatever bytes can be put in
        room = memoryview(buffer)
        piece = self._head[: len(room)] or self._rest.read(len(room))
        self._head = self._head[len(piece) :]
        room[: len(piece)] = piece
        return len(piece)


def _encoding_of(head: bytes) -> Encoding:
    for mark, name in _MARKS:
        if head.startswith(mark):
            return Encoding(name, mark)
    return Encoding(_unmarked(head[:_SAMPLE]))


def _unmarked(sample: bytes) -> str:
    """Tell UTF-16 without a mark by its empty halves."""
    if len(sample) < 4:  # noqa: PLR2004 - two characters tell nothing
        return "utf-8"
    first, second = (half.count(0) / len(half) for half in (sample[::2], sample[1::2]))
    if second > _MOSTLY and first < _HARDLY:
        return "utf-16-le"
    return "utf-16-be" if first > _MOSTLY and second < _HARDLY else "utf-8"


def _refuse_what_is_no_text(head: bytes) -> None:
    what = next((what for start, what in _FOREIGN if head.startswith(start)), None)
    if what is None and head.lstrip().startswith(b"<"):
        what = "file_xml"
    if what is None and sum(byte in _ODD_BYTES for byte in head) > _HARDLY * max(len(head), 100):
        what = "file_no_text"
    if what is not None:
        raise UnreadableFileError(Phrase("file_is", {"what": Phrase(what)}), Phrase("expected_csv_or_json"))


def _lines(stream: BinaryIO, encoding: Encoding) -> Iterator[TextLine]:
    errors = "surrogateescape" if encoding.name == "utf-8" else "replace"
    text = io.TextIOWrapper(stream, encoding=encoding.name, errors=errors, newline="")
    while raw := text.readline(MAX_TEXT_CHARACTERS + 1):
        if len(raw) > MAX_TEXT_CHARACTERS:
            _skip_line(text, raw)
        yield TextLine(raw)


def _skip_line(text: io.TextIOWrapper, start: str) -> None:
    while start and not start.endswith(("\n", "\r")):
        start = text.readline(MAX_TEXT_CHARACTERS)
