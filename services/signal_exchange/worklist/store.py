"""The store of a worklist: the latest delivery of each signal, its referrals, and every step that was taken."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Connection, Integer, Row, String, Table, delete, func, select

from signal_exchange.runtime.columns import Moment, Sealed
from signal_exchange.runtime.database import add_once, put_newer
from signal_exchange.runtime.migrations import store_tables
from signal_exchange.stream.naming import start_of, the_one
from signal_exchange.stream.outbox import outbox_table
from signal_exchange.worklist.cases import Case, Delivery, Referral, Transition

TABLES = store_tables("worklist")
OUTBOX = outbox_table(TABLES)

DELIVERIES = Table(
    "projection_referrals",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("offer", Integer, nullable=False),
    Column("municipality", String, nullable=False),
    Column("status", String, nullable=False),
    Column("deliver_as", String, nullable=False),
    Column("rule_id", String, nullable=False),
    Column("urgency", String, nullable=False),
    Column("due_from", Moment, nullable=False),
    Column("legal_basis", String),
    Column("partnership", String),
    Column("signal", JSON),
    Column("summary", Sealed),
)
"""The latest Referral record of each signal; the summary stays sealed. Can be rebuilt from the topic."""

REFERRALS = Table(
    "record_referrals",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("offer", Integer, primary_key=True),
    Column("edition", Integer, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("municipality", String, nullable=False),
    Column("deliver_as", String, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("urgency", String, nullable=False),
    Column("due_from", Moment, nullable=False),
    Column("decide_by", Moment, nullable=False),
    Column("accepted_at", Moment),
    Column("contact_by", Moment),
    Column("progress_by", Moment),
    Column("planned_contact", String),
    Column("first_contact", String),
    Column("reason", String),
    Column("retraction", String),
)
"""One row per offer; `edition` grows with every change."""

TRANSITIONS = Table(
    "record_transitions",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("offer", Integer, primary_key=True),
    Column("edition", Integer, primary_key=True),
    Column("came_from", String),
    Column("went_to", String, nullable=False),
    Column("at", Moment, nullable=False),
    Column("who", String, nullable=False),
    Column("reason", String),
)
"""Every step of every referral, never changed (R-REF-02)."""

ADVICE = Table(
    "record_advice",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("offer", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    Column("who", String, nullable=False),
)
"""Who advised on a consult and when. The words went home sealed and are not kept here."""

OPENINGS = Table(
    "record_openings",
    TABLES,
    Column("signal_id", String, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("at", Moment, primary_key=True),
    Column("who", String, primary_key=True),
)
"""Who opened a sealed summary, and when."""


@dataclass(frozen=True, slots=True)
class Advice:
    """One advice on a consult."""

    signal_id: str
    offer: int
    number: int
    version: int
    at: datetime
    who: str


class WorklistStore:
    """The rows of a worklist in one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def cases(self, signal_ids: Iterable[str]) -> dict[str, Case]:
        """Return the case of each of these signals; an empty one where nothing is known."""
        ids = set(signal_ids)
        deliveries = {row.signal_id: _delivery(row) for row in self._locked(DELIVERIES, ids)}
        return _cases(ids, deliveries, map(_referral, self._locked(REFERRALS, ids)))

    def _locked(self, table: Table, signal_ids: Iterable[str]) -> list[Row[Any]]:
        own = select(table).where(table.c.signal_id.in_(signal_ids)).order_by(*table.primary_key.columns)
        return list(self._connection.execute(own.with_for_update()))

    def case(self, signal_id: str) -> Case:
        """Return the case of one signal."""
        return self.cases([signal_id])[signal_id]

    def find(self, named: str) -> str:
        """Return the id of the signal that a person named: the whole id, or the short number of the list.

        Raises:
            Refused: there is none, or more than one.
        """
        start = start_of(named)
        columns = (DELIVERIES.c.signal_id, REFERRALS.c.signal_id)
        fits = (select(column).where(column.startswith(start, autoescape=True)) for column in columns)
        found = {signal_id for rows in map(self._connection.execute, fits) for (signal_id,) in rows}
        return the_one(found, start)

    def all_cases(self) -> list[Case]:
        """Return every case, by signal id."""
        deliveries = {row.signal_id: _delivery(row) for row in self._connection.execute(select(DELIVERIES))}
        referrals = [_referral(row) for row in self._connection.execute(select(REFERRALS))]
        ids = {*deliveries, *(each.signal_id for each in referrals)}
        return [case for _, case in sorted(_cases(ids, deliveries, referrals).items())]

    def transitions(self, signal_id: str) -> list[Transition]:
        """Return every step of a signal's referrals, in order."""
        own = select(TRANSITIONS).where(TRANSITIONS.c.signal_id == signal_id)
        rows = self._connection.execute(own.order_by(TRANSITIONS.c.offer, TRANSITIONS.c.edition))
        return [Transition(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name starts with a line

    def advice(self, signal_id: str) -> list[Advice]:
        """Return every advice on a signal, in order."""
        own = select(ADVICE).where(ADVICE.c.signal_id == signal_id).order_by(ADVICE.c.offer, ADVICE.c.number)
        return [Advice(**row._mapping) for row in self._connection.execute(own)]  # noqa: SLF001 - as above

    def advised(self, signal_ids: Iterable[str] | None = None) -> dict[str, int]:
        """Return the last offer with an advice, of these signals or of all."""
        last = select(ADVICE.c.signal_id, func.max(ADVICE.c.offer)).group_by(ADVICE.c.signal_id)
        own = last if signal_ids is None else last.where(ADVICE.c.signal_id.in_(set(signal_ids)))
        return {row[0]: row[1] for row in self._connection.execute(own)}

    def put(self, cases: Sequence[Case]) -> None:
        """Write cases and the steps that were taken in them."""
        put_newer(self._connection, DELIVERIES, [_row(case.delivery) for case in cases if case.delivery], guard="revision")
        put_newer(self._connection, REFERRALS, [_row(each) for case in cases for each in case.referrals], guard="edition")
        add_once(self._connection, TRANSITIONS, [_row(step) for case in cases for step in case.steps])

    def owners(self, signal_ids: Collection[str]) -> dict[str, str]:
        """Return the municipality of each of these signals that was delivered."""
        chosen = select(DELIVERIES.c.signal_id, DELIVERIES.c.municipality).where(DELIVERIES.c.signal_id.in_(signal_ids))
        return {row.signal_id: row.municipality for row in self._connection.execute(chosen)}

    def erase(self, signal_ids: Collection[str]) -> set[str]:
        """Delete everything about these signals, what people entered too (R-RET-03); return those that had something."""
        held: set[str] = set()
        for table in (DELIVERIES, REFERRALS, TRANSITIONS, ADVICE, OPENINGS):
            own = table.c.signal_id.in_(signal_ids)
            held |= set(self._connection.execute(select(table.c.signal_id).where(own)).scalars())
            self._connection.execute(delete(table).where(own))
        return held

    def add_advice(self, advice: Advice) -> None:
        """Keep who advised."""
        add_once(self._connection, ADVICE, [_row(advice)])

    def add_opening(self, signal_id: str, version: int, at: datetime, who: str) -> None:
        """Keep who opened a summary."""
        add_once(self._connection, OPENINGS, [{"signal_id": signal_id, "version": version, "at": at, "who": who}])


def _cases(ids: Iterable[str], deliveries: Mapping[str, Delivery], referrals: Iterable[Referral]) -> dict[str, Case]:
    grouped: dict[str, list[Referral]] = {signal_id: [] for signal_id in ids}
    for each in referrals:
        grouped[each.signal_id].append(each)
    return {signal_id: Case(deliveries.get(signal_id), tuple(found)) for signal_id, found in grouped.items()}


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name starts with a line


def _referral(row: Row[Any]) -> Referral:
    return Referral(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name starts with a line


def _row(value: Delivery | Referral | Transition | Advice) -> dict[str, Any]:
    return {each.name: getattr(value, each.name) for each in fields(value)}
