"""Makes faults happen to the processes, stores and broker of a running exchange, heals them, and restarts what ended."""

from __future__ import annotations

import resource
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from schedules import Fault, Kind
from whole_exchange import another_worker

from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.processes import Child

LOOK_SECONDS = 0.05
STOP_SECONDS = 40.0
NOTHING_MORE = 0
"""Bytes that a process may write to a file on a full disk; the size of a write-ahead log that starts again would say nothing."""
LONGEST_STOP_SECONDS = 120.0
"""A stop that meets an outage can hang; then the process ends itself after its grace and 30 s more."""


class Injector:
    """Applies and heals faults from one thread: Linux ties a process to the thread that started it."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self._locks: dict[str, sqlite3.Connection] = {}
        self._seconds: dict[str, Child] = {}
        self._ending: list[subprocess.Popen[bytes]] = []
        self.ended: list[tuple[str, int]] = []
        """Every end of a process that was seen, with its exit code."""

    def run(self, faults: Iterable[Fault], until: Callable[[], bool]) -> None:
        """Run a schedule to its end, and on until `until` holds; then everything is healed and every process runs."""
        began = time.monotonic()
        waiting = sorted([(fault.at, 0, fault) for fault in faults] + [(fault.heals_at, 1, fault) for fault in faults])
        try:
            while waiting or not until():
                while waiting and time.monotonic() - began >= waiting[0][0]:
                    _, heals, fault = waiting.pop(0)
                    (self.heal if heals else self.apply)(fault)
                self.supervise()
                time.sleep(LOOK_SECONDS)
        finally:
            for _, heals, fault in waiting:
                if heals:
                    self.heal(fault)
            self.exchange.broker.start()
            for process in self._ending:
                process.wait(LONGEST_STOP_SECONDS)
            self.supervise()

    def supervise(self) -> None:
        """Start every process that ended, as whoever supervises them in a region does."""
        for name, child in self.exchange.processes.children.items():
            if child.process is not None and child.has_ended():
                self.ended.append((name, child.process.returncode))
                child.start()

    def apply(self, fault: Fault) -> None:
        """Make a fault happen."""
        match fault.kind:
            case Kind.KILL:
                self._child(fault).send(signal.SIGKILL)
            case Kind.TERM:
                self._terminate(self._child(fault))
            case Kind.FREEZE:
                self._child(fault).send(signal.SIGSTOP)
            case Kind.LOCK_STORE:
                self._lock(fault.target)
            case Kind.FULL_DISK:
                _limit(self._child(fault), NOTHING_MORE)
            case Kind.SECOND_WORKER:
                self._seconds[fault.target] = another_worker(self.exchange, fault.target)
            case Kind.KILL_BROKER:
                self.exchange.broker.kill()
            case Kind.STOP_BROKER:
                self.exchange.broker.stop()

    def heal(self, fault: Fault) -> None:
        """End a fault. What was killed or stopped is started by `supervise`."""
        match fault.kind:
            case Kind.FREEZE:
                self._child(fault).send(signal.SIGCONT)
            case Kind.LOCK_STORE:
                self._unlock(fault.target)
            case Kind.FULL_DISK:
                _limit(self._child(fault), resource.RLIM_INFINITY)
            case Kind.SECOND_WORKER:
                second = self._seconds.pop(fault.target)
                second.send(signal.SIGTERM)
                second.wait(STOP_SECONDS)
            case Kind.KILL_BROKER | Kind.STOP_BROKER:
                self.exchange.broker.start()
            case _:
                pass

    def _terminate(self, child: Child) -> None:
        child.send(signal.SIGTERM)
        if child.process is not None:
            self._ending.append(child.process)

    def _child(self, fault: Fault) -> Child:
        return self.exchange.processes.children[fault.target]

    def _database(self, name: str) -> Path:
        [found] = (self.exchange.region.process_folder(name) / "data").glob("*.sqlite")
        return found

    def _lock(self, name: str) -> None:
        holder = sqlite3.connect(self._database(name), timeout=STOP_SECONDS)
        holder.execute("BEGIN IMMEDIATE")
        self._locks[name] = holder

    def _unlock(self, name: str) -> None:
        holder = self._locks.pop(name)
        holder.rollback()
        holder.close()


def _limit(child: Child, size: int) -> None:
    if child.process is not None:
        with suppress(ProcessLookupError):  # it ended meanwhile, and its successor has no limit
            resource.prlimit(child.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
