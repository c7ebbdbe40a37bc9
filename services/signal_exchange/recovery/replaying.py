"""Reads topics again, outside every group: up to what a service's group has committed, or to their end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from kafka import KafkaConsumer, TopicPartition  # type: ignore[import-untyped]  # ships no types
from kafka.errors import AuthorizationError, KafkaError, NoError  # type: ignore[import-untyped]  # ships no types
from kafka.structs import OffsetAndMetadata  # type: ignore[import-untyped]  # ships no types

from signal_exchange.contracts.topics import PARTITIONS
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.runtime.access_rules import Admin
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.faults import BrokerUnavailableError
from signal_exchange.runtime.kafka import admin_client, connect

POLL_MILLISECONDS = 500
POLL_RECORDS = 2_000
SILENCE_SECONDS = 30.0
"""How long the broker may give nothing of what it says that it has."""
LOOK_SECONDS = 0.5
EARLIEST, LATEST = -2, -1
Offsets = Mapping[Any, int]
"""An offset by kafka-python's TopicPartition."""


class KafkaReplay:
    """Reads as the service itself, whose consumer group must be empty. `patience_seconds`: how long a member may take to go."""

    def __init__(self, consumer: KafkaConsumer, admin: Admin, group: str, patience_seconds: float) -> None:
        self._consumer, self._admin, self._group, self._patience_seconds = consumer, admin, group, patience_seconds

    def standing(self, topics: Iterable[str]) -> dict[Any, int]:
        """Return the offsets that the group has committed.

        Raises:
            RefusedError: the service runs, or its group has committed nothing although there are records.
        """
        self.await_empty()
        found = self.committed(topics)
        if not any(found.values()) and self.count(self.ends(topics)):
            raise RefusedError("NOTHING_TO_REBUILD", service=self._group)
        return found

    def committed(self, topics: Iterable[str]) -> dict[Any, int]:
        """Return the offsets that the group has committed; 0 where it has committed none."""
        committed = self._admin.list_group_offsets(self._group)[self._group]
        return {part: int(committed[part].offset) if part in committed else 0 for part in _parts(topics)}

    def begin_at(self, offsets: Offsets) -> None:
        """Let the group of the stopped service begin at these offsets.

        Raises:
            RefusedError: Kafka does not let us, as when the service was started meanwhile.
        """
        wanted = {part: OffsetAndMetadata(offset, "", -1) for part, offset in offsets.items()}
        answers = self._admin.alter_group_offsets(self._group, wanted)
        if any(answer is not NoError for answer in answers.values()):
            raise RefusedError("CANNOT_BEGIN_AGAIN", service=self._group)

    def await_empty(self) -> None:
        """Wait until no worker of the service is left in its group.

        Raises:
            RefusedError: one stays.
        """
        # A stopped worker keeps its place in the group until its session runs out, so that a restart moves nothing.
        until = time.monotonic() + self._patience_seconds
        while self._admin.describe_groups([self._group])[self._group]["members"]:
            if time.monotonic() > until:
                raise RefusedError("SERVICE_RUNS", service=self._group)
            time.sleep(LOOK_SECONDS)

    def ends(self, topics: Iterable[str]) -> dict[Any, int]:
        """Return the offset at which each part of these topics ends now."""
        return self._offsets(_parts(topics), LATEST)

    def count(self, stops: Offsets) -> int:
        """Return the number of records before these offsets, at most."""
        begins = self._offsets(stops, EARLIEST)
        return sum(max(0, stop - begins[part]) for part, stop in stops.items())

    def _offsets(self, parts: Iterable[Any], which: int) -> dict[Any, int]:
        asked = dict.fromkeys(parts, which)
        return {part: int(found.offset) for part, found in self._admin.list_partition_offsets(asked).items()} if asked else {}

    def records(self, stops: Offsets) -> Iterator[list[Any]]:
        """Give the records before these offsets, in the order of each part.

        Raises:
            BrokerUnavailableError: it stopped giving.
        """
        begins = self._offsets(stops, EARLIEST)
        left = {part: stop for part, stop in stops.items() if begins[part] < stop}
        self._consumer.assign(list(left))
        for part in left:
            self._consumer.seek(part, begins[part])
        heard = time.monotonic()
        while left:
            polled = self._consumer.poll(POLL_MILLISECONDS)
            heard = time.monotonic() if polled else heard
            if time.monotonic() - heard > SILENCE_SECONDS:
                raise BrokerUnavailableError("Silent")
            if fresh := [record for part, batch in polled.items() for record in batch if record.offset < left.get(part, 0)]:
                yield fresh
            done = [part for part, stop in left.items() if self._consumer.position(part) >= stop]
            self._consumer.pause(*done)
            left = {part: stop for part, stop in left.items() if part not in done}


@contextmanager
def kafka_replay(connection: KafkaConnection, group: str, patience_seconds: float) -> Iterator[KafkaReplay]:
    """Give a reader of topics that reads them again as a service.

    Raises:
        BrokerUnavailableError: Kafka does not answer.
        RefusedError: these topics may not be read with these settings.
    """
    from signal_exchange.stream.batches import install_bounded_readers  # noqa: PLC0415 - it imports aiokafka, which other commands need not

    install_bounded_readers()
    options: dict[str, Any] = {
        "group_id": None,
        "enable_auto_commit": False,
        "max_poll_records": POLL_RECORDS,
        "auto_offset_reset": "earliest",
    }
    try:
        consumer = connect(KafkaConsumer, connection, **options)
        try:
            with admin_client(connection) as admin:
                yield KafkaReplay(consumer, admin, group, patience_seconds)
        finally:
            consumer.close()
    except AuthorizationError:
        raise RefusedError("MAY_NOT_READ_TOPICS", principal=connection.username, service=group) from None
    except KafkaError as error:
        raise BrokerUnavailableError(type(error).__name__) from None


def _parts(topics: Iterable[str]) -> list[Any]:
    return [TopicPartition(topic, number) for topic in topics for number in range(PARTITIONS)]
