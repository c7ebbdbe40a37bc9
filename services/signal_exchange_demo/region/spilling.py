"""Sorts what comes in no order by week, through files, so that memory holds one week at a time."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO


class Weeks:
    """Lines per week in a folder of its own; text that sorts well stands at the begin of each line."""

    def __init__(self, folder: Path, weeks: int) -> None:
        self._folder = folder
        self._weeks = weeks

    def __enter__(self) -> Self:
        """Make the folder and open a file per week."""
        self._folder.mkdir()
        self._files: list[TextIO] = [self._file(week).open("w", encoding="utf-8") for week in range(self._weeks)]
        return self

    def __exit__(self, _kind: type[BaseException] | None, _fault: BaseException | None, _trace: TracebackType | None) -> None:
        """Remove everything again."""
        for week, file in enumerate(self._files):
            file.close()
            self._file(week).unlink(missing_ok=True)
        self._folder.rmdir()

    def add(self, week: int, line: str) -> None:
        """Add a line without line ends to a week; what lies after the last week counts to it."""
        self._files[min(week, self._weeks - 1)].write(line + "\n")

    def in_order(self) -> Iterator[str]:
        """Give every line, week by week, sorted within each."""
        for week, file in enumerate(self._files):
            file.close()
            with self._file(week).open(encoding="utf-8") as lines:
                yield from sorted(line.rstrip("\n") for line in lines)

    def _file(self, week: int) -> Path:
        return self._folder / f"{week:05d}"
