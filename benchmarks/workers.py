"""Two workers of routing beside one, on one PostgreSQL: the same signals, from the first one sent until all are committed."""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from kafka import TopicPartition  # type: ignore[import-untyped]  # ships no types
from kafka.errors import KafkaError  # type: ignore[import-untyped]  # ships no types
from kafka.structs import OffsetAndMetadata  # type: ignore[import-untyped]  # ships no types
from postgres import PostgresCluster

from ground import Ground, a_producer, signed_signals
from signal_exchange.contracts.topics import PARTITIONS
from signal_exchange.runtime.kafka import admin_client
from signal_exchange.stream.messages import Incoming

SIGNALS = "signals"
LATEST = -1
LOOK_SECONDS = 0.05
JOIN_SECONDS = 90
WORK_SECONDS = 240
ENDLESS = 10**9


def workers(ground: Ground, signals: int, rounds: int) -> dict[str, Any]:
    """Return how much faster two workers are than one, paired by round."""
    messages = list(signed_signals(ground, signals))
    cluster = PostgresCluster()
    cluster.start()
    try:
        found = [{count: _rate(ground, cluster, messages, count) for count in (1, 2)} for _ in range(rounds)]
    finally:
        cluster.stop()
    ratios = [each[2] / each[1] for each in found]
    rates = {f"{count}": round(statistics.median(each[count] for each in found), 1) for count in (1, 2)}
    return {"ratio": round(statistics.median(ratios), 3), "ratios": [round(each, 3) for each in ratios], "per_second": rates}


def _rate(ground: Ground, cluster: PostgresCluster, messages: Sequence[Incoming], count: int) -> float:
    group = f"bench-workers-{uuid.uuid4().hex[:6]}"
    with admin_client(ground.admin) as admin:
        stood = _begun_at_the_end(admin, group)
        with _working(ground, group, cluster.fresh_database(), count):
            _await(JOIN_SECONDS, lambda: _settled(admin, group, count))
            began = time.perf_counter()
            with a_producer(ground, linger_ms=5) as producer:
                for each in messages:
                    producer.send(SIGNALS, each.value, each.key, list(each.headers.items()))
            _await(WORK_SECONDS, lambda: _committed(admin, group) - stood >= len(messages))
            return len(messages) / (time.perf_counter() - began)


def _begun_at_the_end(admin: Any, group: str) -> int:
    """Let a group begin at what comes next, and return how many records it leaves out."""
    ends = admin.list_partition_offsets({TopicPartition(SIGNALS, number): LATEST for number in range(PARTITIONS)})
    wanted = {part: OffsetAndMetadata(end.offset, "", -1) for part, end in ends.items()}
    _await(JOIN_SECONDS, lambda: _altered(admin, group, wanted))
    return sum(int(end.offset) for end in ends.values())


def _altered(admin: Any, group: str, wanted: Mapping[Any, Any]) -> bool:
    try:
        admin.alter_group_offsets(group, wanted)
    except KafkaError:  # a broker that has just started has no coordinator of groups yet
        return False
    return True


@contextmanager
def _working(ground: Ground, group: str, store: str, count: int) -> Iterator[None]:
    same = {"group": group, "database": store}
    numbers = range(1, count + 1)
    running = [ground.started("ours", "routing", SIGNALS, ENDLESS, instance=f"{number}", **same) for number in numbers]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.communicate()


def _settled(admin: Any, group: str, count: int) -> bool:
    described = admin.describe_groups([group])[group]
    return len(described["members"]) == count and described["group_state"] == "Stable"


def _committed(admin: Any, group: str) -> int:
    return sum(max(0, each.offset) for each in admin.list_group_offsets(group).get(group, {}).values())


def _await(seconds: float, ready: Any) -> None:
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise SystemExit(f"Workers of routing did not get there within {seconds} s.")
        time.sleep(LOOK_SECONDS)
