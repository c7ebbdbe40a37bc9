"""The reject file: what was refused, why, and the row as it was written, so that its owner can mend it there and publish it.

Of a table it is a table with the same header, separator and encoding, and one column more that is not read; of JSON it is JSON
Lines with the record as text. It is whole or not there: it is written beside its place, and gone when nothing is refused.
"""

from __future__ import annotations

import errno
import fcntl
import glob
import json
import os
import re
import stat
import tempfile
import time
import unicodedata
from contextlib import suppress
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from signal_exchange import words
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.municipality.publishing.csv_format import REASONS
from signal_exchange.municipality.publishing.csv_rows import Header
from signal_exchange.municipality.publishing.importing import Source, is_reject_line, source_of
from signal_exchange.municipality.publishing.submissions import Result
from signal_exchange.municipality.publishing.unreadable import UnreadableFileError

PRIVATE: Final = stat.S_IRUSR | stat.S_IWUSR
ROOM_BYTES: Final = 1_048_576
"""Room that is kept on the disk before anything is published, besides twice the input."""
JUST_MADE_SECONDS: Final = 60.0
"""A file that is younger may not be locked yet by the command that makes it."""
_CANNOT_RESERVE: Final = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)
_FIRST_CELL: Final = re.compile(r'\ufeff?(?:"(?:[^"]|"")*"|[^"]*?)', re.DOTALL)


class RejectFile:
    """Takes refused results, for a `with` block. Only its owner may read it.

    It is opened, with room for everything, before the first row is published: a folder or disk that cannot take it refuses then.
    Unless `finish` was called, what was there before stays.
    """

    def __init__(self, path: Path, source: Source, input_bytes: int = 0) -> None:
        self.path, self.count = path, 0
        self._source, self._room = source, 2 * input_bytes + ROOM_BYTES
        self._is_finished = False

    def __enter__(self) -> Self:
        """Open it.

        Raises:
            RefusedError: it cannot be made there.
        """
        if self.path.is_symlink() or (self.path.exists() and not self.path.is_file()):
            raise RefusedError("REJECTS_PLACE_TAKEN", field="rejects")
        try:
            _end_what_was_left(self.path)
            self._file, self._making = _private_file_beside(self.path, self._room)
        except OSError as error:
            raise RefusedError("REJECTS_CANNOT_BE_MADE", field="rejects", fault=error.strerror) from None
        self._write(self._start())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Put it in its place when it holds something, and take away the one before when nothing is refused any more."""
        with self._file:
            self._file.truncate()
        if self.count and (self._is_finished or not self.path.exists()):
            self._making.replace(self.path)
            return
        self._making.unlink(missing_ok=True)
        self.count = 0
        if self._is_finished and is_reject_file(self.path):
            self.path.unlink()

    def add(self, result: Result, said: str) -> None:
        """Write one refused result, with why.

        Raises:
            RefusedError: the disk took less than it promised.
        """
        header = self._source.header
        try:
            self._write(_json_line(result) if header is None else self._source.encoding.encode(_row(result, said, header)))
        except OSError as error:
            raise RefusedError("REJECTS_CANNOT_GO_ON", fault=error.strerror) from None
        self.count += 1

    def finish(self) -> None:
        """Say that every row of the input was seen."""
        self._is_finished = True

    def _write(self, content: bytes) -> None:
        left = memoryview(content)
        while left:
            left = left[self._file.write(left) :]

    def _start(self) -> bytes:
        header, encoding = self._source.header, self._source.encoding
        if header is None:
            return b""
        own = header.raw if _has_reasons(header) else f"{REASONS}{header.separator}{header.raw}"
        return encoding.mark + encoding.encode(_ended(header.named) + _ended(own))


def reject_path(source: str, chosen: Path | None, header: Header | None) -> Path:
    """Return the path of the rejects of an input: the one that the user wants, or one beside it. A reject file takes its own.

    Raises:
        RefusedError: that is the input itself, which is no reject file.
    """
    if source == "-":
        return chosen or Path(f"stdin.rejects.{_ending(header)}")
    if chosen is None:
        return Path(source) if is_reject_file(Path(source)) else Path(f"{source}.rejects.{_ending(header)}")
    if chosen.exists() and chosen.samefile(source) and not is_reject_file(chosen):
        raise RefusedError("REJECTS_ARE_INPUT", field="rejects")
    return chosen


def is_reject_file(path: Path) -> bool:
    """Say whether a file is one that this program made of refused rows."""
    try:
        with path.open("rb") as stream:
            source = source_of(stream)
            if source.header is not None:
                return _has_reasons(source.header)
            stream.seek(0)
            return is_reject_line(stream)
    except (OSError, UnreadableFileError):
        return False


def _ending(header: Header | None) -> str:
    return "jsonl" if header is None else "csv"


def _has_reasons(header: Header) -> bool:
    return header.layout.columns[:1] == (REASONS,)


def _end_what_was_left(path: Path) -> None:
    """Delete what commands that were killed left beside the place of a reject file; what a command still writes is locked."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.????????"):
        with suppress(OSError), left.open("rb") as file:
            if time.time() - left.stat().st_mtime > JUST_MADE_SECONDS:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink()


def _private_file_beside(path: Path, room: int) -> tuple[FileIO, Path]:
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        os.fchmod(number, PRIVATE)
        _reserve(number, room)
    except OSError:
        os.close(number)
        Path(name).unlink()
        raise
    return os.fdopen(number, "wb", buffering=0), Path(name)


def _reserve(number: int, room: int) -> None:
    try:
        os.posix_fallocate(number, 0, room)
    except OSError as error:
        if error.errno not in _CANNOT_RESERVE:
            raise


def _json_line(result: Result) -> bytes:
    errors = [fault.to_mapping() for fault in result.faults]
    fields = {"line": result.line.number, "errors": errors, "original": result.line.original}
    return json.dumps(fields, ensure_ascii=False).encode(errors="replace") + b"\n"


def _row(result: Result, said: str, header: Header) -> str:
    """Return a row with its reasons in front, in letters that every encoding has, and then as it was written."""
    plain = unicodedata.normalize("NFKD", said).encode("ascii", "ignore").decode()
    reasons = f"{words.text(result.line.unit)} {result.line.number}: {plain}".replace('"', "'")
    original = result.line.original
    if _has_reasons(header):
        first = re.compile(_FIRST_CELL.pattern + re.escape(header.separator), re.DOTALL).match(original)
        original = original[first.end() :] if first else original
    return _ended(f'"{reasons}"{header.separator}{original}')


def _ended(text: str) -> str:
    return text if not text or text.endswith(("\n", "\r")) else f"{text}\r\n"
