"""Reads state topics from end to end and tells which keys still have a record with content: the proof that an erasure is done."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from kafka import KafkaConsumer, TopicPartition  # type: ignore[import-untyped]  # ships no types
from kafka.errors import KafkaError  # type: ignore[import-untyped]  # ships no types

from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.faults import BrokerUnavailable

POLL_MILLISECONDS = 200


@contextmanager
def reader(connection: KafkaConnection, *topics: str) -> Iterator[KafkaConsumer]:
    """Open a consumer at the start of these topics, outside every group."""
    consumer = KafkaConsumer(
        group_id=None, auto_offset_reset="earliest", enable_auto_commit=False, **connection.for_kafka_python()
    )
    try:
        parts = [
            TopicPartition(topic, number) for topic in topics for number in sorted(consumer.partitions_for_topic(topic) or ())
        ]
        consumer.assign(parts)
        consumer.seek_to_beginning(*parts)
        yield consumer
    finally:
        consumer.close()


def until_now(consumer: KafkaConsumer) -> Iterator[Any]:
    """Yield every record that the assigned topics hold now, as kafka-python's consumer records."""
    ends = {part: end for part, end in consumer.end_offsets(list(consumer.assignment())).items() if end}
    while any(consumer.position(part) < end for part, end in ends.items()):
        for batch in consumer.poll(POLL_MILLISECONDS).values():
            yield from batch


def keys_left(connection: KafkaConnection, wanted: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    """Return, by topic, which of these keys still have a record with a value anywhere in the log.

    Raises:
        BrokerUnavailable: Kafka does not answer; nothing is said.
    """
    topics = [topic for topic, keys in wanted.items() if keys]
    left: dict[str, set[str]] = {}
    try:
        with reader(connection, *topics) as consumer:
            for record in until_now(consumer) if topics else ():
                key = (record.key or b"").decode("ascii", "replace")
                if record.value is not None and key in wanted[record.topic]:
                    left.setdefault(record.topic, set()).add(key)
    except KafkaError as error:
        raise BrokerUnavailable(type(error).__name__) from None
    return left
