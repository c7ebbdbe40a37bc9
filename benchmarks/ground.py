"""What the measured processes stand on: a real Kafka, a founded region, and topics filled with the same records for all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kafka import KafkaProducer  # type: ignore[import-untyped]  # ships no types
from senders import EXAMPLES, SIX, Sender, coded_example

from jobs import Job
from signal_exchange.contracts.codec import encode
from signal_exchange.contracts.topics import PARTITIONS
from signal_exchange.participants.region import Region, init_region
from signal_exchange.runtime import clock
from signal_exchange.runtime.administration import apply_catalogue, create_topics
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.kafka import admin_client
from signal_exchange.stream.messages import Incoming
from signal_exchange_demo.broker import EmbeddedBroker
from signal_exchange_demo.exchange import kafka_libs
from works import PASSED_ON

TRANSPORTED = "bench-transported"
RUN_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Ground:
    """A running Kafka with a region, and the folder in which everything happens."""

    folder: Path
    region: Region
    admin: KafkaConnection

    def measured(self, client: str, work: str, source: str, count: int, **changes: Any) -> dict[str, Any]:
        """Run one client on one work in a process of its own, and return what it told."""
        process = self.started(client, work, source, count, **changes)
        said, complaint = process.communicate(timeout=RUN_SECONDS)
        if process.returncode or "{" not in said:
            raise SystemExit(f"{client} did not finish {work}: {complaint.strip()[-2000:]}")
        return dict(json.loads(said[said.index("{") :]))  # Faust's worker writes to the terminal before

    def started(self, client: str, work: str, source: str, count: int, **changes: Any) -> subprocess.Popen[str]:
        """Start one client on one work."""
        group = f"bench-{work}-{client}-{uuid.uuid4().hex[:6]}"
        store = f"sqlite+pysqlite:///{self.folder / (group + '.sqlite')}"
        connection = self.admin
        way = {"bootstrap": connection.bootstrap, "username": connection.username, "password": connection.password}
        job = Job(
            client,
            work,
            source=source,
            count=count,
            group=group,
            region=str(self.region.folder),
            database=store,
            instance="1",
            **way,
        )
        file = self.folder / f"{group}.json"
        replace(job, **changes).write(file)
        command = [sys.executable, str(Path(__file__).with_name("client.py")), str(file)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ))


@contextmanager
def a_ground(folder: Path) -> Iterator[Ground]:
    """Give a Kafka with the topics of a region of six municipalities, and the bench's own."""
    region = init_region(folder / "region", SIX, clock.now().date())
    with EmbeddedBroker(folder / "kafka", kafka_libs()) as broker:
        apply_catalogue(broker.admin_credentials, region.catalogue, region.passwords, 1)
        with admin_client(broker.admin_credentials) as admin:
            wanted = {"num_partitions": PARTITIONS, "replication_factor": 1}
            create_topics(admin, {TRANSPORTED: wanted, PASSED_ON: wanted})
        yield Ground(folder, region, broker.admin_credentials)


def fill_transported(ground: Ground, count: int) -> None:
    """Fill the topic of the transport with trace facts."""
    at = datetime(2026, 11, 20, 10, tzinfo=UTC)
    with a_producer(ground) as producer:
        for number in range(count):
            fields = _trace_fact(number, at + timedelta(seconds=number))
            producer.send(TRANSPORTED, encode("TraceFact", fields), fields["signal_id"].encode())


def _trace_fact(number: int, at: datetime) -> dict[str, Any]:
    ids = {name: str(uuid.uuid5(uuid.NAMESPACE_OID, f"{name}-{number}")) for name in ("trace_id", "signal_id", "publisher_run")}
    facts = {"service": "routing", "stage": "RECEIVED", "at": at, "version": 1, "municipality": "GM0983", "sequence": number}
    return {**ids, **facts, "destination": None, "verdict": "routed", "owner_role": None, "next_date": None}


def fill_signals(ground: Ground, count: int) -> None:
    """Fill the topic of the signals."""
    with a_producer(ground) as producer:
        for each in signed_signals(ground, count):
            producer.send("signals", each.value, each.key, list(each.headers.items()))


def signed_signals(ground: Ground, count: int) -> Iterator[Incoming]:
    """Give the examples over and over, each under an id of its own, signed by its municipality."""
    examples = [coded_example(name) for name in EXAMPLES]
    senders = {code: Sender.of(ground.region, code) for code in SIX}
    for number in range(count):
        signal = {**examples[number % len(examples)], "signal_id": str(uuid.uuid4())}
        yield senders[signal["municipality"]].published(signal, at=clock.now()).incoming


@contextmanager
def a_producer(ground: Ground, linger_ms: int = 5) -> Iterator[Any]:
    """Give a producer of the admin; everything has arrived when the block ends."""
    producer = KafkaProducer(linger_ms=linger_ms, compression_type="lz4", **ground.admin.for_kafka_python())
    yield producer
    producer.flush(60)
    producer.close()
