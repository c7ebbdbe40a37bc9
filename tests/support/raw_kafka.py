"""Single Kafka requests, sent as they are: ordinary clients ask for metadata first and hide which operation was refused."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any, Self

import kafka.errors as kafka_errors  # type: ignore[import-untyped]  # ships no types
from kafka.net.compat import KafkaNetClient  # type: ignore[import-untyped]  # ships no types
from kafka.protocol.admin import DescribeClusterRequest  # type: ignore[import-untyped]  # ships no types
from kafka.protocol.consumer import FetchRequest, OffsetCommitRequest  # type: ignore[import-untyped]  # ships no types
from kafka.protocol.metadata import FindCoordinatorRequest  # type: ignore[import-untyped]  # ships no types
from kafka.protocol.producer import ProduceRequest  # type: ignore[import-untyped]  # ships no types
from kafka.record.memory_records import MemoryRecordsBuilder  # type: ignore[import-untyped]  # ships no types

from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.kafka import admin_client

BY_NAME = 12
"""The last version of produce and fetch that names topics; later ones carry topic ids."""


class RawKafka:
    """Sends single requests as one user; use within `with`. Answers name the error, or "NoError"."""

    def __init__(self, connection: KafkaConnection) -> None:
        self._opening = ExitStack()
        self._connection = connection

    def __enter__(self) -> Self:
        self.admin = self._opening.enter_context(admin_client(self._connection))
        return self

    def __exit__(self, *_: object) -> None:
        self._opening.close()

    def produce(self, topics: Iterable[str]) -> dict[str, str]:
        """Write one record to partition 0 of each topic, all in one request, and return each topic's error."""
        partition = ProduceRequest.TopicProduceData.PartitionProduceData(index=0, records=_one_record())
        data = [ProduceRequest.TopicProduceData(name=topic, partition_data=[partition]) for topic in topics]
        answer = self._send(
            ProduceRequest(transactional_id=None, acks=-1, timeout_ms=10_000, topic_data=data, max_version=BY_NAME)
        )
        return {topic.name: _error(topic.partition_responses[0].error_code) for topic in answer.responses}

    def append(self, topic: str, records: bytes, partition: int = 0) -> tuple[str, int]:
        """Write these bytes, a batch of records, to a topic; return the error, and for how many milliseconds we must wait."""
        part = ProduceRequest.TopicProduceData.PartitionProduceData(index=partition, records=records)
        data = [ProduceRequest.TopicProduceData(name=topic, partition_data=[part])]
        asked = ProduceRequest(transactional_id=None, acks=-1, timeout_ms=10_000, topic_data=data, max_version=BY_NAME)
        answer = self._send(asked)
        return _error(answer.responses[0].partition_responses[0].error_code), answer.throttle_time_ms

    def fetch(self, topics: Iterable[str]) -> dict[str, tuple[str, bool]]:
        """Fetch partition 0 of each topic, all in one request; return each topic's error and whether records came."""
        partition = FetchRequest.FetchTopic.FetchPartition(partition=0, fetch_offset=0, partition_max_bytes=1024)
        wanted = [FetchRequest.FetchTopic(topic=topic, partitions=[partition]) for topic in topics]
        answer = self._send(FetchRequest(max_wait_ms=0, min_bytes=0, max_bytes=10**6, topics=wanted, max_version=BY_NAME))
        found = {topic.topic: topic.partitions[0] for topic in answer.responses}
        return {topic: (_error(each.error_code), bool(each.records)) for topic, each in found.items()}

    def await_group(self, group: str, topic: str) -> None:
        """Wait until the broker takes commits of a consumer group; the first one makes it create a topic for them."""
        while self.commit(group, topic) != "NoError":
            self._send(FindCoordinatorRequest(key_type=0, coordinator_keys=[group], min_version=4))
            time.sleep(0.05)

    def commit(self, group: str, topic: str) -> str:
        """Commit an offset of a topic for a consumer group, and return the error."""
        parts = OffsetCommitRequest.OffsetCommitRequestTopic
        partition = parts.OffsetCommitRequestPartition(partition_index=0, committed_offset=0, committed_metadata="")
        wanted = parts(name=topic, partitions=[partition])
        request = OffsetCommitRequest(group_id=group, generation_id_or_member_epoch=-1, topics=[wanted], max_version=9)
        return _error(self._send(request).topics[0].partitions[0].error_code)

    def _send(self, request: Any) -> Any:
        manager = self.admin._manager  # the client has no public way to send one request
        return manager.run(manager.send, request)


def is_let_in(server: str, *, controller: bool = False, **settings: object) -> bool:
    """Say whether a broker or controller answers a client with these settings; it asks who belongs to the cluster."""
    client = KafkaNetClient(bootstrap_servers=[server], **settings)
    request = DescribeClusterRequest(endpoint_type=2 if controller else 1, min_version=1)
    manager = client._manager  # the client has no public way to send one request
    try:
        manager.run(_answer_of, manager, request)
    except kafka_errors.KafkaError:
        return False
    finally:
        client.close()
    return True


async def _answer_of(manager: Any, request: Any) -> None:
    connection = manager.get_connection("bootstrap-0", timeout_ms=2000)
    await connection
    await connection.send_request(request, request_timeout_ms=2000)


def _one_record() -> bytes:
    builder = MemoryRecordsBuilder(magic=2, compression_type=0, batch_size=1024)
    builder.append(timestamp=1, key=b"key", value=b"value")
    builder.close()
    return bytes(builder.buffer())


def _error(code: int) -> str:
    return str(kafka_errors.for_code(code).__name__)
