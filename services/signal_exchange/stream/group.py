# ruff: noqa: SLF001 - aiokafka tells these things nowhere else; a contract test holds the names
"""A consumer's place in its group: its topics are known before it joins, and it is noticed when it fell out (decision 20).

Faust takes records from aiokafka's fetcher itself, and so passes by the place where aiokafka looks whether its own tasks still
run. A task that ended would not be noticed: the consumer would stand still, or go on without a group.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any

LOOK_SECONDS = 1.0
"""Pause between two looks at the group, and between two questions for topics that Kafka does not name yet."""


class GroupLostError(Exception):
    """A task that keeps this consumer in its group ended; the text names the task."""


class Group:
    """The place of one aiokafka consumer in its group. Everything but `in_place` belongs in the event loop of that consumer.

    To a worker that comes back under its own name Kafka gives again what it had, also when that was nothing, or not all. So a
    worker that has not all partitions and did not divide them itself asks once more: then Kafka lets them be divided anew.
    """

    def __init__(self, consumer: Any) -> None:  # noqa: ANN401 - a started AIOKafkaConsumer
        self._client, self._coordinator, self._fetcher = consumer._client, consumer._coordinator, consumer._fetcher
        self._asked_again = False

    @property
    def in_place(self) -> bool:
        """Say whether the worker is a member and has its share; that of a worker too many is empty."""
        return self._is_member() and (bool(self._share()) or self._share_is_known())

    async def know(self, topics: Collection[str], stops: Callable[[], bool]) -> None:
        """Wait until Kafka has told the partitions of these topics, so that no join is led in ignorance of them.

        It waits no longer when the worker `stops`.
        """
        self._client.set_topics(topics)
        while self._unknown(topics) and not stops():
            self.look_at_tasks()
            await self._ask_for_topics()

    async def look(self) -> None:
        """Look whether the worker is still in its group, and ask again for a share that may be too small.

        Raises:
            GroupLostError: a task of aiokafka ended.
            KafkaError: Kafka refuses this worker.
        """
        self.look_at_tasks()
        self._coordinator.check_errors()
        if self._unknown(self._topics()):
            self._asked_again = False
            await self._ask_for_topics()
        elif self._is_member() and not self._share_is_known():
            self._asked_again = True
            self._coordinator.request_rejoin()

    def look_at_tasks(self) -> None:
        """Look whether everything still runs that keeps the worker in its group.

        Raises:
            GroupLostError: a task of aiokafka ended.
        """
        tasks = {
            "group coordinator": self._coordinator._coordination_task,
            "metadata": self._client._sync_task,
            "fetcher": self._fetcher._fetch_task,
        }
        ended = [name for name, task in tasks.items() if task.done()]
        if ended:
            raise GroupLostError(f"The task {ended[0]} ended.")

    async def _ask_for_topics(self) -> None:
        # Never longer than one pause: whoever waits here must look at the tasks too.
        await asyncio.wait([self._client.force_metadata_update()], timeout=LOOK_SECONDS)
        await asyncio.sleep(LOOK_SECONDS)

    def _is_member(self) -> bool:
        subscription = self._coordinator._subscription.subscription
        assignment = subscription.assignment if subscription is not None else None
        return assignment is not None and assignment.active and not self._coordinator._subscription.reassignment_in_progress

    def _share_is_known(self) -> bool:
        divided_here = self._coordinator._group_subscription is not None
        return not self._unknown(self._topics()) and (self._has_all() or divided_here or self._asked_again)

    def _has_all(self) -> bool:
        partitions = (self._client.cluster.partitions_for_topic(topic) or () for topic in self._topics())
        return len(self._share()) == sum(map(len, partitions))

    def _share(self) -> Collection[Any]:
        return self._coordinator._subscription.assigned_partitions()  # type: ignore[no-any-return]  # aiokafka ships no types

    def _topics(self) -> Collection[str]:
        return self._coordinator._subscription.topics  # type: ignore[no-any-return]

    def _unknown(self, topics: Collection[str]) -> list[str]:
        return [topic for topic in topics if not self._client.cluster.partitions_for_topic(topic)]
