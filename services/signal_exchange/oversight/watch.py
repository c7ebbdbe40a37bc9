"""Looks every few seconds at the store and at Kafka, and says what it sees as metrics."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from kafka import TopicPartition  # type: ignore[import-untyped]  # ships no types

from signal_exchange.contracts.topics import Catalogue
from signal_exchange.oversight.figures import Figures, figures
from signal_exchange.oversight.store import OversightStore
from signal_exchange.runtime import clock
from signal_exchange.runtime.answering import was_answered
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.kafka import admin_client
from signal_exchange.runtime.metrics import Metrics

WATCH_SECONDS = 15.0
"""Pause between two looks."""
EARLIEST, LATEST = -2, -1
GroupPosition = tuple[str, Any]
"""A consumer group and a part of a topic."""


@dataclass(slots=True)
class Watch:
    """The figures of the store, and per group and topic how far the group is behind and since when it does not move.

    `catalogue` gives the topics and groups of this moment: who joins is seen at the next look, who left is forgotten.
    """

    database: Database
    metrics: Metrics
    connection: KafkaConnection
    catalogue: Callable[[], Catalogue]
    moved: dict[GroupPosition, tuple[int, float]] = field(default_factory=dict)

    async def run(self) -> None:
        """Look until the process stops; what does not answer is asked again at the next look, and its figures grow old."""
        while True:
            await self.look()
            await asyncio.sleep(WATCH_SECONDS)

    async def look(self) -> None:
        """Look at everything once; only a look at everything counts as one (alarm OversightIsBlind)."""
        looks = (self.look_at_store, self.look_at_groups)
        seen = [await asyncio.to_thread(was_answered, "watch", each) for each in looks]
        if all(seen):
            self.metrics.watched.set(clock.now().timestamp())

    def look_at_store(self) -> None:
        """Tell the figures of the store."""
        with self.database.reading() as connection:
            self._report(figures(OversightStore(connection), clock.now()))

    def _report(self, found: Figures) -> None:
        metrics = self.metrics
        for place, count in found.ledger.counts.items():
            metrics.ledger_numbers.labels(place).set(count)
        for place, count in found.ledger.signals.items():
            metrics.ledger_signals.labels(place).set(count)
        metrics.ledger_difference.set(abs(sum(found.ledger.counts.values()) - found.ledger.sent - found.ledger.early))
        metrics.numbers_overdue.set(found.ledger.overdue)
        metrics.unattributed_records.set(found.ledger.unattributed)
        self._report_parked(found)
        metrics.signals_late.set(sum(each.next_date is not None for each in found.late))
        metrics.signals_ownerless.set(sum(each.next_date is None for each in found.late))
        metrics.receipts_overdue.set(len(found.receipts))

    def _report_parked(self, found: Figures) -> None:
        self.metrics.parked_waiting.clear()  # what was resolved must not stay as its last figure
        self.metrics.parked_oldest_seconds.clear()
        waiting = Counter((record["service"], record["reason"]) for record in found.parked)
        for (service, reason), count in waiting.items():
            self.metrics.parked_waiting.labels(service, reason).set(count)
        for service, age in found.oldest_parked.items():
            self.metrics.parked_oldest_seconds.labels(service).set(age)

    def look_at_groups(self) -> None:
        """Tell the lag of each group on each of its topics, and the time that a part of it stands still while it is behind."""
        catalogue = self.catalogue()
        wanted = {name: catalogue.sources_of(name) for name in catalogue.principals}
        with admin_client(self.connection) as admin:
            parts = _parts(admin.describe_topics(), {*chain.from_iterable(wanted.values())})
            begins, ends = (admin.list_partition_offsets(dict.fromkeys(parts, which)) for which in (EARLIEST, LATEST))
            committed = {group: admin.list_group_offsets(group)[group] for group in wanted}
        done = {
            (group, part): max(_offset(committed[group].get(part)), begins[part].offset)
            for group, topics in wanted.items()
            for part in parts
            if part.topic in topics
        }
        self._report_groups(done, {part: found.offset for part, found in ends.items()})

    def _report_groups(self, done: Mapping[GroupPosition, int], ends: Mapping[Any, int]) -> None:
        now = clock.now().timestamp()
        behind = {place: max(0, ends[place[1]] - offset) for place, offset in done.items()}
        self.moved = {place: self._since(place, offset, behind[place], now) for place, offset in done.items()}
        self.metrics.consumer_lag.clear()  # who left must not stay as its last figure
        self.metrics.commit_age_seconds.clear()
        for group, topic in dict.fromkeys((group, part.topic) for group, part in done):
            own = [place for place in done if (place[0], place[1].topic) == (group, topic)]
            self.metrics.consumer_lag.labels(group, topic).set(sum(behind[place] for place in own))
            self.metrics.commit_age_seconds.labels(group, topic).set(max(now - self.moved[place][1] for place in own))

    def _since(self, place: GroupPosition, offset: int, behind: int, now: float) -> tuple[int, float]:
        before = self.moved.get(place)
        return before if before is not None and before[0] == offset and behind else (offset, now)


def _parts(described: Iterable[Mapping[str, Any]], wanted: Collection[str]) -> list[Any]:
    there = (topic for topic in described if topic["name"] in wanted)
    return [TopicPartition(topic["name"], part["partition_index"]) for topic in there for part in topic["partitions"]]


def _offset(committed: Any) -> int:  # noqa: ANN401 - kafka-python ships no types
    return 0 if committed is None else int(committed.offset)
