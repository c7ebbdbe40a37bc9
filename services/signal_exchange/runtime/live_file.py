"""A file whose change a process takes over without a restart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

Held = TypeVar("Held")


class LiveFile(Generic[Held]):
    """The content of a file now: a change is seen at the next look, and what cannot be read is told and not taken over.

    `read` returns what the file holds, given what was read before. When it raises one of `faults`, `refused` is told which, and
    what was read before stays in force. Any other exception leaves the change for the next look.
    """

    def __init__(
        self,
        file: Path,
        read: Callable[[Held | None], Held],
        *,
        refused: Callable[[str], None],
        faults: tuple[type[Exception], ...],
    ) -> None:
        self._file, self._read, self._refused, self._faults = file, read, refused, faults
        self._looked_at = self._stamp()
        self._held = read(None)

    def __call__(self) -> Held:
        """Return the content in force."""
        stamp = self._stamp()
        if stamp != self._looked_at:
            try:
                self._held = self._read(self._held)
            except self._faults as fault:
                self._refused(type(fault).__name__)
            self._looked_at = stamp
        return self._held

    def _stamp(self) -> tuple[int, int] | None:
        try:
            status = self._file.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino
