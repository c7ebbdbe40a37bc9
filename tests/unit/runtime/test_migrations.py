"""Every store comes to its tables by migrations: once, also when several processes start at once, and never backwards."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from making_migrations import STORES, file_of, service_of, written
from refusing import refused
from sqlalchemy import Column, MetaData, String, Table, inspect, text
from sqlalchemy.exc import SQLAlchemyError

import signal_exchange
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.migrations import PACKAGE, newest_of, scripts_of

SOURCES = Path(signal_exchange.__file__).parent
STARTERS = 6
A_STORE = pytest.mark.parametrize("tables", STORES, ids=service_of)
_numbers = itertools.count()


@A_STORE
def test_the_migrations_of_a_store_are_what_its_tables_need(tables: MetaData) -> None:
    file = file_of(tables)
    known = file.read_text(encoding="utf-8") if file.exists() else None
    assert known == written(tables), f"The tables of {service_of(tables)} changed: run `make migration` and commit {file.name}."


@A_STORE
def test_a_migrated_store_has_exactly_its_tables(tables: MetaData, tmp_path: Path) -> None:
    database = Database(f"sqlite+pysqlite:///{tmp_path / 'store.sqlite'}", tables)
    database.create_tables()
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables) == []
    database.close()


@A_STORE
def test_the_newest_migration_by_its_name_is_the_one_that_alembic_ends_with(tables: MetaData) -> None:
    package = tables.info[PACKAGE]
    assert newest_of(package) == scripts_of(package).get_current_head()


def test_every_service_with_tables_is_among_the_stores() -> None:
    kept = {file.parent.name for file in SOURCES.glob("*/*.py") if "store_tables(" in file.read_text(encoding="utf-8")}
    assert kept - {"runtime"} == set(map(service_of, STORES))


def test_no_service_has_tables_without_migrations() -> None:
    made = {file.parent.name for file in SOURCES.rglob("*.py") if "MetaData(" in file.read_text(encoding="utf-8")}
    # of all but `runtime` each store has a copy, which its own migrations make
    assert sorted(made) == ["people", "runtime", "stream", "web"]


FIRST = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None


def upgrade():
    op.create_table("record_items", sa.Column("name", sa.String(), primary_key=True))
"""
SECOND = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"


def upgrade():
    op.add_column("record_items", sa.Column("state", sa.String(), nullable=True))
"""
BROKEN = f"""{SECOND}
    op.create_table("record_others", sa.Column("name", sa.String(), primary_key=True))
    op.execute("NONSENSE")
"""


class Program:
    """One version of a program: the tables of a service of its own, with these migrations."""

    def __init__(self, folder: Path, url: str, *migrations: str) -> None:
        name = f"program_{next(_numbers)}"
        (folder / name).mkdir()
        (folder / name / "__init__.py").touch()
        for number, migration in enumerate(migrations, 1):
            (folder / name / f"revision_{number:04}.py").write_text(migration, encoding="utf-8")
        import_module(name)
        self.tables = MetaData(info={PACKAGE: name})
        Table("record_items", self.tables, Column("name", String, primary_key=True))
        self.database = Database(url, self.tables)

    def start(self) -> None:
        self.database.create_tables()

    def ask(self, statement: str) -> list[Any]:
        with self.database.transaction() as connection:
            found = connection.execute(text(statement))
            return [tuple(row) for row in found] if found.returns_rows else []

    def columns(self) -> set[str]:
        with self.database.reading() as connection:
            return {column["name"] for column in inspect(connection).get_columns("record_items")}


class World:
    """One store and the programs that use it."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._url, self.programs = folder, f"sqlite+pysqlite:///{folder / 'store.sqlite'}", list[Program]()

    def program(self, *migrations: str) -> Program:
        made = Program(self._folder, self._url, *migrations)
        self.programs.append(made)
        return made


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.syspath_prepend(tmp_path)
    made = World(tmp_path)
    yield made
    for program in made.programs:
        program.database.close()


def test_a_store_that_is_older_gets_what_it_lacks_and_keeps_what_it_holds(world: World) -> None:
    older, newer = world.program(FIRST), world.program(FIRST, SECOND)
    older.start()
    older.ask("INSERT INTO record_items VALUES ('kept')")
    newer.start()
    assert newer.ask("SELECT name, state FROM record_items") == [("kept", None)]


def test_a_start_without_anything_new_changes_nothing(world: World) -> None:
    program = world.program(FIRST, SECOND)
    program.start()
    program.ask("INSERT INTO record_items VALUES ('kept', 'OPEN')")
    program.start()
    assert program.ask("SELECT name, state FROM record_items") == [("kept", "OPEN")]


def test_a_store_that_is_newer_than_the_program_is_refused_with_what_to_do(world: World) -> None:
    older, newer = world.program(FIRST), world.program(FIRST, SECOND)
    newer.start()
    with refused(r"at revision 0002, and this program knows revisions up to 0001.*docs/operator/stores\.md", "en"):
        older.start()
    assert older.columns() == {"name", "state"}


def test_a_store_that_no_release_made_is_refused(world: World) -> None:
    program = world.program(FIRST)
    program.ask("CREATE TABLE record_items (name VARCHAR)")
    with refused("no revision", "en"):
        program.start()


def test_a_migration_that_fails_leaves_the_store_as_it_was(world: World) -> None:
    older, broken = world.program(FIRST), world.program(FIRST, BROKEN)
    older.start()
    with pytest.raises(Exception, match=r"^\w+$") as fault:
        broken.start()
    assert not isinstance(fault.value, SQLAlchemyError)
    assert older.columns() == {"name"}
    older.start()


def test_of_processes_that_start_at_once_one_migrates_and_all_start(world: World) -> None:
    starters = [world.program(FIRST, SECOND) for _ in range(STARTERS)]
    together = Barrier(STARTERS)

    def start(program: Program) -> set[str]:
        together.wait()
        program.start()
        return program.columns()

    with ThreadPoolExecutor(STARTERS) as pool:
        assert list(pool.map(start, starters)) == [{"name", "state"}] * STARTERS
