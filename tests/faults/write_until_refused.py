"""Writes to a topic until the broker refuses, and prints why. A program of its own: its client leaves sockets behind.

Arguments: bootstrap servers, user and topic; the password comes on standard input.
"""

from __future__ import annotations

import sys

from kafka import KafkaProducer  # type: ignore[import-untyped]  # ships no types
from kafka.errors import KafkaError, KafkaTimeoutError  # type: ignore[import-untyped]  # ships no types

from signal_exchange.runtime.connection import KafkaConnection

WRITES = 30


def main(bootstrap: str, user: str, topic: str) -> None:
    """Write; the broker that is left counts the lost ones as copies until they have been away for a while."""
    connection = KafkaConnection(bootstrap, user, sys.stdin.read().strip())
    patience = {"request_timeout_ms": 5_000, "delivery_timeout_ms": 8_000}
    producer = KafkaProducer(acks="all", retries=0, enable_idempotence=False, **patience, **connection.for_kafka_python())
    for _ in range(WRITES):
        try:
            producer.send(topic, key=b"key", value=b"value").get(30)
        except KafkaTimeoutError:  # the leader that was lost; another one takes over
            continue
        except KafkaError as refusal:
            print(type(refusal).__name__)  # noqa: T201 - the answer of this program
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
