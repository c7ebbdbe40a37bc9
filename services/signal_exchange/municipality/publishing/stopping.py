"""Ctrl-C while a file is published: what is in hand is finished and told, and nothing more is read."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Self

from signal_exchange.municipality.publishing.importing import Line


class Stopping:
    """Hears Ctrl-C for a `with` block. The first one stops the reading in good order, the second one ends at once."""

    def __init__(self, told: Callable[[], None]) -> None:
        self.asked = False
        self._told = told
        self._may_break = False

    def __enter__(self) -> Self:
        """Begin to hear it; only a main thread can."""
        self._before = None
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._hear)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Let Ctrl-C be what it was."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def lines(self, lines: Iterator[Line]) -> Iterator[Line]:
        """Pass lines on until it is time to stop, and tell when it is."""
        while not self.asked:
            self._may_break = True
            try:
                line = next(lines, None)
            except KeyboardInterrupt:
                self.asked = True
                break
            finally:
                self._may_break = False
            if line is None:
                return
            yield line
        self._told()

    def confirmed(self, ask: Callable[[], bool]) -> bool:
        """Ask a person, and say whether the answer is yes; after Ctrl-C it is no, and nothing more is asked."""
        if self.asked:
            return False
        self._may_break = True
        try:
            return ask()
        except KeyboardInterrupt:
            self.asked = True
            return False
        finally:
            self._may_break = False

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked or self._may_break:
            raise KeyboardInterrupt
        # Only noted: what was interrupted may be half through an import or a write, which cannot be entered a second time.
        self.asked = True
