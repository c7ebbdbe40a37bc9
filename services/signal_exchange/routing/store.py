"""The store of routing: the last state of each signal, and which number of which municipality was used for what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Integer, LargeBinary, MetaData, String, Table, select, tuple_

from signal_exchange.runtime.columns import Moment
from signal_exchange.runtime.database import put_newer
from signal_exchange.stream.outbox import outbox_table

TABLES = MetaData()
OUTBOX = outbox_table(TABLES)

SIGNALS = Table(
    "projection_signals",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("municipality", String, nullable=False),
    Column("state", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("seen", String, nullable=False),
    Column("accepted", LargeBinary),
    Column("rescreen_at", Moment, index=True),
)
"""One row per signal. `rescreen_at` is when the rules judge it again by time alone (R-ROUTE-08); null when they need not.

`accepted` is the AcceptedSignal record as it was sent; null while every version was parked.

`seen` is a JSON object: of each version that was seen, parked ones too, its content hash and whether it was parked.
"""

NUMBERS = Table(
    "projection_numbers",
    TABLES,
    Column("municipality", String, primary_key=True),
    Column("publisher_run", String, primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("signal_id", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("value_hash", LargeBinary, nullable=False),
    Column("verdict", String, nullable=False),
)
"""One row per number that a municipality used (R-FLOW-01)."""

MEMBERSHIPS = Table(
    "projection_memberships",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("cluster_id", String, index=True),
)
"""To which cluster each signal belongs, as linking told last; null when it is in none."""

Number = tuple[str, str, int]
"""Municipality, publisher run and sequence."""


@dataclass(frozen=True, slots=True)
class StoredSignal:
    """One row of the signals."""

    signal_id: str
    revision: int
    municipality: str
    state: str
    version: int
    seen: str
    accepted: bytes | None = field(repr=False)
    rescreen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class UsedNumber:
    """One row of the numbers. `revision` rises when the verdict changes, as from routed to superseded."""

    municipality: str
    publisher_run: str
    sequence: int
    revision: int
    signal_id: str
    version: int
    value_hash: bytes = field(repr=False)
    verdict: str

    @property
    def number(self) -> Number:
        """Return what identifies this row."""
        return self.municipality, self.publisher_run, self.sequence


@dataclass(frozen=True, slots=True)
class Membership:
    """One row of the memberships."""

    signal_id: str
    revision: int
    cluster_id: str | None


class RoutingStore:
    """The rows of routing in one open transaction. Writes are guarded: an older revision never wins."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def signals(self, ids: Iterable[str]) -> dict[str, StoredSignal]:
        """Return the stored signals among these ids; nobody else changes them before this transaction ends."""
        chosen = select(SIGNALS).where(SIGNALS.c.signal_id.in_(set(ids))).order_by(SIGNALS.c.signal_id)
        rows = self._connection.execute(chosen.with_for_update())
        return {row.signal_id: StoredSignal(*row) for row in rows}

    def numbers(self, numbers: Iterable[Number]) -> dict[Number, UsedNumber]:
        """Return the used ones among these numbers."""
        key = tuple_(NUMBERS.c.municipality, NUMBERS.c.publisher_run, NUMBERS.c.sequence)
        rows = self._connection.execute(select(NUMBERS).where(key.in_(list(set(numbers)))))
        found = (UsedNumber(*row) for row in rows)
        return {each.number: each for each in found}

    def all_signals(self) -> list[StoredSignal]:
        """Return every stored signal, by id."""
        return [StoredSignal(*row) for row in self._connection.execute(select(SIGNALS).order_by(SIGNALS.c.signal_id))]

    def due_for_rescreen(self, now: datetime, limit: int) -> list[str]:
        """Return the signals that the rules must judge again because of the time, the longest due first."""
        due = select(SIGNALS.c.signal_id).where(SIGNALS.c.rescreen_at <= now).order_by(SIGNALS.c.rescreen_at).limit(limit)
        return list(self._connection.execute(due).scalars())

    def memberships(self, signal_ids: Iterable[str], cluster_ids: Iterable[str] = ()) -> dict[str, Membership]:
        """Return the memberships of these signals and of everybody in these clusters."""
        own = MEMBERSHIPS.c.signal_id.in_(set(signal_ids))
        together = MEMBERSHIPS.c.cluster_id.in_(set(cluster_ids))
        return {row.signal_id: Membership(*row) for row in self._connection.execute(select(MEMBERSHIPS).where(own | together))}

    def put_memberships(self, memberships: Sequence[Membership]) -> None:
        """Write memberships, of which an older revision never wins."""
        put_newer(self._connection, MEMBERSHIPS, [_row(each) for each in memberships], guard="revision")

    def put(self, signals: Sequence[StoredSignal], numbers: Sequence[UsedNumber]) -> None:
        """Write the new states."""
        put_newer(self._connection, SIGNALS, [_row(each) for each in signals], guard="revision")
        put_newer(self._connection, NUMBERS, [_row(each) for each in numbers], guard="revision")


def _row(value: StoredSignal | UsedNumber | Membership) -> dict[str, Any]:
    return {name: getattr(value, name) for name in type(value).__dataclass_fields__}
