"""What a service still has to tell: written in the transaction of its cause, sent afterwards, marked when acknowledged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    func,
    select,
)

from signal_exchange.contracts.cloud_events import Headers


@dataclass(frozen=True, slots=True)
class Letter:
    """One record to send. `partition_by` decides the partition where it is not the key itself."""

    topic: str
    key: str
    value: bytes | None = field(repr=False)
    headers: Headers = field(default_factory=list, repr=False)
    partition_by: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A letter that waits in the outbox, with its row number."""

    number: int
    letter: Letter


def outbox_table(tables: MetaData) -> Table:
    """Return the outbox table of a service's metadata, defining it once, with beside it the table of what was parked."""
    if "outbox" in tables.tables:
        return tables.tables["outbox"]
    kept_table(tables)
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
    )


def kept_table(tables: MetaData) -> Table:
    """Return the table of what a service parked, each as the encoded ParkedRecord, defining it once."""
    if "projection_parked" in tables.tables:
        return tables.tables["projection_parked"]
    return Table(
        "projection_parked",
        tables,
        Column("parked_id", String, primary_key=True),
        Column("revision", BigInteger, nullable=False),
        Column("value", LargeBinary, nullable=False),
    )


class Outbox:
    """The outbox of one service in one open transaction. Rows are deleted when the broker acknowledged them."""

    def __init__(self, connection: Connection, table: Table) -> None:
        self._connection, self._table = connection, table

    def add(self, letters: Sequence[Letter]) -> None:
        """Add letters, in order."""
        if letters:
            self._connection.execute(self._table.insert(), [_row(letter) for letter in letters])

    def waiting(self, limit: int) -> list[Waiting]:
        """Return the oldest letters that wait."""
        rows = self._connection.execute(select(self._table).order_by(self._table.c.number).limit(limit))
        return [_waiting(row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name starts with a line

    def count(self) -> int:
        """Return how many letters wait."""
        return int(self._connection.execute(select(func.count()).select_from(self._table)).scalar_one())

    def remove(self, numbers: Sequence[int]) -> None:
        """Remove letters that the broker acknowledged."""
        for start in range(0, len(numbers), 500):
            chosen = self._table.c.number.in_(numbers[start : start + 500])
            self._connection.execute(delete(self._table).where(chosen))


def _row(letter: Letter) -> dict[str, object]:
    return {
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
