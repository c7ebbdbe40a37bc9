"""The store of one service: what fails tells no value, twice is once, and an older version never wins."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, String, Table, select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError

from signal_exchange.runtime import database as database_module
from signal_exchange.runtime.columns import Moment, Sealed
from signal_exchange.runtime.database import Database, add_once, put_newer, touch
from signal_exchange.runtime.faults import StoreMisusedError, StoreUnavailableError, WorldUnavailableError

MARK = "TV-a-value-that-must-never-show"
TABLES = MetaData()
ITEMS = Table(
    "record_items",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("destination", String, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("state", String, nullable=False),
)
TURNS = Table("turns", TABLES, Column("name", String, primary_key=True))
MOMENTS = Table("moments", TABLES, Column("number", Integer, primary_key=True), Column("at", Moment), Column("part", Sealed))


def in_memory() -> Database:
    made = Database("sqlite+pysqlite://", TABLES)
    made.create_tables()
    return made


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite+pysqlite:///{tmp_path / 'store.sqlite'}", TABLES)
    made.create_tables()
    yield made
    made.close()


ANOTHER_PROCESS = """
import sys
from sqlalchemy import MetaData, text
from signal_exchange.runtime.database import Database
other = Database(sys.argv[1], MetaData())
with other.transaction() as connection:
    connection.execute(text("INSERT INTO turns VALUES (:name)"), {"name": sys.argv[2]})
    print(connection.execute(text("SELECT count(*) FROM turns")).scalar())
other.close()
"""


@pytest.mark.sqlite
def test_another_process_that_comes_and_goes_takes_no_log_away_and_both_see_what_the_other_wrote(tmp_path: Path) -> None:
    url = f"sqlite+pysqlite:///{tmp_path / 'store.sqlite'}"
    ours = Database(url, TABLES)
    ours.create_tables()
    with ours.reading(), ours.reading():  # more than one connection, each of which found the file there
        pass
    for number in range(3):
        command = [sys.executable, "-c", ANOTHER_PROCESS, url, f"theirs {number}"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert int(said) == 2 * number + 1
        with ours.transaction() as connection:
            connection.execute(TURNS.insert(), [{"name": f"ours {number}"}])
            assert len(connection.execute(select(TURNS)).all()) == 2 * number + 2
    ours.close()


def an_item(signal_id: str = "s", revision: int = 1, state: str = "OPEN") -> dict[str, Any]:
    return {"signal_id": signal_id, "destination": "CARE", "revision": revision, "state": state}


def stored(database: Database) -> dict[str, tuple[int, str]]:
    with database.reading() as connection:
        return {row.signal_id: (row.revision, row.state) for row in connection.execute(select(ITEMS))}


def put(database: Database, rows: Sequence[Mapping[str, object]]) -> None:
    with database.transaction() as connection:
        put_newer(connection, ITEMS, rows, guard="revision")


def test_what_a_transaction_wrote_holds_when_its_block_ends_well(database: Database) -> None:
    put(database, [an_item()])
    assert stored(database) == {"s": (1, "OPEN")}


def test_nothing_holds_of_a_transaction_whose_block_fails(database: Database) -> None:
    def write_and_fail() -> None:
        with database.transaction() as connection:
            add_once(connection, ITEMS, [an_item()])
            raise KeyError

    with pytest.raises(KeyError):
        write_and_fail()
    assert stored(database) == {}


def test_tables_are_created_once_and_keep_what_they_hold(database: Database) -> None:
    put(database, [an_item()])
    database.create_tables()
    assert stored(database) == {"s": (1, "OPEN")}


def test_a_row_that_exists_stays_as_it_is(database: Database) -> None:
    for state in ("FIRST", "SECOND"):
        with database.transaction() as connection:
            add_once(connection, ITEMS, [an_item(state=state), an_item("other")])
    assert stored(database) == {"s": (1, "FIRST"), "other": (1, "OPEN")}


def test_no_rows_are_no_work(database: Database) -> None:
    with database.transaction() as connection:
        add_once(connection, ITEMS, [])
        put_newer(connection, ITEMS, [], guard="revision")
    assert stored(database) == {}


@pytest.mark.parametrize(("revision", "wins"), [(4, False), (5, False), (6, True)])
def test_only_a_higher_revision_replaces_a_row(database: Database, *, revision: int, wins: bool) -> None:
    put(database, [an_item(revision=5, state="BEFORE")])
    put(database, [an_item(revision=revision, state="AFTER")])
    assert stored(database) == {"s": (revision, "AFTER") if wins else (5, "BEFORE")}


BATCHES = st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), max_size=4), max_size=5)


@given(BATCHES)
def test_whatever_order_records_come_in_the_highest_revision_stays(batches: list[list[tuple[str, int]]]) -> None:
    database = in_memory()
    for batch in batches:
        put(database, [an_item(signal_id, revision, f"of revision {revision}") for signal_id, revision in batch])
    highest: dict[str, int] = {}
    for signal_id, revision in (pair for batch in batches for pair in batch):
        highest[signal_id] = max(revision, highest.get(signal_id, revision))
    assert stored(database) == {signal_id: (revision, f"of revision {revision}") for signal_id, revision in highest.items()}
    database.close()


@given(BATCHES)
def test_every_batch_twice_is_as_every_batch_once(batches: list[list[tuple[str, int]]]) -> None:
    once, twice = in_memory(), in_memory()
    for batch in batches:
        rows = [an_item(signal_id, revision, f"of revision {revision}") for signal_id, revision in batch]
        put(once, rows)
        put(twice, rows)
        put(twice, rows)
    assert stored(once) == stored(twice)
    once.close()
    twice.close()


def everything_told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error)


@pytest.mark.sqlite
def test_a_locked_store_is_the_worlds_fault_and_is_told_without_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "BUSY_MILLISECONDS", 1)
    file = tmp_path / "store.sqlite"
    database = Database(f"sqlite+pysqlite:///{file}", TABLES)
    database.create_tables()
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailableError, match=r"^OperationalError$") as fault:
            put(database, [an_item(MARK)])
        other.execute("ROLLBACK")
    assert MARK not in everything_told(fault.value)
    assert isinstance(fault.value, WorldUnavailableError)
    database.close()


@pytest.mark.sqlite
def test_a_full_disk_is_the_worlds_fault_and_nothing_of_the_batch_holds(database: Database) -> None:
    put(database, [an_item()])
    with database.transaction() as connection:
        (pages,) = connection.exec_driver_sql("PRAGMA page_count").one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailableError) as fault:
        put(database, [an_item(f"{MARK}{number}", state="x" * 1000) for number in range(100)])
    assert MARK not in everything_told(fault.value)
    assert stored(database) == {"s": (1, "OPEN")}


@pytest.mark.sqlite
def test_a_store_that_may_not_be_written_is_the_worlds_fault(database: Database) -> None:
    with database.reading() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(StoreUnavailableError, match=r"^OperationalError$"):
        put(database, [an_item(MARK)])


@pytest.mark.sqlite
def test_a_folder_that_is_not_there_is_the_worlds_fault(tmp_path: Path) -> None:
    database = Database(f"sqlite+pysqlite:///{tmp_path / 'missing' / 'store.sqlite'}", TABLES)
    with pytest.raises(StoreUnavailableError):
        database.create_tables()
    with pytest.raises(StoreUnavailableError), database.reading():
        pass


def test_a_postgresql_that_does_not_answer_is_the_worlds_fault_and_its_password_is_not_told() -> None:
    database = Database(f"postgresql+psycopg://routing:{MARK}@127.0.0.1:1/routing?connect_timeout=2", TABLES)
    with pytest.raises(StoreUnavailableError, match=r"^OperationalError$") as fault:
        database.create_tables()
    assert MARK not in everything_told(fault.value)
    database.close()


@pytest.mark.parametrize("row", [{**an_item(MARK), "state": None}, {**an_item(MARK), "revision": None}])
def test_a_row_that_the_constraints_exclude_is_our_fault_and_is_told_without_values(
    database: Database, row: dict[str, object]
) -> None:
    with pytest.raises(StoreMisusedError, match=r"^(IntegrityError|NotNullViolation)$") as fault:
        put(database, [row])
    assert MARK not in everything_told(fault.value)
    assert not isinstance(fault.value, WorldUnavailableError)


@pytest.mark.parametrize(
    ("refusal", "told"),
    [(IntegrityError, StoreMisusedError), (DataError, StoreMisusedError), (OperationalError, StoreUnavailableError)],
)
def test_what_a_driver_says_about_a_row_is_not_told(database: Database, refusal: type[DBAPIError], told: type[Exception]) -> None:
    def fail() -> None:
        with database.transaction():
            raise refusal("INSERT", {"name": MARK}, sqlite3.Error(f"Key (name)=({MARK}) already exists."))

    with pytest.raises(told, match=r"^Error$") as fault:
        fail()
    assert MARK not in everything_told(fault.value)


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("secure_delete", 1), ("synchronous", 2), ("foreign_keys", 1)]
)
def test_sqlite_is_safe_against_power_cuts_and_overwrites_what_was_deleted(
    database: Database, pragma: str, value: object
) -> None:
    with database.reading() as connection:
        assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value


def test_the_library_shows_no_parameters_either(database: Database) -> None:
    assert database.engine.hide_parameters


def test_an_error_of_the_handler_itself_passes_as_it_is(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction():
        raise ZeroDivisionError


def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    put(database, [an_item()])
    with database.transaction() as connection:
        add_once(connection, ITEMS, [an_item("other")])
        assert stored(database) == {"s": (1, "OPEN")}


@pytest.mark.sqlite
def test_what_was_deleted_is_gone_from_the_file(database: Database, tmp_path: Path) -> None:
    put(database, [an_item(MARK)])
    with database.transaction() as connection:
        connection.execute(ITEMS.delete())
    with database.transaction() as connection:
        add_once(connection, ITEMS, [an_item("later")])
    with database.engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    database.close()
    assert all(MARK.encode() not in file.read_bytes() for file in tmp_path.iterdir())


def test_rows_of_keys_alone_are_there_once_however_often_they_are_touched(database: Database) -> None:
    for names in ("ab", "ba", "", "c"):
        with database.transaction() as connection:
            touch(connection, TURNS, [{"name": name} for name in names])
    with database.reading() as connection:
        assert sorted(connection.execute(select(TURNS.c.name)).scalars()) == ["a", "b", "c"]


MILLISECONDS = st.integers(0, 4_102_444_800_000)


@given(MILLISECONDS)
def test_a_moment_comes_back_in_utc_to_the_millisecond(milliseconds: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    assert kept(at=moment)["at"] == moment


@given(st.binary())
def test_a_sealed_part_comes_back_with_the_same_bytes(ciphertext: bytes) -> None:
    part = {"group": "care", "key_id": "care-2026-1", "ciphertext": ciphertext}
    assert kept(part=part)["part"] == part


def test_nothing_comes_back_as_nothing() -> None:
    assert kept(at=None, part=None) == {"number": 1, "at": None, "part": None}


def kept(**values: Any) -> dict[str, Any]:
    database = in_memory()
    with database.transaction() as connection:
        connection.execute(MOMENTS.insert(), [{"number": 1, **values}])
        row = connection.execute(select(MOMENTS)).one()
    database.close()
    return dict(row._mapping)
