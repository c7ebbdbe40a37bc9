"""The one consume loop, used by every service. See docs/operator/delivery-guarantees.md for what it promises."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from sqlalchemy import Table

from signal_exchange.contracts.codec import decode
from signal_exchange.contracts.faults import Undecodable
from signal_exchange.contracts.topics import retry_topic
from signal_exchange.runtime import logs
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.faults import WorldUnavailable
from signal_exchange.runtime.health import Progress
from signal_exchange.runtime.metrics import Metrics
from signal_exchange.stream.flood import FloodGate
from signal_exchange.stream.messages import Incoming, Message, Unreadable
from signal_exchange.stream.outbox import Letter, Outbox, kept_table
from signal_exchange.stream.parking import RETRY_READER, Dropped, Kept, Retries, Unseal
from signal_exchange.stream.work import Park, Seal, Work, park_on_topic

FLUSH_LETTERS = 2_000
"""Letters read and sent together."""
PAUSES = (0.1, 0.3, 1.0, 3.0)
"""Seconds between tries while the world does not answer; the last one repeats."""
Handle = Callable[[Sequence[Message], Work], None]
"""A service's own work on one batch: pure decisions, then writes through the given Work. It has no try."""
T = TypeVar("T")


class Sender(Protocol):
    """Sends letters and waits until the broker has acknowledged each of them."""

    async def send(self, letters: Sequence[Letter]) -> None:
        """Send letters in order.

        Raises:
            BrokerUnavailable: at least one was not acknowledged; sending all again is safe.
        """
        ...


class BatchLoop:
    """Takes one batch from records in hand to effects that hold.

    1. Read each record; a bad one becomes a parked record of the same batch, never an exception.
    2. Apply all in one transaction: the handler's writes, parked records and outbox rows. A record that a person wants to be
       tried again goes first, as if it came in now, with the append time that it had.
    3. Send every waiting outbox row and await each acknowledgement.
    4. Remove the acknowledged rows.
    5. Return: only then does the app commit the offsets.

    The world's faults are waited for, with growing pauses, up to `patience_seconds`; then, and at anything unexpected, this
    raises, and the process stops without commit.
    """

    def __init__(
        self,
        service: str,
        *,
        reader: str,
        database: Database,
        outbox: Table,
        handle: Handle,
        sender: Sender,
        seal: Seal,
        metrics: Metrics,
        progress: Progress,
        patience_seconds: float,
        flood: FloodGate,
        park: Park = park_on_topic,
        unseal: Unseal | None = None,
        dropped: Dropped | None = None,
    ) -> None:
        self._service, self._reader, self._database, self._outbox = service, reader, database, outbox
        self._handle, self._sender, self._seal, self._park = handle, sender, seal, park
        self._metrics, self._progress = metrics, progress
        self._patience_seconds, self._flood = patience_seconds, flood
        self._kept, self._unseal, self._dropped = kept_table(outbox.metadata), unseal, dropped
        self._one_flush = asyncio.Lock()

    async def on_batch(self, records: Sequence[Any]) -> None:
        """Take a batch through steps 1 to 5."""
        began = time.monotonic()
        incoming = [Incoming.of(record) for record in records]
        read = [self._read(each) for each in incoming]  # step 1
        parked = await self._patiently("store", lambda: asyncio.to_thread(self._apply, read))  # step 2
        await self.flush()  # steps 3 and 4
        self._tell(incoming, parked, time.monotonic() - began)

    async def flush(self) -> int:
        """Send what waits in the outbox, in order, and remove what was acknowledged; return how many that were."""
        sent = 0
        async with self._one_flush:
            while letters := await self._patiently("outbox", self._waiting):
                await self._patiently("broker", lambda: self._sender.send([each.letter for each in letters]))
                await self._patiently("outbox", lambda: asyncio.to_thread(self._remove, [each.number for each in letters]))
                sent += len(letters)
                for each in letters:
                    self._metrics.outbox_sent.labels(each.letter.topic).inc()
        return sent

    def _read(self, incoming: Incoming) -> Message | Unreadable:
        reader = RETRY_READER if incoming.topic == retry_topic(self._service) else self._reader
        try:
            decoded = decode(incoming.value, reader)
        except Undecodable as fault:
            return Unreadable(incoming, "TOO_LARGE" if fault.reason == "too_large" else "SCHEMA_INVALID", (fault.reason,))
        return Message(decoded.record, decoded.fields, incoming)

    def _apply(self, read: Sequence[Message | Unreadable]) -> list[Unreadable]:
        with self._database.transaction() as connection:
            work = Work(self._service, connection, self._seal, self._park)
            retries = Retries(work, Kept(connection, self._kept), self._unseal, self._dropped)
            again = retries.take([each for each in read if isinstance(each, Message) and each.record == "RetryRequest"])
            self._work([*map(self._read, again), *read], work)
            retries.settle(again)
            self._flood.check(len(read), len(work.parked))
            Outbox(connection, self._outbox).add(work.letters)
        return work.parked

    def _work(self, read: Sequence[Message | Unreadable], work: Work) -> None:
        for unreadable in (each for each in read if isinstance(each, Unreadable)):
            work.park(unreadable)
        self._handle([each for each in read if isinstance(each, Message) and each.record != "RetryRequest"], work)

    async def _waiting(self) -> Any:  # noqa: ANN401 - the rows of the outbox
        return await asyncio.to_thread(self._read_waiting)

    def _read_waiting(self) -> Any:  # noqa: ANN401 - the rows of the outbox
        with self._database.reading() as connection:
            return Outbox(connection, self._outbox).waiting(FLUSH_LETTERS)

    def _remove(self, numbers: Sequence[int]) -> None:
        with self._database.transaction() as connection:
            Outbox(connection, self._outbox).remove(numbers)

    async def _patiently(self, step: str, attempt: Callable[[], Awaitable[T]]) -> T:
        began, tries = time.monotonic(), 0
        while True:
            try:
                return await attempt()
            except WorldUnavailable as fault:
                if time.monotonic() - began > self._patience_seconds:
                    raise
                self._progress.waits(step)
                self._metrics.world_waits.labels(step).inc()
                logs.warn("world_unavailable", step=step, reason=type(fault).__name__)
                await asyncio.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
                tries += 1

    def _tell(self, incoming: Sequence[Incoming], parked: Sequence[Unreadable], seconds: float) -> None:
        for each in incoming:
            self._metrics.records_read.labels(each.topic).inc()
        for bad in parked:
            self._metrics.records_parked.labels(bad.reason).inc()
            logs.warn(
                "record_parked", reason=bad.reason, parked_id=bad.incoming.parked_id(self._service), topic=bad.incoming.topic
            )
        self._metrics.batches_handled.inc()
        self._metrics.batch_seconds.observe(seconds)
        self._progress.moved()
        logs.log("batch_handled", count=len(incoming), seconds=round(seconds, 4))
