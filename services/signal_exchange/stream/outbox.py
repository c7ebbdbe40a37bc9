"""What a service still has to tell: written in the transaction of its cause, sent afterwards, marked when acknowledged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    String,
    Table,
    delete,
    exists,
    func,
    select,
)
from sqlalchemy.sql.elements import ColumnElement

from signal_exchange.contracts.cloud_events import Headers
from signal_exchange.runtime.columns import Moment
from signal_exchange.stream.seen_register import seen_register_table

OWED_TABLE = "record_bytes_owed"
"""Name of the table that says that deleted bytes must still leave the store: the same in the store of every service."""
BACKUPS_TABLE = "record_backups"
"""Name of the table of what was made and put back: the same in the store of every service."""
HELD = "after the bytes"
"""Owner of the letters that may leave only when deleted bytes have left the store: no process has this name."""
ERASED_TABLE = "record_erased"
"""Name of the table of what a service erased: the same in the store of every service."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One record to send. `partition_by` decides the partition where it is not the key itself.

    One that is `held` says that something was erased, and leaves when its bytes have left the store (docs/decisions/0026).
    """

    topic: str
    key: str
    value: bytes | None = field(repr=False)
    headers: Headers = field(default_factory=list, repr=False)
    partition_by: str | None = None
    held: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """A letter that waits in the outbox, with its row number."""

    number: int
    letter: Letter


def outbox_table(tables: MetaData) -> Table:
    """Return the outbox table of a service's metadata, defining it once, with what every store has beside it."""
    if "outbox" in tables.tables:
        return tables.tables["outbox"]
    kept_table(tables)
    erased_table(tables)
    owed_table(tables)
    seen_register_table(tables)
    set_aside_table(tables)
    backups_table(tables)
    number = BigInteger().with_variant(Integer, "sqlite")
    return Table(
        "outbox",
        tables,
        Column("number", number, primary_key=True, autoincrement=True),
        Column("topic", String, nullable=False),
        Column("key", String, nullable=False),
        Column("partition_by", String),
        Column("value", LargeBinary),
        Column("headers", LargeBinary, nullable=False),
        Column("tombstone", Boolean, nullable=False),
        Column("owner", String),
    )


def kept_table(tables: MetaData) -> Table:
    """Return the table of what a service parked, each as the encoded ParkedRecord, defining it once.

    `about` is the hash of the signal that a record is about, so that an erasure finds it without opening every one; null when
    nobody has looked yet, and empty when it is about none or waits no more.
    """
    if "projection_parked" in tables.tables:
        return tables.tables["projection_parked"]
    return Table(
        "projection_parked",
        tables,
        Column("parked_id", String, primary_key=True),
        Column("revision", BigInteger, nullable=False),
        Column("value", LargeBinary, nullable=False),
        Column("about", String, index=True),
    )


def set_aside_table(tables: MetaData) -> Table:
    """Return the table of the records at which a service failed in the last hour, defining it once."""
    if "record_set_aside" in tables.tables:
        return tables.tables["record_set_aside"]
    return Table(
        "record_set_aside",
        tables,
        Column("parked_id", String, primary_key=True),
        Column("at", Moment, nullable=False),
    )


def erased_table(tables: MetaData) -> Table:
    """Return the table of the signals that a service erased, with what it answered, defining it once."""
    if ERASED_TABLE in tables.tables:
        return tables.tables[ERASED_TABLE]
    return Table(
        ERASED_TABLE,
        tables,
        Column("signal_id", String, primary_key=True),
        Column("state", String, nullable=False),
        Column("at", Moment, nullable=False),
    )


def owed_table(tables: MetaData) -> Table:
    """Return the table of the batches whose deleted bytes must still leave the store, defining it once."""
    if OWED_TABLE in tables.tables:
        return tables.tables[OWED_TABLE]
    return Table(OWED_TABLE, tables, Column("owed_id", String, primary_key=True))


def backups_table(tables: MetaData) -> Table:
    """Return the table of the back-ups that were made and put back, defining it once; a restore leaves it."""
    if BACKUPS_TABLE in tables.tables:
        return tables.tables[BACKUPS_TABLE]
    return Table(
        BACKUPS_TABLE,
        tables,
        Column("entry_id", String, primary_key=True),
        Column("backup_id", String, nullable=False),
        Column("made_at", Moment, nullable=False),
        Column("what", String, nullable=False),
        Column("at", Moment, nullable=False),
        Column("reason", String),
    )


class Outbox:
    """The outbox of one service in one open transaction. Rows are deleted when the broker acknowledged them.

    What is added belongs to the process named `owner`, which alone sends it; what nobody owns, as the letters of a person's
    decision, is for the first process that claims it. What is held is nobody's, and for nobody, until it is let go.
    """

    def __init__(self, connection: Connection, table: Table, owner: str | None = None) -> None:
        self._connection, self._table, self._owner = connection, table, owner

    def add(self, letters: Sequence[Letter]) -> None:
        """Add letters, in order."""
        if letters:
            self._connection.execute(self._table.insert(), [_row(letter, self._owner) for letter in letters])

    def waiting(self, limit: int) -> list[Waiting]:
        """Return the oldest letters that wait, whoever owns them."""
        return self._chosen(select(self._table), limit)

    def own(self, limit: int) -> list[Waiting]:
        """Return the oldest letters of this owner."""
        return self._chosen(select(self._table).where(self._table.c.owner == self._owner), limit)

    def owners(self) -> set[str | None]:
        """Return who owns a letter that waits; None among them when there are letters that nobody owns."""
        return set(self._connection.execute(select(self._table.c.owner).distinct()).scalars()) - {HELD}

    def others_have_any(self, letters: Sequence[Letter]) -> bool:
        """Say whether another process still has to send an earlier state of one of these: the topic would end with that one."""
        table = self._table.c
        theirs = select(table.topic, table.key).where(table.owner.is_distinct_from(self._owner), _is_free(table)).distinct()
        found = {tuple(row) for row in self._connection.execute(theirs)}
        return not found.isdisjoint((letter.topic, letter.key) for letter in letters)

    def take_over(self, others: Iterable[str | None]) -> None:
        """Make the letters of these owners this owner's; one that another process is claiming now stays that one's.

        Of letters that nobody owns those stay that follow an earlier state which a living process still has to send.
        """
        number, gone = self._table.c.number, list(others)
        for other in gone:
            theirs = self._free(gone) if other is None else self._table.c.owner == other
            claimed = select(number).where(theirs).with_for_update(skip_locked=True)
            self._connection.execute(self._table.update().where(number.in_(claimed)).values(owner=self._owner))

    def _free(self, gone: Sequence[str | None]) -> ColumnElement[bool]:
        """Return which letters that nobody owns follow none of a process other than this one and these, which are gone."""
        table, earlier = self._table.c, self._table.alias().c
        ended = [each for each in (self._owner, *gone, HELD) if each is not None]
        same = (earlier.topic == table.topic, earlier.key == table.key)
        return table.owner.is_(None) & ~exists().where(*same, earlier.owner.is_not(None), earlier.owner.not_in(ended))

    def held(self) -> list[int]:
        """Return the numbers of the letters that wait for deleted bytes to leave the store."""
        chosen = select(self._table.c.number).where(self._table.c.owner == HELD)
        return list(self._connection.execute(chosen).scalars())

    def let_go(self, numbers: Sequence[int]) -> None:
        """Let held letters leave."""
        for part in _parts(numbers):
            self._connection.execute(self._table.update().where(self._table.c.number.in_(part)).values(owner=None))

    def remove_own(self) -> None:
        """Remove every letter of this owner: all of them are acknowledged."""
        self._connection.execute(delete(self._table).where(self._table.c.owner == self._owner))

    def _chosen(self, rows: Select[Any], limit: int) -> list[Waiting]:
        found = self._connection.execute(rows.order_by(self._table.c.number).limit(limit))
        return [_waiting(row._mapping) for row in found]  # noqa: SLF001 - SQLAlchemy's public name starts with a line

    def count(self) -> int:
        """Return how many letters wait."""
        return int(self._connection.execute(select(func.count()).select_from(self._table)).scalar_one())

    def remove(self, numbers: Sequence[int]) -> None:
        """Remove letters that the broker acknowledged."""
        for part in _parts(numbers):
            self._connection.execute(delete(self._table).where(self._table.c.number.in_(part)))


def _parts(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    return (numbers[start : start + 500] for start in range(0, len(numbers), 500))


def _is_free(table: Any) -> ColumnElement[bool]:  # noqa: ANN401 - the columns of a table
    return table.owner.is_distinct_from(HELD)  # type: ignore[no-any-return]


def _row(letter: Letter, owner: str | None) -> dict[str, object]:
    return {
        "owner": HELD if letter.held else owner,
        "topic": letter.topic,
        "key": letter.key,
        "partition_by": letter.partition_by,
        "value": letter.value,
        "headers": _pack(letter.headers),
        "tombstone": letter.value is None,
    }


def _waiting(row: object) -> Waiting:
    fields = dict(row)  # type: ignore[call-overload]  # a row mapping is a mapping
    value = None if fields["tombstone"] else fields["value"]
    letter = Letter(fields["topic"], fields["key"], value, _unpack(fields["headers"]), fields["partition_by"])
    return Waiting(fields["number"], letter)


def _pack(headers: Headers) -> bytes:
    parts = (part for name, value in headers for part in (name.encode(), value))
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _unpack(packed: bytes) -> Headers:
    parts: list[bytes] = []
    position = 0
    while position < len(packed):
        size = int.from_bytes(packed[position : position + 4], "big")
        parts.append(packed[position + 4 : position + 4 + size])
        position += 4 + size
    return [(name.decode(), value) for name, value in zip(parts[::2], parts[1::2], strict=True)]
