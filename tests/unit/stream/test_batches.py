"""A batch that holds too much, or that no client can take apart, is one unreadable record for whoever reads it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

import pytest
from aiokafka.consumer import fetcher as aiokafka_fetcher
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords
from handmade_batches import GZIP, LZ4, NONE, SNAPPY, ZSTD, batch, bomb, packed, record
from hypothesis import example, given
from hypothesis import strategies as st
from kafka.consumer.fetcher import Fetcher  # type: ignore[import-untyped]  # ships no types
from kafka.record import MemoryRecords as KafkaMemoryRecords  # type: ignore[import-untyped]  # ships no types
from kafka.structs import TopicPartition  # type: ignore[import-untyped]  # ships no types

from signal_exchange.contracts.quotas import LONGEST_BATCH_BYTES
from signal_exchange.stream.batches import install_bounded_readers
from signal_exchange.stream.unpacking import DECODERS, UNPACKED_BYTES, CannotUnpackError

CODECS = (GZIP, SNAPPY, LZ4, ZSTD)
NAMES = {GZIP: "gzip_decode", SNAPPY: "snappy_decode", LZ4: "lz4_decode", ZSTD: "zstd_decode"}
PART = TopicPartition("signals", 0)
Read = Callable[[bytes], list[Any]]


@pytest.fixture(autouse=True, scope="module")
def _bounded() -> None:
    install_bounded_readers()


def by_aiokafka(log: bytes) -> list[Any]:
    return list(aiokafka_fetcher.PartitionRecords(PART, MemoryRecords(log), [], 0, None, None, True, 0))


def by_kafka_python(log: bytes) -> list[Any]:
    made = Fetcher.PartitionRecords(0, PART, KafkaMemoryRecords(log))
    return list(made.take())


READERS = pytest.mark.parametrize("read", [by_aiokafka, by_kafka_python])


def at(offset: int, one: bytes) -> bytes:
    """Return a batch as it stands in the log from this offset on; its checksum does not cover that."""
    return offset.to_bytes(8, "big") + one[8:]


def two_around(bad: bytes, count: int = 1) -> bytes:
    return batch(record(b"first"), 1) + at(1, bad) + at(1 + count, batch(record(b"last"), 1))


def values(found: list[Any]) -> list[bytes]:
    return [bytes(each.value) for each in found]


@READERS
@pytest.mark.parametrize("codec", CODECS)
def test_a_bomb_is_one_unreadable_record_and_what_follows_is_read(read: Read, codec: int) -> None:
    found = read(two_around(bomb(codec, LONGEST_BATCH_BYTES)))
    assert values(found) == [b"first", b"", b"last"]
    assert [each.offset for each in found] == [0, 1, 2]
    assert found[1].key is None
    assert dict(found[1].headers) == {}


@READERS
@pytest.mark.parametrize("codec", [NONE, *CODECS])
def test_an_honest_batch_is_read_as_it_was_sent(read: Read, codec: int) -> None:
    records = b"".join(record(b"%d" % number * 900, place=number) for number in range(20))
    found = read(batch(records, 20, codec))
    assert values(found) == [b"%d" % number * 900 for number in range(20)]
    assert [each.offset for each in found] == list(range(20))


@READERS
def test_what_cannot_be_taken_apart_ends_its_batch_and_no_other(read: Read) -> None:
    records = record(b"good") + record(b"bad", place=1, headers=[(b"\xff\xfe", b"")]) + record(b"lost", place=2)
    found = read(two_around(batch(records, 3), 3))
    assert values(found) == [b"first", b"good", b"", b"last"]
    assert [each.offset for each in found] == [0, 1, 2, 4]


@READERS
def test_a_batch_that_says_it_holds_more_than_it_does_is_read_as_far_as_it_goes(read: Read) -> None:
    found = read(two_around(batch(record(b"good"), 1_000), 1_000))
    assert values(found) == [b"first", b"good", b"", b"last"]


@READERS
@given(
    content=st.binary(max_size=300),
    codec=st.sampled_from([NONE, *CODECS]),
    count=st.integers(1, 5),
    at_once=st.sampled_from([{}, {"as_it_is": True}]),
)
def test_no_content_of_a_batch_stops_its_reader(
    read: Read, content: bytes, codec: int, count: int, at_once: dict[str, bool]
) -> None:
    bad = batch(content, count, codec, **at_once)
    found = values(read(two_around(bad, count)))
    assert (found[0], found[-1]) == (b"first", b"last")
    assert len(found) <= count + 2


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("excess", [0, 1])
def test_a_batch_unpacks_to_the_bound_and_not_to_one_byte_more(codec: int, excess: int) -> None:
    unpack = DECODERS[NAMES[codec]]
    content = bytes(UNPACKED_BYTES + excess)
    if excess:
        with pytest.raises(CannotUnpackError):
            unpack(packed(content, codec))
    else:
        assert unpack(packed(content, codec)) == content


@pytest.mark.parametrize("codec", CODECS)
def test_half_a_batch_is_none(codec: int) -> None:
    whole = packed(bytes(range(256)) * 40, codec)
    with pytest.raises(CannotUnpackError):
        DECODERS[NAMES[codec]](whole[: len(whole) // 2])


@example(b"\x82SNAPPY\x00" + bytes(8) + b"\x00\x00")
@example(b"\x82SNAPPY\x00" + bytes(8) + b"\xff\xff\xff\xff")
@given(st.binary(max_size=200))
def test_a_decoder_returns_or_says_that_it_cannot(content: bytes) -> None:
    for decoder in DECODERS.values():
        with suppress(CannotUnpackError):
            assert len(decoder(content)) <= UNPACKED_BYTES


def test_the_names_that_are_replaced_are_used_by_both_clients() -> None:
    modules = import_module(DefaultRecordBatch.__module__), import_module("kafka.record.default_records")
    for name, decoder in DECODERS.items():
        assert [getattr(module, name) for module in modules] == [decoder, decoder]
