"""The number of requests of a kind that a site takes in a while, from anybody: without a log-in there is no name to count by."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

A_MINUTE: Final = timedelta(minutes=1)


class Pace:
    """Takes at most so many in a minute; `now` is the clock. Nothing of a sender is kept."""

    def __init__(self, most: int, now: Callable[[], datetime]) -> None:
        self._most, self._now = most, now
        self._taken: deque[datetime] = deque()
        self._lock = Lock()

    def takes_one(self) -> bool:
        """Take one more and say so, or say that there were too many."""
        now = self._now()
        with self._lock:
            while self._taken and now - self._taken[0] >= A_MINUTE:
                self._taken.popleft()
            if len(self._taken) >= self._most:
                return False
            self._taken.append(now)
            return True
