"""A node that runs takes over new keys, and a keeper that runs hears who was admitted: nothing is restarted, nothing is lost."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from whole_exchange import QUICK, an_exchange, eventually

from signal_exchange.contracts.topics import municipality_principal
from signal_exchange.reference.loading import load_example
from signal_exchange.runtime.private_files import write_private
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.watching import picture_until_now, records_until_now, states_until_now

pytestmark = [pytest.mark.broker, pytest.mark.timeout(500)]
CODE = "GM0983"
NODE = municipality_principal(CODE)
OLD, NEW = f"{CODE.lower()}-2026-1", f"{CODE.lower()}-2026-2"


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Exchange]:
    settings = {**QUICK, "SIGNAL_EXCHANGE_CHECKPOINT_SECONDS": "1"}
    folder = tmp_path / "exchange"
    with an_exchange(folder, services=("routing", "feedback"), nodes=(CODE,), settings=settings) as running:
        write_private(folder / "admin-password", running.admin.password)
        yield running


def asked(exchange: Exchange, path: str, body: object = None) -> Any:
    """Ask the running node over REST."""
    token = (exchange.region.process_folder(NODE) / "api-token").read_text(encoding="utf-8").strip()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    address = f"http://127.0.0.1:{exchange.region.ports[NODE]}{path}"
    content = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(address, content, headers), timeout=60) as answer:
        return json.loads(answer.read())


def post(exchange: Exchange, references: list[str]) -> list[str]:
    """Hand signals to the running node, which sends them itself; give their ids."""
    records = [{**load_example("01_sexual", "inside"), "local_ref": reference} for reference in references]
    results = asked(exchange, "/v1/signalen", records)["results"]
    assert [each["outcome"] for each in results] == ["PUBLISHED"] * len(records)
    return [each["signal_id"] for each in results]


def ran(said: subprocess.CompletedProcess[str]) -> str:
    assert said.returncode == 0, said.stderr
    return said.stdout


def signed_with(exchange: Exchange) -> list[str]:
    return [dict(record.headers)["signing-key"].decode() for record in records_until_now(exchange.admin, "signals")]


def accepted(exchange: Exchange) -> dict[str, dict[str, Any]]:
    return dict(states_until_now(exchange.admin, "accepted"))


def goes_with_tokens(exchange: Exchange, reference: str) -> bool:
    """Publish a signal, and say whether it went with link tokens."""
    [signal_id] = post(exchange, [reference])
    found = eventually(lambda: accepted(exchange).get(signal_id), bool)
    return found is not None and not found["tokens_pending"]


def new_keys_lose_nothing(exchange: Exchange) -> None:
    request = exchange.folder / "request.json"
    office = (
        "--register",
        str(exchange.folder / "register.json"),
        "--region-secret",
        str(exchange.folder / "region-secret.json"),
    )
    kafka = ("--bootstrap", exchange.broker.bootstrap, "--admin-password-file", str(exchange.folder / "admin-password"))
    post(exchange, [f"A-{number}" for number in range(20)])
    ran(exchange.command(NODE, "participants", "new-keys", "--name", "2026-2", "--out", str(request)))
    post(exchange, [f"B-{number}" for number in range(20)])
    ran(exchange.command(NODE, "participants", "rotate-key", str(request), "--yes", *office, *kafka))
    last = post(exchange, [f"C-{number}" for number in range(20)])[-1]
    eventually(lambda: len(accepted(exchange)), lambda count: count == 60)
    keys = eventually(lambda: signed_with(exchange), lambda found: NEW in found)
    assert set(keys) == {OLD, NEW}
    ledger = eventually(
        lambda: picture_until_now(exchange.connection("oversight")).ledger, lambda found: (found.sent, found.early) == (60, 0)
    )
    assert ({place: count for place, count in ledger.counts.items() if count}, ledger.unattributed) == ({"routed": 60}, 0)
    # What is sealed to the new key is opened by the node that runs.
    told = eventually(lambda: asked(exchange, f"/v1/signalen/{last}")["outcomes"], bool)
    assert {delivery["destination"] for delivery in told[0]["detail"]["deliveries"]} >= {"CARE_COORDINATOR", "STATISTICS"}


def a_keeper_hears_who_was_removed_and_who_was_admitted(exchange: Exchange) -> None:
    tokens = exchange.region.process_folder(NODE) / "keeper-tokens.json"
    ran(exchange.command("keeper-a", "keeper", "remove", CODE))
    [first] = post(exchange, ["D-1"])
    eventually(lambda: set(accepted(exchange)), lambda found: first in found)
    assert accepted(exchange)[first]["tokens_pending"] is True
    for _ in range(2):
        ran(exchange.command("keeper-a", "keeper", "admit", CODE, "--token-out", str(tokens)))
    assert set(json.loads(tokens.read_text(encoding="utf-8"))) == {"keeper-a", "keeper-b"}
    # The node leaves a keeper that refused it alone for half a minute.
    references = (f"E-{number}" for number in count())
    eventually(lambda: goes_with_tokens(exchange, next(references)), bool)


def test_new_keys_and_a_new_admission_while_signals_are_published(exchange: Exchange) -> None:
    # In this order: what the first counts is everything that was published so far.
    new_keys_lose_nothing(exchange)
    a_keeper_hears_who_was_removed_and_who_was_admitted(exchange)
    exchange.processes.check()
