"""R-RET-03 in one store: a deleted byte is in no page and no log after `scrub`, and while it is, `scrub` says so."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, LargeBinary, MetaData, String, Table, delete, insert, update

from signal_exchange.runtime.database import Database
from signal_exchange.runtime.faults import BytesKeptError
from signal_exchange.runtime.scrubbing import scrub

pytestmark = pytest.mark.sqlite
TABLES = MetaData()
RECORDS = Table("record_signals", TABLES, Column("signal_id", String, primary_key=True), Column("content", LargeBinary))
TRANSACTIONS, STEPS = 25, 60


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite+pysqlite:///{tmp_path / 'store.sqlite'}", TABLES)
    made.create_tables()
    yield made
    made.close()


def bytes_of(database: Database) -> bytes:
    file = Path(str(database.engine.url.database))
    return b"".join(each.read_bytes() for each in sorted(file.parent.glob(file.name + "*")))


class BusyLife:
    """Inserts, changes and deletes rows of many sizes; knows the marks of what is gone and of what is there."""

    def __init__(self, seed: int) -> None:
        self.chance, self.here, self.gone = random.Random(seed), dict[str, bytes](), list[bytes]()  # noqa: S311 - no secret

    def live(self, database: Database) -> BusyLife:
        for _ in range(TRANSACTIONS):
            with database.transaction() as connection:
                for _ in range(STEPS):
                    self._step(connection)
        return self

    def _step(self, connection: Connection) -> None:
        what, mark = self.chance.random(), self.chance.randbytes(24)
        content = mark * self.chance.choice((1, 3, 20, 60))
        if what < 0.5 or not self.here:
            name = self.chance.randbytes(16).hex()
            connection.execute(insert(RECORDS).values(signal_id=name, content=content))
            self.here[name] = mark
            return
        name = self.chance.choice(list(self.here))
        self.gone.append(self.here.pop(name))
        if what < 0.8:
            connection.execute(update(RECORDS).where(RECORDS.c.signal_id == name).values(content=content))
            self.here[name] = mark
        else:
            connection.execute(delete(RECORDS).where(RECORDS.c.signal_id == name))


@pytest.mark.parametrize("seed", range(3))
def test_nothing_that_was_deleted_or_replaced_is_left_in_any_file(database: Database, seed: int) -> None:
    life = BusyLife(seed).live(database)
    assert any(mark in bytes_of(database) for mark in life.gone)
    scrub(database, TABLES)
    content = bytes_of(database)
    assert [mark.hex() for mark in life.gone if mark in content] == []
    assert all(mark in content for mark in life.here.values())


def test_a_reader_of_an_old_state_keeps_the_log_and_is_told_of(database: Database) -> None:
    life = BusyLife(9).live(database)
    other = sqlite3.connect(str(database.engine.url.database), isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM record_signals").fetchone()
    with database.transaction() as connection:
        connection.execute(delete(RECORDS))
    with pytest.raises(BytesKeptError):
        scrub(quick(database), TABLES)
    other.execute("COMMIT")
    other.close()
    scrub(database, TABLES)
    content = bytes_of(database)
    assert not any(mark in content for mark in (*life.gone, *life.here.values()))


def quick(database: Database) -> Database:
    """Let this store wait for nobody."""
    with closing(database.engine.raw_connection()) as connection:
        connection.cursor().execute("PRAGMA busy_timeout=1")
    return database


def test_a_writer_that_does_not_end_is_told_without_values(database: Database) -> None:
    other = sqlite3.connect(str(database.engine.url.database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(BytesKeptError, match=r"^OperationalError$"):
        scrub(quick(database), TABLES)
    other.close()


def test_a_store_in_memory_has_no_log() -> None:
    made = Database("sqlite+pysqlite://", TABLES)
    made.create_tables()
    scrub(made, TABLES)
    made.close()
