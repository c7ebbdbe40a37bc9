"""Outbox of a node: records for the exchange, whose rows get a number once and stay until it says "received"."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Generic

import sqlalchemy as sql
from sqlalchemy import BigInteger, Column, Connection, Index, Integer, LargeBinary, String, Table

from signal_exchange.contracts.record_names import Fields, RecordName
from signal_exchange.municipality.sending.envelopes import Signed
from signal_exchange.municipality.store import TABLES, VIEWS
from signal_exchange.runtime.columns import Moment, optional, required
from signal_exchange.runtime.database import add_once, row_of

RUNS: Final = Table(
    "record_runs",
    TABLES,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("publisher_run", String, nullable=False, unique=True),
    *required(next_sequence=BigInteger, told=BigInteger, started_at=Moment),
)
"""Every numbering that this node began; the last one is in use. `told` is the highest number of its last checkpoint."""

OUTBOX: Final = Table(
    "record_outbox",
    TABLES,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    *required(signal_id=String, version=Integer, record=String),
    *optional(fields=LargeBinary),
    *required(recorded_at=Moment, traceparent=String),
    *optional(publisher_run=String, sequence=BigInteger, value=LargeBinary, signature=LargeBinary, key_id=String),
    *optional(sent_at=Moment),
    Column("attempts", Integer, nullable=False, default=0),
    *optional(leased_until=Moment, event_id=String),
    Index("record_outbox_of_signal", "signal_id", "number"),
    Index("record_outbox_number", "publisher_run", "sequence", unique=True),
)
"""One row per record to send. `fields` is what leaves, until it is signed; from then on `value` is sent, byte for byte.

`event_id` is the id of what is no version of its signal.
"""


@dataclass(frozen=True, slots=True)
class Outgoing(Generic[Fields]):
    """A record to send: its name and its fields without the envelope, which it gets at its first send.

    `event_id` is its own id, when it is no version of its signal.
    """

    signal_id: str
    version: int
    record: RecordName[Fields]
    fields: Fields = field(repr=False)
    traceparent: str
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A record to send that was claimed. `signed` is set once it was sent, or was about to be."""

    number: int
    outgoing: Outgoing
    recorded_at: datetime
    signed: Signed | None
    sent_before: bool

    @property
    def event_id(self) -> str:
        """Return the CloudEvents id."""
        return self.outgoing.event_id or f"{self.outgoing.signal_id}.{self.outgoing.version}"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row of the outbox as people see it. `sent_at` is the broker's last acknowledgement."""

    signal_id: str
    version: int
    record: str
    publisher_run: str | None
    sequence: int | None
    recorded_at: datetime
    sent_at: datetime | None
    attempts: int


class Outbox:
    """The outbox of a municipality in one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, outgoing: Sequence[Outgoing], at: datetime) -> None:
        """Add records, in order."""
        if outgoing:
            self._connection.execute(OUTBOX.insert(), [_columns(each, at) for each in outgoing])

    def is_due(self, now: datetime, sent_before: datetime) -> bool:
        """Say whether there is anything to claim."""
        return bool(self._connection.execute(sql.select(sql.exists().where(*_due(now, sent_before)))).scalar_one())

    def claim(self, now: datetime, *, until: datetime, sent_before: datetime, limit: int) -> list[Row]:
        """Take rows for this process alone until a moment: those never acknowledged, and those not confirmed for long.

        A later version waits until the earlier one was acknowledged, so that versions never overtake each other.
        """
        chosen = sql.select(OUTBOX).where(*_due(now, sent_before)).order_by(OUTBOX.c.number).limit(limit)
        rows = [_row(row) for row in self._connection.execute(chosen.with_for_update(skip_locked=True))]
        claimed = OUTBOX.c.number.in_([row.number for row in rows])
        self._connection.execute(sql.update(OUTBOX).where(claimed).values(leased_until=until))
        return rows

    def take_numbers(self, run: str, count: int) -> int:
        """Give out so many numbers of a run, and return the first."""
        own = RUNS.c.publisher_run == run
        first = self._connection.execute(sql.select(RUNS.c.next_sequence).where(own).with_for_update()).scalar_one()
        self._connection.execute(sql.update(RUNS).where(own).values(next_sequence=first + count))
        return int(first)

    def put_signed(self, run: str, numbered: Sequence[tuple[int, int, Signed]]) -> None:
        """Keep number and signed bytes of rows: from now on these and no others are sent."""
        statement = sql.update(OUTBOX).where(OUTBOX.c.number == sql.bindparam("of_row"))
        values = [
            {"of_row": row, "publisher_run": run, "sequence": sequence, **row_of(signed), "fields": None}
            for row, sequence, signed in numbered
        ]
        self._connection.execute(statement, values)

    def settle(self, sent: Mapping[int, Signed], unsent: Mapping[int, Signed], at: datetime) -> None:
        """Note which rows the broker acknowledged, each with what was signed and sent of it, and let go of all.

        A row that the exchange accounted for meanwhile is gone, and SQLite may have given its number to another record.
        """
        count = OUTBOX.c.attempts + 1
        acknowledged = sql.update(OUTBOX).where(*_are(sent))
        self._connection.execute(acknowledged.values(sent_at=at, leased_until=None, attempts=count))
        failed = sql.update(OUTBOX).where(*_are(unsent))
        self._connection.execute(failed.values(leased_until=None, attempts=count))

    def remove(self, received: Iterable[tuple[str, str, int]]) -> None:
        """Remove the rows under these signal ids, runs and numbers: the exchange has accounted for them.

        Only of what the broker acknowledged: what never reached it stays, whoever says that it came in (docs/decisions/0023).
        """
        key = sql.tuple_(OUTBOX.c.signal_id, OUTBOX.c.publisher_run, OUTBOX.c.sequence)
        numbers = list(received)
        for start in range(0, len(numbers), 200):
            own = key.in_(numbers[start : start + 200])
            self._connection.execute(sql.delete(OUTBOX).where(own, OUTBOX.c.sent_at.is_not(None)))

    def remove_accounted(self, signal_ids: Iterable[str]) -> None:
        """Remove the rows of these signals that the exchange accounted for before their acknowledgement was noted."""
        views = sql.select(VIEWS.c.signal_id, VIEWS.c.view).where(VIEWS.c.signal_id.in_(set(signal_ids)))
        told = ((row.signal_id, each) for row in self._connection.execute(views) for each in row.view["received"])
        self.remove([(signal_id, each["publisher_run"], each["sequence"]) for signal_id, each in told])

    def drop_unnumbered(self, signal_id: str) -> list[int]:
        """Delete the rows of a signal that were never sent, nor about to be, and return the versions that so never leave."""
        own = sql.delete(OUTBOX).where(OUTBOX.c.signal_id == signal_id, OUTBOX.c.sequence.is_(None))
        dropped = self._connection.execute(own.returning(OUTBOX.c.version, OUTBOX.c.event_id))
        return sorted(row.version for row in dropped if row.event_id is None)

    def unsent(self) -> int:
        """Return the number of rows that the broker never acknowledged."""
        return int(self._connection.execute(sql.select(sql.func.count()).where(OUTBOX.c.sent_at.is_(None))).scalar_one())

    def waiting(self, signal_id: str | None = None) -> list[Waiting]:
        """Return every row, or those of one signal, in order."""
        names = ("signal_id", "version", "record", "publisher_run", "sequence", "recorded_at", "sent_at", "attempts")
        chosen = sql.select(*(OUTBOX.c[name] for name in names)).order_by(OUTBOX.c.number)
        own = chosen if signal_id is None else chosen.where(OUTBOX.c.signal_id == signal_id)
        return [Waiting(*row) for row in self._connection.execute(own)]

    def run_in_use(self) -> tuple[str, int] | None:
        """Return the last run and the highest number that it gave out."""
        last = sql.select(RUNS.c.publisher_run, RUNS.c.next_sequence).order_by(RUNS.c.number.desc()).limit(1)
        row = self._connection.execute(last).one_or_none()
        return (row[0], row[1] - 1) if row else None

    def begin_first_run(self, run: str, at: datetime) -> str:
        """Begin the first numbering and return it, or the one that another process began meanwhile, in use or not."""
        return self._begin(1, run, at)

    def begin_run(self, run: str, at: datetime) -> str:
        """Begin the next numbering from 1 and return it, or the one that another process began at the same moment."""
        last = self._connection.execute(sql.select(sql.func.max(RUNS.c.number))).scalar_one() or 0
        return self._begin(last + 1, run, at)

    def _begin(self, number: int, run: str, at: datetime) -> str:
        row = {"number": number, "publisher_run": run, "next_sequence": 1, "told": 0, "started_at": at}
        add_once(self._connection, RUNS, [row])
        begun = sql.select(RUNS.c.publisher_run).where(RUNS.c.number == number)
        return str(self._connection.execute(begun).scalar_one())

    def checkpoints(self, *, again: bool) -> dict[str, int]:
        """Return the highest number of every run of which it was not told yet; `again`: of the run in use in any case."""
        rows = self._connection.execute(sql.select(RUNS).order_by(RUNS.c.number)).all()
        highest = {row.publisher_run: row.next_sequence - 1 for row in rows}
        due = [row for row in rows if row.told < highest[row.publisher_run] or (again and row is rows[-1])]
        return {row.publisher_run: highest[row.publisher_run] for row in due if highest[row.publisher_run]}

    def told(self, run: str, highest: int) -> None:
        """Note that a checkpoint arrived."""
        self._connection.execute(sql.update(RUNS).where(RUNS.c.publisher_run == run, RUNS.c.told < highest).values(told=highest))


def _are(rows: Mapping[int, Signed]) -> tuple[sql.ColumnElement[bool], ...]:
    # A signature covers run and sequence, so that no two rows ever have the same.
    return OUTBOX.c.number.in_(list(rows)), OUTBOX.c.signature.in_([signed.signature for signed in rows.values()])


def _due(now: datetime, sent_before: datetime) -> tuple[sql.ColumnElement[bool], ...]:
    earlier = OUTBOX.alias("earlier")
    free = sql.or_(OUTBOX.c.leased_until.is_(None), OUTBOX.c.leased_until <= now)
    due = sql.or_(OUTBOX.c.sent_at.is_(None), OUTBOX.c.sent_at <= sent_before)
    # A later version waits until the one before it was sent once: routing would refuse a version that overtook it (R-VAL-16).
    is_earlier = sql.and_(earlier.c.signal_id == OUTBOX.c.signal_id, earlier.c.number < OUTBOX.c.number)
    return free, due, ~sql.exists().where(is_earlier, earlier.c.sent_at.is_(None))


def _columns(outgoing: Outgoing, at: datetime) -> dict[str, object]:
    fields = json.dumps(outgoing.fields, default=_bytes_to_json).encode()
    return {**row_of(outgoing), "fields": fields, "recorded_at": at, "attempts": 0}


def _row(row: Any) -> Row:  # noqa: ANN401 - a row of the outbox
    fields = json.loads(row.fields, object_hook=_json_to_bytes) if row.fields is not None else {}
    outgoing = Outgoing(row.signal_id, row.version, RecordName(row.record), fields, row.traceparent, row.event_id)
    signed = Signed(row.value, row.signature, row.key_id) if row.value is not None else None
    return Row(row.number, outgoing, row.recorded_at, signed, row.sent_at is not None)


def _bytes_to_json(value: object) -> dict[str, str]:
    if not isinstance(value, bytes):
        raise TypeError("What leaves holds only JSON and bytes.")
    return {"$bytes": b64encode(value).decode()}


def _json_to_bytes(fields: dict[str, Any]) -> Any:  # noqa: ANN401 - bytes, or the fields as they are
    return b64decode(fields["$bytes"]) if "$bytes" in fields else fields
