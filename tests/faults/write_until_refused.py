"""Writes to a topic until the broker says that copies are missing, and prints what it said last.

A program of its own: its client leaves sockets behind.

Arguments: bootstrap servers, user and topic; the password comes on standard input.
"""

from __future__ import annotations

import sys

from kafka import KafkaProducer  # type: ignore[import-untyped]  # ships no types
from kafka.errors import KafkaError  # type: ignore[import-untyped]  # ships no types

from signal_exchange.runtime.connection import KafkaConnection

WRITES = 25
REFUSALS = ("NotEnoughReplicasError", "NotEnoughReplicasAfterAppendError")


def main(bootstrap: str, user: str, topic: str) -> None:
    """Write; the broker that is left counts the lost ones as copies until they have been away for a while."""
    connection = KafkaConnection(bootstrap, user, sys.stdin.read().strip())
    patience = {"request_timeout_ms": 5_000, "delivery_timeout_ms": 8_000}
    producer = KafkaProducer(acks="all", retries=0, enable_idempotence=False, **patience, **connection.for_kafka_python())
    last = ""
    for _ in range(WRITES):
        try:
            producer.send(topic, key=b"key", value=b"value").get(30)
        except KafkaError as error:
            last = type(error).__name__
        if last in REFUSALS:
            break  # before that: the leader that was lost, the one that takes over, or one that still waits for the lost copies
    print(last)  # noqa: T201 - the answer of this program


if __name__ == "__main__":
    main(*sys.argv[1:])
