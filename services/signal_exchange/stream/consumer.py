"""The one consume loop, used by every service. See docs/operator/delivery-guarantees.md for what it promises."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Table

from signal_exchange.contracts.border import breaches
from signal_exchange.contracts.codec import decode
from signal_exchange.contracts.faults import UndecodableError
from signal_exchange.contracts.signed import SIGNED
from signal_exchange.contracts.topics import carries, is_state, retry_topic
from signal_exchange.privacy.register import NoSealingKeyError
from signal_exchange.runtime import clock, logs
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.faults import StoreContendedError, StoreUnavailableError, WorldUnavailableError
from signal_exchange.runtime.health import Progress
from signal_exchange.runtime.metrics import Metrics
from signal_exchange.stream.flood import FloodGate, ParkedFloodError, ours
from signal_exchange.stream.messages import Attribution, Incoming, Message, Read, Tombstone, Unreadable
from signal_exchange.stream.outbox import Outbox, OutgoingRecord, Waiting
from signal_exchange.stream.owning import Owner
from signal_exchange.stream.parking import RETRY_READER, Dropped, ParkedStore, Retries, Unseal, once
from signal_exchange.stream.scrubbing import owe
from signal_exchange.stream.setting_aside import CANNOT_PROCESS, NO_SEALING_KEY, may_be_set_aside
from signal_exchange.stream.work import Park, Seal, Work, park_on_topic

FLUSH_RECORDS = 2_000
"""Outgoing records read and sent together."""
PAUSES = (0.1, 0.3, 1.0, 3.0)
"""Seconds between tries while the world does not answer; the last one repeats."""
Handle = Callable[[Sequence[Message], Work], None]
"""A service's own work on one batch: pure decisions, then writes through the given Work. It has no try."""
OnTombstones = Callable[[Sequence[Incoming], Work], None]
"""A service's own work on the tombstones of one batch, after its records: it deletes what it holds under their keys."""
Attribute = Callable[[Message, Work], Attribution | None]
"""Says whose number a record has at which a service fails, and remembers that it is parked."""
FORESEEN = (WorldUnavailableError, ParkedFloodError)
"""What is no fault of ours at one record: it is waited for, or stops the process."""
T = TypeVar("T")


class Sender(Protocol):
    """Sends outgoing records and waits until the broker has acknowledged each of them."""

    async def send(self, outgoing: Sequence[OutgoingRecord]) -> None:
        """Send outgoing records in order.

        Raises:
            BrokerUnavailableError: at least one was not acknowledged; sending all again is safe.
        """
        ...


@dataclass(frozen=True, slots=True)
class ConsumerSpec:
    """The parts that make one consumer out of the common ones.

    `name` is principal, group and app; `reader` names its view in schemas/readers; `alongside` are coroutines that run
    until the consumer stops, such as a municipality's REST API. `park` keeps what cannot be read: on the topic `parked`, or
    in the own store of a service that may not write there (not `parks_on_topic`). `unseal` opens what it parked itself, for a
    retry, and `dropped` is its own work when a person drops it; `on_tombstones` is its work on those; `attribute` says whose
    number a record has that it fails at. `metrics` are shared with what runs alongside.
    A service whose work nobody waits for lets records gather for `gather_seconds` before it takes the next batch. `look` is
    called between batches, and while there are none: what files changed is taken over then, such as the participants' register.
    `watched` counts the signs of life of what else may not stand still.
    """

    name: str
    reader: str
    sources: tuple[str, ...]
    database: Database
    outbox: Table
    handle: Handle
    seal: Seal
    alongside: tuple[Callable[[], Awaitable[None]], ...] = field(default=())
    park: Park = park_on_topic
    parks_on_topic: bool = True
    unseal: Unseal | None = None
    dropped: Dropped | None = None
    on_tombstones: OnTombstones | None = None
    attribute: Attribute | None = None
    gather_seconds: float = 0.0
    look: Callable[[], object] = lambda: None
    metrics: Metrics = field(default_factory=Metrics)
    watched: Mapping[str, Callable[[], int]] = field(default_factory=dict)


class BatchLoop:
    """Takes one batch from records in hand to effects that hold.

    The way of a batch, from callback to callback: Faust's consumer thread fetches, `batch_app.BatchConsumer._run` hands the
    batch to `service.Consumer._on_batch`, that to `on_batch` here, which calls the service's own `ConsumerSpec.handle` inside
    the transaction of step 2; back in `_run` the offsets are committed.

    1. Read each record; a bad one becomes a parked record of the same batch, never an exception.
    2. Apply all in one transaction: the handler's writes, parked records and outbox rows. A record that a person wants to be
       tried again goes first, as if it came in now, with the append time that it had.
    3. Send the rows that this batch added to the outbox, from memory, and await each acknowledgement.
    4. Remove the acknowledged rows.
    5. Return: only then does the app commit the offsets.

    Rows that an earlier process or a person's decision left are sent by `flush`. Only one of both is at work at a time, so that
    between them this process owns no row (docs/decisions/0012).

    A batch at which the service itself fails is done again record by record. A record that fails by itself is parked as
    CANNOT_PROCESS, and the others hold; the fourth different one within an hour stops the process (docs/decisions/0019). One for
    which the register lacks a sealing key is parked as NO_SEALING_KEY, however many those are (docs/decisions/0024).

    The world's faults are waited for, with growing pauses, up to `patience_seconds`; then, and when too much is unexpected, this
    raises, and the process stops without commit.
    """

    def __init__(self, spec: ConsumerSpec, sender: Sender, progress: Progress, flood: FloodGate, patience_seconds: float) -> None:
        self._spec, self._sender, self._progress = spec, sender, progress
        self._flood, self._patience_seconds = flood, patience_seconds
        self._owner = Owner(spec.database)
        self._one_at_work = asyncio.Lock()
        self._nothing_left = False

    @property
    def at_work(self) -> bool:
        """Say whether a batch or the rows of the outbox are in hand now."""
        return self._one_at_work.locked()

    async def on_batch(self, records: Sequence[Any]) -> None:
        """Take a batch through steps 1 to 5."""
        began = time.monotonic()
        incoming = [Incoming.of(record) for record in records]
        async with self._one_at_work:
            works = await self._patiently("store", lambda: self._applied(incoming))  # steps 1 and 2
            await self._send(
                [each for work in works for each in work.outgoing if not each.held], self._remove_own
            )  # steps 3 and 4
            self._nothing_left = True
        self._tell(incoming, [bad for work in works for bad in work.parked], time.monotonic() - began)

    async def flush(self) -> int:
        """Send what this process left, what nobody owns and what a process left that is gone; return how many those were."""
        async with self._one_at_work:
            return await self._flush()

    async def _applied(self, incoming: Sequence[Incoming]) -> list[Work]:
        if not self._nothing_left:
            await self._flush()
        self._nothing_left = False
        return await asyncio.to_thread(self._apply_all, incoming)

    async def _flush(self) -> int:
        sent = 0
        await self._patiently("outbox", lambda: asyncio.to_thread(self._claim))
        while waiting := await self._patiently("outbox", lambda: asyncio.to_thread(self._own)):
            numbers = [each.number for each in waiting]
            await self._send([each.record for each in waiting], partial(self._remove, numbers))
            sent += len(waiting)
        self._nothing_left = True
        return sent

    async def _send(self, outgoing: Sequence[OutgoingRecord], remove: Callable[[], None]) -> None:
        if not outgoing:
            return
        await self._patiently("broker", lambda: self._sender.send(outgoing))
        await self._patiently("outbox", lambda: asyncio.to_thread(remove))
        for topic, sent in Counter(record.topic for record in outgoing).items():
            self._spec.metrics.outbox_sent.labels(topic).inc(sent)

    def _read(self, incoming: Incoming) -> Read:
        if incoming.value is None and is_state(incoming.topic):
            return Tombstone(incoming)
        return read_as(incoming, RETRY_READER if incoming.topic == retry_topic(self._spec.name) else self._spec.reader)

    def _apply_all(self, incoming: Sequence[Incoming]) -> list[Work]:
        """Apply a batch in one transaction; when the service fails at it, each record in one of its own, in order."""
        self._spec.look()
        self._owner.hold()
        try:
            return [self._apply(incoming)]
        except FORESEEN:
            raise
        except Exception as fault:  # noqa: BLE001 - whatever a record can make the service raise
            logs.warn("batch_divided", count=len(incoming), exception=type(fault).__name__)
        return [self._apply_alone(each) for each in incoming]

    def _apply_alone(self, incoming: Incoming) -> Work:
        self._progress.steps()
        try:
            return self._apply([incoming])
        except FORESEEN:
            raise
        except Exception as fault:  # noqa: BLE001 - as above
            return self._apply_set_aside(incoming, fault)

    def _apply(self, incoming: Sequence[Incoming]) -> Work:
        read = [self._read(each) for each in incoming]
        with self._working() as (work, retries):
            again = retries.take([each for each in read if isinstance(each, Message) and each.record == "RetryRequest"])
            self._work([*map(self._read, again), *read], work)
            retries.forget(work.erased)
            retries.finish(again)
            self._flood.check(ours(read), ours(work.parked))
        return work

    def _apply_set_aside(self, incoming: Incoming, fault: Exception) -> Work:
        """Park a record at which the service fails, or raise what it failed with when there were too many of those."""
        with self._working() as (work, retries):
            again = retries.tried_again(self._read(incoming))
            [failed] = again or [incoming]
            parked_id = failed.parked_id(self._spec.name)
            reason = NO_SEALING_KEY if isinstance(fault, NoSealingKeyError) else CANNOT_PROCESS
            if reason == CANNOT_PROCESS and not may_be_set_aside(work.connection, parked_id, clock.now()):
                raise fault
            work.park(Unreadable(failed, reason, attribution=self._attributed(failed, work)))
            retries.finish(again)
        logs.warn("record_set_aside", parked_id=parked_id, exception=type(fault).__name__)
        return work

    def _attributed(self, incoming: Incoming, work: Work) -> Attribution | None:
        """Return whose number a record has, unless the service fails at that as well."""
        read = self._read(incoming)
        if self._spec.attribute is None or not isinstance(read, Message):
            return None
        try:
            with work.connection.begin_nested():
                return self._spec.attribute(read, work)
        except Exception:  # noqa: BLE001 - the same fault as before: then it is nobody's
            return None

    @contextmanager
    def _working(self) -> Iterator[tuple[Work, Retries]]:
        """Open a transaction for effects; what they tell is in the outbox when it holds."""
        with self._spec.database.batch() as connection:
            kept = ParkedStore(connection)
            work = Work(self._spec.name, connection, self._spec.seal, once(self._spec.park, kept))
            yield work, Retries(work, kept, self._spec.unseal, self._spec.dropped)
            work.tell_counted()
            box = self._box(connection)
            if box.others_have_any(work.outgoing):
                raise StoreContendedError("a worker that is still sending")
            box.add(work.outgoing)
            if work.erased or work.owes_bytes:
                owe(connection)

    def _box(self, connection: Connection) -> Outbox:
        return Outbox(connection, self._spec.outbox, self._owner.name)

    def _work(self, read: Sequence[Read], work: Work) -> None:
        for unreadable in (each for each in read if isinstance(each, Unreadable)):
            work.park(unreadable)
        self._spec.handle([each for each in read if isinstance(each, Message) and each.record != "RetryRequest"], work)
        gone = [each.incoming for each in read if isinstance(each, Tombstone)]
        if gone and self._spec.on_tombstones is not None:
            self._spec.on_tombstones(gone, work)

    def _claim(self) -> None:
        self._spec.look()
        self._owner.hold()
        with self._spec.database.reading() as connection:
            others = self._box(connection).owners() - {self._owner.name}
        if others:
            with self._spec.database.transaction() as connection:
                gone = [each for each in others if each is None or self._owner.is_gone(connection, each)]
                self._box(connection).take_over(gone)

    def _own(self) -> list[Waiting]:
        with self._spec.database.reading() as connection:
            return self._box(connection).own(FLUSH_RECORDS)

    def _remove(self, numbers: Sequence[int]) -> None:
        with self._spec.database.transaction() as connection:
            self._box(connection).remove(numbers)

    def _remove_own(self) -> None:
        with self._spec.database.transaction() as connection:
            self._box(connection).remove_own()

    async def _patiently(self, step: str, attempt: Callable[[], Awaitable[T]]) -> T:
        began, tries = time.monotonic(), 0
        while True:
            try:
                done = await attempt()
            except WorldUnavailableError as fault:
                if isinstance(fault, StoreUnavailableError) and not isinstance(fault, StoreContendedError):
                    self._owner.lost()
                if time.monotonic() - began > self._patience_seconds:
                    raise
                self._progress.waits(step)
                self._spec.metrics.world_waits.labels(step).inc()
                logs.warn("world_unavailable", step=step, reason=type(fault).__name__)
                await asyncio.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
                tries += 1
            else:
                self._progress.steps()
                return done

    def _tell(self, incoming: Sequence[Incoming], parked: Sequence[Unreadable], seconds: float) -> None:
        for topic, read in Counter(each.topic for each in incoming).items():
            self._spec.metrics.records_read.labels(topic).inc(read)
        for bad in parked:
            self._spec.metrics.records_parked.labels(bad.reason).inc()
            logs.warn(
                "record_parked", reason=bad.reason, parked_id=bad.incoming.parked_id(self._spec.name), topic=bad.incoming.topic
            )
        self._spec.metrics.batches_handled.inc()
        self._spec.metrics.batch_seconds.observe(seconds)
        self._progress.moved()
        logs.log("batch_handled", count=len(incoming), seconds=round(seconds, 4))


def read_as(incoming: Incoming, reader: str) -> Message | Unreadable:
    """Return a record in the view that a reader has of it, or why it cannot be read.

    That is also one that its topic does not carry, and one that may not pass the border (R-VAL-22); of a signed record routing
    judges that itself, behind its signature, so that its sender answers for it.
    """
    try:
        decoded = decode(incoming.value, reader)
    except UndecodableError as fault:
        return Unreadable(incoming, "TOO_LARGE" if fault.reason == "too_large" else "SCHEMA_INVALID", (fault.reason,))
    if not carries(incoming.topic, decoded.record):
        return Unreadable(incoming, "SCHEMA_INVALID", ("unexpected_record",))
    if faults := () if decoded.record in SIGNED else breaches(decoded.record, decoded.fields, incoming.appended_at):
        return Unreadable(incoming, "SCHEMA_INVALID", faults)
    return Message(decoded.record, decoded.fields, incoming)
