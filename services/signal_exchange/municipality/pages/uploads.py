"""Files that people are looking at: in memory, for who sent them, and for a short while; they hold names."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from signal_exchange.domain.refusals import RefusedError

KEPT: Final = timedelta(minutes=30)
MOST: Final = 8
"""Files at once; the oldest goes first."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One file that came in. `sitting` is the log-in that sent it."""

    name: str = field(repr=False)
    content: bytes = field(repr=False)
    sitting: str = field(repr=False)
    at: datetime


class Uploads:
    """The files of one process."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now, self._lock, self._files = now, Lock(), OrderedDict[str, Upload]()

    def keep(self, name: str, content: bytes, sitting: str) -> str:
        """Keep a file for a while, and return the random name by which its sender finds it."""
        token = secrets.token_urlsafe(16)
        with self._lock:
            self._files[token] = Upload(name, content, sitting, self._now())
            while len(self._files) > MOST:
                self._files.popitem(last=False)
        return token

    def find(self, token: str, sitting: str) -> Upload:
        """Return a file of this log-in.

        Raises:
            RefusedError: there is none any more.
        """
        with self._lock:
            self._end_old()
            found = self._files.get(token)
        if found is None or found.sitting != sitting:
            raise RefusedError("UPLOAD_GONE")
        return found

    def drop(self, token: str) -> None:
        """Forget a file."""
        with self._lock:
            self._files.pop(token, None)

    def _end_old(self) -> None:
        oldest = self._now() - KEPT
        for token in [token for token, each in self._files.items() if each.at < oldest]:
            del self._files[token]
