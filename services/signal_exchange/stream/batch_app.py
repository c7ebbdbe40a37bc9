"""Whole batches to one coroutine, commit after it returned: the Faust app under every consumer.

Faust keeps app, worker, signals, consumer thread, group membership, rebalance and the commit call. Its agents, streams,
tables and acknowledgements are not used: they acknowledge a record whose handler failed (docs/decisions/0003). Only
this module and `service.py`, which starts it, import faust; a contract test holds the private names that they touch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import Service

from signal_exchange.stream.batches import install_bounded_readers
from signal_exchange.stream.group import LOOK_SECONDS, Group

Records = Sequence[Any]
"""ConsumerRecords of aiokafka."""


class GroupThread(driver.AIOKafkaConsumerThread):
    """Faust's thread around aiokafka's consumer; it joins when it knows the topics, and stops the app when it lost its group."""

    app: Any  # a BatchApp; faust's own type knows nothing of it
    _group: Group | None = None

    @property
    def in_place(self) -> bool:
        """Say whether the worker is in its group and has its share of the partitions."""
        return self._group is not None and self._group.in_place

    async def on_start(self) -> None:
        """Start aiokafka's consumer."""
        await super().on_start()
        self._group = Group(self._consumer)

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Join the group, once Kafka has told the partitions of every topic."""
        wanted = set(topics)
        await self.call_thread(self._known, wanted)
        await super().subscribe(wanted)

    async def _known(self, topics: set[str]) -> None:
        if self._group is not None:
            await self._group.know(topics, lambda: self.should_stop)

    def on_crash(self, msg: str, *fmt: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed by mode
        """Print nothing: mode would print a traceback, with whatever values it shows. The log tells the type already."""

    @Service.task
    async def _keep_in_group(self) -> None:
        while not self.should_stop:
            await self.sleep(LOOK_SECONDS)
            if self._group is not None and not self.should_stop:
                await self._look(self._group)

    async def _look(self, group: Group) -> None:
        try:
            await group.look()
        except Exception as lost:
            self.app.on_lost(lost)
            raise


class BatchConsumer(driver.Consumer):
    """Hands fetched records to the app's handler as one batch, and commits when it returned."""

    app: Any  # a BatchApp; faust's own type knows nothing of it
    _thread: GroupThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed on to faust
        super().__init__(*args, **kwargs)
        self.idle = asyncio.Event()
        self.idle.set()

    def _new_consumer_thread(self) -> GroupThread:
        return GroupThread(self, loop=self.loop, beacon=self.beacon)

    async def _drain_messages(self, fetcher: Any) -> None:  # noqa: ANN401 - faust's own type
        while not (self.should_stop or fetcher.should_stop):
            records, _ = await self._wait_next_records(timeout=1.0)
            if records and self.flow_active:  # a stopped flow is a rebalance or a stop: refetched from the committed offset
                await self._run(records)
                await self._gather(sum(map(len, records.values())))
            elif self._thread.in_place:
                self.app.on_idle()

    async def _run(self, records: Mapping[TP, Records]) -> None:
        generation = self.app.consumer_generation_id
        self.idle.clear()
        try:
            await self.app.on_batch([record for batch in records.values() for record in batch])
            # A zombie never commits: the generation changed while the handler worked, the new owner has these records.
            if generation == self.app.consumer_generation_id:
                await self._commit_offsets({TP(tp.topic, tp.partition): batch[-1].offset + 1 for tp, batch in records.items()})
        finally:
            self.idle.set()

    async def _gather(self, handled: int) -> None:
        """Leave time for more to come in before the next batch, unless this one was full: then more is waiting."""
        if handled < self.app.conf.broker_max_poll_records:
            await self.sleep(self.app.gather_seconds)

    async def settle(self, seconds: float) -> None:
        """Stop fetching and let the batch in hand finish and commit, for so many seconds."""
        self.stop_flow()
        try:
            await asyncio.wait_for(self.idle.wait(), seconds)
        except TimeoutError:
            self.log.warning("The batch in hand did not settle in %s s; it will be redelivered.", seconds)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Let the batch in hand settle before the partitions go."""
        await self.settle(self.app.grace_seconds)
        await super().on_partitions_revoked(revoked)

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust's check watches streams, of which there are none; health by progress replaces it."""


class BatchFetcher(driver.Transport.Fetcher):  # type: ignore[valid-type,misc]  # a class attribute of faust's transport
    """Fetches until the stop, and then lets the batch in hand settle."""

    app: Any  # a BatchApp; faust's own type knows nothing of it

    async def on_stop(self) -> None:
        """Let the batch in hand settle before the consumer leaves the group."""
        await self.app.consumer.settle(self.app.grace_seconds)
        await super().on_stop()


class BatchTransport(driver.Transport):
    """Kafka, by the consumer and fetcher above."""

    Consumer = BatchConsumer
    Fetcher = BatchFetcher


class BatchApp(faust.App):
    """One service: its source topics, its handler, and what starts before and stops after it.

    `on_batch` gets aiokafka's records of one poll and returns when every effect holds; a raise stops the app without commit.
    `on_idle` is told when there was nothing to fetch. After a batch that was not full, `gather_seconds` pass before the next.
    `on_lost` is told why, when this consumer is no longer in its group and cannot come back; the app stops then.
    """

    def __init__(
        self,
        name: str,
        *,
        sources: Sequence[str],
        on_batch: Callable[[Records], Awaitable[None]],
        on_idle: Callable[[], None],
        on_lost: Callable[[Exception], None],
        before_first: Callable[[], Awaitable[None]],
        after_last: Callable[[], Awaitable[None]],
        grace_seconds: float,
        gather_seconds: float = 0.0,
        **options: Any,  # noqa: ANN401 - faust's own settings
    ) -> None:
        install_bounded_readers()
        super().__init__(name, **options)
        self.sources, self.on_batch, self.on_idle, self.on_lost = tuple(sources), on_batch, on_idle, on_lost
        self.before_first, self.after_last = before_first, after_last
        self.grace_seconds, self.gather_seconds = grace_seconds, gather_seconds
        self.on_stop_begins: Callable[[], object] = lambda: None

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)

    async def stop(self) -> None:
        """Tell that the stop begins, and stop."""
        self.on_stop_begins()
        await super().stop()

    async def on_first_start(self) -> None:
        """Start what the handler needs and subscribe, without an agent."""
        await super().on_first_start()
        await self.before_first()
        for name in self.sources:
            self.topics.add(self.topic(name, key_type=bytes, value_type=bytes))

    async def on_shutdown(self) -> None:
        """Stop what the handler needed."""
        await super().on_shutdown()
        await self.after_last()
