"""An anonymous tip becomes relevant: its plate is that of another signal, the chain director confirms, and it is routed again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from whole_exchange import an_exchange, eventually, spoken

from signal_exchange.contracts.topics import municipality_principal
from signal_exchange.reference.loading import load_example
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.watching import states_until_now

pytestmark = [pytest.mark.broker, pytest.mark.timeout(400)]
ONE, TIP = load_example("01_sexual", "inside"), load_example("06_anonymous_tip", "inside")


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    with an_exchange(
        tmp_path_factory.mktemp("linking") / "exchange", services=("routing", "linking", "agenda"), nodes=()
    ) as running:
        yield running


def published(exchange: Exchange, record: dict[str, Any], folder: Path) -> str:
    """Publish a record with the ordinary command, and return the random id of its signal."""
    code = record["municipality"]
    file = folder / f"{code}-{record['local_ref']}.jsonl"
    file.write_text(json.dumps(record) + "\n", encoding="utf-8")
    node = municipality_principal(code)
    known = states_until_now(exchange.admin, "accepted")
    assert spoken(exchange, node, "publish", str(file), "--municipality", code, "--json")["published"] == 1
    found = eventually(lambda: set(states_until_now(exchange.admin, "accepted")) - set(known), lambda new: len(new) == 1)
    return found.pop()


def item_of(exchange: Exchange, signal_id: str) -> tuple[str, str] | None:
    """Return status and rule of the agenda item of a signal, as routing told it last."""
    found = states_until_now(exchange.admin, "agenda-items").get(signal_id)
    return (found["status"], found["rule_id"]) if found else None


def links(exchange: Exchange) -> list[dict[str, Any]]:
    """Return the links as the chain director sees them."""
    rows: list[dict[str, Any]] = spoken(exchange, "agenda", "agenda", "links", "--json")
    return rows


def test_a_tip_reaches_the_agenda_through_a_shared_plate_and_leaves_it_when_the_link_is_undone(
    exchange: Exchange, tmp_path: Path
) -> None:
    one, tip = published(exchange, ONE, tmp_path), published(exchange, TIP, tmp_path)
    assert item_of(exchange, tip) is None
    [link] = eventually(lambda: links(exchange), lambda found: len(found) == 1)
    assert (link["kind"], link["key_types"], link["state"]) == ("SHARED_CONTEXT", ["PLATE"], "CANDIDATE")
    assert {link["signal_a"], link["signal_b"]} == {one, tip}
    assert "GX123B" not in json.dumps(link)

    said = exchange.command("agenda", "agenda", "links", "confirm", link["number"], "--by", "director")
    assert said.returncode == 0, said.stderr
    eventually(lambda: item_of(exchange, tip), lambda item: item == ("OFFERED", "A40"))
    together = eventually(lambda: spoken(exchange, "agenda", "agenda", "list", "--json"), lambda rows: rows[0]["size"] == 2)
    assert len(together) == 1
    [confirmed] = eventually(lambda: links(exchange), lambda found: found[0]["state"] == "CONFIRMED")

    said = exchange.command("agenda", "agenda", "links", "undo", confirmed["number"], "--by", "director")
    assert said.returncode == 0, said.stderr
    eventually(lambda: item_of(exchange, tip), lambda item: item == ("RETRACTED", "A10"))
    assert item_of(exchange, one) == ("OFFERED", "A30")
    exchange.processes.check()
