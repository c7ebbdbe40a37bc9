"""A flood of parked records stops the consumer: after a bad release it must not drain the whole stream into parking.

Only what services wrote counts: of what members write routing sets a sender's flood aside, and goes on (docs/decisions/0022).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from signal_exchange.contracts.topics import is_open
from signal_exchange.runtime import clock, logs
from signal_exchange.stream.messages import Read

WINDOW_SECONDS = 60.0


def ours(read: Iterable[Read]) -> int:
    """Return the number of these that stand on a topic that only services write."""
    return sum(not is_open(each.incoming.topic) for each in read)


class ParkedFloodError(Exception):
    """Too many records were parked. Nothing of the batch holds; a person looks before the consumer goes on."""


class FloodGate:
    """Counts records and parked records of the last minute; stops when `limit` were parked and they are the larger part."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._window: deque[tuple[float, int, int]] = deque()

    def check(self, records: int, parked: int) -> None:
        """Count a batch.

        Raises:
            ParkedFloodError: the limit is reached.
        """
        at = clock.now().timestamp()
        while self._window and at - self._window[0][0] > WINDOW_SECONDS:
            self._window.popleft()
        all_parked = parked + sum(each[2] for each in self._window)
        all_records = records + sum(each[1] for each in self._window)
        if all_parked >= self._limit and all_parked * 2 > all_records:
            logs.warn("parked_flood", count=all_parked)
            raise ParkedFloodError(f"{all_parked} of {all_records} records were parked within a minute.")
        self._window.append((at, records, parked))
