"""Reads state topics from end to end and tells which keys still have a record with content: the proof that an erasure is done."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.kafka import read_to_end, reader


def keys_left(connection: KafkaConnection, wanted: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    """Return, by topic, which of these keys still have a record with a value anywhere in the log.

    Raises:
        BrokerUnavailableError: Kafka does not answer; nothing is said.
    """
    topics = [topic for topic, keys in wanted.items() if keys]
    left: dict[str, set[str]] = {}
    if not topics:
        return left
    with reader(connection, *topics) as consumer:
        for record in read_to_end(consumer):
            key = (record.key or b"").decode("ascii", "replace")
            if record.value is not None and key in wanted[record.topic]:
                left.setdefault(record.topic, set()).add(key)
    return left
