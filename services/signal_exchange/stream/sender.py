"""The producer inside a consumer: idempotent, acks=all, every future awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2

from signal_exchange.contracts.topics import PARTITIONS
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.faults import BrokerUnavailable
from signal_exchange.stream.outbox import Letter


def partition_of(key: str) -> int:
    """Return the partition to which Kafka's default partitioner sends this key."""
    return int((murmur2(key.encode()) & 0x7FFFFFFF) % PARTITIONS)


class KafkaSender:
    """Sends letters with one producer. Start it inside the event loop."""

    def __init__(self, connection: KafkaConnection, request_seconds: float = 30.0) -> None:
        self._connection, self._request_seconds = connection, request_seconds
        self._producer: Any = None

    async def start(self) -> None:
        """Connect."""
        self._producer = AIOKafkaProducer(
            acks="all",
            enable_idempotence=True,
            linger_ms=2,
            max_batch_size=262_144,
            compression_type="lz4",
            request_timeout_ms=int(self._request_seconds * 1000),
            **self._connection.for_aiokafka(),
        )
        await self._producer.start()

    async def stop(self) -> None:
        """Disconnect, after what is under way."""
        if self._producer is not None:
            await self._producer.stop()

    async def send(self, letters: Sequence[Letter]) -> None:
        """Send letters in order and await every acknowledgement.

        Raises:
            BrokerUnavailable: at least one was not acknowledged; sending all again is safe.
        """
        try:
            futures = [await self._put(letter) for letter in letters]
            await asyncio.gather(*futures)
        except KafkaError as error:
            raise BrokerUnavailable(type(error).__name__) from None

    async def _put(self, letter: Letter) -> Any:  # noqa: ANN401 - aiokafka's future
        partition = partition_of(letter.partition_by or letter.key)
        return await self._producer.send(letter.topic, letter.value, letter.key.encode(), partition, headers=letter.headers)
