"""A member with valid keys that sends as much as Kafka lets it, of everything that a member can send. Everything is synthetic."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import random
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from handmade_batches import GZIP, LZ4, SNAPPY, ZSTD, bomb
from kafka import KafkaProducer  # type: ignore[import-untyped]  # ships no types
from kafka.errors import KafkaError  # type: ignore[import-untyped]  # ships no types
from raw_kafka import RawKafka
from raw_signals import Raw, raw
from senders import Sender, coded_example

from signal_exchange.contracts.quotas import LONGEST_BATCH_BYTES
from signal_exchange.contracts.topics import PARTITIONS, municipality_principal
from signal_exchange.participants.region import init_region
from signal_exchange.runtime import clock
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.faults import BrokerUnavailableError
from signal_exchange_demo.exchange import Exchange

EXAMPLE = "02_labour"
BUFFER_BYTES = 500_000
"""What may wait at the client: what it sends when its time is over takes some seconds more."""
DRAIN_SECONDS = 120.0
TOLD = "hostile.json"
"""The file in the exchange's folder that says what it sent."""
KINDS = ("garbage", "forged", "bad", "bombs", "repeats", "good")
"""What it sends, one kind after the other: bytes that are no record, wrong signatures, records against the rules, batches that
unpack to a thousand times their size, the same bytes again, and good signals."""
DOUBTFUL = "doubtful"
"""Bombs of which nobody knows whether they arrived."""
NOBODYS = ("garbage", "forged", "bombs")
"""Those of which nobody can be named as sender."""


class Hostile:
    """One hostile member with its own user, keys and numbers."""

    def __init__(self, folder: Path, connection: KafkaConnection, code: str) -> None:
        self._connection = connection
        self._sender = Sender.of(init_region(folder, (), clock.now().date()), code)
        self._signal = {**coded_example(EXAMPLE), "municipality": code}
        self._random = random.Random(17)  # noqa: S311 - no secret
        self._bombs = itertools.cycle([bomb(codec, LONGEST_BATCH_BYTES) for codec in (GZIP, SNAPPY, LZ4, ZSTD)])
        self.sent: Counter[str] = Counter()

    def attack(self, seconds: float) -> dict[str, int]:
        """Send each kind for its part of the time, as fast as it goes, and return how many of each arrived."""
        makers: dict[str, Callable[[], Raw]] = {
            "garbage": self._garbage,
            "forged": self._forged,
            "bad": lambda: raw(self._signed(sector="NO_SECTOR")),
            "repeats": self._repeat(),
            "good": lambda: raw(self._signed()),
        }
        for kind in KINDS:
            until = time.monotonic() + seconds / len(KINDS)
            self._throw(until) if kind == "bombs" else self._pour(kind, makers[kind], until)
        self._tell_highest()
        return {DOUBTFUL: 0, **self.sent}

    def _pour(self, kind: str, make: Callable[[], Raw], until: float) -> None:
        with self._producing() as producer:
            waiting, size = deque[tuple[Any, int]](), 0
            while waiting or time.monotonic() < until:
                if time.monotonic() < until and size < BUFFER_BYTES:
                    key, value, headers = make()
                    waiting.append((producer.send("signals", key=key, value=value, headers=headers), len(value or b"") + 100))
                    size += waiting[-1][1]
                else:
                    sent, its_size = waiting.popleft()
                    sent.get(DRAIN_SECONDS)
                    self.sent[kind] += 1
                    size -= its_size

    def _throw(self, until: float) -> None:
        while time.monotonic() < until:
            try:
                self._throw_on_one_connection(until)
            except (KafkaError, BrokerUnavailableError):  # Kafka lets who is over its quota wait longer than this client does
                self.sent[DOUBTFUL] += 1
                time.sleep(1)

    def _throw_on_one_connection(self, until: float) -> None:
        with RawKafka(self._connection) as hostile:
            while time.monotonic() < until:
                error, _ = hostile.append("signals", next(self._bombs), self.sent["bombs"] % PARTITIONS)
                self.sent["bombs"] += error == "NoError"

    @contextmanager
    def _producing(self) -> Iterator[Any]:
        options = {"acks": "all", "batch_size": 65_536, "linger_ms": 5, "max_block_ms": 60_000}
        producer = KafkaProducer(**options, retries=1000, delivery_timeout_ms=300_000, **self._connection.for_kafka_python())
        try:
            yield producer
            producer.flush(DRAIN_SECONDS)
        finally:
            try:
                producer.close(timeout=5)
            except KafkaError:
                producer._sender.force_close()

    def _garbage(self) -> Raw:
        return b"k", self._random.randbytes(self._random.choice((1, 1, 10, 100, 10_000))), []

    def _forged(self) -> Raw:
        key, value, headers = raw(self._sender.checkpoint(1, at=clock.now()))
        return key, value, [(name, bytes(64) if name == "signature" else content) for name, content in headers]

    def _signed(self, **changes: Any) -> Any:
        return self._sender.published({**self._signal, "signal_id": str(uuid.uuid4()), **changes}, at=clock.now())

    def _repeat(self) -> Callable[[], Raw]:
        same = raw(self._signed(sector="NO_SECTOR"))
        return lambda: same

    def _tell_highest(self) -> None:
        with self._producing() as producer:
            key, value, headers = raw(self._sender.checkpoint(self._sender.sequence, at=clock.now()))
            producer.send("signals", key=key, value=value, headers=headers)


def _run(folder: Path, connection: KafkaConnection, code: str, seconds: float) -> None:
    hostile = Hostile(folder, connection, code)
    (folder / TOLD).write_text(json.dumps(hostile.attack(seconds)), encoding="utf-8")


@contextmanager
def attacking(exchange: Exchange, code: str, seconds: float) -> Iterator[Callable[[], dict[str, int]]]:
    """Let a hostile member attack, in a process of its own; what it gives waits for its end and returns what it sent by kind."""
    arguments = (exchange.folder, exchange.connection(municipality_principal(code)), code, seconds)
    process = multiprocessing.get_context("spawn").Process(target=_run, args=arguments)
    process.start()

    def end() -> dict[str, int]:
        process.join(seconds + 4 * DRAIN_SECONDS)
        assert process.exitcode == 0, f"the hostile member ended with {process.exitcode}"
        found_: dict[str, int] = json.loads((exchange.folder / TOLD).read_text(encoding="utf-8"))
        return found_

    try:
        yield end
    finally:
        if process.is_alive():
            process.terminate()
        process.join()
