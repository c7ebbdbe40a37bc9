"""The store of a worklist: the latest delivery of each signal, its referrals, and every step that was taken."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Connection, Integer, Select, String, Table, func, select

from signal_exchange.cli.naming import start_of, the_one
from signal_exchange.people.tables import people_tables
from signal_exchange.runtime.columns import Moment, keys, optional, required
from signal_exchange.runtime.database import add_once, erase_rows, put_newer, row_of, values_of
from signal_exchange.runtime.migrations import store_tables
from signal_exchange.stream.deliveries import delivery_columns
from signal_exchange.stream.tables import common_tables
from signal_exchange.web.sittings import sitting_table
from signal_exchange.worklist.cases import Case, Delivery, RecordedTransition, Referral

TABLES = store_tables("worklist")
OUTBOX = common_tables(TABLES)
sitting_table(TABLES)
people_tables(TABLES)

DELIVERIES = Table("projection_referrals", TABLES, *delivery_columns(), Column("advise_by", Moment, index=True))
"""The latest Referral record of each signal; the summary stays sealed. Can be rebuilt from the topic."""

REFERRALS = Table(
    "record_referrals",
    TABLES,
    *keys(signal_id=String, offer=Integer),
    *required(row_version=Integer, revision=BigInteger, version=Integer, municipality=String, deliver_as=String),
    Column("state", String, nullable=False, index=True),
    *required(urgency=String, due_from=Moment, decide_by=Moment),
    *optional(accepted_at=Moment, contact_by=Moment, progress_by=Moment, planned_contact=String, first_contact=String),
    *optional(reason=String, retraction=String),
)
"""One row per offer; `row_version` grows with every change."""

TRANSITIONS = Table(
    "record_transitions",
    TABLES,
    *keys(signal_id=String, offer=Integer, row_version=Integer),
    *optional(came_from=String),
    *required(went_to=String, at=Moment, who=String),
    *optional(reason=String),
)
"""Every step of every referral, never changed (R-REF-02)."""

ADVICE = Table(
    "record_advice",
    TABLES,
    *keys(signal_id=String, offer=Integer, number=Integer),
    *required(version=Integer, at=Moment, who=String),
)
"""Who advised on a consult and when. The words went home sealed and are not kept here."""

CONTACTS = Table(
    "record_contacts",
    TABLES,
    *keys(signal_id=String, number=Integer),
    *required(offer=Integer, at=Moment, who=String, reached=Boolean),
    *optional(next_try=String),
)
"""Every attempt to reach a person, never changed (R-REF-06). It holds no words: what was said belongs in the care file."""

OPENINGS = Table(
    "record_openings",
    TABLES,
    *keys(signal_id=String, version=Integer, at=Moment, who=String),
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


@dataclass(frozen=True, slots=True)
class Contact:
    """One attempt to reach a person; `next_try` is the day of the next one, as 2026-11-20."""

    signal_id: str
    number: int
    offer: int
    at: datetime
    who: str
    reached: bool
    next_try: str | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """One time that somebody opened the summary of a signal."""

    signal_id: str
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
        deliveries = values_of(Delivery, self._connection, _locked(DELIVERIES, ids))
        return _cases(ids, deliveries, values_of(Referral, self._connection, _locked(REFERRALS, ids)))

    def case(self, signal_id: str) -> Case:
        """Return the case of one signal."""
        return self.cases([signal_id])[signal_id]

    def find(self, named: str) -> str:
        """Return the id of the signal that a person named: the whole id, or the short number of the list.

        Raises:
            RefusedError: there is none, or more than one.
        """
        start = start_of(named)
        columns = (DELIVERIES.c.signal_id, REFERRALS.c.signal_id)
        fits = (select(column).where(column.startswith(start, autoescape=True)) for column in columns)
        found = {signal_id for rows in map(self._connection.execute, fits) for (signal_id,) in rows}
        return the_one(found, start)

    def transitions(self, signal_id: str) -> list[RecordedTransition]:
        """Return every step of a signal's referrals, in order."""
        own = select(TRANSITIONS).where(TRANSITIONS.c.signal_id == signal_id)
        return values_of(RecordedTransition, self._connection, own.order_by(TRANSITIONS.c.offer, TRANSITIONS.c.row_version))

    def advice(self, signal_id: str) -> list[Advice]:
        """Return every advice on a signal, in order."""
        own = select(ADVICE).where(ADVICE.c.signal_id == signal_id).order_by(ADVICE.c.offer, ADVICE.c.number)
        return values_of(Advice, self._connection, own)

    def openings(self, signal_id: str) -> list[Opening]:
        """Return every time that the summary of a signal was opened, in order."""
        own = select(OPENINGS).where(OPENINGS.c.signal_id == signal_id).order_by(OPENINGS.c.at)
        return values_of(Opening, self._connection, own)

    def contacts(self, signal_id: str) -> list[Contact]:
        """Return every attempt to reach the person of a signal, in order."""
        own = select(CONTACTS).where(CONTACTS.c.signal_id == signal_id).order_by(CONTACTS.c.number)
        return values_of(Contact, self._connection, own)

    def advised(self, signal_ids: Iterable[str]) -> dict[str, int]:
        """Return the last offer with an advice, of these signals."""
        last = select(ADVICE.c.signal_id, func.max(ADVICE.c.offer)).group_by(ADVICE.c.signal_id)
        own = last.where(ADVICE.c.signal_id.in_(set(signal_ids)))
        return {row[0]: row[1] for row in self._connection.execute(own)}

    def put(self, cases: Sequence[Case]) -> None:
        """Write cases and the steps that were taken in them."""
        put_newer(self._connection, DELIVERIES, [row_of(case.delivery) for case in cases if case.delivery], guard="revision")
        put_newer(self._connection, REFERRALS, [row_of(each) for case in cases for each in case.referrals], guard="row_version")
        add_once(self._connection, TRANSITIONS, [row_of(step) for case in cases for step in case.steps])

    def owners(self, signal_ids: Collection[str]) -> dict[str, str]:
        """Return the municipality of each of these signals that was delivered."""
        chosen = select(DELIVERIES.c.signal_id, DELIVERIES.c.municipality).where(DELIVERIES.c.signal_id.in_(signal_ids))
        return {row.signal_id: row.municipality for row in self._connection.execute(chosen)}

    def erase(self, signal_ids: Collection[str]) -> set[str]:
        """Delete everything about these signals, what people entered too (R-RET-03); return those that had something."""
        return erase_rows(self._connection, (DELIVERIES, REFERRALS, TRANSITIONS, ADVICE, CONTACTS, OPENINGS), signal_ids)

    def add_advice(self, advice: Advice) -> None:
        """Keep the name of a person who advised."""
        add_once(self._connection, ADVICE, [row_of(advice)])

    def add_contact(self, contact: Contact) -> None:
        """Keep an attempt to reach a person."""
        add_once(self._connection, CONTACTS, [row_of(contact)])

    def add_opening(self, opening: Opening) -> None:
        """Keep the name of a person who opened a summary."""
        add_once(self._connection, OPENINGS, [row_of(opening)])


def _locked(table: Table, signal_ids: Iterable[str]) -> Select[Any]:
    own = select(table).where(table.c.signal_id.in_(signal_ids)).order_by(*table.primary_key.columns)
    return own.with_for_update()


def _cases(ids: Iterable[str], deliveries: Iterable[Delivery], referrals: Iterable[Referral]) -> dict[str, Case]:
    grouped: dict[str, list[Referral]] = {signal_id: [] for signal_id in ids}
    for each in referrals:
        grouped[each.signal_id].append(each)
    delivered = {each.signal_id: each for each in deliveries}
    return {signal_id: Case(delivered.get(signal_id), tuple(found)) for signal_id, found in grouped.items()}
