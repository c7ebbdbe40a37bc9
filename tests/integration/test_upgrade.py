"""A schema changes while the stream runs: old and new workers side by side, in the right order and in the wrong one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from raw_signals import VENLO, raw, send
from senders import Sender, coded_example
from whole_exchange import an_exchange, eventually, spoken

from signal_exchange.reference.folders import schemas_folder
from signal_exchange.runtime import clock
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.places import checkout
from signal_exchange_demo.processes import Child
from signal_exchange_demo.watching import lag, records_until_now

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600)]
SERVICES = ("routing", "statistics", "oversight")
ADDED = {"name": "season", "type": ["null", "string"], "default": None, "doc": "Invented for this test."}


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the sources of a newer program: today's schemas are released, and an Observation has one field more."""
    folder = tmp_path_factory.mktemp("newer")
    shutil.copytree(checkout() / "services", folder / "services", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(schemas_folder(), folder / "schemas")
    command = [sys.executable, "-m", "signal_exchange.cli.main", "schemas"]
    environment = {**os.environ, "PYTHONPATH": str(folder / "services")}
    subprocess.run([*command, "release", "before-season"], env=environment, check=True, capture_output=True)
    schema = json.loads((folder / "schemas" / "Observation.avsc").read_text(encoding="utf-8"))
    schema["fields"].append(ADDED)
    (folder / "schemas" / "Observation.avsc").write_text(json.dumps(schema), encoding="utf-8")
    subprocess.run([*command, "check"], env=environment, check=True, capture_output=True)
    return folder / "services"


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    with an_exchange(tmp_path_factory.mktemp("upgrade") / "exchange", services=SERVICES, nodes=()) as running:
        yield running


class Signals:
    """Signals of one municipality, each new."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange, self._sender, self.sent = exchange, Sender.of(exchange.region, VENLO), 0

    def send(self, count: int) -> None:
        for _ in range(count):
            self.sent += 1
            signal = {**coded_example("01_sexual"), "signal_id": f"{self.sent:08x}-4444-4444-8444-444444444444"}
            send(self._exchange, [(raw(self._sender.published(signal, at=clock.now())), self.sent % 6)])


def worker(exchange: Exchange, service: str, instance: str, source: Path | None) -> Child:
    """Start a worker of a service beside those that run, from these sources or from today's."""
    first = next(child for name, child in exchange.processes.children.items() if name.partition("-")[0] == service)
    own = {"SIGNAL_EXCHANGE_INSTANCE": instance, "SIGNAL_EXCHANGE_METRICS_PORT": "0"}
    paths = {"PYTHONPATH": str(source)} if source else {}
    made = Child(f"{service}-{instance}", first.arguments, {**first.environment, **own, **paths}, first.log, first.ready_url)
    made.start()
    exchange.processes.children[made.name] = made
    return made


def stop(exchange: Exchange, name: str) -> None:
    child = exchange.processes.children.pop(name)
    child.send(15)  # type: ignore[arg-type]  # SIGTERM
    child.wait(60)


def counted(exchange: Exchange) -> int:
    """Return how many reports the figures hold."""
    return sum(each["reports"] for each in spoken(exchange, "statistics", "statistics", "list", "--json")["reports"])


def headers(exchange: Exchange) -> Counter[bytes]:
    """Return how many observations were written with each schema."""
    return Counter(record.value[:10] for record in records_until_now(exchange.admin, "observations"))


def behind(exchange: Exchange) -> int:
    return lag(exchange.admin, exchange.region.catalogue, ("routing", "statistics"))


def parked(exchange: Exchange) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = spoken(exchange, "oversight", "parked", "list", "--json")
    return rows


def test_readers_first_loses_nothing_and_writers_first_only_parks_until_the_reader_knows(exchange: Exchange, newer: Path) -> None:
    signals = Signals(exchange)
    signals.send(4)
    eventually(lambda: counted(exchange), lambda seen: seen == 4)

    worker(exchange, "routing", "2", newer)  # the wrong order: a newer writer beside an old one, and nobody knows its schema
    stop(exchange, "routing")
    signals.send(4)
    waiting = eventually(lambda: parked(exchange), lambda seen: len(seen) == 4)
    assert {(row["service"], row["reason"]) for row in waiting} == {("statistics", "SCHEMA_INVALID")}
    assert counted(exchange) == 4

    worker(exchange, "statistics", "2", newer)  # old and new reader side by side
    stop(exchange, "statistics")
    for row in waiting:
        said = exchange.command("oversight", "parked", "retry", row["parked_id"], "--by", "beheer", "--reason", "CAUSE_GONE")
        assert said.returncode == 0, said.stderr
    eventually(lambda: counted(exchange), lambda seen: seen == 8)

    worker(exchange, "routing", "3", None)  # and back to the older writer, whose records the newer reader reads as well
    stop(exchange, "routing-2")
    signals.send(4)
    eventually(lambda: counted(exchange), lambda seen: seen == 12)
    assert sorted(headers(exchange).values()) == [4, 8]
    eventually(lambda: (behind(exchange), parked(exchange)), lambda seen: seen == (0, []))
    exchange.processes.check()
