"""Reads topics from outside every group: the trace while the demo runs, and every state at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaConsumer  # type: ignore[import-untyped]  # ships no types

from signal_exchange.contracts.codec import decode_whole
from signal_exchange.contracts.topics import Catalogue
from signal_exchange.domain.figures.ledger import Checkpoint, Entry, Ledger
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.kafka import POLL_MILLISECONDS, admin_client, read_to_end, reader
from signal_exchange_demo.ledger import balance


def records_until_now(connection: KafkaConnection, *topics: str) -> list[Any]:
    """Return every record that these topics hold now, as kafka-python's consumer records."""
    with reader(connection, *topics) as consumer:
        return list(read_to_end(consumer))


def states_until_now(connection: KafkaConnection, topic: str) -> dict[str, dict[str, Any]]:
    """Return the latest state of each key of a state topic, as fields."""
    latest = {record.key.decode(): record.value for record in records_until_now(connection, topic)}
    return {key: decode_whole(value).fields for key, value in latest.items() if value is not None}


@dataclass(slots=True)
class Picture:
    """The picture that the trace gives so far; a fact that is told twice is taken once.

    `kept` is who keeps a signal, and until when, as routing told last (R-ROUTE-11); neither while a receiver has it.
    """

    entries: list[Entry] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    effects: dict[tuple[str, int, str], str] = field(default_factory=dict)
    kept: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    stored: Counter[str] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)

    def add(self, fact: Mapping[str, Any]) -> None:
        """Add one trace fact."""
        if fact["trace_id"] in self.seen:
            return
        self.seen.add(fact["trace_id"])
        if fact["stage"] == "CHECKPOINT":
            self.checkpoints.append(Checkpoint(fact["municipality"], fact["publisher_run"], fact["sequence"], fact["at"]))
        elif fact["stage"] in ("RECEIVED", "PARKED") and fact["service"] == "routing":
            self.entries.extend([_entry(fact)] * (fact["records"] or 1))
        elif fact["stage"] == "ROUTED":
            self.effects[(fact["signal_id"], fact["version"], fact["destination"])] = fact["verdict"]
            self.kept[fact["signal_id"]] = (fact["owner_role"], fact["next_date"])
        else:
            self.stored[fact["service"]] += 1

    @property
    def ledger(self) -> Ledger:
        """Return the balance of what the trace has told (R-FLOW-01)."""
        return balance(self.entries, self.checkpoints)


def _entry(fact: Mapping[str, Any]) -> Entry:
    number = None if fact["sequence"] is None else (fact["municipality"], fact["publisher_run"], fact["sequence"])
    return Entry(number, fact["verdict"], fact["signal_id"], fact["version"] or 0)


def picture_until_now(connection: KafkaConnection) -> Picture:
    """Return the whole picture that the trace gives now."""
    picture = Picture()
    for record in records_until_now(connection, "signal-trace"):
        picture.add(decode_whole(record.value).fields)
    return picture


class Watch:
    """Follows the trace."""

    def __init__(self, consumer: KafkaConsumer) -> None:
        self._consumer = consumer
        self.picture = Picture()

    def look(self) -> Picture:
        """Take in what came since the last look."""
        for batch in self._consumer.poll(POLL_MILLISECONDS).values():
            for record in batch:
                self.picture.add(decode_whole(record.value).fields)
        return self.picture


def lag(connection: KafkaConnection, catalogue: Catalogue, groups: Iterable[str]) -> int:
    """Return the number of records that these consumer groups have not committed yet, over all their topics."""
    wanted = {group: catalogue.sources_of(group) for group in groups}
    with reader(connection, *{topic for topics in wanted.values() for topic in topics}) as consumer:
        ends = consumer.end_offsets(list(consumer.assignment()))
    with admin_client(connection) as admin:
        committed = {group: admin.list_group_offsets(group)[group] for group in wanted}
    return sum(_behind(ends, committed[group], topics) for group, topics in wanted.items())


def _behind(ends: Mapping[Any, int], committed: Mapping[Any, Any], topics: Iterable[str]) -> int:
    parts = [part for part in ends if part.topic in set(topics)]
    return sum(max(0, ends[part] - (committed[part].offset if part in committed else 0)) for part in parts)
