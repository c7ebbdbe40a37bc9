"""Signed records sent past a municipality's node, straight to the topic `signals`."""

from __future__ import annotations

from kafka import KafkaProducer  # type: ignore[import-untyped]  # ships no types
from whole_exchange import eventually

from signal_exchange.stream.messages import Message
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.watching import Picture, lag, picture_until_now

VENLO = "GM0983"
Raw = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]
"""Key, value and headers."""


def raw(message: Message) -> Raw:
    incoming = message.incoming
    return incoming.key, incoming.value, list(incoming.headers.items())


def send(whole: Exchange, records: list[tuple[Raw, int]], principal: str = VENLO) -> None:
    connection = whole.connection(f"municipality-{principal.lower()}")
    producer = KafkaProducer(acks="all", **connection.for_kafka_python())
    try:
        futures = [
            producer.send("signals", key=key, value=value, headers=headers, partition=partition)
            for (key, value, headers), partition in records
        ]
        for future in futures:
            future.get(30)
    finally:
        producer.close()


def settled(whole: Exchange) -> Picture:
    eventually(lambda: lag(whole.admin, whole.region.catalogue, ["routing"]), lambda behind: behind == 0, 180)
    return picture_until_now(whole.connection("oversight"))
