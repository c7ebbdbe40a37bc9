"""Back-ups of a service's store: one file with every row, checked while it is made and before it is used.

The file is itself a SQLite database, whatever the store is, with a manifest: whose it is, the revision of its tables, a hash per
table, and how far the service's consumer group was. It holds no key: what was sealed or encrypted in the store is so in the file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Self

import sqlalchemy as sql
from sqlalchemy import Connection, Table, create_engine, delete, event, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from signal_exchange.runtime import clock
from signal_exchange.runtime.faults import Refused
from signal_exchange.runtime.migrations import revision_of
from signal_exchange.stream.rebuilding import ROWS_AT_ONCE, Plan, Tell, fingerprints
from signal_exchange.stream.replaying import Offsets

FORMAT: Final = 1
MANIFEST: Final = sql.table("manifest", sql.column("content"), sql.column("sha256"))
"""One row beside the tables of the store."""
DAMAGED = "Dit is geen reservekopie, of zij is beschadigd: er is niets veranderd."


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a back-up says of itself. `offsets` are those of the consumer group just before it was made, by topic and part."""

    format: int
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
        rows = {table.name: copy.execute(select(func.count()).select_from(table)).scalar_one() for table in tables}
        made_at = clock.now().isoformat(timespec="milliseconds")
        return cls(FORMAT, plan.spec.name, revision, made_at, rows, fingerprints(copy, tables), _by_topic(offsets))


def _tables(plan: Plan) -> tuple[Table, ...]:
    return (*plan.tables, *plan.kept)


def _by_topic(offsets: Offsets) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for part, offset in offsets.items():
        found.setdefault(part.topic, {})[str(part.partition)] = offset
    return found


def back_up(plan: Plan, file: Path, offsets: Offsets, tell: Tell) -> Manifest:
    """Copy the store of a service as it is at one moment, while the service may run; `offsets` were read before.

    Raises:
        Refused: the file exists already, or the copy is not what was copied.
        StoreUnavailable: the database does not answer.
    """
    if file.exists():
        raise Refused(f"Het bestand {file.name} bestaat al.")
    unfinished = file.with_name(file.name + ".partial")
    os.close(os.open(unfinished, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
    try:
        with plan.spec.database.reading() as store, _opened(unfinished) as copy:
            _see_one_moment(store)
            plan.spec.outbox.metadata.create_all(copy)
            _copy(store, copy, plan, tell)
            manifest = Manifest.of(plan, revision_of(store), copy, offsets)
            if fingerprints(store, _tables(plan)) != manifest.hashes:
                raise Refused("De reservekopie is niet gelijk aan wat zij kopieert. Meld dit.")
            _sign(copy, manifest)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    return manifest


def _see_one_moment(store: Connection) -> None:
    if store.dialect.name == "postgresql":  # SQLite's transactions do so by themselves
        store.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def _sign(copy: Connection, manifest: Manifest) -> None:
    copy.exec_driver_sql("CREATE TABLE manifest (content TEXT NOT NULL, sha256 TEXT NOT NULL)")
    content = json.dumps(asdict(manifest), sort_keys=True)
    copy.execute(insert(MANIFEST).values(content=content, sha256=sha256(content.encode()).hexdigest()))


@contextmanager
def checked(plan: Plan, file: Path) -> Iterator[tuple[Manifest, Connection]]:
    """Open a back-up after it was checked: it is whole, it is of this service, and its tables are those of this program.

    Raises:
        Refused: it is not.
    """
    if not file.is_file():
        raise Refused(f"Het bestand {file.name} is er niet.")
    with ExitStack() as opened:
        try:
            copy = opened.enter_context(_opened(file))
            manifest = _manifest(copy)
            _check(plan, manifest, copy)
        except (SQLAlchemyError, ValueError, TypeError, KeyError):
            raise Refused(DAMAGED) from None
        yield manifest, copy


def _manifest(copy: Connection) -> Manifest:
    content, digest = copy.execute(select(MANIFEST.c.content, MANIFEST.c.sha256)).one()
    if sha256(content.encode()).hexdigest() != digest:
        raise Refused(DAMAGED)
    return Manifest(**json.loads(content))


def _check(plan: Plan, manifest: Manifest, copy: Connection) -> None:
    with plan.spec.database.reading() as store:
        revision = revision_of(store)
    if manifest.service != plan.spec.name:
        raise Refused(f"Deze reservekopie is van {manifest.service}, niet van {plan.spec.name}: er is niets veranderd.")
    if manifest.format != FORMAT or manifest.revision != revision:
        raise Refused(
            f"Deze reservekopie heeft tabellen van versie {manifest.revision}; dit programma heeft {revision}. Zet haar terug "
            "met het programma dat haar maakte; een nieuwer programma brengt de tabellen daarna zelf bij."
        )
    if copy.exec_driver_sql("PRAGMA integrity_check").scalar_one() != "ok":
        raise Refused(DAMAGED)
    if fingerprints(copy, _tables(plan)) != manifest.hashes:
        raise Refused(DAMAGED)


def load(plan: Plan, copy: Connection, store: Connection, manifest: Manifest, tell: Tell) -> None:
    """Put every row of a checked back-up in place of what the store holds, in its open transaction.

    Raises:
        Refused: what came in is not what the back-up holds.
    """
    for table in _tables(plan):
        store.execute(delete(table))
    _copy(copy, store, plan, tell)
    if fingerprints(store, _tables(plan)) != manifest.hashes:
        raise Refused(DAMAGED)
    if store.dialect.name == "postgresql":
        for table in _tables(plan):
            _go_on_counting(store, table)


def _copy(source: Connection, target: Connection, plan: Plan, tell: Tell) -> None:
    counts = {table: source.execute(select(func.count()).select_from(table)).scalar_one() for table in _tables(plan)}
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
    return not any(store.execute(select(func.count()).select_from(table)).scalar_one() for table in plan.kept)


@contextmanager
def _opened(file: Path) -> Iterator[Connection]:
    engine = create_engine(f"sqlite+pysqlite:///{file}", hide_parameters=True)
    event.listen(engine, "connect", _by_hand)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _by_hand(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
    connection.execute("PRAGMA synchronous=FULL")
