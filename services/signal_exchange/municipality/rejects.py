"""The reject file: what was refused, why, and the line as it was written, so that its owner can mend it."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from signal_exchange.municipality.cases import Result
from signal_exchange.runtime.faults import Refused

PRIVATE = stat.S_IRUSR | stat.S_IWUSR


class RejectFile:
    """Takes refused results as JSON lines. It is made at the first one, and only its owner may read it."""

    def __init__(self, path: Path) -> None:
        self.path, self.count = path, 0
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, result: Result) -> None:
        """Write one refused result.

        Raises:
            Refused: the file cannot be made there.
        """
        file = self._opened()
        line, errors = result.line, [refusal.to_mapping() for refusal in result.refusals]
        file.write(json.dumps({"line": line.number, "errors": errors, "original": line.original}, ensure_ascii=False) + "\n")
        self.count += 1

    def _opened(self) -> TextIO:
        if self._file is None:
            try:
                made = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, PRIVATE)
            except OSError as error:
                raise Refused(f"Het bestand met geweigerde regels kan niet worden gemaakt: {error.strerror}.") from None
            os.fchmod(made, PRIVATE)
            self._file = os.fdopen(made, "w", encoding="utf-8", errors="replace")
        return self._file


def reject_path(source: str, chosen: Path | None) -> Path:
    """Return where the rejects of an input go: beside it, or where the user wants them.

    Raises:
        Refused: that is the input itself.
    """
    path = chosen or Path("stdin.rejects.jsonl" if source == "-" else f"{source}.rejects.jsonl")
    if source != "-" and path.exists() and path.samefile(source):
        raise Refused("Het bestand met geweigerde regels kan niet het invoerbestand zelf zijn.")
    return path
