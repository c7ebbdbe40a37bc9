"""One database per service: SQLite by default, PostgreSQL by URL. Tables named record_* hold what people entered."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from functools import cache
from pathlib import Path
from threading import get_ident
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, TypeVar, cast

import sqlalchemy as sql
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.elements import ColumnElement

from signal_exchange.runtime.faults import StoreContendedError, StoreMisusedError, StoreUnavailableError
from signal_exchange.runtime.migrations import is_current, migrate
from signal_exchange.runtime.private_files import make_private_file

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Value = TypeVar("Value")
CONTENDED = frozenset({"40001", "40P01"})
"""SQLSTATE of a serialization failure and of a deadlock: the same transaction works when it is done again."""
WRITER_LOCK = 0x57524954455253
"""PostgreSQL's advisory lock of a store with one writer."""
IN_NO_BACKUP = "in_no_backup"
"""Key in the `info` of a table that no back-up holds, so that no restore brings it back or takes it away."""
OUTLIVES_RESTORE = "outlives_restore"
"""Key in the `info` of tables that a restore leaves as they are, where one of them has a row: that is newer than any back-up."""
BUSY_MILLISECONDS = 5_000
"""How long SQLite waits for another writer before the store counts as unavailable."""
BUSY_PAUSE_SECONDS = 0.005
"""Pause before another try where SQLite does not wait by itself."""


class Database:
    """The store of one service: its tables and its transactions.

    `one_writer` is for a service whose work on one row depends on rows that others may be adding at that moment: its writing
    transactions then follow each other in PostgreSQL too, as they do in SQLite.

    Raises:
        StoreContendedError: another transaction came first, or both waited for each other; nothing of this one holds.
        StoreUnavailableError: the database does not answer, is locked, read-only or full; nothing of the transaction holds.
        StoreMisusedError: the database refuses what we ask, such as a row that its constraints exclude; nothing holds either.
    """

    def __init__(self, url: str, tables: sql.MetaData, *, one_writer: bool = False) -> None:
        self.engine = _engine(url)
        self.tables, self._one_writer = tables, one_writer
        self._writers: set[int] = set()

    def create_tables(self) -> None:
        """Bring the store to the tables that this program needs; nothing happens when it has them.

        Raises:
            RefusedError: the store is newer than this program.
        """
        with self.reading() as connection:
            current = is_current(connection, self.tables)
        if not current:
            with self.transaction() as connection:
                migrate(connection, self.tables)

    @contextmanager
    def transaction(self) -> Iterator[sql.Connection]:
        """Open a transaction that may write; it is committed when the block ends well, and undone otherwise."""
        with self._writing({}) as connection:
            yield connection

    @contextmanager
    def batch(self) -> Iterator[sql.Connection]:
        """Open a transaction that reads, decides and writes: what it read of the rows that it writes still holds when it ends.

        Another transaction that changed such a row meanwhile makes this one fail as StoreContendedError, to be done again.
        """
        # With one writer a transaction must see what was committed while it waited for its turn.
        repeatable = self.is_postgres and not self._one_writer
        with self._writing({"isolation_level": "REPEATABLE READ"} if repeatable else {}) as connection:
            yield connection

    @contextmanager
    def _writing(self, options: Mapping[str, str]) -> Iterator[sql.Connection]:
        with _as_unavailable(), self.engine.connect().execution_options(**options) as connection, connection.begin():
            if self._one_writer and self.is_postgres:
                connection.execute(sql.select(sql.func.pg_advisory_xact_lock(WRITER_LOCK)))
            self._writers.add(get_ident())
            try:
                yield connection
            finally:
                self._writers.discard(get_ident())

    @property
    def is_writing(self) -> bool:
        """Say whether this thread has a transaction open that may write: in SQLite a second one would wait for the first."""
        return get_ident() in self._writers

    @property
    def is_postgres(self) -> bool:
        """Say whether this is PostgreSQL, where several workers may share a store."""
        return self.engine.dialect.name == "postgresql"

    @contextmanager
    def reading(self) -> Iterator[sql.Connection]:
        """Open a transaction that only reads."""
        with _as_unavailable(), self.engine.connect().execution_options(only_reads=True) as connection:
            yield connection

    def standing_lock(self, key: int) -> sql.Connection:
        """Return a connection that holds PostgreSQL's advisory lock of this number until it is invalidated."""
        with _as_unavailable():
            connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(sql.select(sql.func.pg_advisory_lock(key)))
            return connection

    def answers(self) -> bool:
        """Ask over a new connection whether the database answers; a file always does."""
        if not self.is_postgres:
            return True
        fresh = sql.create_engine(self.engine.url, hide_parameters=True, poolclass=NullPool)
        try:
            with fresh.connect() as connection:
                return bool(connection.execute(sql.select(1)).scalar())
        except DBAPIError:
            return False

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


@contextmanager
def _as_unavailable() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        # The driver's text can hold values, as PostgreSQL's does of a row that exists already: keep its type only.
        raise _fault(error)(type(error.orig).__name__) from None


def _fault(error: DBAPIError) -> type[StoreUnavailableError | StoreMisusedError]:
    if getattr(error.orig, "sqlstate", None) in CONTENDED:
        return StoreContendedError
    ours = type(error).__name__ in {"IntegrityError", "ProgrammingError", "DataError", "NotSupportedError"}
    return StoreMisusedError if ours else StoreUnavailableError


def _engine(url: str) -> sql.Engine:
    engine = sql.create_engine(url, hide_parameters=True, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":
        sql.event.listen(engine, "do_connect", _make_private)
        sql.event.listen(engine, "connect", _prepare_sqlite)
        sql.event.listen(engine, "begin", _begin)
    return engine


def _make_private(_dialect: object, _record: object, arguments: Sequence[Any], _options: object) -> None:
    file = Path(str(arguments[0]))
    if file.parent.is_dir() and file.name != ":memory:":
        make_private_file(file)  # SQLite gives the files beside it the same mode


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
    _write_ahead(connection)
    # What SQLite sorts or writes anew goes through no file outside the store.
    for pragma in ("temp_store=MEMORY", "secure_delete=ON", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Use a write-ahead log: readers do not wait for writers. Of processes that make one store at once, each gets its turn.

    SQLite itself does not wait here: it refuses all but one, whatever its busy_timeout.
    """
    until = monotonic() + BUSY_MILLISECONDS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > until:
                raise
            sleep(BUSY_PAUSE_SECONDS)
        else:
            return


def _begin(connection: sql.Connection) -> None:
    # A transaction that starts as a reader and then writes can fail at once instead of waiting for its turn.
    reads = connection.get_execution_options().get("only_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def add_once(
    connection: sql.Connection, table: sql.TableClause, rows: Sequence[Mapping[str, object]], *, by: str | None = None
) -> None:
    """Insert rows and leave those that exist as they are (ON CONFLICT DO NOTHING).

    `by` names the unique column in which rows of two processes meet, when that is not the key.
    """
    if rows:
        ordered = _in_order(rows, [by] if by else _keys(table))
        connection.execute(_added_once(connection.dialect.name, table), ordered)


def rows_of(table: sql.Table, records: Iterable[Mapping[str, object]]) -> list[dict[str, object]]:
    """Return the rows of records: the fields for which the table has a column, and not what a newer writer tells besides."""
    return [{name: value for name, value in record.items() if name in table.c} for record in records]


def row_of(value: DataclassInstance) -> dict[str, Any]:
    """Return the row of a value of which each field has a column."""
    return {name: getattr(value, name) for name in _names(type(value))}


@cache
def _names(kind: type[DataclassInstance]) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind))


def values_of(kind: type[Value], connection: sql.Connection, chosen: sql.Select[Any]) -> list[Value]:
    """Return the chosen rows as values of which each field has a column."""
    return [kind(**row._mapping) for row in connection.execute(chosen)]  # noqa: SLF001 - SQLAlchemy's public name starts with a line


def erase_rows(connection: sql.Connection, tables: Iterable[sql.Table], signal_ids: Collection[str]) -> set[str]:
    """Delete the rows of these signals in every table; return the signals of which there was one."""
    held: set[str] = set()
    for table in tables:
        own = table.c.signal_id.in_(signal_ids)
        held |= set(connection.execute(sql.select(table.c.signal_id).where(own)).scalars())
        connection.execute(sql.delete(table).where(own))
    return held


def put_newer(connection: sql.Connection, table: sql.Table, rows: Sequence[Mapping[str, object]], *, guard: str) -> None:
    """Insert rows, or replace a stored row whose `guard` column is lower: an older version never wins (promise 2)."""
    if rows:
        upsert = _put_newer(connection.dialect.name, table, tuple(rows[0]), guard)
        connection.execute(upsert, _in_order(rows, _keys(table)))


def touch(connection: sql.Connection, table: sql.Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows of nothing but keys, or write those that exist once more, unchanged.

    Of two batches at once that touch one row, the second is done again: it sees what the first one wrote anywhere.
    """
    if rows:
        connection.execute(_touched(connection.dialect.name, table), _in_order(rows, _keys(table)))


def key_order(connection: sql.Connection, table: sql.Table) -> list[ColumnElement[Any]]:
    """Return the columns that put the rows of a table in the order of their keys' bytes, in whatever language it sorts."""
    as_bytes = connection.dialect.name == "postgresql"
    columns = table.primary_key.columns
    return [sql.collate(column, "C") if as_bytes and isinstance(column.type, sql.String) else column for column in columns]


def _keys(table: sql.TableClause) -> list[str]:
    return [column.name for column in table.primary_key]


def _in_order(rows: Sequence[Mapping[str, object]], keys: Sequence[str]) -> list[Mapping[str, object]]:
    """Return rows in the order of their keys: two transactions that write the same rows then do not wait for each other."""
    return sorted(rows, key=lambda row: [cast("Any", row[key]) for key in keys])


# A statement is built once: SQLAlchemy takes longer to build one than SQLite to run it.
@cache
def _added_once(dialect: str, table: sql.TableClause) -> Any:  # noqa: ANN401 - two dialects' inserts have no common type
    return _insert(dialect, table).on_conflict_do_nothing()


@cache
def _put_newer(dialect: str, table: sql.Table, names: tuple[str, ...], guard: str) -> Any:  # noqa: ANN401
    statement = _insert(dialect, table)
    keys = _keys(table)
    changed: dict[str, ColumnElement[Any]] = {name: statement.excluded[name] for name in names if name not in keys}
    stored: sql.Column[Any] = table.c[guard]
    return statement.on_conflict_do_update(index_elements=keys, set_=changed, where=stored < statement.excluded[guard])


@cache
def _touched(dialect: str, table: sql.Table) -> Any:  # noqa: ANN401
    statement = _insert(dialect, table)
    unchanged = {name: statement.excluded[name] for name in _keys(table)}
    return statement.on_conflict_do_update(index_elements=_keys(table), set_=unchanged)


def _insert(dialect: str, table: sql.TableClause) -> Any:  # noqa: ANN401
    return (postgresql if dialect == "postgresql" else sqlite).insert(table)
