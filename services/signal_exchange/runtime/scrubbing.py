"""Takes deleted bytes out of a store for good: out of its pages and out of its log (docs/decisions/0026).

A deleted row stays in a database until its place is used again, and in its write-ahead log until that is written over: weeks,
where little comes in. `scrub` writes every table anew, ends the log, and looks whether both held.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import Final

from sqlalchemy import Connection, MetaData, text
from sqlalchemy.exc import DBAPIError

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.faults import BytesKeptError

LOCK_TIMEOUT: Final = "5s"
"""How long PostgreSQL may wait for a table; meanwhile everybody else waits behind us."""
SNAPSHOT_SECONDS: Final = 10.0
"""How long to wait for transactions that began before us and could still see what was deleted."""
PAUSE_SECONDS: Final = 0.05

_NEEDED: Final = (
    ("GRANT pg_checkpoint", "pg_has_role('pg_checkpoint', 'USAGE')"),
    ("GRANT pg_read_all_stats", "pg_has_role('pg_read_all_stats', 'USAGE')"),
    ("GRANT EXECUTE ON FUNCTION pg_switch_wal()", "has_function_privilege('pg_switch_wal()', 'EXECUTE')"),
    ("GRANT EXECUTE ON FUNCTION pg_ls_waldir()", "has_function_privilege('pg_ls_waldir()', 'EXECUTE')"),
    ("wal_recycle = off", "current_setting('wal_recycle') = 'off'"),
)
"""What PostgreSQL must allow this role, or be set to, and the expression that says so."""
_OLDER_THAN_US: Final = text("""
    SELECT count(*) FROM (
        SELECT backend_xmin AS seen FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND (datname = current_database() OR backend_type = 'walsender')
        UNION ALL SELECT xmin FROM pg_replication_slots
        UNION ALL SELECT transaction FROM pg_prepared_xacts WHERE database = current_database()
    ) AS holders WHERE age(seen) > age(CAST(CAST(:ours AS text) AS xid))
""")
"""Who may still see what was deleted before transaction `ours`: a table that is written anew keeps it for them."""


def scrub(database: Database, tables: MetaData) -> None:
    """Leave no deleted byte in the pages and the log of this store. Doing it twice is harmless.

    Raises:
        BytesKeptError: something still holds them, as a reader of an old state; the same step may work later.
    """
    try:
        if database.is_postgres:
            _scrub_postgres(database, tables)
        else:
            _scrub_sqlite(database)
    except (DBAPIError, sqlite3.Error) as error:
        # The driver's text can hold values: keep its type only.
        raise BytesKeptError(type(getattr(error, "orig", None) or error).__name__) from None


def require_scrubbable(database: Database) -> None:
    """Refuse a PostgreSQL that does not let this role take erased bytes out of tables and log.

    Raises:
        RefusedError: it does not; every reason together.
    """
    if database.is_postgres:
        with database.reading() as connection:
            missing = _missing(connection)
        if missing:
            raise RefusedError("STORE_KEEPS_ERASED", missing=missing)


def _scrub_sqlite(database: Database) -> None:
    # secure_delete leaves what SQLite moved from page to page: only a file that is written anew holds nothing else.
    with closing(database.engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("VACUUM")
        busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise BytesKeptError("LogInUse")


def _scrub_postgres(database: Database, tables: MetaData) -> None:
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if missing := _missing(connection):
            raise BytesKeptError(f"NotAllowed: {', '.join(missing)}")
        _await_old_snapshots(connection)
        connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
        try:
            for table in tables.sorted_tables:
                connection.execute(text(f"VACUUM (FULL) {connection.dialect.identifier_preparer.quote(table.name)}"))
        finally:
            connection.execute(text("RESET lock_timeout"))
        _end_log(connection)


def _await_old_snapshots(connection: Connection) -> None:
    ours = connection.execute(text("SELECT pg_current_xact_id()::xid::text")).scalar_one()
    until = time.monotonic() + SNAPSHOT_SECONDS
    while connection.execute(_OLDER_THAN_US, {"ours": ours}).scalar_one():
        if time.monotonic() > until:
            raise BytesKeptError("OldSnapshot")
        time.sleep(PAUSE_SECONDS)


def _end_log(connection: Connection) -> None:
    """Close the segment of the log in use and let the older ones go, which hold what was deleted."""
    last = connection.execute(text("SELECT pg_walfile_name(pg_current_wal_insert_lsn())")).scalar_one()
    connection.execute(text("SELECT pg_switch_wal()"))
    connection.execute(text("CHECKPOINT"))
    segments = connection.execute(text("SELECT name FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$'")).scalars()
    if any(name <= last for name in segments):
        raise BytesKeptError("LogKept")


def _missing(connection: Connection) -> list[str]:
    asked = ", ".join(allowed for _, allowed in _NEEDED)
    answers = connection.execute(text(f"SELECT {asked}")).one()
    return [what for (what, _), allowed in zip(_NEEDED, answers, strict=True) if not allowed]
