"""No record stops a service: a fault that nobody foresaw costs the record at which it happens, three times an hour at most."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, String, Table, select

from signal_exchange.contracts.codec import decode_whole, encode
from signal_exchange.contracts.topics import retry_topic
from signal_exchange.privacy.register import NoSealingKeyError
from signal_exchange.runtime import clock, logs
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.faults import StoreUnavailableError
from signal_exchange.runtime.health import Progress
from signal_exchange.runtime.metrics import Metrics
from signal_exchange.stream import consumer as consumer_module
from signal_exchange.stream.consumer import BatchLoop, ConsumerSpec
from signal_exchange.stream.flood import FloodGate, ParkedFloodError
from signal_exchange.stream.messages import Attribution, Incoming, Message
from signal_exchange.stream.outbox import Outbox, OutgoingRecord
from signal_exchange.stream.tables import common_tables
from signal_exchange.stream.work import Work

AT = datetime(2026, 11, 18, 8, 20, tzinfo=UTC)
SECRET = "onvindbaar-4711"
TABLES = MetaData()
OUTBOX = common_tables(TABLES)
EFFECTS = Table("projection_effects", TABLES, Column("run", String, primary_key=True))


class BugError(Exception):
    """A fault that nobody foresaw."""


class Service:
    """A service that fails at every checkpoint of a run that starts with `bad`, as its predecessor's store has it."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        self.database = Database(f"sqlite+pysqlite:///{folder / 'store.sqlite'}", TABLES)
        self.database.create_tables()
        self.sent: list[OutgoingRecord] = []
        self.is_mended, self.store_fails = False, 0
        self.buried: list[str] = []
        metrics = Metrics()
        flood = options.pop("flood", FloodGate(1000))
        self.loop = BatchLoop(
            ConsumerSpec(
                "routing",
                sources=(),
                reader="routing",
                database=self.database,
                outbox=OUTBOX,
                handle=self.handle,
                seal=lambda content, parked_id: {"group": "parking:routing", "key_id": parked_id, "ciphertext": content},
                unseal=lambda part, _bound_to: part["ciphertext"],
                on_tombstones=self.on_tombstones,
                metrics=metrics,
                **options,
            ),
            self,
            Progress(metrics),
            flood,
            patience_seconds=60.0,
        )

    def starts_again(self) -> Service:
        """Give another process of the same service, which tells the same world."""
        other = Service(self.folder)
        other.sent = self.sent
        return other

    def handle(self, messages: Sequence[Message], work: Work) -> None:
        for message in messages:
            run = message.fields["envelope"]["publisher_run"]
            work.connection.execute(EFFECTS.insert().values(run=run))
            work.trace("CHECKPOINT", at=message.appended_at, key=run, sequence=message.fields["highest"])
            if run.startswith("bad") and not self.is_mended:
                raise BugError(SECRET)
            if run.startswith("keyless") and not self.is_mended:
                raise NoSealingKeyError("gm:GM0983")
            if run.startswith("slow") and self.store_fails:
                self.store_fails -= 1
                raise StoreUnavailableError("OperationalError")

    def on_tombstones(self, gone: Sequence[Incoming], _work: Work) -> None:
        if any(each.key_text.startswith("bad") for each in gone) and not self.is_mended:
            raise BugError(SECRET)
        self.buried += [each.key_text for each in gone]

    async def send(self, outgoing: Sequence[OutgoingRecord]) -> None:
        self.sent += outgoing

    def comes_in(self, *records: Any) -> None:
        asyncio.run(self.loop.on_batch(records))

    def parked(self) -> list[dict[str, Any]]:
        return [decode_whole(record.value).fields for record in self.sent if record.topic == "parked"]

    def effects(self) -> list[str]:
        with self.database.reading() as connection:
            return list(connection.execute(select(EFFECTS.c.run)).scalars())

    def waiting(self) -> int:
        with self.database.reading() as connection:
            return len(Outbox(connection, OUTBOX).waiting(10_000))


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer_module, "PAUSES", (0.0,))
    logs.configure("test", "WARNING")


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    now = [AT]
    monkeypatch.setattr(clock, "now", lambda: now[0])

    def pass_time(passed: timedelta) -> None:
        now[0] += passed

    return pass_time


def a_record(value: bytes | None, offset: int, topic: str = "signals", key: bytes = b"k") -> Any:
    at = int(AT.timestamp() * 1000)
    return SimpleNamespace(topic=topic, partition=0, offset=offset, key=key, value=value, headers=(("h", b"1"),), timestamp=at)


def a_checkpoint(run: str, offset: int) -> Any:
    envelope = {"event_type": "x", "time": AT, "publisher_run": run, "sequence": 0, "key_id": "k"}
    return a_record(encode("Checkpoint", {"envelope": envelope, "municipality": "GM0983", "highest": 3}), offset)


def a_retry(parked_id: str, offset: int, action: str = "RETRY") -> Any:
    fields = {"request_id": str(uuid.uuid4()), "parked_id": parked_id, "service": "routing", "action": action}
    return a_record(encode("RetryRequest", {**fields, "reason": "SOFTWARE_MENDED", "at": AT}), offset, retry_topic("routing"))


def checkpoints(*runs: str) -> list[Any]:
    return [a_checkpoint(run, offset) for offset, run in enumerate(runs)]


def test_a_record_that_fails_by_itself_is_parked_and_the_others_hold_in_order(tmp_path: Path) -> None:
    service = Service(tmp_path)
    service.comes_in(*checkpoints("a", "bad-1", "b", "bad-2", "c"))
    assert service.effects() == ["a", "b", "c"]
    assert [(each["reason"], each["offset"], each["errors"]) for each in service.parked()] == [
        ("CANNOT_PROCESS", 1, []),
        ("CANNOT_PROCESS", 3, []),
    ]
    assert [record.key for record in service.sent if record.topic == "signal-trace"][::2] == ["a", "b", "c"]
    assert service.waiting() == 0


def test_what_lacks_a_sealing_key_is_parked_however_many_it_are_and_goes_on_once_the_key_is_there(tmp_path: Path) -> None:
    service = Service(tmp_path)
    service.comes_in(*checkpoints("a", *(f"keyless-{number}" for number in range(8)), "bad-1"))
    service.comes_in(a_checkpoint("b", 50))
    assert service.effects() == ["a", "b"]
    assert [each["reason"] for each in service.parked()] == ["NO_SEALING_KEY"] * 8 + ["CANNOT_PROCESS"]
    service.is_mended = True
    [first, *_] = service.parked()
    service.comes_in(a_retry(first["parked_id"], 60))
    assert service.effects() == ["a", "b", "keyless-0"]
    assert service.parked()[-1]["state"] == "RESOLVED"


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(["good", "bad", "garbage"]), min_size=1, max_size=12))
def test_whatever_stands_where_the_good_hold_once_and_the_fourth_bad_one_stops(kinds: list[str]) -> None:
    import tempfile  # noqa: PLC0415 - a folder for each example

    with tempfile.TemporaryDirectory() as folder:
        service, bad = Service(Path(folder)), kinds.count("bad")
        records = [
            a_record(b"garbage", offset) if kind == "garbage" else a_checkpoint(f"{kind}-{offset}", offset)
            for offset, kind in enumerate(kinds)
        ]
        if bad > 3:
            with pytest.raises(BugError):
                service.comes_in(*records)
        else:
            service.comes_in(*records)
        stops_at = [offset for offset, kind in enumerate(kinds) if kind == "bad"][3] if bad > 3 else len(kinds)
        assert service.effects() == [f"good-{offset}" for offset, kind in enumerate(kinds[:stops_at]) if kind == "good"]
        service.database.close()


def test_the_fourth_different_one_within_an_hour_stops_the_service_at_every_start(
    tmp_path: Path, later: Callable[[timedelta], None]
) -> None:
    service = Service(tmp_path)
    service.comes_in(*checkpoints("bad-1", "bad-2"))
    later(timedelta(minutes=30))
    batch = [a_checkpoint("bad-3", 3), a_checkpoint("bad-4", 4), a_checkpoint("a", 5)]
    for _ in range(3):
        process = service.starts_again()
        with pytest.raises(BugError):
            process.comes_in(*batch)
        process.loop._owner.lost()  # as when it ends
    assert service.effects() == []
    later(timedelta(minutes=30))
    service.comes_in(*batch)
    assert service.effects() == ["a"]
    assert [each["offset"] for each in service.parked()] == [0, 1, 3, 4]


def test_the_same_record_again_counts_once(tmp_path: Path, later: Callable[[timedelta], None]) -> None:
    later(timedelta())
    for _ in range(5):
        service = Service(tmp_path)
        service.comes_in(*checkpoints("bad-1"))
    assert service.parked() == []
    service.comes_in(a_checkpoint("bad-2", 2), a_checkpoint("bad-3", 3))
    assert len(service.parked()) == 2


def test_a_retry_that_fails_leaves_the_record_parked_and_one_after_the_mend_resolves_it(tmp_path: Path) -> None:
    service = Service(tmp_path)
    service.comes_in(*checkpoints("bad-1"))
    parked_id = service.parked()[0]["parked_id"]
    service.comes_in(a_retry(parked_id, 1), a_checkpoint("a", 2))
    assert [(each["state"], each["revision"], each["reason"]) for each in service.parked()] == [
        ("PARKED", 1, "CANNOT_PROCESS"),
        ("PARKED", 2, "CANNOT_PROCESS"),
    ]
    service.is_mended = True
    service.comes_in(a_retry(parked_id, 3))
    assert service.parked()[-1]["state"] == "RESOLVED"
    assert service.effects() == ["a", "bad-1"]


def test_a_discard_that_fails_is_parked_itself(tmp_path: Path) -> None:
    def dropped(_fields: Any, _work: Work) -> None:
        raise BugError(SECRET)

    service = Service(tmp_path, dropped=dropped)
    service.comes_in(*checkpoints("bad-1"))
    service.comes_in(a_retry(service.parked()[0]["parked_id"], 1, "DISCARD"))
    assert [(each["topic"], each["state"]) for each in service.parked()] == [("signals", "PARKED"), ("retry.routing", "PARKED")]


def test_a_tombstone_that_fails_is_parked_and_the_others_are_buried(tmp_path: Path) -> None:
    service = Service(tmp_path)
    service.comes_in(*(a_record(None, offset, "outcomes", key) for offset, key in enumerate([b"one", b"bad", b"two"])))
    assert (service.buried, [each["topic"] for each in service.parked()]) == (["one", "two"], ["outcomes"])
    service.is_mended = True
    service.comes_in(a_retry(service.parked()[0]["parked_id"], 3))
    assert service.buried == ["one", "two", "bad"]


def test_a_store_that_goes_away_between_two_records_is_waited_for_and_nothing_happens_twice(tmp_path: Path) -> None:
    service = Service(tmp_path)
    service.store_fails = 2
    service.loop._spec = replace(service.loop._spec, handle=_ignoring_what_is_there(service))  # as every handler does
    service.comes_in(*checkpoints("a", "bad-1", "slow", "b"))
    assert service.effects() == ["a", "slow", "b"]
    assert len(service.parked()) == 1


def _ignoring_what_is_there(service: Service) -> Callable[[Sequence[Message], Work], None]:
    handle = service.handle

    def handle_once(messages: Sequence[Message], work: Work) -> None:
        there = set(work.connection.execute(select(EFFECTS.c.run)).scalars())
        handle([each for each in messages if each.fields["envelope"]["publisher_run"] not in there], work)

    return handle_once


def test_a_flood_still_stops_at_once(tmp_path: Path) -> None:
    service = Service(tmp_path, flood=FloodGate(2))
    with pytest.raises(ParkedFloodError):
        service.comes_in(*[a_record(b"x", offset, topic="outcomes") for offset in range(3)])
    assert service.parked() == []


def test_its_sender_is_named_where_the_service_can_tell(tmp_path: Path) -> None:
    who = Attribution("GM0983", "run", 4, None, None)
    service = Service(tmp_path, attribute=lambda _message, _work: who)
    service.comes_in(*checkpoints("bad-1"))
    [parked] = service.parked()
    assert (parked["attributed"], parked["sequence"], parked["signal_id"]) == (True, 4, None)


def test_who_cannot_be_named_because_of_the_same_fault_is_nobody(tmp_path: Path) -> None:
    def attribute(_message: Message, work: Work) -> Attribution | None:
        work.connection.execute(EFFECTS.insert().values(run="half done"))
        raise BugError(SECRET)

    service = Service(tmp_path, attribute=attribute)
    service.comes_in(*checkpoints("bad-1"), a_record(b"garbage", 9))
    assert [each["attributed"] for each in service.parked()] == [False, False]
    assert service.effects() == []


def test_no_value_of_a_fault_is_in_a_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("test", "WARNING")
    Service(tmp_path).comes_in(*checkpoints("bad-1", "a"))
    said = capsys.readouterr().err
    assert SECRET not in said
    events = [json.loads(line)["event"] for line in said.splitlines()]
    assert events[:2] == ["batch_divided", "record_set_aside"]
