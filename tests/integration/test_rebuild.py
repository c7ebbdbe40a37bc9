"""Every store comes back from the topics as it was, and no topic changes: on a real Kafka, with a whole exchange at rest."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from backups import restore_key_of
from whole_exchange import KILLED, an_exchange, an_input, await_rest, nothing_lost_and_nothing_twice, publish, spoken

from signal_exchange.cli.main import PLANS
from signal_exchange.runtime.kafka import reader
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.running import Input

pytestmark = [pytest.mark.broker, pytest.mark.timeout(900)]
Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rebuild")


@pytest.fixture(scope="module")
def given(folder: Path) -> Input:
    return an_input(folder / "input", seed=14, signals=40)


@pytest.fixture(scope="module")
def exchange(folder: Path, given: Input) -> Iterator[Exchange]:
    """Give an exchange in which everything came to rest, and whose processes are stopped; its Kafka runs."""
    with an_exchange(folder / "exchange") as running:
        publish(running, given)
        await_rest(running)
        running.processes.stop()
        yield running


def rows_of(exchange: Exchange, name: str) -> Rows:
    """Return every row of every table of the store of a process."""
    file = store_of(exchange, name)
    with closing(sqlite3.connect(file)) as store:
        tables = [table for (table,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        chosen = {table: store.execute(f"SELECT * FROM {table}").fetchall() for table in sorted(tables)}  # noqa: S608 - our own names
    return {table: sorted((tuple(map(plain, row)) for row in rows), key=repr) for table, rows in chosen.items()}


def plain(value: Any) -> Any:
    """Give a value so that equal JSON is equal."""
    is_json = isinstance(value, str) and value[:1] in ("{", "[")
    return json.dumps(json.loads(value), sort_keys=True) if is_json else value


def store_of(exchange: Exchange, name: str) -> Path:
    folder = Path(exchange.environment(name)["SIGNAL_EXCHANGE_DATA_DIR"])
    return folder / f"{service_of(name)}.sqlite"


def service_of(name: str) -> str:
    return "municipality" if name.startswith("municipality") else name


def rebuilt(exchange: Exchange, name: str) -> Any:
    return spoken(exchange, name, "rebuild", service_of(name), "--json")


DIES = """
import os, signal
from signal_exchange.cli.main import main
from signal_exchange.recovery import rebuilding

def count(connection, table):
    os.kill(os.getpid(), signal.SIGKILL)

assert rebuilding.count_of
rebuilding.count_of = count
main()
"""
"""A rebuild that is killed when all its rows are written and none of them holds."""


def killed_in_its_rebuild(exchange: Exchange, name: str, *arguments: str) -> None:
    command, environment = [sys.executable, "-c", DIES, *arguments], {**os.environ, **exchange.environment(name)}
    ended = subprocess.run(command, env=environment, capture_output=True, timeout=120, check=False)
    assert ended.returncode == KILLED, ended.stderr


def ends(exchange: Exchange) -> dict[Any, int]:
    """Return where each part of each topic ends."""
    with reader(exchange.admin, *(topic.name for topic in exchange.region.catalogue.topics)) as consumer:
        return dict(consumer.end_offsets(list(consumer.assignment())))


NAMES = (*(name for name in PLANS if name != "municipality"), "municipality-gm0983")


@pytest.mark.parametrize("name", NAMES)
def test_a_rebuild_gives_the_same_rows_and_sends_nothing(exchange: Exchange, name: str) -> None:
    before, topics = rows_of(exchange, name), ends(exchange)
    said = rebuilt(exchange, name)
    assert rows_of(exchange, name) == before
    assert ends(exchange) == topics
    assert said["rows"] == {table: len(rows) for table, rows in before.items() if table.startswith("projection_")}
    assert set(said["unchanged"]) == {table for table in before if not table.startswith("projection_")} - {
        "sqlite_sequence",
        "alembic_version",
        "seen_register",
        "sitting",
    }


@pytest.mark.parametrize("name", NAMES)
def test_lost_projections_come_back_also_after_a_rebuild_that_was_killed(exchange: Exchange, name: str) -> None:
    before = rows_of(exchange, name)
    with closing(sqlite3.connect(store_of(exchange, name), isolation_level=None)) as store:
        for table in (each for each in before if each.startswith("projection_")):
            store.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
    lost = rows_of(exchange, name)
    killed_in_its_rebuild(exchange, name, "rebuild", service_of(name))
    assert rows_of(exchange, name) == lost
    rebuilt(exchange, name)
    now = rows_of(exchange, name)
    assert {**now, "projection_views": []} == {**before, "projection_views": []}
    # No store says any more which revisions a municipality was told: each view gets one above all of them.
    for was, is_now in zip(before.get("projection_views", ()), now.get("projection_views", ()), strict=True):
        assert (was[:2], was[3:]) == (is_now[:2], is_now[3:])
        assert was[2] < is_now[2]


@pytest.mark.parametrize("name", ["routing", "feedback", "municipality-gm0983"])
def test_a_restore_that_is_killed_in_its_rebuild_leaves_the_store_as_it_was_and_works_the_next_time(
    exchange: Exchange, folder: Path, name: str
) -> None:
    file = folder / f"{name}.backup"
    restoring = ("restore", service_of(name), str(file), "--key", str(restore_key_of(exchange.region, name)), "--replace")
    spoken(exchange, name, "backup", service_of(name), "--to", str(file), "--json")
    before = rows_of(exchange, name)
    killed_in_its_rebuild(exchange, name, *restoring)
    assert rows_of(exchange, name) == before
    assert spoken(exchange, name, *restoring, "--json")["rebuilt"]


def test_what_was_rebuilt_goes_on_with_nothing_lost_and_nothing_twice(exchange: Exchange, given: Input) -> None:
    exchange.processes.start()
    try:
        exchange.processes.await_ready(300.0, lambda _: None)
        nothing_lost_and_nothing_twice(exchange, given)
    finally:
        exchange.processes.stop()
