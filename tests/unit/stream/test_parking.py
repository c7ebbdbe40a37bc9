"""What was parked stays with its owner until a person decides; trying again is as if it came in now (promise 3)."""

from __future__ import annotations

import asyncio
import json
import uuid
from base64 import b64decode
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, select, update

from signal_exchange.contracts.codec import decode_whole, encode
from signal_exchange.contracts.topics import retry_topic
from signal_exchange.privacy.sealing import CannotOpenError
from signal_exchange.runtime import logs
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.health import Progress
from signal_exchange.runtime.metrics import Metrics
from signal_exchange.stream.consumer import BatchLoop, ConsumerSpec
from signal_exchange.stream.flood import FloodGate
from signal_exchange.stream.messages import Attribution, Message, Unreadable
from signal_exchange.stream.outbox import OutgoingRecord
from signal_exchange.stream.parking import ParkedStore
from signal_exchange.stream.tables import PARKED, common_tables
from signal_exchange.stream.work import ERRORS_KEPT, PARKED_BYTES, Work

AT = datetime(2026, 11, 18, 8, 20, tzinfo=UTC)
ABOUT = "0b7f5c1e-6a53-4a0e-9d15-3f2f6f0f7a01"
WHO = Attribution("GM0983", "run-a", 4, ABOUT, 1)
UNKNOWN_ID = "0b7f5c1e-6a53-4a0e-9d15-3f2f6f0f7a09"


class Owner:
    """A service that parks every checkpoint until its cause is gone, and what it would send."""

    def __init__(self, folder: Path, *, attributed: bool = False, unseal: bool = True) -> None:
        tables = MetaData()
        self.outbox, self.kept = common_tables(tables), PARKED
        self.effects = Table("projection_effects", tables, Column("n", Integer, primary_key=True), Column("at", String))
        self.database = Database(f"sqlite+pysqlite:///{folder / 'store.sqlite'}", tables)
        self.database.create_tables()
        self.cause_is_gone, self.attributed, self.outgoing, self.dropped = False, attributed, list[OutgoingRecord](), list[str]()
        self.sealed: bytes | None = None
        self.broken_keys, self.errors = False, tuple[str, ...]()
        metrics = Metrics()
        self.loop = BatchLoop(
            ConsumerSpec(
                "routing",
                sources=(),
                reader="routing",
                database=self.database,
                outbox=self.outbox,
                handle=self.handle,
                seal=lambda content, parked_id: {"group": "parking:routing", "key_id": parked_id, "ciphertext": content},
                unseal=self.unseal if unseal else None,
                dropped=lambda fields, _work: self.dropped.append(fields["parked_id"]),
                metrics=metrics,
            ),
            self,
            Progress(metrics),
            FloodGate(1000),
            patience_seconds=1.0,
        )

    def unseal(self, part: Any, bound_to: str) -> bytes:
        if self.broken_keys or part["key_id"] != bound_to:
            raise CannotOpenError
        return bytes(part["ciphertext"]) if self.sealed is None else self.sealed

    def handle(self, messages: Sequence[Message], work: Work) -> None:
        for message in messages:
            if self.cause_is_gone:
                work.connection.execute(self.effects.insert().values(at=message.appended_at.isoformat()))
            else:
                work.park(Unreadable(message.incoming, "UNKNOWN_CODE", self.errors, WHO if self.attributed else None))

    async def send(self, outgoing: Sequence[OutgoingRecord]) -> None:
        self.outgoing += outgoing

    def comes_in(self, *records: Any) -> None:
        asyncio.run(self.loop.on_batch(records))

    def sent(self, topic: str) -> list[dict[str, Any]]:
        return [decode_whole(record.value).fields for record in self.outgoing if record.topic == topic]

    def applied(self) -> list[str]:
        with self.database.reading() as connection:
            return list(connection.execute(select(self.effects.c.at)).scalars())


@pytest.fixture(autouse=True)
def _logs() -> None:
    logs.configure("test", "WARNING")


def a_record(value: bytes | None, topic: str = "signals", offset: int = 0) -> Any:
    at = int(AT.timestamp() * 1000)
    return SimpleNamespace(topic=topic, partition=0, offset=offset, key=b"k", value=value, headers=(("h", b"1"),), timestamp=at)


def a_checkpoint() -> Any:
    envelope = {"event_type": "x", "time": AT, "publisher_run": "run-a", "sequence": 0, "key_id": "k"}
    return a_record(encode("Checkpoint", {"envelope": envelope, "municipality": "GM0983", "highest": 3}))


def a_request(parked_id: str, action: str = "RETRY", offset: int = 0) -> Any:
    fields = {"request_id": str(uuid.uuid4()), "parked_id": parked_id, "service": "routing", "action": action}
    return a_record(encode("RetryRequest", {**fields, "reason": "CAUSE_GONE", "at": AT}), retry_topic("routing"), offset)


def parked_by(owner: Owner) -> str:
    owner.comes_in(a_checkpoint())
    return str(owner.sent("parked")[0]["parked_id"])


@pytest.mark.parametrize("decided", [None, "RETRY", "DISCARD"])
def test_a_bad_record_that_comes_again_is_parked_once_whatever_a_person_decided_meanwhile(
    tmp_path: Path, decided: str | None
) -> None:
    owner = Owner(tmp_path)
    parked_id = parked_by(owner)
    if decided is not None:
        owner.comes_in(a_request(parked_id, decided))
    told = owner.sent("parked")
    owner.comes_in(a_checkpoint())
    assert owner.sent("parked") == told


def test_a_retry_after_the_cause_is_gone_takes_effect_with_the_original_append_time(tmp_path: Path) -> None:
    owner = Owner(tmp_path)
    parked_id = parked_by(owner)
    owner.cause_is_gone = True
    owner.comes_in(a_request(parked_id))
    states = [(each["parked_id"], each["state"], each["revision"]) for each in owner.sent("parked")]
    assert states == [(parked_id, "PARKED", 1), (parked_id, "RESOLVED", 2)]
    assert owner.applied() == [AT.isoformat()]
    assert owner.sent("parked")[1]["record"]["ciphertext"] == b""


def test_a_retry_that_comes_twice_takes_effect_once(tmp_path: Path) -> None:
    owner = Owner(tmp_path)
    parked_id = parked_by(owner)
    owner.cause_is_gone = True
    request = a_request(parked_id)
    owner.comes_in(request, request)
    owner.comes_in(request)
    assert len(owner.applied()) == 1
    assert [each["state"] for each in owner.sent("parked")] == ["PARKED", "RESOLVED"]


def test_a_retry_too_early_parks_it_again_under_the_same_id_and_a_later_one_resolves_it(tmp_path: Path) -> None:
    owner = Owner(tmp_path)
    parked_id = parked_by(owner)
    owner.comes_in(a_request(parked_id))
    owner.cause_is_gone = True
    owner.comes_in(a_request(parked_id))
    states = [(each["parked_id"], each["state"], each["revision"]) for each in owner.sent("parked")]
    assert states == [(parked_id, "PARKED", 1), (parked_id, "PARKED", 2), (parked_id, "RESOLVED", 3)]


@pytest.mark.parametrize("attributed", [True, False])
def test_a_discarded_record_is_dropped_for_good_and_the_trace_says_so_of_its_number(tmp_path: Path, *, attributed: bool) -> None:
    owner = Owner(tmp_path, attributed=attributed)
    parked_id = parked_by(owner)
    owner.comes_in(a_request(parked_id), a_request(parked_id, "DISCARD"))
    owner.cause_is_gone = True
    owner.comes_in(a_request(parked_id), a_request(parked_id, "DISCARD"))
    assert owner.applied() == []
    assert (owner.sent("parked")[-1]["state"], owner.dropped) == ("DISCARDED", [parked_id])
    verdicts = [(fact["verdict"], fact["sequence"], fact["version"]) for fact in owner.sent("signal-trace")]
    assert verdicts == ([("parked", 4, 1), ("discarded", 4, 1)] if attributed else [("unattributed", None, None)])


def test_a_request_about_an_unknown_record_changes_nothing(tmp_path: Path) -> None:
    owner = Owner(tmp_path)
    owner.comes_in(a_request(UNKNOWN_ID), a_request(UNKNOWN_ID, "DISCARD"))
    assert owner.outgoing == []


@pytest.mark.parametrize("sealed", [b"", b"garbage", b"[]", b"{}", b'{"key": 1, "value": "x", "headers": {}, "complete": true}'])
def test_r_val_22_what_opens_as_another_thing_than_was_parked_stays_parked(tmp_path: Path, sealed: bytes) -> None:
    owner = Owner(tmp_path)
    owner.comes_in(a_checkpoint())
    owner.sealed, owner.cause_is_gone = sealed, True
    owner.comes_in(a_request(owner.sent("parked")[0]["parked_id"]))
    assert [each["state"] for each in owner.sent("parked")] == ["PARKED"]
    assert owner.applied() == []


@pytest.mark.parametrize("why", ["no key at all", "another key", "the start only was kept"])
def test_what_cannot_be_opened_whole_stays_parked(tmp_path: Path, why: str) -> None:
    owner = Owner(tmp_path, unseal=why != "no key at all")
    owner.broken_keys = why == "another key"
    owner.comes_in(a_record(b"x" * PARKED_BYTES) if why.startswith("the start") else a_checkpoint())
    owner.cause_is_gone = True
    owner.comes_in(a_request(owner.sent("parked")[0]["parked_id"]))
    assert [each["state"] for each in owner.sent("parked")] == ["PARKED"]
    assert owner.applied() == []


@pytest.mark.parametrize("size", [40_001, 65_536, 170_000])
def test_r_val_15_a_record_larger_than_a_municipality_may_send_is_kept_whole_and_can_be_tried_again(
    tmp_path: Path, size: int
) -> None:
    owner = Owner(tmp_path)
    owner.comes_in(a_record(b"x" * size))
    owner.comes_in(a_request(owner.sent("parked")[0]["parked_id"]))
    kept = [json.loads(each["record"]["ciphertext"]) for each in owner.sent("parked")]
    assert [(each["complete"], len(b64decode(each["value"]))) for each in kept] == [(True, size)] * 2


@pytest.mark.parametrize("part", ["key", "headers"])
def test_a_record_with_an_enormous_key_or_header_is_parked_as_any_other(tmp_path: Path, part: str) -> None:
    owner, record = Owner(tmp_path), a_record(b"garbage")
    record.key, record.headers = (b"k" * 700_000, ()) if part == "key" else (b"k", (("h", b"x" * 700_000),))
    owner.comes_in(record)
    [parked] = owner.sent("parked")
    assert json.loads(parked["record"]["ciphertext"])["complete"] is False


def test_a_record_with_a_thousand_errors_is_parked_with_the_first_ones(tmp_path: Path) -> None:
    owner = Owner(tmp_path)
    owner.errors = tuple(f"subjects/{number} R-VAL-17" for number in range(1500))
    parked_id = parked_by(owner)
    assert owner.sent("parked")[0]["errors"] == list(owner.errors[:ERRORS_KEPT])
    owner.cause_is_gone = True
    owner.comes_in(a_request(parked_id))
    assert owner.applied() == [AT.isoformat()]


def test_a_tombstone_that_was_parked_is_parked_again(tmp_path: Path) -> None:
    owner = Owner(tmp_path)
    owner.comes_in(a_record(None))
    owner.comes_in(a_request(owner.sent("parked")[0]["parked_id"]))
    assert [each["revision"] for each in owner.sent("parked")] == [1, 2]


def test_a_request_that_cannot_be_read_is_parked_itself(tmp_path: Path) -> None:
    owner = Owner(tmp_path)
    owner.comes_in(a_record(b"garbage", retry_topic("routing")))
    assert [each["topic"] for each in owner.sent("parked")] == ["retry.routing"]


def test_a_lost_store_gets_its_parked_records_back_from_the_topic(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    lost, owner = Owner(tmp_path), Owner(tmp_path / "new")
    parked_id = parked_by(lost)
    with owner.database.transaction() as connection:
        ParkedStore(connection).keep(lost.outgoing)
    owner.cause_is_gone = True
    owner.comes_in(a_request(parked_id))
    assert owner.applied() == [AT.isoformat()]


def erases(owner: Owner, *signal_ids: str) -> None:
    """Let the next batch erase these signals."""
    handle = owner.handle

    def erasing(messages: Sequence[Message], work: Work) -> None:
        work.erased |= set(signal_ids)
        handle(messages, work)

    owner.loop._spec = replace(owner.loop._spec, handle=erasing)


@pytest.mark.parametrize("attributed", [True, False])
def test_what_was_parked_about_an_erased_signal_ends_with_it(tmp_path: Path, *, attributed: bool) -> None:
    owner = Owner(tmp_path, attributed=attributed)
    owner.comes_in(a_checkpoint())
    about = ABOUT if attributed else a_checkpoint().key.decode()
    owner.cause_is_gone = True
    erases(owner, about)
    owner.comes_in(a_request(UNKNOWN_ID))
    assert [each["state"] for each in owner.sent("parked")] == ["PARKED", "RESOLVED"]
    assert owner.sent("parked")[-1]["record"]["ciphertext"] == b""
    erases(owner, "another")
    owner.comes_in(a_request(str(owner.sent("parked")[0]["parked_id"])))
    assert owner.applied() == []


def test_what_is_parked_in_the_very_batch_of_the_erasure_ends_with_it(tmp_path: Path) -> None:
    owner = Owner(tmp_path, attributed=True)
    erases(owner, ABOUT)
    owner.comes_in(a_checkpoint())
    assert [(each["state"], each["revision"]) for each in owner.sent("parked")] == [("PARKED", 1), ("RESOLVED", 2)]
    assert owner.sent("parked")[-1]["record"]["ciphertext"] == b""


@pytest.mark.parametrize(("cause_is_gone", "ends"), [(True, [("RESOLVED", 2)]), (False, [("PARKED", 2), ("RESOLVED", 3)])])
def test_what_is_tried_again_in_the_batch_of_the_erasure_ends_once(
    tmp_path: Path, *, cause_is_gone: bool, ends: list[tuple[str, int]]
) -> None:
    owner = Owner(tmp_path, attributed=True)
    parked_id = parked_by(owner)
    owner.cause_is_gone = cause_is_gone
    erases(owner, ABOUT)
    owner.comes_in(a_request(parked_id))
    assert [(each["state"], each["revision"]) for each in owner.sent("parked")] == [("PARKED", 1), *ends]
    with owner.database.reading() as connection:
        assert ParkedStore(connection).all("PARKED") == []


def test_a_parked_record_without_a_key_is_about_no_erased_signal(tmp_path: Path) -> None:
    owner, record = Owner(tmp_path), a_checkpoint()
    record.key = None
    owner.comes_in(record)
    erases(owner, "")
    owner.comes_in(a_request(UNKNOWN_ID))
    assert [each["state"] for each in owner.sent("parked")] == ["PARKED"]


def forgets_what_they_are_about(owner: Owner) -> None:
    """Let the store be as one that was read from the topic: of what names nobody it does not know what it is about."""
    with owner.database.transaction() as connection:
        connection.execute(update(owner.kept).values(about=None))


def test_an_erasure_opens_no_parked_record_to_find_what_is_about_it(tmp_path: Path) -> None:
    owner = Owner(tmp_path)
    owner.comes_in(*[a_record(b"bad", offset=number) for number in range(1, 20)], a_checkpoint())
    owner.unseal = lambda *_: pytest.fail("it was opened")  # type: ignore[method-assign]
    erases(owner, "another", a_checkpoint().key.decode())
    owner.comes_in(a_request(UNKNOWN_ID))
    assert Counter(each["state"] for each in owner.sent("parked")) == {"PARKED": 20, "RESOLVED": 20}


def test_what_came_back_from_the_topic_is_opened_once(tmp_path: Path) -> None:
    owner = Owner(tmp_path)
    owner.comes_in(a_checkpoint())
    forgets_what_they_are_about(owner)
    opened: list[str] = []
    unseal = owner.unseal

    def counting(part: Any, bound_to: str) -> bytes:
        opened.append(bound_to)
        return unseal(part, bound_to)

    owner.loop._spec = replace(owner.loop._spec, unseal=counting)
    for signal_id in ("another", "a third", a_checkpoint().key.decode()):
        erases(owner, signal_id)
        owner.comes_in(a_request(UNKNOWN_ID))
    assert len(opened) == 1
    assert [each["state"] for each in owner.sent("parked")] == ["PARKED", "RESOLVED"]


def test_what_does_not_open_any_more_and_is_of_nobody_is_left_when_a_signal_is_erased(tmp_path: Path) -> None:
    owner = Owner(tmp_path)
    owner.comes_in(a_checkpoint())
    forgets_what_they_are_about(owner)
    owner.broken_keys = True
    erases(owner, a_checkpoint().key.decode())
    owner.comes_in(a_request(UNKNOWN_ID))
    assert [each["state"] for each in owner.sent("parked")] == ["PARKED"]
