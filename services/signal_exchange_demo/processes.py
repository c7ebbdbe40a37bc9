"""Starts the processes of the demo, notices when one dies, and stops them all; nothing else is touched."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from signal_exchange_demo.die_with_parent import die_with_parent

STOP_SECONDS = 20.0
POLL_SECONDS = 0.1
LAST_WORDS_LENGTH = 300
STANDSTILLS = ("STANDS_STILL", "GROUP_LOST")
"""What the log of a process says that ended itself because it stood still."""
RESTARTS = 3
"""So often each process is started again after that."""


class ChildFailedError(Exception):
    """A process of the demo ended by itself or did not become ready; the text says which, and where its log is."""


@dataclass(slots=True)
class Child:
    """One process: its command line after signal-exchange, its settings, its log, and where it tells that it is ready."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    log: Path
    ready_url: str
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0

    def start(self) -> None:
        """Start it, tied to this process: it cannot outlive the demo."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        command = die_with_parent([sys.executable, "-m", "signal_exchange.cli.main", *self.arguments])
        with self.log.open("ab") as log:
            # A group of its own: Ctrl-C at the terminal reaches the demo alone, which then stops its children in order.
            self.process = subprocess.Popen(
                command, env=_environment(self.environment), stdout=log, stderr=log, stdin=subprocess.DEVNULL, process_group=0
            )

    def is_ready(self) -> bool:
        """Ask whether it does its work."""
        try:
            with urllib.request.urlopen(self.ready_url, timeout=2) as answer:  # noqa: S310 - our own child, on loopback
                return int(answer.status) < 500  # noqa: PLR2004 - HTTP's server errors
        except urllib.error.HTTPError as error:
            return error.code < 500 and error.code != 404  # noqa: PLR2004 - a keeper answers 401 to a stranger
        except OSError:
            return False

    def has_ended(self) -> bool:
        """Say whether it ended."""
        return self.process is not None and self.process.poll() is not None

    def stood_still(self) -> bool:
        """Say whether it ended itself because it stood still (docs/decisions/0020), so that a new start mends it."""
        if self.process is None or self.process.poll() != 1:
            return False
        stopped = [line for line in self.log.read_text(encoding="utf-8").splitlines() if '"consumer_stopped"' in line]
        return bool(stopped) and json.loads(stopped[-1]).get("reason") in STANDSTILLS

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def wait(self, seconds: float) -> None:
        """Wait until it ended, and kill it when that takes longer."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SIGNAL_EXCHANGE_")}
    return {**inherited, **settings, "PYTHONUNBUFFERED": "1"}


class ProcessGroup:
    """The processes of the demo together."""

    def __init__(self, children: Sequence[Child]) -> None:
        self.children = {child.name: child for child in children}

    def start(self) -> None:
        """Start every process."""
        for child in self.children.values():
            child.start()

    def add(self, children: Sequence[Child]) -> None:
        """Start further processes, which belong to these from now on."""
        self.children |= {child.name: child for child in children}
        for child in children:
            child.start()

    def await_ready(self, seconds: float, told: Callable[[str], None]) -> None:
        """Wait until every process is ready, telling each.

        Raises:
            ChildFailedError: one ended, or was not ready in time.
        """
        waiting, until = dict(self.children), time.monotonic() + seconds
        while waiting:
            self.check()
            for name in [name for name, child in waiting.items() if child.is_ready()]:
                told(name)
                del waiting[name]
            if waiting and time.monotonic() > until:
                late = next(iter(waiting.values()))
                raise ChildFailedError(f"{late.name} was not ready within {seconds:.0f} s. Its log: {late.log}")
            time.sleep(POLL_SECONDS)

    def check(self) -> None:
        """Look whether every process still runs; one that ended itself because it stood still is started again, a few times.

        Raises:
            ChildFailedError: one ended for another reason, or stood still too often.
        """
        for child in self.children.values():
            if child.restarts < RESTARTS and child.stood_still():
                child.restarts += 1
                child.start()
            elif child.has_ended() and child.process is not None:
                raise ChildFailedError(
                    f"{child.name} ended with exit code {child.process.returncode}. {_last_words(child.log)}Its log: {child.log}"
                )

    def stop(self) -> None:
        """Stop every process in good order; what does not end in time is killed."""
        until = time.monotonic() + STOP_SECONDS
        for child in self.children.values():
            child.send(signal.SIGTERM)
        for child in self.children.values():
            child.wait(until - time.monotonic())


def _last_words(log: Path) -> str:
    """Return the last words of a process: its own sentence if it was refused something, else the last line of its log."""
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    own = [line.removeprefix("signal-exchange: ") for line in lines if line.startswith("signal-exchange:")]
    said = own or [refused for line in lines if (refused := _refused_in(line))] or lines
    return f"It said: {said[-1][:LAST_WORDS_LENGTH]} " if said else ""


def _refused_in(line: str) -> str | None:
    """Return the thing that a process was refused, from a line of its log."""
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told.get("refused") if isinstance(told, dict) else None
