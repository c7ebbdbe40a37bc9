"""Looks every few seconds at the store and at Kafka, and says what it sees as metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kafka import TopicPartition  # type: ignore[import-untyped]  # ships no types

from signal_exchange.contracts.topics import PARTITIONS, Catalogue
from signal_exchange.oversight.figures import Figures, figures, parked_by
from signal_exchange.oversight.store import OversightStore
from signal_exchange.runtime import clock, logs
from signal_exchange.runtime.admin_client import admin_client
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.faults import WorldUnavailable
from signal_exchange.runtime.metrics import Metrics

WATCH_SECONDS = 15.0
"""Pause between two looks."""
Place = tuple[str, str]
"""A consumer group and a topic."""


@dataclass(slots=True)
class Watch:
    """The figures of the store, and per group and topic how far the group is behind and since when it does not move."""

    database: Database
    metrics: Metrics
    connection: KafkaConnection
    catalogue: Catalogue
    moved: dict[Place, tuple[int, float]] = field(default_factory=dict)

    async def run(self) -> None:
        """Look until the process stops; what does not answer is asked again at the next look, and its figures grow old."""
        while True:
            for look in (self.look_at_store, self.look_at_groups):
                await self._patiently(look)
            await asyncio.sleep(WATCH_SECONDS)

    async def _patiently(self, look: Callable[[], None]) -> None:
        try:
            await asyncio.to_thread(look)
        except WorldUnavailable as fault:
            logs.warn("world_unavailable", step="watch", reason=type(fault).__name__)

    def look_at_store(self) -> None:
        """Tell the figures of the store."""
        with self.database.reading() as connection:
            self._tell(figures(OversightStore(connection), clock.now()))

    def _tell(self, found: Figures) -> None:
        metrics = self.metrics
        for place, count in found.ledger.counts.items():
            metrics.ledger_numbers.labels(place).set(count)
        for place, count in found.ledger.signals.items():
            metrics.ledger_signals.labels(place).set(count)
        metrics.ledger_difference.set(abs(sum(found.ledger.counts.values()) - found.ledger.sent - found.ledger.early))
        metrics.numbers_overdue.set(len(found.ledger.overdue))
        metrics.unattributed_records.set(found.ledger.unattributed)
        self._tell_parked(found)
        metrics.signals_late.set(sum(each.next_date is not None for each in found.late))
        metrics.signals_ownerless.set(sum(each.next_date is None for each in found.late))
        metrics.receipts_overdue.set(len(found.receipts))
        metrics.watched.set(found.at.timestamp())

    def _tell_parked(self, found: Figures) -> None:
        self.metrics.parked_waiting.clear()  # what was resolved must not stay as its last figure
        self.metrics.parked_oldest_seconds.clear()
        for (service, reason), count in parked_by(found).items():
            self.metrics.parked_waiting.labels(service, reason).set(count)
        for service, age in found.oldest_parked.items():
            self.metrics.parked_oldest_seconds.labels(service).set(age)

    def look_at_groups(self) -> None:
        """Tell how far each group is behind on each of its topics, and for how long it has not moved while it is."""
        wanted = {name: self.catalogue.sources_of(name) for name in self.catalogue.principals}
        parts = [TopicPartition(topic, number) for topic in sorted({*_flat(wanted.values())}) for number in range(PARTITIONS)]
        with admin_client(self.connection) as admin:
            ends = admin.list_partition_offsets(dict.fromkeys(parts, -1))
            committed = {group: admin.list_group_offsets(group)[group] for group in wanted}
        for group, topics in wanted.items():
            for topic in topics:
                self._tell_group((group, topic), ends, committed[group])

    def _tell_group(self, place: Place, ends: Mapping[Any, Any], committed: Mapping[Any, Any]) -> None:
        parts = [part for part in ends if part.topic == place[1]]
        done = sum(committed[part].offset for part in parts if part in committed)
        behind = sum(ends[part].offset for part in parts) - done
        now = clock.now().timestamp()
        before = self.moved.get(place)
        if before is None or before[0] != done or behind <= 0:
            self.moved[place] = (done, now)
        self.metrics.consumer_lag.labels(*place).set(max(0, behind))
        self.metrics.commit_age_seconds.labels(*place).set(now - self.moved[place][1])


def _flat(many: Iterable[Iterable[str]]) -> Iterable[str]:
    return (each for some in many for each in some)
