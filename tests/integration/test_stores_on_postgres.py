"""What SQLite never shows, since it has one writer: transactions of two workers at once, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Barrier, Event
from types import SimpleNamespace
from typing import Any

import pytest
from postgres import PostgresCluster
from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, func, select, update
from whole_exchange import eventually

from signal_exchange.contracts.codec import encode
from signal_exchange.municipality.node import TABLES_OF_NODE
from signal_exchange.municipality.store import Vault, VaultRow
from signal_exchange.privacy.vault import Encrypted
from signal_exchange.routing.clusters import Clusters
from signal_exchange.routing.store import Membership, RoutingStore
from signal_exchange.routing.tables import TABLES as ROUTING
from signal_exchange.runtime import logs
from signal_exchange.runtime.database import Database, add_once, key_order, put_newer
from signal_exchange.runtime.faults import StoreContendedError
from signal_exchange.runtime.health import Progress
from signal_exchange.runtime.metrics import Metrics
from signal_exchange.stream import consumer as consumer_module
from signal_exchange.stream.consumer import BatchLoop, ConsumerSpec, Handle
from signal_exchange.stream.flood import FloodGate
from signal_exchange.stream.messages import Message
from signal_exchange.stream.outbox import Outbox, OutgoingRecord
from signal_exchange.stream.tables import common_tables
from signal_exchange.stream.work import Work

TABLES = MetaData()
OUTBOX = common_tables(TABLES)
STATES = Table(
    "projection_states",
    TABLES,
    Column("name", String, primary_key=True),
    Column("revision", Integer, nullable=False),
)
ROWS, ROUNDS = 300, 10
WAIT_SECONDS = 30.0
AT = datetime(2026, 11, 18, 8, 20, tzinfo=UTC)


@dataclass
class Sender:
    """Takes the place of the broker."""

    sent: list[OutgoingRecord] = field(default_factory=list)

    async def send(self, outgoing: Sequence[OutgoingRecord]) -> None:
        self.sent += outgoing


@contextmanager
def two_workers(url: str, tables: MetaData, *, one_writer: bool = False) -> Iterator[tuple[Database, Database]]:
    """Give one store as two workers of a service have it."""
    first, second = (Database(url, tables, one_writer=one_writer) for _ in range(2))
    first.create_tables()
    try:
        yield first, second
    finally:
        first.close()
        second.close()


@pytest.fixture
def workers(postgres: PostgresCluster) -> Iterator[tuple[Database, Database]]:
    with two_workers(postgres.fresh_database(), TABLES) as both:
        yield both


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer_module, "PAUSES", (0.0,))
    logs.configure("test", "WARNING")


def at_once(*works: Callable[[], object]) -> None:
    with ThreadPoolExecutor(len(works)) as pool:
        for job in [pool.submit(work) for work in works]:
            job.result(WAIT_SECONDS)


def states(database: Database) -> dict[str, int]:
    with database.reading() as connection:
        return {row.name: row.revision for row in connection.execute(select(STATES))}


def rows_of(revision: int) -> list[dict[str, object]]:
    return [{"name": f"{number:04}", "revision": revision} for number in range(ROWS)]


def put(connection: Connection, rows: Sequence[dict[str, object]]) -> None:
    put_newer(connection, STATES, rows, guard="revision")


def add_all(connection: Connection, rows: Sequence[dict[str, object]]) -> None:
    add_once(connection, STATES, [{**row, "name": f"{row['revision']}-{row['name']}"} for row in rows])


@pytest.mark.parametrize(("write", "kept"), [(put, ROWS), (add_all, ROUNDS * ROWS)])
def test_two_workers_that_write_the_same_rows_in_different_orders_do_not_wait_for_each_other(
    workers: tuple[Database, Database], write: Callable[[Connection, Sequence[dict[str, object]]], None], kept: int
) -> None:
    together = Barrier(2)

    def work(database: Database, step: int) -> None:
        for revision in range(1, ROUNDS + 1):
            together.wait(WAIT_SECONDS)
            with database.transaction() as connection:
                write(connection, rows_of(revision)[::step])

    at_once(lambda: work(workers[0], 1), lambda: work(workers[1], -1))
    assert len(states(workers[0])) == kept


def test_two_processes_that_publish_the_same_file_do_not_wait_for_each_other(postgres: PostgresCluster) -> None:
    together, kept = Barrier(2), list[str]()

    def publish(database: Database, who: str, step: int) -> None:
        for number in range(ROUNDS):
            ids = [f"{who} {number} {each:04}" for each in range(ROWS)]
            references = [f"{number} {each:04}".encode() for each in range(ROWS)][::step]
            rows = [VaultRow(own, seen, 1, b"", Encrypted(b"", b"")) for own, seen in zip(ids, references, strict=True)]
            together.wait(WAIT_SECONDS)
            with database.transaction() as connection:
                kept.extend(Vault(connection).add(rows, AT))

    with two_workers(postgres.fresh_database(), TABLES_OF_NODE) as (first, second):
        at_once(lambda: publish(first, "a", 1), lambda: publish(second, "b", -1))
    assert len(kept) == ROUNDS * ROWS


def test_transactions_that_wait_for_each_other_are_told_apart_from_a_store_that_does_not_answer(
    workers: tuple[Database, Database],
) -> None:
    with workers[0].transaction() as connection:
        put(connection, [{"name": name, "revision": 1} for name in "ab"])
    together, ended = Barrier(2), list[str]()

    def cross(database: Database, first: str, second: str) -> None:
        try:
            with database.transaction() as connection:
                connection.execute(update(STATES).where(STATES.c.name == first).values(revision=2))
                together.wait(WAIT_SECONDS)
                connection.execute(update(STATES).where(STATES.c.name == second).values(revision=2))
            ended.append("")
        except StoreContendedError as fault:
            ended.append(str(fault))

    at_once(lambda: cross(workers[0], "a", "b"), lambda: cross(workers[1], "b", "a"))
    assert sorted(ended) == ["", "DeadlockDetected"]
    assert states(workers[0]) == {"a": 2, "b": 2}


def a_loop(database: Database, handle: Handle) -> tuple[BatchLoop, Metrics, Sender]:
    metrics, sender = Metrics(), Sender()
    loop = BatchLoop(
        ConsumerSpec(
            "routing",
            sources=(),
            reader="routing",
            database=database,
            outbox=OUTBOX,
            handle=handle,
            seal=lambda content, parked_id: {"group": "parking:routing", "key_id": parked_id, "ciphertext": content},
            metrics=metrics,
        ),
        sender,
        Progress(metrics),
        FloodGate(1000),
        patience_seconds=60.0,
    )
    return loop, metrics, sender


def a_record() -> Any:
    envelope = {"event_type": "x", "time": AT, "publisher_run": "run", "sequence": 0, "key_id": "k"}
    value = encode("Checkpoint", {"envelope": envelope, "municipality": "GM0983", "highest": 3})
    return SimpleNamespace(topic="signals", partition=0, offset=0, key=b"k", value=value, headers=(), timestamp=1_790_000_000_000)


def counting(read: Barrier) -> Handle:
    """Return a handler that raises the revision of one state and tells it; at its first try it meets the other worker."""
    tries = list[int]()

    def handle(messages: Sequence[Message], work: Work) -> None:
        found = work.connection.execute(select(STATES.c.revision).where(STATES.c.name == "shared")).scalar() or 0
        if not tries:
            read.wait(WAIT_SECONDS)
        tries.append(found)
        put(work.connection, [{"name": "shared", "revision": found + 1}])
        work.trace("CHECKPOINT", at=messages[0].appended_at, key="shared", sequence=found + 1)

    return handle


def take_a_batch(database: Database, handle: Handle) -> tuple[float, Sender]:
    loop, metrics, sender = a_loop(database, handle)
    asyncio.run(loop.on_batch([a_record()]))
    return metrics.world_waits.labels("store")._value.get(), sender


@pytest.mark.parametrize("known", [True, False], ids=["a known state", "a state that nobody knows yet"])
def test_a_batch_whose_rows_another_worker_changed_meanwhile_is_done_again(
    workers: tuple[Database, Database], *, known: bool
) -> None:
    before = 1 if known else 0
    with workers[0].transaction() as connection:
        put(connection, [{"name": "shared", "revision": 1}] * before)
    read, ended = Barrier(2), list[tuple[float, Sender]]()
    at_once(*(lambda each=each: ended.append(take_a_batch(each, counting(read))) for each in workers))
    assert states(workers[0]) == {"shared": before + 2}
    assert sum(waits for waits, _ in ended) == 1
    assert len([record for _, sender in ended for record in sender.sent]) >= 2


def test_batches_that_wait_for_each_other_both_end_with_every_effect(workers: tuple[Database, Database]) -> None:
    with workers[0].transaction() as connection:
        put(connection, [{"name": name, "revision": 1} for name in "ab"])
    together = Barrier(2)

    def crossing(first: str, second: str) -> Handle:
        tries = list[str]()

        def handle(_messages: Sequence[Message], work: Work) -> None:
            tries.append(first)
            raised = update(STATES).values(revision=STATES.c.revision + 1)
            work.connection.execute(raised.where(STATES.c.name == first))
            if len(tries) == 1:
                together.wait(WAIT_SECONDS)
            work.connection.execute(raised.where(STATES.c.name == second))

        return handle

    at_once(lambda: take_a_batch(workers[0], crossing("a", "b")), lambda: take_a_batch(workers[1], crossing("b", "a")))
    assert states(workers[0]) == {"a": 3, "b": 3}


def an_outgoing_record(key: str, revision: int) -> OutgoingRecord:
    return OutgoingRecord("accepted", key, str(revision).encode())


def sent_by(database: Database) -> list[tuple[str, bytes | None]]:
    loop, _, sender = a_loop(database, lambda _messages, _work: None)
    asyncio.run(loop.flush())
    return [(record.key, record.value) for record in sender.sent]


def test_letters_whose_numbers_commit_late_are_still_sent(workers: tuple[Database, Database]) -> None:
    with workers[0].batch() as early:
        Outbox(early, OUTBOX).add([an_outgoing_record("early", number) for number in range(3)])
        with workers[1].batch() as late:
            Outbox(late, OUTBOX).add([an_outgoing_record("late", 1)])
        assert sent_by(workers[1]) == [("late", b"1")]
    assert sent_by(workers[1]) == [("early", b"0"), ("early", b"1"), ("early", b"2")]
    assert sent_by(workers[0]) == []


def test_letters_of_one_transaction_go_in_the_order_in_which_they_were_written(workers: tuple[Database, Database]) -> None:
    with workers[0].batch() as connection:
        Outbox(connection, OUTBOX).add([an_outgoing_record(f"{number * 7919 % 3001:04}", number) for number in range(3000)])
    assert [value for _, value in sent_by(workers[0])] == [str(number).encode() for number in range(3000)]


def test_a_later_state_of_a_row_never_gets_an_earlier_number(workers: tuple[Database, Database]) -> None:
    together = Barrier(2)

    def work(database: Database) -> None:
        for _ in range(ROUNDS):
            together.wait(WAIT_SECONDS)
            _raise_state(database)

    at_once(lambda: work(workers[0]), lambda: work(workers[1]))
    revisions = [int(value or b"") for _, value in sent_by(workers[0])]
    assert revisions == list(range(1, 2 * ROUNDS + 1))


def _raise_state(database: Database) -> None:
    while True:
        try:
            with database.batch() as connection:
                found = connection.execute(select(STATES.c.revision).where(STATES.c.name == "shared")).scalar() or 0
                put(connection, [{"name": "shared", "revision": found + 1}])
                Outbox(connection, OUTBOX).add([an_outgoing_record("shared", found + 1)])
        except StoreContendedError:
            continue
        return


def test_of_a_store_with_one_writer_the_next_sees_all_that_the_one_before_wrote(postgres: PostgresCluster) -> None:
    with two_workers(postgres.fresh_database(), TABLES, one_writer=True) as (first, second), ThreadPoolExecutor(1) as pool:
        with first.batch() as connection:
            put(connection, [{"name": "a", "revision": 1}])
            job = pool.submit(counted, second)
            await_waiting(postgres)
        assert job.result(WAIT_SECONDS) == 1


def counted(database: Database) -> int:
    with database.batch() as connection:
        return connection.execute(select(func.count()).select_from(STATES)).scalar_one()


def await_waiting(postgres: PostgresCluster) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while not postgres.ask("SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"):
        assert time.monotonic() < until, "Nobody waits for the writer."
        time.sleep(0.01)


def joined(clusters: Clusters, signal_id: str) -> set[str]:
    affected = clusters.change(Membership(signal_id, 1, "cluster"))
    clusters.save()
    return affected


def test_two_signals_that_join_a_cluster_at_once_are_judged_together(postgres: PostgresCluster) -> None:
    with two_workers(postgres.fresh_database(), ROUTING) as (first, second):
        with pytest.raises(StoreContendedError):
            join_while_another_joins(second, first)
        with second.batch() as again:
            assert joined(Clusters(RoutingStore(again)), "late") == {"early", "late"}


def join_while_another_joins(own: Database, of_another: Database) -> None:
    with own.batch() as late:
        RoutingStore(late).all_signals()  # from here on it sees nothing newer
        with of_another.batch() as early:
            assert joined(Clusters(RoutingStore(early)), "early") == {"early"}
        joined(Clusters(RoutingStore(late)), "late")


@dataclass
class HeldUp(Sender):
    """A broker that takes outgoing records, and acknowledges them only when it may."""

    took: Event = field(default_factory=Event)
    may: Event = field(default_factory=Event)

    async def send(self, outgoing: Sequence[OutgoingRecord]) -> None:
        await super().send(outgoing)
        self.took.set()
        await asyncio.to_thread(self.may.wait, WAIT_SECONDS)


def telling(key: str, revision: int) -> Handle:
    def handle(messages: Sequence[Message], work: Work) -> None:
        at = messages[0].appended_at
        work.outgoing.append(OutgoingRecord("accepted", key, str(revision).encode()))
        work.trace("RECEIVED", at=at, key=key)

    return handle


@contextmanager
def sending(database: Database, key: str) -> Iterator[tuple[BatchLoop, HeldUp]]:
    """Give a worker that has sent a state of a key, and waits for the acknowledgement."""
    loop, _, _ = a_loop(database, telling(key, 1))
    sender = HeldUp()
    loop._sender = sender
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(asyncio.run, loop.on_batch([a_record()]))
        assert sender.took.wait(WAIT_SECONDS)
        try:
            yield loop, sender
        finally:
            sender.may.set()
            job.result(WAIT_SECONDS)


def left(database: Database) -> int:
    with database.reading() as connection:
        return len(Outbox(connection, OUTBOX).waiting(10_000))


def test_what_one_worker_is_sending_no_other_sends(workers: tuple[Database, Database]) -> None:
    with sending(workers[0], "one") as (_, sender):
        assert sent_by(workers[1]) == []
    assert [record.topic for record in sender.sent] == ["accepted", "signal-trace"]
    assert left(workers[0]) == 0


def test_what_a_dead_worker_left_another_sends(workers: tuple[Database, Database]) -> None:
    with sending(workers[0], "one") as (loop, _):
        loop._owner.lost()  # as PostgreSQL does when the process ends
        assert [key for key, _ in sent_by(workers[1])] == ["one", "one"]
        assert left(workers[1]) == 0


def test_a_later_state_waits_until_the_earlier_one_of_another_worker_arrived(workers: tuple[Database, Database]) -> None:
    loop, metrics, sender = a_loop(workers[1], telling("one", 2))
    with sending(workers[0], "one") as (_, first), ThreadPoolExecutor(1) as pool:
        later = pool.submit(asyncio.run, loop.on_batch([a_record()]))
        eventually(metrics.world_waits.labels("store")._value.get, lambda waits: waits > 0)
        assert sender.sent == []
        first.may.set()
        later.result(WAIT_SECONDS)
    assert [record.value for record in sender.sent if record.topic == "accepted"] == [b"2"]


def test_a_letter_that_nobody_owns_waits_for_the_earlier_state_that_another_worker_is_sending(
    workers: tuple[Database, Database],
) -> None:
    with sending(workers[0], "one"):
        with workers[1].transaction() as connection:
            Outbox(connection, OUTBOX).add([OutgoingRecord("accepted", "one", b"2"), OutgoingRecord("accepted", "two", b"1")])
        assert sent_by(workers[1]) == [("two", b"1")]
    assert sent_by(workers[1]) == [("one", b"2")]


def test_states_of_other_keys_do_not_wait(workers: tuple[Database, Database]) -> None:
    loop, _, sender = a_loop(workers[1], telling("two", 1))
    with sending(workers[0], "one"):
        asyncio.run(loop.on_batch([a_record()]))
        assert [record.key for record in sender.sent] == ["two", "two"]


def test_rows_come_in_the_order_of_the_bytes_of_their_keys_in_a_database_that_sorts_as_people_do(
    workers: tuple[Database, Database],
) -> None:
    names = ["a", "B", "a-b", "ab", "Z", "é", "_", "1"]
    with workers[0].transaction() as connection:
        put(connection, [{"name": name, "revision": 1} for name in names])
    with workers[0].reading() as connection:
        by_people = list(connection.execute(select(STATES.c.name).order_by(STATES.c.name)).scalars())
        by_bytes = list(connection.execute(select(STATES.c.name).order_by(*key_order(connection, STATES))).scalars())
    assert by_bytes == sorted(names)
    assert by_people != by_bytes
