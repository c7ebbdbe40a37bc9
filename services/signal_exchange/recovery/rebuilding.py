"""Builds the projections of a stopped service anew from the topics, in one transaction, and proves that nothing else changed.

Topics that others write are read up to what the service's group has committed: what follows comes to the service itself, which
then also sends the outgoing records that belong to it. A rebuild sends nothing and commits nothing (docs/decisions/0014).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select

from signal_exchange.contracts.topics import is_open, retry_topic
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.recovery.replaying import KafkaReplay, Offsets
from signal_exchange.runtime import clock
from signal_exchange.runtime.database import IN_NO_BACKUP, OUTLIVES_RESTORE, key_order
from signal_exchange.stream.consumer import ConsumerSpec, Handle, read_as
from signal_exchange.stream.messages import Incoming, Message, Unreadable
from signal_exchange.stream.outbox import Outbox, OutgoingRecord
from signal_exchange.stream.parking import ParkedStore
from signal_exchange.stream.seen_register import SEEN_TABLE
from signal_exchange.stream.work import Work

PARKED = "parked"
PROJECTION = "projection_"
ROWS_AT_ONCE = 1_000
ALL_RECORDS = 10_000_000
Tell = Callable[[int, int], None]
"""Is told how many records were read, and of how many."""
Act = Callable[[Connection], None]
IsOwn = Callable[[Message], bool]
"""Says whether the service itself wrote a record."""


class ReplayWork(Work):
    """The effects of records that were handled before: what they write counts, what they tell was told already."""

    replays = True

    def send(self, *_: object, **__: object) -> None:
        """Send nothing."""

    def park(self, unreadable: Unreadable) -> None:
        """Remember that this record cannot be processed, and park nothing."""
        self.parked.append(unreadable)


def _nothing(_connection: Connection) -> None:
    pass


def _held_back(connection: Connection) -> set[str]:
    return ParkedStore(connection).held_back()


@dataclass(frozen=True, slots=True)
class Keyed:
    """The column with a store's keys of a state topic, and the function that leaves out all that stands under some of them."""

    column: ColumnElement[str]
    leave_out: Callable[[Connection, set[str]], object]


@dataclass(frozen=True, slots=True)
class Plan:
    """The way in which the projections of one service come back.

    `take` writes them from records; None: as the service's own work on a batch does. `sources` are those of the consumer where
    None. `own` are topics that the service writes itself: read to their end, with what still waits in its outbox, and before the
    `sources`; each topic is read to its end before the next. `among` are topics that others write as well, each with what knows
    the service's own records there: these alone are taken to the end of the topic, after `own`. `empty` (None: delete every row
    that is built anew) and `finish` come first and last; what `held_back` names by its parked id waits for a person or was
    dropped by one, and does not come back. `views` names the reader of a topic read for a rebuild only.

    After a restore `handled_again` says whether the service may handle again what came since the back-up, and `restored` is its
    own work then. `keyed` says what stands in the store under the keys of state topics: what a topic has no more stays out.
    """

    spec: ConsumerSpec
    take: Handle | None = None
    sources: tuple[str, ...] | None = None
    own: tuple[str, ...] = ()
    among: Mapping[str, IsOwn] = field(default_factory=dict)
    empty: Act | None = None
    finish: Act = _nothing
    held_back: Callable[[Connection], set[str]] = _held_back
    views: Mapping[str, str] = field(default_factory=dict)
    handled_again: bool = True
    restored: Act = _nothing
    keyed: Mapping[str, Keyed] = field(default_factory=dict)

    @property
    def read(self) -> tuple[str, ...]:
        """Return the sources, without what people decided about parked records."""
        named = self.spec.sources if self.sources is None else self.sources
        return tuple(topic for topic in named if topic != retry_topic(self.spec.name))

    @property
    def tables(self) -> tuple[Table, ...]:
        """Return the tables that are built anew."""
        return _tables(self.spec, projections=True)

    @property
    def kept(self) -> tuple[Table, ...]:
        """Return the tables that stay as they are: what people entered, and what waits to be sent."""
        return _tables(self.spec, projections=False)

    @property
    def outliving(self) -> tuple[Table, ...]:
        """Return those that a restore leaves as they are, once a store has something in them: its people and what they did."""
        return tuple(table for table in self.kept if OUTLIVES_RESTORE in table.info)


def _tables(spec: ConsumerSpec, *, projections: bool) -> tuple[Table, ...]:
    found = spec.outbox.metadata.tables
    chosen = (name for name in sorted(found) if name != SEEN_TABLE and IN_NO_BACKUP not in found[name].info)
    return tuple(found[name] for name in chosen if name.startswith(PROJECTION) == projections)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A rebuild: records read, those held back, rows per projection, and a hash of each table that stayed as it was."""

    service: str
    records: int
    held_back: int
    rows: Mapping[str, int]
    unchanged: Mapping[str, str]
    seconds: float


def rebuild(plan: Plan, replay: KafkaReplay, tell: Tell = lambda _done, _all: None) -> Rebuilt:
    """Build the projections of a service anew. Whatever ends it early leaves the store as it was.

    Raises:
        RefusedError: the service runs, its group has read nothing, or there are records that it could read once and cannot now.
        WorldUnavailableError: the database or the broker does not answer.
    """
    with plan.spec.database.batch() as connection:
        return rebuild_within(connection, plan, replay, tell)


def rebuild_within(connection: Connection, plan: Plan, replay: KafkaReplay, tell: Tell) -> Rebuilt:
    """Build the projections of a service anew as part of a transaction, which decides whether they count.

    Raises:
        RefusedError: as `rebuild`.
        WorldUnavailableError: as `rebuild`.
    """
    began = time.monotonic()
    standing, before = replay.standing(plan.read), fingerprints(connection, plan.kept)
    building = _Building(plan, replay, connection, tell)
    building.build(standing)
    if fingerprints(connection, plan.kept) != before:
        raise RefusedError("REBUILD_CHANGES_ENTRIES")
    if replay.standing(plan.read) != standing:
        raise RefusedError("SERVICE_STARTED", service=plan.spec.name)
    rows = {table.name: count_of(connection, table) for table in plan.tables}
    return Rebuilt(plan.spec.name, building.done, building.skipped, rows, before, round(time.monotonic() - began, 3))


class _Building:
    """One rebuild in one open transaction."""

    def __init__(self, plan: Plan, replay: KafkaReplay, connection: Connection, tell: Tell) -> None:
        self._plan, self._replay, self._connection, self._tell = plan, replay, connection, tell
        self._waiting = [each.record for each in Outbox(connection, plan.spec.outbox).waiting(ALL_RECORDS)]
        self._write, self._held = plan.take or plan.spec.handle, set[str]()
        self._comes_again = {(part.topic, part.partition): offset for part, offset in self._inbox().items()}
        self._unreadable: list[Unreadable] = []
        self.done = self.skipped = self.all = 0

    def _inbox(self) -> Offsets:
        """Return from where the service itself still takes the topics that are read to their end here."""
        plan = self._plan
        return self._replay.committed([topic for topic in plan.own if topic in plan.spec.sources])

    def build(self, standing: Offsets) -> None:
        plan = self._plan
        parked = (PARKED,) if plan.spec.parks_on_topic else ()
        ends = self._replay.ends((*parked, *plan.own, *plan.among))
        self.all = self._replay.count(ends) + self._replay.count(standing)
        self._empty()
        # The order matters. First what waits for a person: such a record is not handled again. Then what the service itself said
        # last, with its revisions, so that nothing is told anew under an older one. The sources come last, and only up to what
        # the service had committed: the rest comes to it as ever.
        for topic in parked:
            self._read(ends, topic, self._keep)
        self._held = plan.held_back(self._connection)
        for topic in plan.own:
            self._read(ends, topic, self._take)
        for topic in plan.among:
            self._read(ends, topic, self._take_own)
        for topic in plan.read:
            self._read(standing, topic, self._take)
        if self._unreadable:
            reasons = sorted({f"{each.incoming.topic} {each.reason}" for each in self._unreadable})
            raise RefusedError("RECORDS_UNREADABLE", count=len(self._unreadable), reasons=reasons)
        plan.finish(self._connection)

    def _empty(self) -> None:
        if self._plan.empty is not None:
            self._plan.empty(self._connection)
        else:
            for table in self._plan.tables:
                self._connection.execute(delete(table))

    def _read(self, stops: Offsets, topic: str, act: Callable[[list[Incoming]], None]) -> None:
        for records in self._replay.records({part: stop for part, stop in stops.items() if part.topic == topic}):
            act([Incoming.of(record) for record in records])
            self.done += len(records)
            self._tell(self.done, self.all)
        if waiting := [_arrived(outgoing_record) for outgoing_record in self._waiting if outgoing_record.topic == topic]:
            act(waiting)

    def _keep(self, parked: list[Incoming]) -> None:
        ParkedStore(self._connection).keep(map(_outgoing_record, parked), only=self._plan.spec.name)

    def _as_read(self, records: Iterable[Incoming]) -> list[Message | Unreadable]:
        plan = self._plan
        return [read_as(each, plan.views.get(each.topic, plan.spec.reader)) for each in records if each.value is not None]

    def _take_own(self, records: list[Incoming]) -> None:
        plan = self._plan
        read = [each for each in self._as_read(records) if isinstance(each, Message)]  # what nobody can read is another's
        own = [each for each in read if plan.among[each.incoming.topic](each)]
        self._write(own, ReplayWork(plan.spec.name, self._connection, plan.spec.seal))

    def _take(self, records: list[Incoming]) -> None:
        spec = self._plan.spec
        fit = [each for each in records if each.parked_id(spec.name) not in self._held]
        self.skipped += len(records) - len(fit)
        read = self._as_read(fit)
        work = ReplayWork(spec.name, self._connection, spec.seal)
        self._write([each for each in read if isinstance(each, Message)], work)
        gone = [each for each in fit if each.value is None]
        if gone and spec.on_tombstones is not None:
            spec.on_tombstones(gone, work)
        unreadable = [*(each for each in read if isinstance(each, Unreadable)), *work.parked]
        # Of what members write, what was bad may have been counted and not kept: nothing here says which those were.
        bad = [each for each in unreadable if not is_open(each.incoming.topic)]
        self._unreadable += [each for each in bad if not self._is_still_to_come(each.incoming)]

    def _is_still_to_come(self, incoming: Incoming) -> bool:
        """Say whether the service will take this record itself, and park it then."""
        begins = self._comes_again.get((incoming.topic, incoming.partition))
        return begins is not None and incoming.offset >= begins


def keep_dropped(plan: Plan, replay: KafkaReplay, connection: Connection) -> None:
    """Remember what a person dropped, also since a back-up: when such a record comes again it is not parked again.

    What was tried again stays as the back-up has it, since that is done again as well.
    """
    if plan.spec.parks_on_topic:
        for records in replay.records(replay.ends((PARKED,))):
            outgoing = [_outgoing_record(Incoming.of(record)) for record in records]
            ParkedStore(connection).keep(outgoing, only=plan.spec.name, state="DISCARDED")


def _outgoing_record(parked: Incoming) -> OutgoingRecord:
    return OutgoingRecord(PARKED, parked.key_text, parked.value)


def _arrived(outgoing_record: OutgoingRecord) -> Incoming:
    return Incoming(
        outgoing_record.topic,
        -1,
        -1,
        outgoing_record.key.encode(),
        outgoing_record.value,
        dict(outgoing_record.headers),
        clock.now(),
    )


def fingerprints(connection: Connection, tables: Sequence[Table]) -> dict[str, str]:
    """Return a SHA-256 over the rows of each table, in the order of their keys."""
    return {table.name: _fingerprint(connection, table) for table in tables}


def _fingerprint(connection: Connection, table: Table) -> str:
    digest = sha256()
    ordered = select(table).order_by(*key_order(connection, table))
    rows = connection.execute(ordered, execution_options={"yield_per": ROWS_AT_ONCE})
    for row in rows:
        digest.update(repr(tuple(row)).encode())
    return digest.hexdigest()


def count_of(connection: Connection, table: Table) -> int:
    """Return the number of rows of a table."""
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())
