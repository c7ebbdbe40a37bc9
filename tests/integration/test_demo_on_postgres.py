"""The demo with its stores in a real PostgreSQL, entered with a password that stays in its file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from postgres import PostgresCluster
from sqlalchemy import create_engine, inspect, make_url

from signal_exchange.contracts.topics import CONSUMERS
from signal_exchange.participants.region import KEEPERS
from signal_exchange_demo.databases import MARK, Databases
from signal_exchange_demo.refusing import DemoError

COMMAND = [sys.executable, "-m", "signal_exchange.cli.main", "demo", "--once", "--json"]


def tables_in(address: str) -> set[str]:
    engine = create_engine(address)
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


@pytest.mark.broker
@pytest.mark.timeout(400)
def test_the_whole_demo_conserves_every_signal_on_postgresql_and_shows_no_password(
    postgres: PostgresCluster, tmp_path: Path
) -> None:
    folder, passfile = tmp_path / "demo", tmp_path / "pgpass"
    address = postgres.guarded_user(passfile)
    options = ["--signals", "40", "--seed", "7", "--dir", str(folder), "--database-url", address]
    said = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=380, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    figures = json.loads(said.stdout)
    assert (figures["conserved"], figures["mismatches_with_truth"], figures["in_flight"]) == (True, 0, 0)
    for process in (*CONSUMERS, *KEEPERS, "municipality-gm0983"):
        assert "alembic_version" in tables_in(Databases(address).address_of(process)), process
    assert list(folder.rglob("*.sqlite")) == []
    password = passfile.read_text(encoding="utf-8").strip().rpartition(":")[2]
    written = [file for file in folder.rglob("*") if file.is_file() and password.encode() in file.read_bytes()]
    assert (written, password in said.stdout + said.stderr) == ([], False)


@pytest.fixture
def address(postgres: PostgresCluster, tmp_path: Path) -> str:
    return postgres.guarded_user(tmp_path / "pgpass")


def test_a_demo_empties_what_a_demo_made_and_keeps_it_when_it_goes_on(address: str) -> None:
    databases = Databases(address)
    databases.make(["routing"])
    _run(databases.address_of("routing"), "CREATE TABLE kept (name text)")
    databases.make(["routing", "agenda"])
    assert (tables_in(databases.address_of("routing")), tables_in(databases.address_of("agenda"))) == ({"kept"}, set())
    databases.clear()
    databases.make(["routing"])
    assert tables_in(databases.address_of("routing")) == set()


def test_a_database_of_somebody_else_is_neither_used_nor_removed(postgres: PostgresCluster, address: str) -> None:
    theirs = f"{make_url(address).database}-routing"
    postgres.ask(f'CREATE DATABASE "{theirs}"')
    databases = Databases(address)
    databases.clear()
    with pytest.raises(DemoError, match=f"{theirs} was not made by the demo"):
        databases.make(["routing"])
    assert (theirs,) in postgres.ask("SELECT datname FROM pg_database")


def test_a_demo_beside_another_address_is_left_alone(postgres: PostgresCluster, address: str) -> None:
    postgres.ask('CREATE DATABASE "another-routing"')
    postgres.ask(f"COMMENT ON DATABASE \"another-routing\" IS '{MARK}'")
    Databases(address).clear()
    assert ("another-routing",) in postgres.ask("SELECT datname FROM pg_database")
    postgres.ask('DROP DATABASE "another-routing"')


def test_databases_that_another_demo_uses_are_not_removed(address: str) -> None:
    databases = Databases(address)
    databases.make(["routing"])
    engine = create_engine(databases.address_of("routing"))
    with engine.connect(), pytest.raises(DemoError, match=r"refuses \(ObjectInUse\)"):
        databases.clear()
    engine.dispose()


def _run(address: str, statement: str) -> None:
    engine = create_engine(address)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()
