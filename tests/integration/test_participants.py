"""A municipality joins, renews its keys and leaves, each with one command, while the exchange runs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from whole_exchange import QUICK, eventually, today

from signal_exchange.contracts.topics import feedback_topic, municipality_principal
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.kafka import answers
from signal_exchange.runtime.private_files import write_private
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.watching import records_until_now, states_until_now

pytestmark = [pytest.mark.broker, pytest.mark.timeout(400)]
NEW, OLD = "GM0907", "GM0983"
NODE = municipality_principal(NEW)


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    folder = tmp_path_factory.mktemp("participants") / "exchange"
    parts: dict[str, Any] = {"services": ("routing", "feedback"), "nodes": (), "settings": QUICK}
    with Exchange(folder, today(), municipalities=(NEW, OLD), **parts) as running:
        write_private(folder / "admin-password", running.admin.password)
        yield running


def office(exchange: Exchange, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the region's office."""
    folder = exchange.folder
    where = ("--register", str(folder / "register.json"), "--region-secret", str(folder / "region-secret.json"))
    kafka = ("--bootstrap", exchange.broker.bootstrap, "--admin-password-file", str(folder / "admin-password"), "--json")
    return exchange.command(NODE, "participants", *arguments, "--yes", *where, *kafka)


def asked(exchange: Exchange, name: str) -> str:
    """Make new keys at the municipality, and return the file of its request."""
    file = exchange.folder / f"request-{name}.json"
    said = exchange.command(NODE, "participants", "new-keys", "--name", name, "--out", str(file))
    assert said.returncode == 0, said.stderr
    return str(file)


def published(exchange: Exchange, reference: str) -> subprocess.CompletedProcess[str]:
    """Publish a signal of the municipality with the ordinary command."""
    example = json.loads(
        (Path(__file__).parents[2] / "services/signal_exchange/reference/data/examples/inside/02_labour.json").read_text("utf-8")
    )
    file = exchange.folder / f"{reference}.jsonl"
    file.write_text(json.dumps({**example, "municipality": NEW, "local_ref": reference}) + "\n", encoding="utf-8")
    return exchange.command(NODE, "publish", str(file), "--municipality", NEW, "--json")


def sends_nothing(exchange: Exchange, reference: str) -> bool:
    """Publish, and say whether the node refused and nothing came on the stream."""
    before = len(keys_on_stream(exchange))
    said = published(exchange, reference)
    return said.returncode != 0 and len(keys_on_stream(exchange)) == before


def keys_on_stream(exchange: Exchange) -> list[bytes]:
    return [dict(record.headers)["signing-key"] for record in records_until_now(exchange.admin, "signals")]


def test_a_municipality_joins_renews_its_keys_and_leaves(exchange: Exchange) -> None:
    folder = exchange.region.process_folder(NODE)
    # Pending: it can neither publish nor read.
    assert sends_nothing(exchange, "TEST-1")
    assert not answers(KafkaConnection(exchange.broker.bootstrap, NODE, exchange.region.passwords[NODE]), seconds=3)

    # It joins, and its signal is routed without a restart of anything; joining twice is once.
    (folder / "keys.json").unlink()
    request = asked(exchange, "2026-2")
    for _ in range(2):
        said = office(exchange, "join", request, "--password-out", str(folder / "password"))
        assert (said.returncode, json.loads(said.stdout)["serial"]) == (0, 2), said.stderr
    said = published(exchange, "TEST-2")
    assert json.loads(said.stdout)["published"] == 1, said.stderr
    [signal_id] = eventually(lambda: states_until_now(exchange.admin, "accepted"), lambda found: len(found) == 1)
    eventually(lambda: states_until_now(exchange.admin, feedback_topic(NEW)), lambda found: signal_id in found)

    # It renews its keys: what it publishes next is signed with the new one.
    said = office(exchange, "rotate-key", asked(exchange, "2026-3"))
    assert (said.returncode, json.loads(said.stdout)["key_id"]) == (0, "gm0907-2026-3"), said.stderr
    assert json.loads(published(exchange, "TEST-3").stdout)["published"] == 1
    assert set(keys_on_stream(exchange)) == {b"gm0907-2026-2", b"gm0907-2026-3"}
    eventually(lambda: states_until_now(exchange.admin, "accepted"), lambda found: len(found) == 2)

    # It leaves, not with open signals unless somebody says so; then it can do nothing more.
    said = office(exchange, "leave", NEW)
    assert (said.returncode, "heeft 2 open signalen" in said.stderr) == (1, True)
    for _ in range(2):
        said = office(exchange, "leave", NEW, "--with-open-signals")
        assert (said.returncode, json.loads(said.stdout)["open_signals"]) == (0, 2), said.stderr
    assert sends_nothing(exchange, "TEST-4")
    assert not answers(KafkaConnection(exchange.broker.bootstrap, NODE, (folder / "password").read_text("utf-8")), seconds=3)
    exchange.processes.check()
