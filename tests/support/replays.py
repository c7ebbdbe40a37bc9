"""Topics in memory, read again as a stopped service reads them; offsets are kept as Kafka keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.recovery.replaying import KafkaReplay
from signal_exchange.stream.messages import Message
from signal_exchange.stream.outbox import OutgoingRecord


class Part(NamedTuple):
    """As kafka-python's TopicPartition."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Record:
    """As a consumer record."""

    topic: str
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int
    partition: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass
class MemoryReplay(KafkaReplay):
    """Topics of one part each. `runs` says that a worker of the service is in its group."""

    topics: dict[str, list[Record]] = field(default_factory=dict)
    done: dict[Part, int] = field(default_factory=dict)
    runs: bool = False
    at_once: int = 3

    def add(self, message: Message) -> Message:
        """Append a record, and return it as a consumer gets it."""
        incoming = message.incoming
        at = round(incoming.appended_at.timestamp() * 1000)
        offset = self._append(incoming.topic, incoming.key, incoming.value, at, tuple(incoming.headers.items()))
        return replace(message, incoming=replace(incoming, partition=0, offset=offset))

    def send(self, outgoing: Iterable[OutgoingRecord]) -> None:
        """Append outgoing records, as the broker does."""
        for record in outgoing:
            self._append(record.topic, record.key.encode(), record.value, 1_795_000_000_000)

    def _append(
        self, topic: str, key: bytes | None, value: bytes | None, timestamp: int, headers: tuple[tuple[str, bytes], ...] = ()
    ) -> int:
        log = self.topics.setdefault(topic, [])
        log.append(Record(topic, len(log), key, value, timestamp, headers=headers))
        return len(log) - 1

    def commit(self) -> None:
        """Commit everything that was read of every topic."""
        self.done = {Part(topic, 0): len(log) for topic, log in self.topics.items()}

    def await_empty(self) -> None:
        """Refuse a service that runs."""
        if self.runs:
            raise RefusedError("SERVICE_RUNS", service="x")

    def standing(self, topics: Iterable[str]) -> dict[Any, int]:
        """Return what is committed."""
        self.await_empty()
        return self.committed(topics)

    def committed(self, topics: Iterable[str]) -> dict[Any, int]:
        """Return what is committed, of a service that may run."""
        return {Part(topic, 0): self.done.get(Part(topic, 0), 0) for topic in topics}

    def begin_at(self, offsets: Mapping[Any, int]) -> None:
        """Set what is committed."""
        self.done.update(offsets)

    def ends(self, topics: Iterable[str]) -> dict[Any, int]:
        """Return the ends."""
        return {Part(topic, 0): len(self.topics.get(topic, [])) for topic in topics}

    def count(self, stops: Mapping[Any, int]) -> int:
        """Return how many records there are."""
        return sum(stops.values())

    def records(self, stops: Mapping[Any, int]) -> Iterator[list[Any]]:
        """Give the records a few at a time."""
        for part, stop in stops.items():
            log = self.topics.get(part.topic, [])[:stop]
            yield from (log[start : start + self.at_once] for start in range(0, len(log), self.at_once))
