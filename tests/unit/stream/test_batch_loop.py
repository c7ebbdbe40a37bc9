"""The consume loop: from records in hand to effects that hold, or nothing at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Column, MetaData, String, Table, select

from signal_exchange.contracts.codec import encode
from signal_exchange.runtime import logs
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.faults import BrokerUnavailableError, StoreUnavailableError
from signal_exchange.runtime.health import Progress
from signal_exchange.runtime.metrics import Metrics
from signal_exchange.stream import consumer as consumer_module
from signal_exchange.stream.consumer import BatchLoop, ConsumerSpec, Handle
from signal_exchange.stream.flood import FloodGate, ParkedFloodError
from signal_exchange.stream.messages import Message
from signal_exchange.stream.outbox import Outbox, OutgoingRecord
from signal_exchange.stream.tables import common_tables
from signal_exchange.stream.work import Work

TABLES = MetaData()
OUTBOX = common_tables(TABLES)
EFFECTS = Table("projection_effects", TABLES, Column("run", String, primary_key=True))
MARK = "onvindbaar-4711"


class RememberingSender:
    """Remembers what was sent; fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.sent: list[OutgoingRecord] = []
        self.failures = failures
        self.tries = 0

    async def send(self, outgoing: Sequence[OutgoingRecord]) -> None:
        self.tries += 1
        if self.tries <= self.failures:
            raise BrokerUnavailableError("NotEnoughReplicasError")
        self.sent += outgoing


def remember(messages: Sequence[Message], work: Work) -> None:
    for message in messages:
        run = message.fields["envelope"]["publisher_run"]
        work.connection.execute(EFFECTS.insert().values(run=run))
        work.trace("CHECKPOINT", at=message.appended_at, key=run, sequence=message.fields["highest"])


def a_record(value: bytes | None, offset: int = 0, key: bytes = b"k", topic: str = "signals") -> Any:
    return SimpleNamespace(
        topic=topic, partition=0, offset=offset, key=key, value=value, headers=(("h", b"1"),), timestamp=1_790_000_000_000
    )


def a_checkpoint(run: str) -> bytes:
    at = datetime(2026, 11, 18, 8, 20, tzinfo=UTC)
    envelope = {"event_type": "x", "time": at, "publisher_run": run, "sequence": 0, "key_id": "k"}
    return encode("Checkpoint", {"envelope": envelope, "municipality": "GM0983", "highest": 3})


def a_loop(
    tmp_path: Path, *, handle: Handle = remember, sender: RememberingSender | None = None, **options: Any
) -> tuple[BatchLoop, Database, RememberingSender]:
    database = Database(f"sqlite+pysqlite:///{tmp_path / 'store.sqlite'}", TABLES)
    database.create_tables()
    sender = sender or RememberingSender()
    metrics = Metrics()
    flood, patience_seconds = options.pop("flood", FloodGate(1000)), options.pop("patience_seconds", 60.0)
    loop = BatchLoop(
        ConsumerSpec(
            "routing",
            sources=(),
            reader="routing",
            database=options.pop("database", database),
            outbox=OUTBOX,
            handle=handle,
            seal=lambda content, parked_id: {"group": "parking:routing", "key_id": parked_id, "ciphertext": content},
            metrics=metrics,
            **options,
        ),
        sender,
        Progress(metrics),
        flood,
        patience_seconds=patience_seconds,
    )
    return loop, database, sender


def effects(database: Database) -> list[str]:
    with database.reading() as connection:
        return sorted(connection.execute(select(EFFECTS.c.run)).scalars())


def waiting(database: Database) -> int:
    with database.reading() as connection:
        return len(Outbox(connection, OUTBOX).waiting(10_000))


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer_module, "PAUSES", (0.0,))
    logs.configure("test", "WARNING")


def test_good_records_are_applied_and_told_and_nothing_waits(tmp_path: Path) -> None:
    loop, database, sender = a_loop(tmp_path)
    asyncio.run(loop.on_batch([a_record(a_checkpoint("run-a")), a_record(a_checkpoint("run-b"), 1)]))
    assert effects(database) == ["run-a", "run-b"]
    assert [record.key for record in sender.sent] == ["run-a", "run-b"]
    assert waiting(database) == 0


@pytest.mark.parametrize(
    "bad", [b"garbage", b"", None, b"\xc3\x01" + b"12345678", a_checkpoint("run")[:-1], a_checkpoint("run") + b"x"], ids=range(6)
)
@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_bad_record_is_parked_wherever_it_stands_and_the_others_go_on(tmp_path: Path, bad: bytes | None, position: int) -> None:
    loop, database, sender = a_loop(tmp_path)
    values: list[bytes | None] = [a_checkpoint("run-a"), a_checkpoint("run-b")]
    values.insert(position, bad)
    asyncio.run(loop.on_batch([a_record(value, offset) for offset, value in enumerate(values)]))
    assert effects(database) == ["run-a", "run-b"]
    assert [record.topic for record in sender.sent].count("parked") == 1
    assert [record.topic for record in sender.sent].count("signal-trace") == 3


def test_a_record_over_the_size_limit_is_parked_as_too_large_with_its_start(tmp_path: Path) -> None:
    loop, _, sender = a_loop(tmp_path)
    asyncio.run(loop.on_batch([a_record(b"x" * 270_000)]))
    [parked] = [record for record in sender.sent if record.topic == "parked"]
    assert parked.value is not None
    assert b"TOO_LARGE" in parked.value
    assert len(parked.value) < 65_536


def test_the_same_batch_twice_tells_the_same_twice(tmp_path: Path) -> None:
    def once(messages: Sequence[Message], work: Work) -> None:
        for message in messages:
            work.trace("CHECKPOINT", at=message.appended_at, key="run", sequence=1)

    loop, _, sender = a_loop(tmp_path, handle=once)
    for _ in range(2):
        asyncio.run(loop.on_batch([a_record(a_checkpoint("run"))]))
    first, second = sender.sent
    assert (first.key, first.value) == (second.key, second.value)


def test_a_broker_that_does_not_answer_is_waited_for(tmp_path: Path) -> None:
    loop, database, sender = a_loop(tmp_path, sender=RememberingSender(failures=3))
    asyncio.run(loop.on_batch([a_record(a_checkpoint("run-a"))]))
    assert (sender.tries, len(sender.sent), waiting(database)) == (4, 1, 0)


def test_patience_ends_and_the_letters_stay_for_the_next_start(tmp_path: Path) -> None:
    loop, database, _ = a_loop(tmp_path, sender=RememberingSender(failures=10_000), patience_seconds=-1.0)
    with pytest.raises(BrokerUnavailableError):
        asyncio.run(loop.on_batch([a_record(a_checkpoint("run-a"))]))
    assert waiting(database) == 1
    loop._owner.lost()  # as PostgreSQL notices when the process ends
    restarted, _, sender = a_loop(tmp_path)
    assert asyncio.run(restarted.flush()) == 1
    assert [record.key for record in sender.sent] == ["run-a"]


def test_each_step_of_a_batch_is_a_sign_of_life_and_a_loop_at_work_says_so(tmp_path: Path) -> None:
    seen: list[tuple[int, bool]] = []

    class Looking(RememberingSender):
        async def send(self, outgoing: Sequence[OutgoingRecord]) -> None:
            seen.append((loop._progress.signs, loop.at_work))
            await super().send(outgoing)

    loop, _, _ = a_loop(tmp_path, sender=Looking())
    asyncio.run(loop.on_batch([a_record(a_checkpoint("run-a"))]))
    (signs, at_work), *_ = seen
    assert (signs > 0, at_work, loop.at_work) == (True, True, False)
    assert loop._progress.signs > signs + 1


def test_a_store_that_does_not_answer_is_waited_for(tmp_path: Path) -> None:
    tries: list[int] = []

    def stumbling(messages: Sequence[Message], work: Work) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise StoreUnavailableError("OperationalError")
        remember(messages, work)

    loop, database, _ = a_loop(tmp_path, handle=stumbling)
    asyncio.run(loop.on_batch([a_record(a_checkpoint("run-a"))]))
    assert (len(tries), effects(database)) == (3, ["run-a"])


def test_a_flood_of_parked_records_stops_before_anything_holds(tmp_path: Path) -> None:
    loop, database, sender = a_loop(tmp_path, flood=FloodGate(10))
    with pytest.raises(ParkedFloodError):
        asyncio.run(loop.on_batch([a_record(b"garbage", offset, topic="outcomes") for offset in range(11)]))
    assert (waiting(database), sender.sent) == (0, [])


def test_what_members_write_stops_no_service_however_much_of_it_is_bad(tmp_path: Path) -> None:
    loop, _, sender = a_loop(tmp_path, flood=FloodGate(10))
    asyncio.run(loop.on_batch([a_record(b"garbage", offset) for offset in range(11)]))
    assert len([record for record in sender.sent if record.topic == "parked"]) == 11


def test_many_bad_among_more_good_records_are_no_flood(tmp_path: Path) -> None:
    loop, database, _ = a_loop(tmp_path, flood=FloodGate(10))
    good = [a_record(a_checkpoint(f"run-{number}"), 100 + number) for number in range(20)]
    asyncio.run(loop.on_batch([*good, *(a_record(b"garbage", offset) for offset in range(11))]))
    assert len(effects(database)) == 20


def test_no_value_of_a_record_is_in_a_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("test")
    loop, _, _ = a_loop(tmp_path)
    asyncio.run(loop.on_batch([a_record(MARK.encode(), key=MARK.encode())]))
    said = capsys.readouterr().err
    assert "record_parked" in said
    assert MARK not in said
    assert all(json.loads(line) for line in said.splitlines())


def test_letters_beyond_one_flush_all_go_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer_module, "FLUSH_RECORDS", 7)

    def chatty(messages: Sequence[Message], work: Work) -> None:
        for number in range(20):
            work.trace("CHECKPOINT", at=messages[0].appended_at, key=f"{number:02}", sequence=number)

    loop, database, sender = a_loop(tmp_path, handle=chatty)
    asyncio.run(loop.on_batch([a_record(a_checkpoint("run"))]))
    assert [record.key for record in sender.sent] == [f"{number:02}" for number in range(20)]
    assert waiting(database) == 0


@pytest.mark.parametrize("buries", [True, False])
def test_a_tombstone_on_a_state_topic_goes_to_the_services_own_work_and_on_a_log_is_parked(
    tmp_path: Path, *, buries: bool
) -> None:
    gone: list[str] = []
    loop, database, _ = a_loop(tmp_path)
    on_tombstones = (lambda found, _work: gone.extend(each.key_text for each in found)) if buries else None
    loop._spec = replace(loop._spec, on_tombstones=on_tombstones)
    on_state = SimpleNamespace(**{**vars(a_record(None, 3)), "topic": "accepted"})
    asyncio.run(loop.on_batch([on_state, a_record(a_checkpoint("one"), 1)]))
    assert (gone, effects(database)) == (["k"] if buries else [], ["one"])


def test_an_earlier_state_of_a_key_that_another_process_left_goes_first(tmp_path: Path) -> None:
    loop, database, sender = a_loop(tmp_path)

    async def story() -> None:
        await loop.on_batch([a_record(a_checkpoint("run-a"))])
        with database.transaction() as connection:
            Outbox(connection, OUTBOX, "another process").add([OutgoingRecord("signal-trace", "run-b", b"earlier")])
        await loop.on_batch([a_record(a_checkpoint("run-b"), 1)])

    asyncio.run(story())
    assert [(record.key, record.value == b"earlier") for record in sender.sent] == [
        ("run-a", False),
        ("run-b", True),
        ("run-b", False),
    ]
    assert (effects(database), waiting(database)) == (["run-a", "run-b"], 0)


def test_what_another_process_left_for_other_keys_is_left_to_the_relay(tmp_path: Path) -> None:
    loop, database, sender = a_loop(tmp_path)

    async def story() -> None:
        await loop.on_batch([a_record(a_checkpoint("run-a"))])
        with database.transaction() as connection:
            Outbox(connection, OUTBOX).add([OutgoingRecord("signal-trace", "by a person", b"x")])
        await loop.on_batch([a_record(a_checkpoint("run-b"), 1)])
        assert waiting(database) == 1
        assert await loop.flush() == 1

    asyncio.run(story())
    assert [record.key for record in sender.sent] == ["run-a", "run-b", "by a person"]
