"""Back-ups of a service's store: one sealed and signed file with every row, checked while it is made and before it is used.

What is sealed is a SQLite database, whatever the store is, with a manifest: whose it is, the revision of its tables, a hash per
table, and how far the service's consumer group was. It is made and opened in memory: on a disk it never stands in the clear. It
holds no key: what was sealed or encrypted in the store is so in the copy (docs/decisions/0027).
"""

from __future__ import annotations

import json
import os
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Self

import sqlalchemy as sql
from sqlalchemy import Connection, StaticPool, Table, create_engine, delete, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.privacy.backup_files import About, NotGenuineError, open_backup, write_backup
from signal_exchange.privacy.backup_keys import BackupKey, RestoreKey
from signal_exchange.privacy.sealing import CannotOpenError
from signal_exchange.recovery.backup_log import MADE, BackupLog
from signal_exchange.recovery.rebuilding import ROWS_AT_ONCE, Plan, Tell, count_of, fingerprints
from signal_exchange.recovery.replaying import Offsets
from signal_exchange.runtime import clock
from signal_exchange.runtime.migrations import revision_of
from signal_exchange.stream.tables import BACKUPS, OWED

FORMAT: Final = 2
MANIFEST: Final = sql.table("manifest", sql.column("content"))
"""One row beside the tables of the store."""


@dataclass(frozen=True, slots=True)
class Making:
    """The means to make a back-up. `exchange` tells this exchange from others."""

    key: BackupKey
    exchange: str


@dataclass(frozen=True, slots=True)
class Opening:
    """The means to open a back-up; `older` is the reason for which an old one may go back, if there is one."""

    key: RestoreKey = field(repr=False)
    exchange: str
    older: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """The label of a back-up. `offsets` are those of the consumer group just before it was made, by topic and part."""

    format: int
    backup_id: str
    service: str
    revision: str | None
    made_at: str
    rows: Mapping[str, int]
    hashes: Mapping[str, str]
    offsets: Mapping[str, Mapping[str, int]]

    @classmethod
    def of(cls, plan: Plan, revision: str | None, copy: Connection, offsets: Offsets) -> Self:
        """Return the manifest of a copy."""
        tables = _tables(plan)
        rows = {table.name: count_of(copy, table) for table in tables}
        made_at = clock.now().isoformat(timespec="milliseconds")
        own = (FORMAT, str(uuid.uuid4()), plan.spec.name, revision, made_at)
        return cls(*own, rows, fingerprints(copy, tables), _by_topic(offsets))


def _tables(plan: Plan) -> tuple[Table, ...]:
    return (*plan.tables, *plan.kept)


def _by_topic(offsets: Offsets) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for part, offset in offsets.items():
        found.setdefault(part.topic, {})[str(part.partition)] = offset
    return found


def back_up(plan: Plan, file: Path, offsets: Offsets, tell: Tell, making: Making) -> Manifest:
    """Copy the store of a service as it is at one moment, while the service may run; `offsets` were read before.

    Raises:
        RefusedError: the file exists already, or the copy is not what was copied.
        StoreUnavailableError: the database does not answer.
    """
    if file.exists():
        raise RefusedError("FILE_EXISTS", file=file.name)
    with _in_memory() as memory:
        manifest = _copied(plan, offsets, tell, memory)
        about = About(making.exchange, manifest.service, manifest.made_at, manifest.backup_id)
        _write(file, memory.serialize(), about, making.key)
    with plan.spec.database.transaction() as store:
        BackupLog(store).add(MADE, manifest.backup_id, datetime.fromisoformat(manifest.made_at))
    return manifest


def _copied(plan: Plan, offsets: Offsets, tell: Tell, memory: sqlite3.Connection) -> Manifest:
    with plan.spec.database.reading() as store, _opened(memory) as copy:
        _see_one_moment(store)
        plan.spec.outbox.metadata.create_all(copy)
        _copy(store, copy, _tables(plan), tell)
        manifest = Manifest.of(plan, revision_of(store), copy, offsets)
        if fingerprints(store, _tables(plan)) != manifest.hashes:
            raise RefusedError("BACKUP_DIFFERS")
        copy.exec_driver_sql("CREATE TABLE manifest (content TEXT NOT NULL)")
        copy.execute(insert(MANIFEST).values(content=json.dumps(asdict(manifest), sort_keys=True)))
    return manifest


def _write(file: Path, content: bytes, about: About, key: BackupKey) -> None:
    unfinished = file.with_name(file.name + ".partial")
    unfinished.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
            write_backup(out, content, about, key)
            out.flush()
            os.fsync(out.fileno())
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def _see_one_moment(store: Connection) -> None:
    if store.dialect.name == "postgresql":  # SQLite's transactions do so by themselves
        store.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


@contextmanager
def checked(plan: Plan, file: Path, opening: Opening) -> Iterator[tuple[Manifest, Connection]]:
    """Open a back-up after it was checked: it is genuine and whole, of this service, and its tables are those of this program.

    Raises:
        RefusedError: it is not, or it is old and no reason was given.
    """
    content = _genuine(plan, _bytes_of(file), opening)
    with _in_memory() as memory:
        memory.deserialize(content)
        with _opened(memory) as copy:
            try:
                manifest = Manifest(**json.loads(copy.execute(select(MANIFEST.c.content)).scalar_one()))
                _check(plan, manifest, copy)
            except (SQLAlchemyError, ValueError, TypeError, KeyError):
                raise RefusedError("BACKUP_DAMAGED") from None
            with plan.spec.database.reading() as store:
                BackupLog(store).require_newest(datetime.fromisoformat(manifest.made_at), opening.older)
            yield manifest, copy


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise RefusedError("BACKUP_MISSING", file=file.name) from None
    except OSError:
        raise RefusedError("BACKUP_UNREADABLE", file=file.name) from None


def _genuine(plan: Plan, file: bytes, opening: Opening) -> bytes:
    try:
        opened = open_backup(file, opening.key)
    except NotGenuineError:
        raise RefusedError("BACKUP_DAMAGED") from None
    except CannotOpenError:
        raise RefusedError("BACKUP_OF_ANOTHER_KEY") from None
    about, service = opened.about, plan.spec.name
    if about.exchange != opening.exchange:
        raise RefusedError("BACKUP_OF_ANOTHER_EXCHANGE")
    if about.service != service:
        raise RefusedError("BACKUP_OF_ANOTHER_SERVICE", found=about.service, wanted=service)
    return opened.content


def _check(plan: Plan, manifest: Manifest, copy: Connection) -> None:
    with plan.spec.database.reading() as store:
        revision = revision_of(store)
    if manifest.format != FORMAT or manifest.revision != revision:
        raise RefusedError("BACKUP_OF_ANOTHER_REVISION", found=manifest.revision, wanted=revision)
    if fingerprints(copy, _tables(plan)) != manifest.hashes:
        raise RefusedError("BACKUP_DAMAGED")


def load(plan: Plan, copy: Connection, store: Connection, manifest: Manifest, tell: Tell) -> None:
    """Put every row of a checked back-up in place of what the store holds, in its open transaction.

    People and the audit log stay as they are where the store has them: nobody who left since comes back by a restore.

    Raises:
        RefusedError: what came in is not what the back-up holds.
    """
    stay = plan.outliving if any(count_of(store, table) for table in plan.outliving) else ()
    tables = [table for table in _tables(plan) if table not in stay]
    for table in tables:
        store.execute(delete(table))
    _copy(copy, store, tables, tell)
    if fingerprints(store, tables) != {table.name: manifest.hashes[table.name] for table in tables}:
        raise RefusedError("BACKUP_DAMAGED")
    if store.dialect.name == "postgresql":
        for table in tables:
            _go_on_counting(store, table)


def _copy(source: Connection, target: Connection, tables: Iterable[Table], tell: Tell) -> None:
    counts = {table: count_of(source, table) for table in tables}
    done = 0
    for table in counts:
        rows = source.execute(select(table).order_by(*table.primary_key.columns), execution_options={"yield_per": ROWS_AT_ONCE})
        for part in rows.mappings().partitions():
            target.execute(insert(table), [dict(row) for row in part])
            done += len(part)
            tell(done, sum(counts.values()))


def _go_on_counting(store: Connection, table: Table) -> None:
    """Let PostgreSQL give numbers after the highest one that came in; SQLite does so by itself.

    It never counts back: should this transaction be undone, its sequences are not.
    """
    counted = table.autoincrement_column
    if counted is not None:
        sequence = func.pg_get_serial_sequence(table.name, counted.name)
        after = func.coalesce(select(func.max(counted)).scalar_subquery(), 0) + 1
        store.execute(select(func.setval(sequence, func.greatest(after, func.nextval(sequence)), False)))


def is_empty(plan: Plan, store: Connection) -> bool:
    """Say whether a store holds nothing that a restore would destroy for good."""
    spared = (BACKUPS.name, OWED.name, *(table.name for table in plan.outliving))
    return not any(count_of(store, table) for table in plan.kept if table.name not in spared)


def _in_memory() -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False))


@contextmanager
def _opened(memory: sqlite3.Connection) -> Iterator[Connection]:
    engine = create_engine("sqlite+pysqlite://", creator=lambda: memory, poolclass=StaticPool, hide_parameters=True)
    with engine.connect() as connection:
        yield connection
