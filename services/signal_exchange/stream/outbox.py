"""The records to send of a service: written in the transaction of its cause, sent afterwards, marked when acknowledged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, Table, delete, exists, select
from sqlalchemy.sql.elements import ColumnElement

from signal_exchange.contracts.cloud_events import Headers

HELD = "after the bytes"
"""Owner of the outgoing records that may leave only when deleted bytes have left the store: no process has this name."""


@dataclass(frozen=True, slots=True)
class OutgoingRecord:
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
    """An outgoing record that waits in the outbox, with its row number."""

    number: int
    record: OutgoingRecord


class Outbox:
    """The outbox of one service in one open transaction. Rows are deleted when the broker acknowledged them.

    What is added belongs to the process named `owner`, which alone sends it. What nobody owns, as the records of a person's
    decision, is for the first process that claims it. What is held is nobody's, and for nobody, until it is let go.
    """

    def __init__(self, connection: Connection, table: Table, owner: str | None = None) -> None:
        self._connection, self._table, self._owner = connection, table, owner

    def add(self, outgoing: Sequence[OutgoingRecord]) -> None:
        """Add outgoing records, in order."""
        if outgoing:
            self._connection.execute(self._table.insert(), [_row(record, self._owner) for record in outgoing])

    def waiting(self, limit: int) -> list[Waiting]:
        """Return the oldest outgoing records that wait, whoever owns them."""
        return self._chosen(select(self._table), limit)

    def own(self, limit: int) -> list[Waiting]:
        """Return the oldest outgoing records of this owner."""
        return self._chosen(select(self._table).where(self._table.c.owner == self._owner), limit)

    def owners(self) -> set[str | None]:
        """Return the owners of outgoing records that wait; None among them when there are outgoing records that nobody owns."""
        return set(self._connection.execute(select(self._table.c.owner).distinct()).scalars()) - {HELD}

    def others_have_any(self, outgoing: Sequence[OutgoingRecord]) -> bool:
        """Say whether another process still has to send an earlier state of one of these: the topic would end with that one."""
        table = self._table.c
        theirs = select(table.topic, table.key).where(table.owner.is_distinct_from(self._owner), _is_free(table)).distinct()
        found = {tuple(row) for row in self._connection.execute(theirs)}
        return not found.isdisjoint((record.topic, record.key) for record in outgoing)

    def take_over(self, others: Iterable[str | None]) -> None:
        """Make the outgoing records of these owners this owner's; one that another process is claiming now stays that one's.

        Of outgoing records that nobody owns those stay that follow an earlier state which a living process still has to send.
        """
        number, gone = self._table.c.number, list(others)
        for other in gone:
            theirs = self._free(gone) if other is None else self._table.c.owner == other
            claimed = select(number).where(theirs).with_for_update(skip_locked=True)
            self._connection.execute(self._table.update().where(number.in_(claimed)).values(owner=self._owner))

    def _free(self, gone: Sequence[str | None]) -> ColumnElement[bool]:
        """Return the condition of records without owner that follow none of a process but this one and these, which are gone."""
        table, earlier = self._table.c, self._table.alias().c
        ended = [each for each in (self._owner, *gone, HELD) if each is not None]
        same = (earlier.topic == table.topic, earlier.key == table.key)
        return table.owner.is_(None) & ~exists().where(*same, earlier.owner.is_not(None), earlier.owner.not_in(ended))

    def held(self) -> list[int]:
        """Return the numbers of the outgoing records that wait for deleted bytes to leave the store."""
        chosen = select(self._table.c.number).where(self._table.c.owner == HELD)
        return list(self._connection.execute(chosen).scalars())

    def let_go(self, numbers: Sequence[int]) -> None:
        """Let held outgoing records leave."""
        for part in _parts(numbers):
            self._connection.execute(self._table.update().where(self._table.c.number.in_(part)).values(owner=None))

    def remove_own(self) -> None:
        """Remove every outgoing record of this owner: all of them are acknowledged."""
        self._connection.execute(delete(self._table).where(self._table.c.owner == self._owner))

    def _chosen(self, rows: Select[Any], limit: int) -> list[Waiting]:
        found = self._connection.execute(rows.order_by(self._table.c.number).limit(limit))
        return [_waiting(row._mapping) for row in found]  # noqa: SLF001 - SQLAlchemy's public name starts with a line

    def remove(self, numbers: Sequence[int]) -> None:
        """Remove outgoing records that the broker acknowledged."""
        for part in _parts(numbers):
            self._connection.execute(delete(self._table).where(self._table.c.number.in_(part)))


def _parts(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    return (numbers[start : start + 500] for start in range(0, len(numbers), 500))


def _is_free(table: Any) -> ColumnElement[bool]:  # noqa: ANN401 - the columns of a table
    return table.owner.is_distinct_from(HELD)  # type: ignore[no-any-return]


def _row(record: OutgoingRecord, owner: str | None) -> dict[str, object]:
    return {
        "owner": HELD if record.held else owner,
        "topic": record.topic,
        "key": record.key,
        "partition_by": record.partition_by,
        "value": record.value,
        "headers": _pack(record.headers),
        "tombstone": record.value is None,
    }


def _waiting(row: object) -> Waiting:
    fields = dict(row)  # type: ignore[call-overload]  # a row mapping is a mapping
    value = None if fields["tombstone"] else fields["value"]
    record = OutgoingRecord(fields["topic"], fields["key"], value, _unpack(fields["headers"]), fields["partition_by"])
    return Waiting(fields["number"], record)


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
