"""Batches as they are read: one that cannot be unpacked or taken apart stops no consumer, but becomes one unreadable record.

aiokafka and kafka-python unpack a batch before any limit of ours, and raise at the first record that they cannot take apart, at
each start again. Their classes are replaced here by ones that know both; a contract test holds the names that are used.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiokafka.consumer import fetcher as aiokafka_fetcher
from aiokafka.record.default_records import DefaultRecordBatch
from kafka.consumer import fetcher as kafka_fetcher  # type: ignore[import-untyped]  # ships no types
from kafka.record import default_records as kafka_records  # type: ignore[import-untyped]  # ships no types

from signal_exchange.runtime import logs
from signal_exchange.stream.unpacking import DECODERS


@dataclass(frozen=True, slots=True)
class Unread:
    """Stands for the records of a batch from the first one on that could not be read. It has a value: it is no tombstone."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: None = None
    value: bytes = b""
    headers: tuple[()] = ()
    checksum: None = None
    size_in_bytes: int = 0

    def validate_crc(self) -> bool:
        """Say that the checksum is right: that of its batch was."""
        return True


class ReadableBatch:
    """A batch of either client, whose records end with an `Unread` one when the next cannot be read."""

    def __init__(self, batch: Any) -> None:  # noqa: ANN401 - a batch of either client
        self._batch = batch

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - what the batch has
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        """Give the records, and one that stands for those that cannot be read."""
        at = self._batch.base_offset
        try:
            for record in self._batch:
                at = record.offset + 1
                yield record
        except Exception as error:  # noqa: BLE001 - whatever a sender can make a client raise
            logs.warn("batch_unreadable", exception=type(error).__name__)
            yield Unread(at, self._batch.max_timestamp, self._batch.timestamp_type)


class ReadableBatches:
    """The batches of one fetched part of a topic."""

    def __init__(self, batches: Any) -> None:  # noqa: ANN401 - MemoryRecords of either client
        self._batches = batches

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - what the batches have
        return getattr(self._batches, name)

    def next_batch(self) -> Any:  # noqa: ANN401 - a batch, or None after the last one
        """Return the next batch."""
        found = self._batches.next_batch()
        return None if found is None else ReadableBatch(found)


class PartitionRecords(aiokafka_fetcher.PartitionRecords):  # type: ignore[misc]  # ships no types
    """The records of one fetched part in aiokafka."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(*args, **kwargs)
        self._records: Any = ReadableBatches(self._records)


class KafkaPartitionRecords(kafka_fetcher.Fetcher.PartitionRecords):  # type: ignore[misc]  # ships no types
    """The records of one fetched part in kafka-python."""

    def _unpack_records(self, tp: Any, records: Any, *more: Any) -> Any:  # noqa: ANN401 - passed on
        return super()._unpack_records(tp, ReadableBatches(records), *more)


def install_bounded_readers() -> None:
    """Let both clients read like this from now on, in the whole process. Twice is once."""
    aiokafka_fetcher.PartitionRecords = PartitionRecords
    kafka_fetcher.Fetcher.PartitionRecords = KafkaPartitionRecords
    for module in (sys.modules[DefaultRecordBatch.__module__], kafka_records):
        for name, decoder in DECODERS.items():
            setattr(module, name, decoder)
    kafka_records.DefaultRecordBatch._assert_has_codec = _has_every_codec  # noqa: SLF001 - it looks for libraries of its own


def _has_every_codec(_batch: object, _codec: int) -> None:
    """Say that there is a decoder: `DECODERS` has each, where kafka-python would look for packages that we do not need."""
