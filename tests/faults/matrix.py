"""Every consumer under every fault: what is done to it, and how it is seen that it was really done."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from injecting import LONGEST_STOP_SECONDS
from kafka import KafkaProducer  # type: ignore[import-untyped]  # ships no types
from schedules import Fault, Kind
from stories import Story
from whole_exchange import KILLED, another_worker, eventually, killer, waiting_for

from signal_exchange.contracts.topics import CONSUMERS, retry_topic
from signal_exchange.runtime.kafka import admin_client

SETTLE_SECONDS = 300.0
SENDS_NOTHING = ("statistics", "oversight")
"""Consumers that tell nothing of what they store: to these a record that they cannot read gives something to tell."""


@dataclass(frozen=True, slots=True)
class Row:
    """One fault for every consumer: its name in the documents, what happens, and what must be seen of it."""

    title: str
    seen: str
    happens: Callable[[Story], None]


def _at_a_point(point: str, ends_with: Sequence[int], says: str = "", **settings: str) -> Callable[[Story], None]:
    """Return what stops each consumer, delivers, and starts each as one to which something happens at a point of its batch."""

    def happens(story: Story) -> None:
        _stop(story, CONSUMERS)
        story.deliver(story.next_examples())
        _give_something_to_tell(story)
        doomed = {service: killer(story.exchange, service, point, 1, **settings) for service in CONSUMERS}
        try:
            _start_again_as_they_end(story, doomed, ends_with)
            assert [service for service in CONSUMERS if says not in _log(story, service, point)] == []
        finally:
            for process in doomed.values():
                process.kill()
                process.wait()

    return happens


def _log(story: Story, service: str, point: str) -> str:
    return (story.exchange.folder / "logs" / f"{service}-{point}.log").read_text(encoding="utf-8")


def _stop(story: Story, services: Sequence[str]) -> None:
    children = [story.exchange.processes.children[service] for service in services]
    for child in children:
        child.send(signal.SIGTERM)
    for child in children:
        assert child.process is not None
        child.process.wait(LONGEST_STOP_SECONDS)


def _start_again_as_they_end(story: Story, doomed: Mapping[str, subprocess.Popen[bytes]], ends_with: Sequence[int]) -> None:
    """Start each service again as soon as it met its end: what comes after it waits for what it tells."""
    waiting = dict(doomed)

    def look() -> list[str]:
        for service in [service for service, process in waiting.items() if process.poll() is not None]:
            assert waiting.pop(service).returncode in ends_with, service
            story.exchange.processes.children[service].start()
        return sorted(waiting)

    eventually(look, lambda left: not left, SETTLE_SECONDS)


def _give_something_to_tell(story: Story) -> None:
    producer = KafkaProducer(acks="all", **story.exchange.admin.for_kafka_python())
    try:
        for future in [producer.send(retry_topic(service), b"garbage", b"no record") for service in SENDS_NOTHING]:
            future.get(30)
    finally:
        producer.close()


STORE_SECONDS = 180.0
PHASES = (("routing",), tuple(service for service in CONSUMERS if service != "routing"))
"""Whose store is away at the same time: without routing nobody after it has anything to store."""


def _store_away(kind: Kind, then: Callable[[Story, Sequence[str]], None]) -> Callable[[Story], None]:
    """Return what takes the stores away, delivers, waits until each consumer says that it waits for its store, and then heals."""

    def happens(story: Story) -> None:
        for services in PHASES:
            with _faults(story, [Fault(0, 0, kind, service) for service in services]):
                story.deliver(story.next_examples())
                for service in services:
                    _await_waiting(story, service)
                then(story, services)
            _await_ready(story, services)

    return happens


@contextmanager
def _faults(story: Story, faults: Sequence[Fault]) -> Iterator[None]:
    for fault in faults:
        story.injector.apply(fault)
    try:
        yield
    finally:
        for fault in faults:
            story.injector.heal(fault)
        story.injector.supervise()


def _await_waiting(story: Story, service: str) -> None:
    url = story.exchange.processes.children[service].ready_url
    eventually(lambda: waiting_for(url), lambda step: step in ("store", "outbox"), STORE_SECONDS)


def _await_ready(story: Story, services: Sequence[str]) -> None:
    for service in services:
        child = story.exchange.processes.children[service]
        eventually(child.is_ready, lambda ready: ready, SETTLE_SECONDS, story.injector.supervise)


def _go_on(_story: Story, _services: Sequence[str]) -> None:
    pass


def _second_workers(story: Story) -> None:
    """Let a second worker of every consumer join under load and leave under load."""
    seconds = [another_worker(story.exchange, service) for service in CONSUMERS]
    story.deliver(story.next_examples())
    eventually(lambda: _workers(story), lambda found: set(found.values()) == {2}, STORE_SECONDS)
    for second in seconds:
        second.send(signal.SIGTERM)
    story.deliver(story.next_examples())
    for second in seconds:
        second.wait(LONGEST_STOP_SECONDS)
        assert second.process is not None
        assert second.process.returncode == 0, second.name


def _workers(story: Story) -> dict[str, int]:
    """Return how many workers each consumer group has."""
    with admin_client(story.exchange.admin) as admin:
        groups = admin.describe_groups(list(CONSUMERS))
    return {service: len(groups[service]["members"]) for service in CONSUMERS}


DIES, STOPS = (KILLED,), (0,)
OWN_GRACE = {"SIGNAL_EXCHANGE_GRACE_SECONDS": "1"}
ROWS: Mapping[str, Row] = {
    "before_store": Row("kill -9 before the store's commit", "exit by SIGKILL", _at_a_point("before_store", DIES)),
    "after_store": Row("kill -9 between store commit and send", "exit by SIGKILL", _at_a_point("after_store", DIES)),
    "half_sent": Row("kill -9 with half of the outbox acknowledged", "exit by SIGKILL", _at_a_point("half_sent", DIES)),
    "after_send": Row("kill -9 after the send, outbox not yet emptied", "exit by SIGKILL", _at_a_point("after_send", DIES)),
    "before_commit": Row("kill -9 before the offset commit", "exit by SIGKILL", _at_a_point("before_commit", DIES)),
    "after_commit": Row("kill -9 after the offset commit", "exit by SIGKILL", _at_a_point("after_commit", DIES)),
    "term_in_hand": Row("SIGTERM with a batch in hand", "the batch settles, exit 0", _at_a_point("term_in_hand", STOPS)),
    "outlives_grace": Row(
        "SIGTERM, and the batch outlives its grace",
        "it says so and ends",
        _at_a_point("outlives_grace", (0, 1), "did not settle", **OWN_GRACE),
    ),
    "store_locked": Row("store locked", "not ready, waiting for its store", _store_away(Kind.LOCK_STORE, _go_on)),
    "term_store_away": Row("SIGTERM while the store is locked", "waiting, then it ends", _store_away(Kind.LOCK_STORE, _stop)),
    "disk_full": Row("disk full", "not ready, waiting for its store", _store_away(Kind.FULL_DISK, _go_on)),
    "second_worker": Row("a second worker joins and leaves under load", "it stops in order, exit 0", _second_workers),
}


def table() -> str:
    """Return the matrix as docs/operator/delivery-guarantees.md shows it."""
    heads = ("fault", *CONSUMERS, "seen to have happened by", "row")
    lines = [heads, ("---",) * len(heads), *(_cells(name, row) for name, row in ROWS.items())]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cells(name: str, row: Row) -> tuple[str, ...]:
    return (row.title, *("x" for _ in CONSUMERS), row.seen, f"`{name}`")
