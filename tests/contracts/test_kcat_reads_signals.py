"""Another vendor's tool lists and copies the topic signals, as far as its user may."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from kafka import KafkaProducer  # type: ignore[import-untyped]  # ships no types
from real_exchange import Exchange, exchange_on, running_broker
from vendor import as_java_says, java_reads, kcat, plain_login
from wire_samples import Sample, signals_samples

from signal_exchange.contracts.topics import municipality_principal
from signal_exchange.runtime.connection import KafkaConnection

pytestmark = pytest.mark.broker
FROM_THE_BEGINNING = ("-C", "-t", "signals", "-o", "beginning", "-e")


@dataclass(frozen=True, slots=True)
class Reader:
    """A user that no catalogue names and that may read `signals` only, on an exchange of its own."""

    exchange: Exchange
    connection: KafkaConnection
    folder: Path

    def kcat(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return kcat(self.connection, self.folder, *arguments)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    name, password = "vendor", secrets.token_urlsafe()
    with running_broker(tmp_path_factory.mktemp("kafka"), plain_login(name, password)) as broker:
        exchange = exchange_on(broker)
        connection = exchange.add_user(name, password, reads=("signals",))
        yield Reader(exchange, connection, tmp_path_factory.mktemp("kcat"))


def send(exchange: Exchange) -> list[Sample]:
    samples = signals_samples()
    sender = exchange.connect(municipality_principal("GM0983"))
    with closing(KafkaProducer(**sender.for_kafka_python(), acks="all")) as producer:
        for future in [producer.send("signals", key=each.key, value=each.value, headers=each.headers) for each in samples]:
            future.get(timeout=10)
    return samples


def test_kcat_lists_keys_and_headers_of_the_topic_signals(reader: Reader) -> None:
    samples = send(reader.exchange)
    listed = reader.kcat(*FROM_THE_BEGINNING, "-f", "%k|%h\n")
    assert listed.returncode == 0, listed.stderr
    for each in samples:
        # kcat prints a header up to its first zero byte, which a signature may hold.
        headers = b",".join(name.encode() + b"=" + value.split(b"\0")[0] for name, value in each.headers)
        assert each.key + b"|" + headers + b"\n" in listed.stdout
    names = {name for name, _ in samples[0].headers}
    assert {"ce_id", "ce_source", "ce_type", "ce_time", "ce_dataschema", "traceparent", "signature", "signing-key"} <= names
    assert "ce_subject" not in names


def test_java_reads_the_values_that_kcat_copied(reader: Reader) -> None:
    samples = send(reader.exchange)
    copied = reader.kcat(*FROM_THE_BEGINNING, "-f", "%R%s")
    expected = {each.value: {"record": each.record, "fields": as_java_says(each.fields)} for each in samples}
    mine = [value for value in split_by_length(copied.stdout) if value in expected]
    assert len(mine) == len(samples)
    assert java_reads(mine) == [expected[value] for value in mine]


def split_by_length(stream: bytes) -> list[bytes]:
    """Split what kcat's %R%s writes: four bytes of length (big-endian) before each value."""
    values = []
    while stream:
        end = 4 + int.from_bytes(stream[:4])
        values.append(stream[4:end])
        stream = stream[end:]
    return values


def test_kcat_gets_nothing_of_a_topic_that_its_user_may_not_read(reader: Reader) -> None:
    refused = reader.kcat("-C", "-t", "referrals", "-o", "beginning", "-e")
    assert refused.returncode != 0
    assert b"Topic authorization failed" in refused.stderr
    assert refused.stdout == b""


def test_the_vendors_user_is_no_principal_of_the_catalogue(reader: Reader) -> None:
    assert reader.connection.username not in reader.exchange.catalogue.principals
