"""The Faust app under every consumer, in this process on a real Kafka: commit after the effects, and never otherwise."""

from __future__ import annotations

import asyncio
import gc
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import faust
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from builders import unsealed
from kafka import KafkaProducer  # type: ignore[import-untyped]  # ships no types
from real_exchange import Exchange, unique_name
from sqlalchemy import MetaData
from structlog.testing import capture_logs

from signal_exchange.contracts.codec import encode
from signal_exchange.runtime import clock, logs
from signal_exchange.runtime.access_rules import AccessRule, add_rules
from signal_exchange.runtime.administration import create_topics
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.faults import BrokerUnavailableError
from signal_exchange.runtime.kafka import admin_client
from signal_exchange.runtime.settings import ServiceSettings
from signal_exchange.stream.consumer import ConsumerSpec
from signal_exchange.stream.messages import Message
from signal_exchange.stream.outbox import Outbox, OutgoingRecord
from signal_exchange.stream.scrubbing import Scrubber
from signal_exchange.stream.sender import KafkaSender
from signal_exchange.stream.service import Consumer, run_consumer
from signal_exchange.stream.tables import common_tables
from signal_exchange.stream.work import Work

# mode leaves the event loop of Faust's consumer thread to the garbage collector; in the product the process ends with it.
pytestmark = [pytest.mark.timeout(120), pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]
TABLES = MetaData()
OUTBOX = common_tables(TABLES)
RECORDS = 30


class Bench:
    """A topic, a user with just the rights of a consumer, and a handler that remembers."""

    def __init__(self, exchange: Exchange, folder: Path) -> None:
        self.exchange, self.folder = exchange, folder
        self.topic = exchange.fresh_topic()
        self.user = exchange.fresh_user(reads=(self.topic,), writes=("parked", "signal-trace"))
        self.seen: list[int] = []
        self.pause = 0.0
        self.made: list[Consumer] = []

    def handle(self, messages: Sequence[Message], _work: Work) -> None:
        self.seen += [message.fields["highest"] for message in messages]
        time.sleep(self.pause)

    def consumer(
        self, *, handle: Any = None, instance: str = "1", grace: float = 5.0, topics: Sequence[str] = (), **more: Any
    ) -> Consumer:
        data = self.folder / instance
        data.mkdir(exist_ok=True)
        (data / "password").write_text(self.user.password, encoding="utf-8")
        settings = ServiceSettings(
            mode="demo",
            data_dir=data,
            register_file=data,
            region_key_file=data,
            keys_file=data,
            kafka_bootstrap=self.user.bootstrap,
            kafka_user=self.user.username,
            kafka_password_file=data / "password",
            instance=instance,
            session_seconds=10,
            grace_seconds=grace,
            batch_records=10,
        )
        database = Database(settings.database("bench"), TABLES)
        database.create_tables()
        spec = ConsumerSpec(
            self.user.username,
            "routing",
            tuple(topics) or (self.topic,),
            database,
            OUTBOX,
            handle or self.handle,
            unsealed,
            **more,
        )
        self.made.append(Consumer(spec, settings))
        return self.made[-1]

    def run(self, story: Awaitable[None]) -> None:
        """Let a story happen; whatever its end, no consumer goes on behind the back of the tests that follow."""

        async def whole() -> None:
            try:
                await story
            finally:
                for each in self.made:
                    await each.app.stop()

        asyncio.run(whole())

    def send(self, numbers: Sequence[int]) -> None:
        at = clock.now()
        envelope = {"event_type": "x", "time": at, "publisher_run": "r", "sequence": 0, "key_id": "k"}
        with closing(KafkaProducer(acks="all", **self.exchange.admin.for_kafka_python())) as producer:
            values = [encode("Checkpoint", {"envelope": envelope, "municipality": "GM0983", "highest": each}) for each in numbers]
            for future in [producer.send(self.topic, value=value, key=str(n).encode()) for n, value in enumerate(values)]:
                future.get(20)

    def committed(self) -> int:
        with admin_client(self.exchange.admin) as admin:
            offsets = admin.list_group_offsets(self.user.username)[self.user.username]
        return sum(each.offset for part, each in offsets.items() if part.topic == self.topic)


@pytest.fixture
def bench(exchange: Exchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    logs.configure("bench", "WARNING")
    # The topic of this test is in no catalogue, which says which records belong on one.
    monkeypatch.setattr("signal_exchange.stream.consumer.carries", lambda *_: True)
    bench = Bench(exchange, tmp_path)
    yield bench
    bench.made.clear()
    gc.collect()  # here, where the warnings about it are expected, and not in whichever test comes next


def metrics_of(consumer: Consumer) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{consumer.health.port}/metrics", timeout=5) as answer:
        return bytes(answer.read())


async def until(holds: Callable[[], bool], seconds: float = 40.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "not in time"
        await asyncio.sleep(0.05)


def test_what_was_handled_is_committed_and_what_waited_in_the_outbox_is_sent(bench: Bench) -> None:
    consumer = bench.consumer()
    with consumer.spec.database.transaction() as connection:
        Outbox(connection, OUTBOX).add([OutgoingRecord("signal-trace", "left by a crash", b"x")])

    async def story() -> None:
        await consumer.app.start()
        await until(lambda: len(bench.seen) == RECORDS)
        await until(consumer.progress.ready)
        assert b"signal_exchange_batches_handled_total" in await asyncio.to_thread(metrics_of, consumer)
        await until(lambda: bench.committed() == RECORDS)
        await consumer.app.stop()

    bench.send(range(RECORDS))
    bench.run(story())
    assert sorted(bench.seen) == list(range(RECORDS))
    assert consumer.metrics.registry.get_sample_value("signal_exchange_outbox_sent_total", {"topic": "signal-trace"}) == 1


def test_a_fault_of_our_own_stops_the_app_and_commits_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_records: Sequence[Any]) -> None:
        raise RuntimeError("ours")

    consumer = bench.consumer()
    monkeypatch.setattr(consumer.loop, "on_batch", broken)

    async def story() -> None:
        await consumer.app.start()
        await until(lambda: consumer.app.crashed)
        await consumer.app.stop()

    bench.send(range(3))
    bench.run(story())
    assert bench.committed() == 0


def test_a_fault_of_what_runs_alongside_stops_the_app(bench: Bench) -> None:
    async def broken() -> None:
        raise RuntimeError("ours")

    consumer = bench.consumer(alongside=(broken,))

    async def story() -> None:
        await consumer.app.start()
        await until(lambda: consumer.app.crashed)
        await consumer.app.stop()

    bench.run(story())


@pytest.mark.parametrize(("pause", "grace"), [(0.2, 5.0), (6.0, 0.2)], ids=["settles in time", "outlives its grace"])
def test_a_second_worker_joins_and_every_record_is_handled(bench: Bench, pause: float, grace: float) -> None:
    first, second = bench.consumer(instance="1", grace=grace), bench.consumer(instance="2", grace=grace)
    bench.pause = pause

    async def story() -> None:
        await first.app.start()
        await until(lambda: len(bench.seen) > 0)
        await second.app.start()
        bench.pause = 0.0
        await until(lambda: set(bench.seen) == set(range(RECORDS)))
        await until(lambda: bench.committed() == RECORDS)
        await second.app.stop()
        await first.app.stop()

    bench.send(range(RECORDS))
    bench.run(story())
    assert len(bench.seen) <= RECORDS + 10


@pytest.mark.parametrize("task", ["_coordination_task", "_fetch_task", "_sync_task"])
def test_a_consumer_of_which_a_task_ended_that_keeps_it_in_its_group_stops_and_the_next_goes_on(bench: Bench, task: str) -> None:
    first = bench.consumer()

    async def story() -> None:
        await first.app.start()
        await until(lambda: len(bench.seen) == RECORDS)
        await until(lambda: bench.committed() == RECORDS)
        consumer: Any = first.app.consumer
        thread = consumer._thread
        inner = thread._consumer
        owner = {"_coordination_task": inner._coordinator, "_fetch_task": inner._fetcher, "_sync_task": inner._client}[task]
        thread.thread_loop.call_soon_threadsafe(getattr(owner, task).cancel)
        await until(lambda: first.app.crashed)
        await first.app.stop()
        bench.send(range(RECORDS, RECORDS + 5))
        second = bench.consumer()
        await second.app.start()
        await until(lambda: len(bench.seen) == RECORDS + 5)
        await until(lambda: bench.committed() == RECORDS + 5)

    bench.send(range(RECORDS))
    with capture_logs() as logged:
        bench.run(story())
    assert sorted(bench.seen) == list(range(RECORDS + 5))
    stopped = [entry for entry in logged if entry["event"] == "consumer_stopped"]
    assert [(entry["reason"], entry["exception"]) for entry in stopped] == [("GROUP_LOST", "GroupLostError")]


class Nothing(RoundRobinPartitionAssignor):  # type: ignore[misc]  # ships no types
    """Divides as a leader does to whom Kafka told no partitions: nobody gets any."""

    @classmethod
    def assign(cls, _cluster: Any, members: Any) -> Any:
        return super().assign(ClusterMetadata(), members)


def test_a_worker_that_comes_back_to_an_empty_share_asks_again_and_gets_it_all(bench: Bench) -> None:
    consumer = bench.consumer()

    async def leave_an_empty_share() -> None:
        before = AIOKafkaConsumer(
            bench.topic,
            group_id=bench.user.username,
            group_instance_id=f"{bench.user.username}-1",
            partition_assignment_strategy=[Nothing],
            session_timeout_ms=45_000,
            **bench.user.for_kafka_python(),
        )
        await before.start()
        assert before.assignment() == set()
        await before.stop()

    async def story() -> None:
        await leave_an_empty_share()
        await consumer.app.start()
        await until(lambda: len(bench.seen) == RECORDS)
        await until(consumer.progress.ready)

    bench.send(range(RECORDS))
    bench.run(story())
    assert sorted(bench.seen) == list(range(RECORDS))


def test_a_worker_joins_when_every_topic_is_there_and_not_before(bench: Bench) -> None:
    late = unique_name("topic")
    consumer = bench.consumer(topics=(bench.topic, late))

    async def story() -> None:
        starting = asyncio.create_task(consumer.app.start())
        await asyncio.sleep(3)
        assert (bench.seen, consumer.progress.ready()) == ([], False)
        with admin_client(bench.exchange.admin) as admin:
            create_topics(admin, {late: {"num_partitions": 2, "replication_factor": 1, "configs": {}}})
            add_rules(admin, [AccessRule(bench.user.username, "READ", "TOPIC", late)])
        await starting
        await until(lambda: len(bench.seen) == RECORDS)
        assert {each.topic for each in consumer.app.consumer.assignment()} == {bench.topic, late}

    bench.send(range(RECORDS))
    bench.run(story())


def test_a_worker_too_many_has_nothing_to_do_and_is_ready(bench: Bench) -> None:
    bench.topic = bench.exchange.fresh_topic(partitions=1)
    with admin_client(bench.exchange.admin) as admin:
        add_rules(admin, [AccessRule(bench.user.username, "READ", "TOPIC", bench.topic)])
    workers = [bench.consumer(instance=str(number)) for number in (1, 2)]

    async def story() -> None:
        for worker in workers:
            await worker.app.start()
        await until(lambda: all(worker.progress.ready() for worker in workers))
        assert sorted(len(worker.app.consumer.assignment()) for worker in workers) == [0, 1]

    bench.run(story())


def test_the_world_answers_a_consumer_unless_erased_bytes_leave_its_store(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    consumer, seen = bench.consumer(), []
    monkeypatch.setattr(Scrubber, "look", lambda _scrubber: seen.append(consumer.watchdog._world_answers()))
    consumer._scrub()
    assert (seen, consumer.watchdog._world_answers()) == ([False], True)


def test_a_letter_that_is_not_acknowledged_is_a_fault_of_the_world(bench: Bench) -> None:
    sender = KafkaSender(KafkaConnection(bench.user.bootstrap, bench.user.username, bench.user.password), request_seconds=5)

    async def story() -> None:
        await sender.start()
        with pytest.raises(BrokerUnavailableError):
            await sender.send([OutgoingRecord("accepted", "k", b"this user may not write here")])
        await sender.stop()

    bench.run(story())


def test_a_sender_that_never_started_stops() -> None:
    asyncio.run(KafkaSender(KafkaConnection("127.0.0.1:1", "nobody", "x")).stop())


def test_running_a_consumer_makes_its_tables_and_hands_it_to_faust(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[Any] = []

    class Worker:
        def __init__(self, app: Any, **_options: Any) -> None:
            handed.append(app)

        def execute_from_commandline(self) -> None:
            handed.append("runs")

    monkeypatch.setattr(faust, "Worker", Worker)
    prepared = bench.consumer()
    run_consumer(prepared.spec, prepared.settings)
    assert [handed[0].sources, handed[1]] == [(bench.topic,), "runs"]
