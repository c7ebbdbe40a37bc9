"""Ends a process that stands still, so that whoever supervises it starts it again (docs/decisions/0020)."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Mapping

from signal_exchange.runtime import logs
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.kafka import answers

LOOKS = 10
"""So many looks in a row without a sign of life, while the world answers, mean that a process stands still."""
ANSWER_SECONDS = 10.0
"""How long Kafka and the store may each take to answer the watchdog."""


class Watchdog:
    """Looks, in a thread of its own, whether each part grows its count of signs of life; else it calls `end` with exit code 1.

    A part stands still when its count is the same for `seconds`. It needs no event loop, since that may be what stands still.
    Time in which the world does not answer does not count, nor does time in which this whole machine was stopped: it counts its
    own looks, and reads no clock.
    """

    def __init__(
        self,
        parts: Mapping[str, Callable[[], int]],
        seconds: float,
        world_answers: Callable[[], bool],
        end: Callable[[int], object] = os._exit,
    ) -> None:
        self._parts, self._seconds, self._world_answers, self._end = parts, seconds, world_answers, end
        self._seen, self._still = self._signs(), Counter[str]()
        self._stopped = threading.Event()

    def start(self) -> None:
        """Start to look."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()

    def look(self) -> None:
        """Look once; at the last of so many looks without a sign of life, end the process."""
        before, self._seen = self._seen, self._signs()
        silent = [name for name, signs in self._seen.items() if signs == before[name]]
        if silent and not self._world_answers():
            silent = []
        self._still = Counter({name: self._still[name] + 1 for name in silent})
        if not self._stopped.is_set():
            self._end_where_one_stands_still()

    def _signs(self) -> dict[str, int]:
        return {name: signs() for name, signs in self._parts.items()}

    def _end_where_one_stands_still(self) -> None:
        for name in [name for name, looks in self._still.items() if looks >= LOOKS][:1]:
            logs.warn("consumer_stopped", reason="STANDS_STILL", step=name, seconds=self._seconds)
            self._end(1)

    def _watch(self) -> None:
        while not self._stopped.wait(self._seconds / LOOKS):
            self.look()


def world_answers(connection: KafkaConnection, database: Database, seconds: float = ANSWER_SECONDS) -> bool:
    """Say whether Kafka and the store answer, each within so many seconds."""
    return answers(connection, seconds) and answers_within(seconds, database.answers)


def answers_within(seconds: float, ask: Callable[[], bool]) -> bool:
    """Say whether something answers yes within so many seconds; what does not answer at all keeps nobody waiting."""
    answered = threading.Event()

    def asking() -> None:
        if ask():
            answered.set()

    threading.Thread(target=asking, daemon=True).start()
    return answered.wait(seconds)
