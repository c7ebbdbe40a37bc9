"""A soak: signals at a steady rate while some process is killed every half minute. `make soak`, 20 minutes unless told otherwise.

The load goes past the nodes and past the quota of a member, signed as a municipality signs: its rate is the exchange's own.
"""

from __future__ import annotations

import itertools
import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any, Self

import pytest
from injecting import Injector
from kafka import KafkaProducer  # type: ignore[import-untyped]  # ships no types
from raw_signals import VENLO, raw
from senders import EXAMPLES, Sender, coded_example
from whole_exchange import QUICK, an_exchange, await_rest, eventually

from signal_exchange.contracts.topics import CONSUMERS
from signal_exchange.runtime import clock
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.watching import lag, states_until_now

MINUTES = float(os.environ.get("SOAK_MINUTES", "20"))
RATE = float(os.environ.get("SOAK_RATE", "50"))
KILL_SECONDS = 30.0
AFTERWARDS_SECONDS = 900.0
pytestmark = [
    pytest.mark.broker,
    pytest.mark.faults,
    pytest.mark.slow,
    pytest.mark.timeout(int(MINUTES * 60 + 3 * AFTERWARDS_SECONDS)),
]
SETTINGS = {**QUICK, "SIGNAL_EXCHANGE_BATCH_RECORDS": "200"}


class Load:
    """Sends signed signals of one municipality at a steady rate, and a checkpoint every second."""

    def __init__(self, exchange: Exchange) -> None:
        self._sender = Sender.of(exchange.region, VENLO)
        self._producer = KafkaProducer(acks="all", retries=1000, **exchange.admin.for_kafka_python())
        self._examples = itertools.cycle([coded_example(name) for name in EXAMPLES])
        self._stop = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self.sent: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._producer.flush()
        self._producer.close()

    def _run(self) -> None:
        began = time.monotonic()
        while not self._stop.wait(0.2):
            while len(self.sent) < (time.monotonic() - began) * RATE:
                self._send(self._sender.published(self._next(), at=clock.now()))
            self._send(self._sender.checkpoint(self._sender.sequence, at=clock.now()))

    def _next(self) -> dict[str, Any]:
        signal_id = str(uuid.uuid4())
        self.sent.append(signal_id)
        return {**next(self._examples), "signal_id": signal_id, "municipality": VENLO}

    def _send(self, message: Any) -> None:
        key, value, headers = raw(message)
        self._producer.send("signals", key=key, value=value, headers=headers)


def kills(exchange: Exchange) -> Iterator[str]:
    """Kill a consumer drawn at random each time this is asked, and return its name."""
    drawn = Random(20)  # noqa: S311 - the same order each time
    while True:
        name = drawn.choice(CONSUMERS)
        exchange.processes.children[name].send(signal.SIGKILL)
        yield name


def test_a_soak_with_a_kill_every_half_minute_loses_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None]
) -> None:
    def tell(line: str) -> None:
        with capsys.disabled():
            print(line, flush=True)  # noqa: T201 - how far it is

    with an_exchange(tmp_path / "exchange", settings=SETTINGS) as exchange:
        with Load(exchange) as load:
            killed = _kill_until(time.monotonic() + MINUTES * 60, exchange, lambda: tell(f"soak: {len(load.sent)} sent"))
            behind = lag(exchange.admin, exchange.region.catalogue, CONSUMERS)
        tell(f"soak: {len(load.sent)} sent, {killed} killed, {behind} behind at the end; waiting until all is accounted for")
        picture = await_rest(exchange, AFTERWARDS_SECONDS, meanwhile=Injector(exchange).supervise)
        figures = {"sent": len(load.sent), "killed": killed, "behind": behind, "ledger": dict(picture.ledger.counts)}
        for name, figure in {**figures, "megabytes": megabytes(exchange)}.items():
            record_property(name, figure)
            tell(f"soak: {name} {figure}")
        assert picture.ledger.conserved
        assert picture.ledger.counts["routed"] == len(load.sent)
        assert eventually(lambda: set(states_until_now(exchange.admin, "accepted")), lambda seen: seen == set(load.sent), 60)


def megabytes(exchange: Exchange) -> dict[str, int]:
    """Return the memory that each consumer holds (resident set)."""
    pages = {
        name: int(Path(f"/proc/{child.process.pid}/statm").read_text(encoding="ascii").split()[1])
        for name, child in exchange.processes.children.items()
        if name in CONSUMERS and child.process is not None
    }
    return {name: count * os.sysconf("SC_PAGE_SIZE") // 2**20 for name, count in pages.items()}


def _kill_until(end: float, exchange: Exchange, told: Callable[[], None]) -> int:
    injector, kill, killed = Injector(exchange), kills(exchange), 0
    next_kill = time.monotonic() + min(KILL_SECONDS, MINUTES * 20)
    while time.monotonic() < end:
        injector.supervise()
        if time.monotonic() > next_kill:
            next(kill)
            told()
            killed, next_kill = killed + 1, next_kill + KILL_SECONDS
        time.sleep(0.2)
    injector.supervise()
    return killed
