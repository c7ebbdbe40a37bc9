"""One database per service: SQLite by default, PostgreSQL by URL. Tables named record_* hold what people entered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Column, Connection, Engine, MetaData, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import ColumnElement

from signal_exchange.runtime.faults import StoreMisused, StoreUnavailable

BUSY_MILLISECONDS = 5_000
"""How long SQLite waits for another writer before the store counts as unavailable."""


class Database:
    """The store of one service: its tables and its transactions.

    Raises:
        StoreUnavailable: the database does not answer, is locked, read-only or full; nothing of the transaction holds.
        StoreMisused: the database refuses what we ask, such as a row that its constraints exclude; nothing holds either.
    """

    def __init__(self, url: str, tables: MetaData) -> None:
        self.engine = _engine(url)
        self._tables = tables

    def create_tables(self) -> None:
        """Create the tables that are missing."""
        with _as_unavailable():
            self._tables.create_all(self.engine)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Open a transaction that may write; it is committed when the block ends well, and undone otherwise."""
        with _as_unavailable(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that only reads."""
        with _as_unavailable(), self.engine.connect().execution_options(only_reads=True) as connection:
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


@contextmanager
def _as_unavailable() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        # The driver's text can hold values, as PostgreSQL's does of a row that exists already: keep its type only.
        fault = StoreMisused if _is_our_fault(error) else StoreUnavailable
        raise fault(type(error.orig).__name__) from None


def _is_our_fault(error: DBAPIError) -> bool:
    return type(error).__name__ in {"IntegrityError", "ProgrammingError", "DataError", "NotSupportedError"}


def _engine(url: str) -> Engine:
    engine = create_engine(url, hide_parameters=True, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "secure_delete=ON",
        "synchronous=FULL",
        f"busy_timeout={BUSY_MILLISECONDS}",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # A transaction that starts as a reader and then writes can fail at once instead of waiting for its turn.
    reads = connection.get_execution_options().get("only_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def add_once(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows and leave those that exist as they are (ON CONFLICT DO NOTHING)."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), list(rows))


def put_newer(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]], *, guard: str) -> None:
    """Insert rows, or replace a stored row whose `guard` column is lower: an older version never wins (promise 2)."""
    if not rows:
        return
    statement = _insert(connection, table)
    keys = {column.name for column in table.primary_key.columns}
    changed: dict[str, ColumnElement[Any]] = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    stored: Column[Any] = table.c[guard]
    newer = stored < statement.excluded[guard]
    connection.execute(statement.on_conflict_do_update(index_elements=sorted(keys), set_=changed, where=newer), list(rows))


def _insert(connection: Connection, table: Table) -> Any:  # noqa: ANN401 - two dialects' inserts have no common type
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)
