"""Builds the projections of a stopped service anew from the topics, in one transaction, and proves that nothing else changed.

Topics that others write are read up to what the service's group has committed: what follows comes to the service itself, which
then also sends the letters that belong to it. A rebuild sends nothing and commits nothing (docs/decisions/0014).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select

from signal_exchange.contracts.topics import is_open, retry_topic
from signal_exchange.runtime import clock
from signal_exchange.runtime.database import key_order
from signal_exchange.runtime.faults import Refused
from signal_exchange.stream.consumer import Handle, read_as
from signal_exchange.stream.messages import Incoming, Message, Unreadable
from signal_exchange.stream.outbox import Letter, Outbox, kept_table
from signal_exchange.stream.parking import Kept
from signal_exchange.stream.replaying import Offsets, Replay
from signal_exchange.stream.seen_register import SEEN_TABLE
from signal_exchange.stream.service import ConsumerSpec
from signal_exchange.stream.work import Work

PARKED = "parked"
PROJECTION = "projection_"
ROWS_AT_ONCE = 1_000
ALL_LETTERS = 10_000_000
Tell = Callable[[int, int], None]
"""Is told how many records were read, and of how many."""
Act = Callable[[Connection], None]
IsOwn = Callable[[Message], bool]
"""Says whether the service itself wrote a record."""


class DeafWork(Work):
    """The effects of records that were handled before: what they write counts, what they tell was told already."""

    replays = True

    def send(self, *_: object, **__: object) -> None:
        """Send nothing."""

    def park(self, unreadable: Unreadable) -> None:
        """Remember that this record cannot be processed, and park nothing."""
        self.parked.append(unreadable)


def _emptied(tables: Iterable[Table]) -> Act:
    def empty(connection: Connection) -> None:
        for table in tables:
            connection.execute(delete(table))

    return empty


def _held_back(spec: ConsumerSpec) -> Callable[[Connection], set[str]]:
    return lambda connection: Kept(connection, kept_table(spec.outbox.metadata)).held_back()


@dataclass(frozen=True, slots=True)
class Keyed:
    """Where a store holds the keys of a state topic, and what leaves out all that stands under some of them."""

    column: ColumnElement[str]
    leave_out: Callable[[Connection, set[str]], object]


@dataclass(frozen=True, slots=True)
class Plan:
    """How the projections of one service come back.

    `take` writes them from records, and is the service's own work on a batch unless a rebuild needs another. `own` are topics
    that the service writes itself: read to their end, with what still waits in its outbox, and before the `sources`; each topic
    is read to its end before the next. `among` are topics that others write as well, each with what knows the service's own
    records there: these alone are taken to the end of the topic, after `own`. `empty` and `finish` come first and last; what
    `held_back` names by its parked id waits for a person or was dropped by one, and does not come back. `views` names the reader
    of a topic read for a rebuild only.

    After a restore `handled_again` says whether the service may handle again what came since the back-up, and `restored` is its
    own work then. `keyed` says what stands in the store under the keys of state topics: what a topic has no more stays out.
    """

    spec: ConsumerSpec
    take: Handle
    sources: tuple[str, ...]
    own: tuple[str, ...]
    among: Mapping[str, IsOwn]
    empty: Act
    finish: Act
    held_back: Callable[[Connection], set[str]]
    views: Mapping[str, str]
    handled_again: bool
    restored: Act
    keyed: Mapping[str, Keyed]

    @classmethod
    def of(
        cls,
        spec: ConsumerSpec,
        *,
        take: Handle | None = None,
        sources: Iterable[str] | None = None,
        own: Iterable[str] = (),
        among: Mapping[str, IsOwn] | None = None,
        empty: Act | None = None,
        finish: Act | None = None,
        held_back: Callable[[Connection], set[str]] | None = None,
        views: Mapping[str, str] | None = None,
        handled_again: bool = True,
        restored: Act | None = None,
        keyed: Mapping[str, Keyed] | None = None,
    ) -> Plan:
        """Return the plan of a consumer: what is not given follows from the consumer itself."""
        read = (topic for topic in (spec.sources if sources is None else sources) if topic != retry_topic(spec.name))
        return cls(
            spec,
            take or spec.handle,
            tuple(read),
            tuple(own),
            among or {},
            empty or _emptied(_tables(spec, projections=True)),
            finish or (lambda _: None),
            held_back or _held_back(spec),
            views or {},
            handled_again,
            restored or (lambda _: None),
            keyed or {},
        )

    @property
    def tables(self) -> tuple[Table, ...]:
        """Return the tables that are built anew."""
        return _tables(self.spec, projections=True)

    @property
    def kept(self) -> tuple[Table, ...]:
        """Return the tables that stay as they are: what people entered, and what waits to be sent."""
        return _tables(self.spec, projections=False)


def _tables(spec: ConsumerSpec, *, projections: bool) -> tuple[Table, ...]:
    found = spec.outbox.metadata.tables
    chosen = (name for name in sorted(found) if name != SEEN_TABLE)
    return tuple(found[name] for name in chosen if name.startswith(PROJECTION) == projections)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did: records read, those held back, rows per projection, and a hash of each table that stayed as it was."""

    service: str
    records: int
    held_back: int
    rows: Mapping[str, int]
    unchanged: Mapping[str, str]
    seconds: float


def rebuild(plan: Plan, replay: Replay, tell: Tell = lambda _done, _all: None) -> Rebuilt:
    """Build the projections of a service anew. Whatever ends it early leaves the store as it was.

    Raises:
        Refused: the service runs, its group has read nothing, or there are records that it could read once and cannot now.
        WorldUnavailable: the database or the broker does not answer.
    """
    with plan.spec.database.batch() as connection:
        return rebuild_within(connection, plan, replay, tell)


def rebuild_within(connection: Connection, plan: Plan, replay: Replay, tell: Tell) -> Rebuilt:
    """Build the projections of a service anew as part of a transaction, which decides whether they count.

    Raises:
        Refused: as `rebuild`.
        WorldUnavailable: as `rebuild`.
    """
    began = time.monotonic()
    standing, before = replay.standing(plan.sources), fingerprints(connection, plan.kept)
    building = _Building(plan, replay, connection, tell)
    building.build(standing)
    if fingerprints(connection, plan.kept) != before:
        raise Refused("De herbouw zou veranderen wat mensen invoerden: er is niets veranderd. Meld dit.")
    if replay.standing(plan.sources) != standing:
        raise Refused(f"{plan.spec.name} is intussen gestart: er is niets veranderd. Stop de dienst en herbouw opnieuw.")
    rows = {table.name: _count(connection, table) for table in plan.tables}
    return Rebuilt(plan.spec.name, building.done, building.skipped, rows, before, round(time.monotonic() - began, 3))


class _Building:
    """One rebuild in one open transaction."""

    def __init__(self, plan: Plan, replay: Replay, connection: Connection, tell: Tell) -> None:
        self._plan, self._replay, self._connection, self._tell = plan, replay, connection, tell
        self._waiting = [each.letter for each in Outbox(connection, plan.spec.outbox).waiting(ALL_LETTERS)]
        self._held: set[str] = set()
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
        plan.empty(self._connection)
        for topic in parked:
            self._read(ends, topic, self._keep)
        self._held = plan.held_back(self._connection)
        for topic in plan.own:
            self._read(ends, topic, self._take)
        for topic in plan.among:
            self._read(ends, topic, self._take_own)
        for topic in plan.sources:
            self._read(standing, topic, self._take)
        if self._unreadable:
            reasons = ", ".join(sorted({f"{each.incoming.topic} {each.reason}" for each in self._unreadable}))
            raise Refused(f"{len(self._unreadable)} records kan deze versie niet meer lezen ({reasons}): er is niets veranderd.")
        plan.finish(self._connection)

    def _read(self, stops: Offsets, topic: str, act: Callable[[list[Incoming]], None]) -> None:
        for records in self._replay.records({part: stop for part, stop in stops.items() if part.topic == topic}):
            act([Incoming.of(record) for record in records])
            self.done += len(records)
            self._tell(self.done, self.all)
        if waiting := [_arrived(letter) for letter in self._waiting if letter.topic == topic]:
            act(waiting)

    def _keep(self, parked: list[Incoming]) -> None:
        _kept(self._plan, self._connection).keep(map(_letter, parked), only=self._plan.spec.name)

    def _as_read(self, records: Iterable[Incoming]) -> list[Message | Unreadable]:
        plan = self._plan
        return [read_as(each, plan.views.get(each.topic, plan.spec.reader)) for each in records if each.value is not None]

    def _take_own(self, records: list[Incoming]) -> None:
        plan = self._plan
        read = [each for each in self._as_read(records) if isinstance(each, Message)]  # what nobody can read is another's
        own = [each for each in read if plan.among[each.incoming.topic](each)]
        plan.take(own, DeafWork(plan.spec.name, self._connection, plan.spec.seal))

    def _take(self, records: list[Incoming]) -> None:
        spec = self._plan.spec
        fit = [each for each in records if each.parked_id(spec.name) not in self._held]
        self.skipped += len(records) - len(fit)
        read = self._as_read(fit)
        work = DeafWork(spec.name, self._connection, spec.seal)
        self._plan.take([each for each in read if isinstance(each, Message)], work)
        gone = [each for each in fit if each.value is None]
        if gone and spec.bury is not None:
            spec.bury(gone, work)
        unreadable = [*(each for each in read if isinstance(each, Unreadable)), *work.parked]
        # Of what members write, what was bad may have been counted and not kept: nothing here says which those were.
        bad = [each for each in unreadable if not is_open(each.incoming.topic)]
        self._unreadable += [each for each in bad if not self._is_still_to_come(each.incoming)]

    def _is_still_to_come(self, incoming: Incoming) -> bool:
        """Say whether the service will take this record itself, and park it then."""
        begins = self._comes_again.get((incoming.topic, incoming.partition))
        return begins is not None and incoming.offset >= begins


def keep_dropped(plan: Plan, replay: Replay, connection: Connection) -> None:
    """Remember what a person dropped, also since a back-up: when such a record comes again it is not parked again.

    What was tried again stays as the back-up has it, since that is done again as well.
    """
    if plan.spec.parks_on_topic:
        for records in replay.records(replay.ends((PARKED,))):
            letters = [_letter(Incoming.of(record)) for record in records]
            _kept(plan, connection).keep(letters, only=plan.spec.name, state="DISCARDED")


def _kept(plan: Plan, connection: Connection) -> Kept:
    return Kept(connection, kept_table(plan.spec.outbox.metadata))


def _letter(parked: Incoming) -> Letter:
    return Letter(PARKED, parked.key_text, parked.value)


def _arrived(letter: Letter) -> Incoming:
    return Incoming(letter.topic, -1, -1, letter.key.encode(), letter.value, dict(letter.headers), clock.now())


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


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())
