"""A municipality's node on the real Kafka: every record once, in order, numbered without gap, whatever breaks off."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from kafka import KafkaProducer  # type: ignore[import-untyped]  # ships no types
from node_views import a_view
from nodes import VENLO, Town, a_town, example, own_logging, settings_of
from real_exchange import Exchange

from signal_exchange.contracts.codec import decode_whole
from signal_exchange.municipality.node import node_of
from signal_exchange.municipality.sending.outbox import RUNS
from signal_exchange.municipality.sending.relay import LEASE_SECONDS, Relay
from signal_exchange.municipality.store import PARKED, SIGNALS
from signal_exchange.participants.kafka_files import free_ports
from signal_exchange.stream.sender import partition_of
from signal_exchange_demo.watching import records_until_now

NAME = "municipality-gm0983"
SECONDS = 60.0
pytestmark = pytest.mark.timeout(240)


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    with own_logging():
        yield


@dataclass(frozen=True)
class Record:
    """A record of this node on the topic `signals`."""

    key: str
    partition: int
    value: bytes
    name: str
    fields: dict[str, Any]

    @property
    def sequence(self) -> int:
        return int(self.fields["envelope"]["sequence"])

    @property
    def version(self) -> tuple[str, int]:
        found = self.fields.get("signal", self.fields)
        return found["signal_id"], found["version"]


@dataclass
class RealTown:
    """A town whose node speaks with a real broker, in this process or in one of its own."""

    town: Town
    exchange: Exchange
    environment: dict[str, str]

    @classmethod
    def of(cls, folder: Path, exchange: Exchange) -> RealTown:
        town = a_town(folder)
        password = town.region.process_folder(NAME) / "password"
        password.write_text(exchange.passwords[NAME], encoding="utf-8")
        town.node = node_of(settings_of(town.region, VENLO, exchange.broker.bootstrap))
        return cls(town, exchange, town.region.environment(NAME, exchange.broker.bootstrap))

    def relay(self, delivery_seconds: float = 10.0) -> Relay:
        return replace(self.town.node.relay(delivery_seconds), now=self.town.clock)

    def records(self) -> list[Record]:
        """Return what arrived of this node, in order per partition; other tests write to the topic too."""
        runs = {row["publisher_run"] for row in self.town.rows(RUNS)}
        found = [(record, decode_whole(record.value)) for record in records_until_now(self.exchange.admin, "signals")]
        return [
            Record(record.key.decode(), record.partition, record.value, whole.record, whole.fields)
            for record, whole in found
            if whole.fields["envelope"]["publisher_run"] in runs
        ]

    def numbered(self) -> list[Record]:
        return [record for record in self.records() if record.sequence]

    def start(self, *words: str | Path) -> subprocess.Popen[str]:
        """Start a signal-exchange command of this node as a process of its own."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SIGNAL_EXCHANGE_")}
        command = [sys.executable, "-m", "signal_exchange.cli.main", *map(str, words)]
        return subprocess.Popen(
            command, env={**inherited, **self.environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )


@pytest.fixture
def real(tmp_path: Path, exchange: Exchange) -> RealTown:
    return RealTown.of(tmp_path, exchange)


def a_file(folder: Path, count: int) -> Path:
    lines = (json.dumps(example(local_ref=f"A-{number}")) + "\n" for number in range(count))
    path = folder / "records.jsonl"
    path.write_text("".join(lines), encoding="utf-8")
    return path


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def eventually(true: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)


def each_once_without_gap(records: list[Record], count: int) -> None:
    assert sorted(record.sequence for record in records) == list(range(1, count + 1))
    assert len({record.version for record in records}) == count


def test_every_record_arrives_once_signed_under_its_key_and_numbered_without_gap(real: RealTown) -> None:
    town = real.town
    town.publish(*(example(local_ref=f"A-{number}") for number in range(120)))
    town.publish(*(example(local_ref=f"A-{number}", estimated_victims=9) for number in range(0, 120, 3)))
    relay = real.relay()
    assert relay.send_all() == 160
    relay.checkpoint()
    relay.sender.close()
    each_once_without_gap(real.numbered(), 160)
    assert [record.fields["highest"] for record in real.records() if record.name == "Checkpoint"] == [160]
    for record in real.numbered():
        assert record.key == record.version[0]
        assert record.partition == partition_of(record.key), "as the consumers' own producer would place it"
    seen: dict[str, int] = {}
    for signal_id, version in (record.version for record in real.numbered()):
        assert version == seen.get(signal_id, 0) + 1, "versions never overtake each other"
        seen[signal_id] = version


def test_two_processes_that_publish_one_file_at_the_same_time_publish_it_once(real: RealTown, tmp_path: Path) -> None:
    file = a_file(tmp_path, 150)
    processes = [real.start("publish", file, "--json") for _ in range(2)]
    said = [finished(process) for process in processes]
    assert [code for code, _, _ in said] == [0, 0], said[0][2] + said[1][2]
    assert sum(json.loads(out)["published"] for _, out, _ in said) == 150
    each_once_without_gap(real.numbered(), 150)


def test_ctrl_c_loses_nothing_and_publishing_again_completes_the_file(real: RealTown, tmp_path: Path) -> None:
    file = a_file(tmp_path, 500)  # what the quota of a member lets through within a test's patience
    process = real.start("publish", file)
    eventually(lambda: len(real.town.rows(SIGNALS)) > 0)
    process.send_signal(signal.SIGINT)
    code, out, err = finished(process)
    assert code == 130, err
    assert "Traceback" not in err
    kept = len(real.town.rows(SIGNALS))
    assert 0 < kept < 500
    assert "gepubliceerd" in out
    assert finished(real.start("publish", file))[0] == 0
    each_once_without_gap(real.numbered(), 500)


def test_kill_9_while_publishing_loses_nothing_and_sends_no_number_with_other_bytes(real: RealTown, tmp_path: Path) -> None:
    file = a_file(tmp_path, 400)
    process = real.start("publish", file)
    eventually(lambda: any(row["next_sequence"] > 1 for row in real.town.rows(RUNS)))
    process.kill()
    finished(process)
    assert finished(real.start("publish", file, "--json"))[0] == 0
    real.town.clock.now = max(row.recorded_at for row in real.town.waiting())
    real.town.clock.pass_seconds(LEASE_SECONDS + 60)
    relay = real.relay()
    eventually(lambda: relay.send_all() >= 0 and relay.unsent() == 0)
    relay.sender.close()
    values: dict[int, set[bytes]] = {}
    for record in real.numbered():
        values.setdefault(record.sequence, set()).add(record.value)
    assert sorted(values) == list(range(1, 401))
    assert {len(found) for found in values.values()} == {1}


def test_a_broker_that_was_down_gets_everything_later_and_without_gap(tmp_path: Path, own_exchange: Exchange) -> None:
    real = RealTown.of(tmp_path, own_exchange)
    assert finished(real.start("publish", a_file(tmp_path, 20)))[0] == 0
    file = a_file(tmp_path, 40)
    own_exchange.broker.kill()
    try:
        code, out, err = finished(real.start("publish", file, "--json"))
    finally:
        own_exchange.broker.start()
    assert code == 0, err
    told = json.loads(out)
    assert (told["published"], told["unchanged"], told["waiting"]) == (20, 20, 20)
    assert json.loads(finished(real.start("publish", file, "--json"))[1])["waiting"] == 0
    arrived = real.numbered()
    assert sorted({record.sequence for record in arrived}) == list(range(1, 41))
    assert len({(record.sequence, record.version, record.value) for record in arrived}) == 40


@contextmanager
def running(real: RealTown) -> Iterator[httpx2.Client]:
    """Run the node as a process of its own until the block ends, and give a client of its API."""
    metrics, api = (port for port, _ in zip(free_ports(), range(2), strict=False))
    quick = {"RELAY_SECONDS": "0.1", "METRICS_PORT": str(metrics), "API_PORT": str(api), "SESSION_SECONDS": "10"}
    real.environment.update({f"SIGNAL_EXCHANGE_{name}": value for name, value in quick.items()})
    token = (real.town.region.process_folder(NAME) / "api-token").read_text(encoding="utf-8")
    headers = {"Authorization": f"Bearer {token}"}
    process = real.start("run", "municipality")
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{api}", headers=headers, trust_env=False) as client:
            eventually(lambda: is_ready(f"http://127.0.0.1:{metrics}/health/ready", process))
            yield client
        process.terminate()
        code, _, err = finished(process)
        assert code == 0, err
    finally:
        process.kill()
        process.communicate()


def is_ready(url: str, process: subprocess.Popen[str]) -> bool:
    assert process.poll() is None, process.communicate()[1]
    try:
        return httpx2.get(url, trust_env=False).is_success
    except httpx2.HTTPError:
        return False


def tell(exchange: Exchange, key: str, value: bytes) -> None:
    """Write to the municipality's own topic, as the service feedback does."""
    producer = KafkaProducer(**exchange.connect("feedback").for_kafka_python())
    producer.send("feedback.gm0983", value, key.encode()).get(30)
    producer.close()


def test_a_running_node_publishes_from_its_api_hears_what_became_of_it_and_stops_in_good_order(real: RealTown) -> None:
    town = real.town
    with running(real) as client:
        (result,) = client.post("/v1/signalen", json=example()).json()["results"]
        signal_id = result["signal_id"]
        eventually(lambda: [record.key for record in real.numbered()] == [signal_id])
        (row,) = town.waiting()
        tell(real.exchange, "unreadable", b"no record at all")
        view = a_view(signal_id, (str(row.publisher_run), 1, "routed"))
        tell(real.exchange, signal_id, view.incoming.value or b"")
        eventually(lambda: town.waiting() == [])
        told = client.get(f"/v1/signalen/{signal_id}").json()
        assert told["received"] == [{"publisher_run": row.publisher_run, "sequence": 1, "verdict": "routed"}]
        eventually(lambda: [parked["reason"] for parked in town.rows(PARKED)] == ["SCHEMA_INVALID"])
        client.post("/v1/signalen", json=example(local_ref="A-2"))
    highest = [record.fields["highest"] for record in real.records() if record.name == "Checkpoint"]
    assert highest[-1] == 2, "an orderly stop sends what waits and tells the highest number"
    each_once_without_gap(real.numbered(), 2)
