"""How topics are read again: exactly up to where the group is, by nobody while the service runs, and never for ever."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from kafka import TopicPartition  # type: ignore[import-untyped]  # ships no types
from kafka.errors import (  # type: ignore[import-untyped]  # ships no types
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    NoError,
    RebalanceInProgressError,
)
from refusing import refused

from signal_exchange.contracts.topics import PARTITIONS
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.recovery import replaying
from signal_exchange.recovery.replaying import KafkaReplay, kafka_replay
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.faults import BrokerUnavailableError

ONE, TWO = TopicPartition("accepted", 0), TopicPartition("accepted", 1)
NOWHERE = KafkaConnection("127.0.0.1:1", "statistics", "synthetic")


class Broker:
    """Consumer and admin of a Kafka in memory: records by part, of which the first ones may be gone already."""

    def __init__(self, committed: Mapping[Any, int] | None = None, members: Iterable[int] = ()) -> None:
        self.logs = {ONE: [3, 4, 5, 6], TWO: [0]}
        self.begins = {ONE: 3, TWO: 0}
        self.at = dict[Any, int]()
        self.committed = committed or {}
        self.members = iter(members)
        self.paused: set[Any] = set()
        self.silent = False
        self.altered: Any = NoError

    def list_group_offsets(self, group: str) -> dict[str, Any]:
        return {group: {part: SimpleNamespace(offset=offset) for part, offset in self.committed.items()}}

    def describe_groups(self, groups: list[str]) -> dict[str, Any]:
        return {groups[0]: {"members": ["worker"] * next(self.members, 0)}}

    def alter_group_offsets(self, _group: str, wanted: Mapping[Any, Any]) -> dict[Any, Any]:
        self.committed = {part: found.offset for part, found in wanted.items()}
        return dict.fromkeys(wanted, self.altered)

    def list_partition_offsets(self, asked: Mapping[Any, int]) -> dict[Any, Any]:
        def offset(part: Any, which: int) -> int:
            return self.begins.get(part, 0) if which == replaying.EARLIEST else max(self.logs.get(part, [-1])) + 1

        return {part: SimpleNamespace(offset=offset(part, which)) for part, which in asked.items()}

    def assign(self, parts: list[Any]) -> None:
        self.at = dict.fromkeys(parts, 0)

    def seek(self, part: Any, offset: int) -> None:
        self.at[part] = offset

    def pause(self, *parts: Any) -> None:
        self.paused |= set(parts)

    def position(self, part: Any) -> int:
        return self.at[part]

    def poll(self, _milliseconds: int) -> dict[Any, list[Any]]:
        if self.silent:
            return {}
        found = {
            part: [each for each in self.logs[part] if each >= at][:2] for part, at in self.at.items() if part not in self.paused
        }
        self.at |= {part: offsets[-1] + 1 for part, offsets in found.items() if offsets}
        return {part: [SimpleNamespace(offset=each) for each in offsets] for part, offsets in found.items() if offsets}

    def close(self) -> None:
        self.silent = True


def replay_of(broker: Broker, patience_seconds: float = 0.0) -> KafkaReplay:
    return KafkaReplay(broker, broker, "statistics", patience_seconds)


def test_it_gives_each_record_before_the_stops_once_and_none_behind_them() -> None:
    batches = list(replay_of(Broker()).records({ONE: 6, TWO: 1}))
    assert sorted(record.offset for batch in batches for record in batch) == [0, 3, 4, 5]


def test_it_counts_what_there_is_and_knows_where_it_ends() -> None:
    replay = replay_of(Broker())
    assert replay.count({ONE: 6, TWO: 1}) == 4
    assert replay.count({}) == 0
    ends = replay.ends(["accepted"])
    assert (len(ends), ends[ONE], ends[TWO]) == (PARTITIONS, 7, 1)


def test_it_stands_where_the_group_stands_once_its_last_worker_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "LOOK_SECONDS", 0.0)
    found = replay_of(Broker({ONE: 5}, members=[1, 1]), patience_seconds=60.0).standing(["accepted"])
    assert (found[ONE], found[TWO]) == (5, 0)


def test_a_worker_that_stays_and_a_group_that_did_nothing_are_refused() -> None:
    with refused("draait nog"):
        replay_of(Broker({ONE: 5}, members=[1] * 9), patience_seconds=-1.0).standing(["accepted"])
    with refused("nog niets verwerkt"):
        replay_of(Broker()).standing(["accepted"])


def test_a_group_begins_where_it_is_told_unless_kafka_refuses() -> None:
    broker = Broker()
    replay_of(broker).begin_at({ONE: 4})
    assert broker.committed == {ONE: 4}
    broker.altered = RebalanceInProgressError
    with refused("draait de dienst weer"):
        replay_of(broker).begin_at({ONE: 4})


def test_a_broker_that_gives_nothing_any_more_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "SILENCE_SECONDS", -1.0)
    broker = Broker()
    broker.silent = True
    with pytest.raises(BrokerUnavailableError):
        list(replay_of(broker).records({ONE: 5}))


@pytest.mark.parametrize(
    ("error", "told"),
    [(GroupAuthorizationFailedError, RefusedError), (KafkaConnectionError, BrokerUnavailableError), (None, None)],
)
def test_the_connection_is_closed_and_its_faults_are_told_as_ours(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception] | None, told: type[Exception] | None
) -> None:
    broker = Broker({ONE: 5})

    @contextmanager
    def admin(_connection: KafkaConnection) -> Iterator[Broker]:
        if error is not None:
            raise error
        yield broker

    monkeypatch.setattr(replaying, "connect", lambda *_, **__: broker)
    monkeypatch.setattr(replaying, "admin_client", admin)
    if told is None:
        with kafka_replay(NOWHERE, "statistics", 0.0) as replay:
            assert replay.committed(["accepted"])[ONE] == 5
    else:
        with pytest.raises(told), kafka_replay(NOWHERE, "statistics", 0.0):
            pass
    assert broker.silent
