"""The producer of a municipality: kafka-python, idempotent, every future looked at."""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence
from functools import partial
from typing import Any, Final, Protocol

from kafka import KafkaProducer  # type: ignore[import-untyped]  # ships no types
from kafka.errors import KafkaError  # type: ignore[import-untyped]  # ships no types
from kafka.net.compat import KafkaNetClient  # type: ignore[import-untyped]  # ships no types

from signal_exchange.contracts.quotas import SENT_BATCH_BYTES
from signal_exchange.runtime import clock, logs
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.faults import BrokerUnavailable
from signal_exchange.stream.outbox import Letter

LINGER_MILLISECONDS: Final = 5
SETTLE_SECONDS: Final = 2.0
CONNECT_SECONDS: Final = 2.0


class Sender(Protocol):
    """Sends letters and says of each whether the broker acknowledged it."""

    def send(self, letters: Sequence[Letter]) -> list[bool]:
        """Send letters in order.

        Raises:
            BrokerUnavailable: the broker does not answer at all.
        """

    def close(self) -> None:
        """Disconnect."""


class KafkaSender:
    """Sends with one producer, made at the first letter. `delivery_seconds` is how long a batch may take to arrive.

    After a failure the producer is thrown away: what it still held could otherwise arrive behind what is sent later.
    """

    def __init__(self, connection: KafkaConnection, delivery_seconds: float = 10.0) -> None:
        self._connection, self._delivery_seconds = connection, delivery_seconds
        self._producer: Any = None

    def send(self, letters: Sequence[Letter]) -> list[bool]:
        """Send letters in order and wait for each acknowledgement; False where none came in time.

        Raises:
            BrokerUnavailable: the broker does not answer, or does not let this user in.
        """
        producer = self._connected()
        try:
            at = clock.stamp()
            futures = [
                producer.send(each.topic, each.value, each.key.encode(), headers=each.headers, timestamp_ms=at)
                for each in letters
            ]
            # The producer gives up on each batch by itself; only after that no future is open any more.
            producer.flush(timeout=self._delivery_seconds + SETTLE_SECONDS)
        except KafkaError as error:
            self.close()
            raise BrokerUnavailable(type(error).__name__) from None
        acknowledged = [bool(future.succeeded()) for future in futures]
        if not all(acknowledged):
            self._tell(futures)
            self.close()
        return acknowledged

    def close(self) -> None:
        """Disconnect; what is still under way counts as not sent."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            producer.close(timeout=SETTLE_SECONDS)
        except KafkaError:
            producer._sender.force_close()  # noqa: SLF001 - close() leaves its thread behind when its flush fails

    def _connected(self) -> Any:  # noqa: ANN401 - ships no types
        if self._producer is None:
            if not any(map(_accepts, self._connection.servers)):
                raise BrokerUnavailable("NotListening")
            self._producer = self._made()
        return self._producer

    def _made(self) -> Any:  # noqa: ANN401 - ships no types
        opened: list[Any] = []
        try:
            return KafkaProducer(**self._options(), kafka_client=partial(_remembered, opened))
        except KafkaError as error:
            for client in opened:  # the constructor that fails leaves a thread and its sockets behind
                client.close()
                client._net.stop()  # noqa: SLF001 - what the producer's own close does
            raise BrokerUnavailable(type(error).__name__) from None

    def _options(self) -> dict[str, Any]:
        milliseconds = int(self._delivery_seconds * 1000)
        return {
            **self._connection.for_kafka_python(),
            "acks": "all",
            "enable_idempotence": True,
            "compression_type": "lz4",
            "linger_ms": LINGER_MILLISECONDS,
            "batch_size": SENT_BATCH_BYTES,
            "delivery_timeout_ms": milliseconds,
            "request_timeout_ms": milliseconds - 10 * LINGER_MILLISECONDS,
            "max_block_ms": milliseconds,
            "bootstrap_timeout_ms": milliseconds,
            "allow_auto_create_topics": False,
            "metrics_enabled": False,
        }

    def _tell(self, futures: Sequence[Any]) -> None:
        reasons = {
            type(future.exception).__name__ if future.failed() else "NoAnswer" for future in futures if not future.succeeded()
        }
        for reason in sorted(reasons):
            logs.warn("world_unavailable", step="broker", reason=reason)


def _remembered(opened: list[Any], **settings: object) -> Any:  # noqa: ANN401 - ships no types
    opened.append(KafkaNetClient(**settings))
    return opened[-1]


def _accepts(server: str) -> bool:
    # Asked here, because kafka-python leaves the socket of a refused connection to the garbage collector.
    host, _, port = server.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def quiet_client() -> None:
    """Keep kafka-python to its errors: its debug log holds whole records, and an outage fills its warnings."""
    logging.getLogger("kafka").setLevel(logging.ERROR)
