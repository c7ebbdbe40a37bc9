"""Every disk is gone but Kafka's: stores come back from back-ups, catch up, and nothing is lost, twice or published again."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from backups import LOGS, restore_key_of
from whole_exchange import an_exchange, an_input, await_rest, listed_rows, publish, spoken, today, told_two_ways

from signal_exchange.contracts.topics import CONSUMERS, municipality_principal
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.judging import Told, mismatches, published_by_key, truth
from signal_exchange_demo.running import Input

pytestmark = [pytest.mark.broker, pytest.mark.timeout(900)]
NODE = "municipality-gm0983"
NAMES = (*CONSUMERS, NODE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("restore")


@pytest.fixture(scope="module")
def given(folder: Path) -> Input:
    """Give every signal once: a file that also corrects them would correct them again when it is published again."""
    made = an_input(folder / "input", seed=15, signals=40)
    new = tuple(arrival for arrival in made.arrivals if arrival.kind == "new")
    for code, file in made.files.items():
        lines = (json.dumps(each.record, ensure_ascii=False) + "\n" for each in new if each.key.municipality == code)
        Path(file).write_text("".join(lines), encoding="utf-8")
    return replace(made, arrivals=new, corrections={})


@pytest.fixture(scope="module")
def exchange(folder: Path) -> Iterator[Exchange]:
    with an_exchange(folder / "exchange") as running:
        yield running


def half_of(given: Input, folder: Path) -> dict[str, Path]:
    """Give the first half of each file."""
    found = {}
    for code, file in given.files.items():
        lines = Path(file).read_text(encoding="utf-8").splitlines(keepends=True)
        found[code] = folder / f"half-{Path(file).name}"
        found[code].write_text("".join(lines[: len(lines) // 2]), encoding="utf-8")
    return found


def store_of(exchange: Exchange, name: str) -> Path:
    service = "municipality" if name == NODE else name
    return Path(exchange.environment(name)["SIGNAL_EXCHANGE_DATA_DIR"]) / f"{service}.sqlite"


def recorded(exchange: Exchange, name: str) -> dict[str, Any]:
    """Return every row of the tables with what people entered."""
    with closing(sqlite3.connect(store_of(exchange, name))) as store:
        tables = [
            table for (table,) in store.execute("SELECT name FROM sqlite_master WHERE name LIKE 'record_%' AND type = 'table'")
        ]
        tables = [table for table in tables if table not in LOGS]
        return {table: sorted(store.execute(f"SELECT * FROM {table}"), key=repr) for table in tables}  # noqa: S608 - our own names


def nothing_lost(exchange: Exchange, given: Input) -> None:
    """Judge from outside: the ledger balances, and topics and stores hold what the oracle says."""
    picture = await_rest(exchange)
    found = published_by_key(exchange, [arrival.key for arrival in given.arrivals])
    assert {arrival.key for arrival in given.arrivals} <= set(found)
    assert picture.ledger.conserved
    assert picture.ledger.counts["in_flight"] == 0
    assert mismatches(exchange, picture, truth(Told(given.arrivals, (), {}, today()), found)) == []


def test_restored_stores_catch_up_and_a_restored_node_publishes_nothing_twice(
    exchange: Exchange, given: Input, folder: Path
) -> None:
    said = exchange.publish(half_of(given, folder))
    assert {each.returncode for each in said.values()} <= {0, 2}
    await_rest(exchange)
    first = next(row["signal_id"] for row in listed_rows(exchange, "worklist") if row["open"])
    assert exchange.command("worklist", "worklist", "seen", first, "--by", "zorg").returncode == 0
    files = {name: folder / f"{name}.backup" for name in NAMES}
    for name, file in files.items():
        spoken(exchange, name, "backup", "municipality" if name == NODE else name, "--to", str(file), "--json")
    publish(exchange, given)
    await_rest(exchange)
    exchange.processes.stop()
    before = {name: recorded(exchange, name) for name in ("worklist", "worklist-youth", "agenda")}
    signals = {row[0] for row in recorded(exchange, NODE)["record_signals"]}
    runs = recorded(exchange, NODE)["record_runs"]

    for name in NAMES:
        for file in store_of(exchange, name).parent.glob("*.sqlite*"):
            file.unlink()
    for name, file in files.items():
        spoken(
            exchange,
            name,
            "restore",
            "municipality" if name == NODE else name,
            str(file),
            "--key",
            str(restore_key_of(exchange.region, name)),
            "--json",
        )
    code = NODE.removeprefix("municipality-").upper()
    again = exchange.publish({code: Path(given.files[code])})[code]
    told = json.loads(again.stdout)
    assert (told.get("published", 0), told.get("new_version", 0)) == (0, 0), told
    exchange.processes.start()
    exchange.processes.await_ready(300.0, lambda _: None)
    nothing_lost(exchange, given)
    # What is told again is sealed anew: readers keep what they have under that revision.
    assert {each.partition(" ")[0] for each in told_two_ways(exchange)} <= {"outcomes"}

    assert {name: recorded(exchange, name) for name in before} == before
    assert {row[0] for row in recorded(exchange, NODE)["record_signals"]} == signals
    assert len(recorded(exchange, NODE)["record_runs"]) == len(runs) + 1
    assert spoken(exchange, "oversight", "ledger", "conservation", "--json")["conserved"]
    assert municipality_principal(code) == NODE
