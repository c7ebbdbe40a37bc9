"""Work beside the main thread: it is told when to stop, and its failure is kept for who waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

Wait = Callable[[float], bool]
"""Waits so many seconds, or until it is time to stop; says whether it is."""


class Worker:
    """Runs one function in a thread of its own. The function gets a `Wait`, and returns soon after that says stop.

    `signs` counts how often it waited: a function that waits no more stands still.
    """

    def __init__(self, name: str, run: Callable[[Wait], None]) -> None:
        self._run, self._stop = run, threading.Event()
        self._thread = threading.Thread(target=self._keep_error, name=name, daemon=True)
        self.error: BaseException | None = None
        self.signs = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        if kind is None and self.error is not None:
            raise self.error

    @property
    def alive(self) -> bool:
        """Say whether the function still runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def tell_to_stop(self) -> None:
        """Say that it is time to stop, without waiting."""
        self._stop.set()

    def stop(self, seconds: float | None = None) -> None:
        """Say that it is time to stop, and wait until the function returned, at most so many seconds."""
        self._stop.set()
        self._thread.join(seconds)

    def _wait(self, seconds: float) -> bool:
        self.signs += 1
        return self._stop.wait(seconds)

    def _keep_error(self) -> None:
        try:
            self._run(self._wait)
        except BaseException as error:  # noqa: BLE001 - whoever waits for the thread raises it again
            self.error = error
