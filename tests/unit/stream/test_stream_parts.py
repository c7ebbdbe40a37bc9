"""The parts around the loop: messages, outbox, work, flood gate, partitions, Faust's private names."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.group_coordinator import BaseCoordinator, GroupCoordinator
from faust.transport.drivers import aiokafka as driver
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2  # type: ignore[import-untyped]  # ships no types
from sqlalchemy import MetaData, create_engine
from wire_samples import filled

from signal_exchange.contracts.codec import decode, encode
from signal_exchange.contracts.schemas import current_schemas
from signal_exchange.contracts.topics import PARTITIONS
from signal_exchange.runtime import clock
from signal_exchange.stream import flood as flood_module
from signal_exchange.stream.consumer import read_as
from signal_exchange.stream.flood import FloodGate, ParkedFloodError
from signal_exchange.stream.messages import Attribution, Incoming, Message, Unreadable
from signal_exchange.stream.outbox import Outbox, OutgoingRecord
from signal_exchange.stream.sender import partition_of
from signal_exchange.stream.tables import common_tables
from signal_exchange.stream.work import Work

AT = datetime(2026, 11, 18, 8, 20, tzinfo=UTC)


def incoming(key: bytes | None = b"k", value: bytes | None = b"v", offset: int = 7) -> Incoming:
    return Incoming("signals", 3, offset, key, value, {"ce_id": b"1"}, AT)


def a_work(connection: Any = None) -> Work:
    return Work("routing", connection, lambda content, parked_id: {"group": "g", "key_id": parked_id, "ciphertext": content})


def test_a_consumer_record_keeps_the_brokers_append_time() -> None:
    record = SimpleNamespace(
        topic="t", partition=1, offset=2, key=b"k", value=b"v", headers=[("a", b"b")], timestamp=1_790_000_000_123
    )
    read = Incoming.of(record)
    assert read.appended_at == datetime.fromtimestamp(1_790_000_000.123, tz=UTC)
    assert (read.topic, read.headers) == ("t", {"a": b"b"})


def test_a_record_is_parked_under_the_same_id_at_each_delivery_and_another_per_service() -> None:
    assert incoming().parked_id("routing") == incoming(value=b"other").parked_id("routing")
    assert len({incoming().parked_id("routing"), incoming().parked_id("agenda"), incoming(offset=8).parked_id("routing")}) == 3


@pytest.mark.parametrize(("key", "text"), [(b"abc", "abc"), (None, ""), (b"\xff", "")])
def test_a_key_that_is_no_text_is_empty(key: bytes | None, text: str) -> None:
    assert incoming(key=key).key_text == text


def test_reprs_show_no_value() -> None:
    message = Message("X", {"secret": "geheim"}, incoming(value=b"geheim", key=b"geheim"))
    assert "geheim" not in repr(message) + repr(OutgoingRecord("t", "k", b"geheim", [("h", b"geheim")]))
    assert message.appended_at == AT


outgoing = st.builds(
    OutgoingRecord,
    st.text(min_size=1, max_size=5),
    st.text(max_size=5),
    st.none() | st.binary(max_size=20),
    st.lists(st.tuples(st.text(max_size=5), st.binary(max_size=5)), max_size=4),
    st.none() | st.text(max_size=5),
)


@given(st.lists(outgoing, max_size=6))
def test_the_outbox_gives_back_what_went_in_in_order(wanted: list[OutgoingRecord]) -> None:
    tables = MetaData()
    table = common_tables(tables)
    engine = create_engine("sqlite://")
    tables.create_all(engine)
    with engine.begin() as connection:
        outbox = Outbox(connection, table)
        outbox.add(wanted)
        waiting = outbox.waiting(100)
        assert [each.record for each in waiting] == wanted
        assert len(outbox.waiting(10_000)) == len(wanted)
        outbox.remove([each.number for each in waiting])
        assert outbox.waiting(10_000) == []
    engine.dispose()


def test_an_outbox_table_is_defined_once() -> None:
    tables = MetaData()
    assert common_tables(tables) is common_tables(tables)


def test_a_parked_record_names_reason_and_rule_and_is_sealed_whole() -> None:
    work = a_work()
    who = Attribution("GM0983", "run", 4, "signal", 2)
    work.park(Unreadable(incoming(value=b"the value"), "CONTENT_INVALID", ("sector R-VAL-05",), who))
    parked = decode(work.outgoing[0].value, "oversight").fields
    assert (parked["reason"], parked["errors"], parked["attributed"], parked["sequence"]) == (
        "CONTENT_INVALID",
        ["sector R-VAL-05"],
        True,
        4,
    )
    fact = decode(work.outgoing[1].value, "oversight").fields
    assert (fact["verdict"], fact["publisher_run"], fact["sequence"], work.outgoing[1].key) == ("parked", "run", 4, "signal")


def test_an_unattributed_record_blames_nobody() -> None:
    work = a_work()
    work.park(Unreadable(incoming(value=None), "SCHEMA_INVALID", ("tombstone",)))
    fact = decode(work.outgoing[1].value, "oversight").fields
    assert (fact["verdict"], fact["municipality"], fact["sequence"]) == ("unattributed", None, None)


def test_a_flood_counts_a_minute_only(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = FloodGate(10)
    gate.check(9, 9)
    monkeypatch.setattr(flood_module, "WINDOW_SECONDS", -1.0)
    gate.check(9, 9)
    monkeypatch.setattr(flood_module, "WINDOW_SECONDS", 60.0)
    with pytest.raises(ParkedFloodError):
        gate.check(9, 9)


@given(st.text(max_size=40))
def test_partitions_are_those_of_kafkas_own_partitioner(key: str) -> None:
    assert partition_of(key) == (murmur2(key.encode()) & 0x7FFFFFFF) % PARTITIONS


def test_fausts_private_names_are_as_we_use_them() -> None:
    """An upgrade of faust that changes one of the private names fails here, and not in production."""
    assert list(inspect.signature(driver.Consumer._drain_messages).parameters) == ["self", "fetcher"]
    assert list(inspect.signature(driver.Consumer._wait_next_records).parameters) == ["self", "timeout"]
    assert list(inspect.signature(driver.Consumer._commit_offsets).parameters) == ["self", "offsets", "start_new_transaction"]
    assert list(inspect.signature(faust.App._new_transport).parameters) == ["self"]
    assert inspect.iscoroutinefunction(driver.Consumer._drain_messages)
    assert driver.Transport.Fetcher is not None
    assert list(inspect.signature(driver.Consumer._new_consumer_thread).parameters) == ["self"]
    assert "loop=self.loop, beacon=self.beacon" in inspect.getsource(driver.Consumer._new_consumer_thread)


@pytest.mark.parametrize(
    ("owner", "names"),
    [
        (AIOKafkaConsumer, ("_client", "_coordinator", "_fetcher")),
        (AIOKafkaClient, ("_sync_task",)),
        (GroupCoordinator, ("_coordination_task", "_group_subscription")),
        (BaseCoordinator, ("_subscription",)),
        (Fetcher, ("_fetch_task",)),
    ],
)
def test_aiokafkas_private_names_are_as_we_use_them(owner: type, names: tuple[str, ...]) -> None:
    made = inspect.getsource(owner)
    assert [name for name in names if f"self.{name} = " not in made] == []


def test_the_one_clock_is_aware() -> None:
    assert clock.now().tzinfo is UTC


@pytest.mark.parametrize("record", ["AcceptedSignal", "ClusterMembership", "Outcome"])
def test_a_record_that_its_topic_does_not_carry_is_no_word_of_who_may_say_it(record: str) -> None:
    value = encode(record, filled(current_schemas()[record].parsed, full=True))
    read = read_as(Incoming("signals", 0, 1, b"k", value, {}, AT), "routing")
    assert isinstance(read, Unreadable)
    assert (read.reason, read.errors) == ("SCHEMA_INVALID", ("unexpected_record",))
