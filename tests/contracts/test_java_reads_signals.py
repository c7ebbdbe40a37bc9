"""Another vendor's Java reads every record with the schema files alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from kafka import KafkaConsumer, KafkaProducer  # type: ignore[import-untyped]  # ships no types
from real_exchange import Exchange
from vendor import as_java_says, java_reads
from wire_samples import filled, signals_samples

from signal_exchange.contracts.codec import encode
from signal_exchange.contracts.schemas import current_schemas, self_contained
from signal_exchange.contracts.signed import SIGNED
from signal_exchange.contracts.topics import municipality_principal
from signal_exchange.runtime.connection import KafkaConnection


def values_by_key(reader: KafkaConnection, keys: set[bytes], count: int) -> Iterator[bytes]:
    arguments = {**reader.for_kafka_python(), "auto_offset_reset": "earliest", "consumer_timeout_ms": 15_000}
    with closing(KafkaConsumer("signals", **arguments)) as consumer:
        mine = (record.value for record in consumer if record.key in keys)
        for _ in range(count):
            yield next(mine)


def test_java_reads_what_a_municipality_sent_on_the_topic_signals(exchange: Exchange, vendor: KafkaConnection) -> None:
    samples = signals_samples()
    sender = exchange.connect(municipality_principal("GM0983"))
    with closing(KafkaProducer(**sender.for_kafka_python(), acks="all")) as producer:
        sent = [producer.send("signals", key=each.key, value=each.value, headers=each.headers) for each in samples]
        for future in sent:
            future.get(timeout=10)
    values = list(values_by_key(vendor, {each.key for each in samples}, len(samples)))
    expected = {each.value: {"record": each.record, "fields": as_java_says(each.fields)} for each in samples}
    assert {each.record for each in samples} == SIGNED
    assert java_reads(values) == [expected[value] for value in values]


@pytest.mark.parametrize("full", [True, False], ids=["every optional part", "no optional part"])
def test_java_reads_every_record_of_the_schemas(*, full: bool) -> None:
    data = {name: filled(_schema(name), full=full) for name in current_schemas()}
    answers = java_reads([encode(name, datum) for name, datum in data.items()])
    assert answers == [{"record": name, "fields": as_java_says(datum)} for name, datum in data.items()]


def _schema(name: str) -> object:
    return self_contained(f"nl.mensenhandelsignalen.{name}")


def test_java_reads_nothing_that_is_no_record_of_the_schemas() -> None:
    value = encode("Checkpoint", filled(_schema("Checkpoint"), full=True))
    wrong = [b"", b"\xc3\x01", b"{}", value[:2] + bytes(8) + value[10:], value[:20]]
    assert all("error" in answer for answer in java_reads(wrong))
