"""The producer of a municipality: kafka-python, idempotent, every future looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from kafka import KafkaProducer  # type: ignore[import-untyped]  # ships no types
from kafka.errors import KafkaError  # type: ignore[import-untyped]  # ships no types

from signal_exchange.contracts.quotas import SENT_BATCH_BYTES
from signal_exchange.runtime import clock, logs
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.faults import BrokerUnavailableError
from signal_exchange.runtime.kafka import connect
from signal_exchange.stream.outbox import OutgoingRecord

LINGER_MILLISECONDS: Final = 5
SETTLE_SECONDS: Final = 2.0


class Sender(Protocol):
    """Sends outgoing records and says of each whether the broker acknowledged it."""

    def send(self, outgoing: Sequence[OutgoingRecord]) -> list[bool]:
        """Send outgoing records in order.

        Raises:
            BrokerUnavailableError: the broker does not answer at all.
        """

    def close(self) -> None:
        """Disconnect."""


class KafkaSender:
    """Sends with one producer, made at the first outgoing record. `delivery_seconds` is how long a batch may take to arrive.

    After a failure the producer is thrown away: what it still held could otherwise arrive behind what is sent later.
    """

    def __init__(self, connection: KafkaConnection, delivery_seconds: float = 10.0) -> None:
        self._connection, self._delivery_seconds = connection, delivery_seconds
        self._producer: Any = None

    def send(self, outgoing: Sequence[OutgoingRecord]) -> list[bool]:
        """Send outgoing records in order and wait for each acknowledgement; False where none came in time.

        Raises:
            BrokerUnavailableError: the broker does not answer, or does not let this user in.
        """
        producer = self._connected()
        try:
            at = clock.stamp()
            futures = [
                producer.send(each.topic, each.value, each.key.encode(), headers=each.headers, timestamp_ms=at)
                for each in outgoing
            ]
            # The producer gives up on each batch by itself; only after that no future is open any more.
            producer.flush(timeout=self._delivery_seconds + SETTLE_SECONDS)
        except KafkaError as error:
            self.close()
            raise BrokerUnavailableError(type(error).__name__) from None
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
            self._producer = connect(KafkaProducer, self._connection, self._delivery_seconds, **self._options())
        return self._producer

    def _options(self) -> dict[str, Any]:
        milliseconds = int(self._delivery_seconds * 1000)
        return {
            "acks": "all",
            "enable_idempotence": True,
            "compression_type": "lz4",
            "linger_ms": LINGER_MILLISECONDS,
            "batch_size": SENT_BATCH_BYTES,
            "delivery_timeout_ms": milliseconds,
            "request_timeout_ms": milliseconds - 10 * LINGER_MILLISECONDS,
            "max_block_ms": milliseconds,
            "allow_auto_create_topics": False,
            "metrics_enabled": False,
        }

    def _tell(self, futures: Sequence[Any]) -> None:
        reasons = {
            type(future.exception).__name__ if future.failed() else "NoAnswer" for future in futures if not future.succeeded()
        }
        for reason in sorted(reasons):
            logs.warn("world_unavailable", step="broker", reason=reason)
