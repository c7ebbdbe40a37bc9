"""The producer inside a consumer: idempotent, acks=all, every acknowledgement awaited.

It is librdkafka's: the asyncio producer was the limit of the loop (benchmarks/README.md, docs/decisions/0012).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from aiokafka.partitioner import murmur2
from confluent_kafka import KafkaException, Producer

from signal_exchange.contracts.topics import PARTITIONS
from signal_exchange.runtime import clock
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.faults import BrokerUnavailableError
from signal_exchange.stream.outbox import OutgoingRecord

FULL_WAIT_SECONDS = 0.1
"""How long an outgoing record waits for room in a full queue, before it is tried again."""
EXTRA_SECONDS = 5.0
"""How much longer than its own time-out the last outgoing record may take to tell that it failed."""


def partition_of(key: str) -> int:
    """Return the partition to which Kafka's default partitioner sends this key."""
    return int((murmur2(key.encode()) & 0x7FFFFFFF) % PARTITIONS)


class KafkaSender:
    """Sends outgoing records with one producer; after a failure with a new one, so that nothing of before arrives late."""

    def __init__(self, connection: KafkaConnection, request_seconds: float = 30.0) -> None:
        self._connection, self._request_seconds = connection, request_seconds
        self._producer: Any = None

    async def start(self) -> None:
        """Prepare the producer, which connects by itself."""
        self._producer = Producer(self._settings(), logger=logging.getLogger("librdkafka"))

    async def stop(self) -> None:
        """Let go of the producer; an outgoing record that is not acknowledged by now waits in the outbox."""
        self._forget()

    async def send(self, outgoing: Sequence[OutgoingRecord]) -> None:
        """Send outgoing records in order and await every acknowledgement.

        Raises:
            BrokerUnavailableError: at least one was not acknowledged; sending all again is safe.
        """
        if self._producer is None:
            await self.start()
        fault = await asyncio.to_thread(self._sent, outgoing)
        if fault is not None:
            self._forget()
            raise BrokerUnavailableError(fault)

    def _sent(self, outgoing: Sequence[OutgoingRecord]) -> str | None:
        """Send and wait; return the name of the first fault."""
        faults: list[str] = []

        def told(error: Any, _message: object) -> None:  # noqa: ANN401 - librdkafka's error
            faults.append(str(error.name()))

        try:
            for record in outgoing:
                self._put(record, told)
            left = self._producer.flush(self._request_seconds + EXTRA_SECONDS)
        except KafkaException as error:
            return str(error.args[0].name())
        return faults[0] if faults else "_TIMED_OUT" if left else None

    def _put(self, record: OutgoingRecord, told: Any) -> None:  # noqa: ANN401 - librdkafka's callback
        where = {"partition": partition_of(record.partition_by)} if record.partition_by else {}
        at = clock.stamp() or 0  # 0: librdkafka's own, which the broker replaces by its own
        while True:
            try:
                self._producer.produce(
                    record.topic, record.value, record.key, headers=record.headers, on_delivery=told, timestamp=at, **where
                )
            except BufferError:
                self._producer.poll(FULL_WAIT_SECONDS)
            else:
                return

    def _forget(self) -> None:
        if self._producer is not None:
            self._producer.purge()
            self._producer = None

    def _settings(self) -> dict[str, Any]:
        return {
            **self._connection.for_librdkafka(),
            "enable.idempotence": True,
            "linger.ms": 2,
            "batch.size": 262_144,
            "compression.type": "lz4",
            "partitioner": "murmur2_random",
            "message.timeout.ms": int(self._request_seconds * 1000),
            "delivery.report.only.error": True,  # a flush that leaves nothing says that all others arrived
            "log_level": 4,
        }
