"""Brings a store to the tables that this program needs: the migrations of its service, by Alembic (docs/decisions/0013).

Alembic itself is imported only where a store lacks a migration: every other start, and every command, does without it.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import Connection, LargeBinary, MetaData, column, func, inspect, select, table

from signal_exchange.domain.refusals import RefusedError

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

PACKAGE = "migrations"
"""Key in the `info` of a store's metadata: the package that holds its migrations."""
NAMES = {"ix": "ix_%(table_name)s_%(column_0_name)s", "uq": "uq_%(table_name)s_%(column_0_name)s", "pk": "pk_%(table_name)s"}
"""Every constraint has a name, by which a later migration finds it in SQLite and PostgreSQL alike."""
POSTGRES_LOCK = 0x5349474E414C53
"""Of two processes of one service that start at once, the one with this advisory lock migrates; SQLite locks by itself."""
SCRIPT = "revision_"
"""How the name of a migration's file begins; then comes its revision. Each follows the one before it."""
VERSION = table("alembic_version", column("version_num"))
"""Where Alembic keeps the revision of a store."""
_one_thread = Lock()


def store_tables(service: str) -> MetaData:
    """Return the metadata of a service's store, empty; its migrations are in the package `migrations` of the service."""
    return MetaData(naming_convention=NAMES, info={PACKAGE: f"signal_exchange.{service}.migrations"})


@cache
def newest_of(package: str) -> str:
    """Return the last migration in a package."""
    names = [file.name for file in files(package).iterdir() if file.name.startswith(SCRIPT)]
    return max(names).removeprefix(SCRIPT).removesuffix(".py")


@cache
def scripts_of(package: str) -> ScriptDirectory:
    """Return the migrations in a package."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - see above

    folder = str(files(package))
    return ScriptDirectory(folder, version_locations=[folder])


def is_current(connection: Connection, tables: MetaData) -> bool:
    """Say whether a store has every migration of this program, and none besides."""
    if PACKAGE not in tables.info:
        return False
    return revision_of(connection) == newest_of(tables.info[PACKAGE])


def revision_of(connection: Connection) -> str | None:
    """Return the last migration that a store has; None when it has none."""
    if not inspect(connection).has_table(VERSION.name):
        return None
    return connection.execute(select(VERSION.c.version_num)).scalar_one_or_none()


def migrate(connection: Connection, tables: MetaData) -> None:
    """Run the migrations that a store lacks, in the transaction of this connection; only one process at a time does.

    Tables without migrations, as tests have, are made as they stand.

    Raises:
        RefusedError: the store is newer than this program, or was made without migrations.
    """
    _make(connection, tables)
    if connection.dialect.name == "postgresql":
        _sample_no_bytes(connection, tables)


def _make(connection: Connection, tables: MetaData) -> None:
    if PACKAGE not in tables.info:
        tables.create_all(connection)
        return
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(POSTGRES_LOCK)))
    scripts = scripts_of(tables.info[PACKAGE])
    current = revision_of(connection)
    _refuse_unknown(scripts, current)
    if current is None:
        _refuse_unmarked(connection, tables)
    migrate_to(connection, tables, "head")


def migrate_to(connection: Connection, tables: MetaData, revision: str) -> None:
    """Run the migrations from where a store is up to a revision of its service."""
    from alembic.migration import MigrationContext  # noqa: PLC0415 - see above
    from alembic.operations import Operations  # noqa: PLC0415 - see above

    scripts, context = scripts_of(tables.info[PACKAGE]), MigrationContext.configure(connection)
    current = context.get_current_revision() or "base"
    with _one_thread, Operations.context(context):
        for script in reversed(list(scripts.iterate_revisions(revision, current))):
            script.module.upgrade()
            context.stamp(scripts, script.revision)


def _refuse_unknown(scripts: ScriptDirectory, current: str | None) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise RefusedError("STORE_NEWER", revision=current, known=scripts.get_current_head())


def _refuse_unmarked(connection: Connection, tables: MetaData) -> None:
    if set(inspect(connection).get_table_names()) & set(tables.tables):
        raise RefusedError("STORE_WITHOUT_REVISION")


def _sample_no_bytes(connection: Connection, tables: MetaData) -> None:
    # PostgreSQL copies samples of columns into its own statistics, out of which a service cannot take what it erased.
    quote = connection.dialect.identifier_preparer.quote
    for each in tables.tables.values():
        for content in (one for one in each.columns if isinstance(one.type, LargeBinary)):
            alter = f"ALTER TABLE {quote(each.name)} ALTER COLUMN {quote(content.name)} SET STATISTICS 0"
            connection.exec_driver_sql(alter)
