"""The other clients, each as its own documentation writes it, with whole batches where it knows batches.

Each awaits its acknowledgements before it commits, except where its comment says that it cannot.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import traceback
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from jobs import BATCH, LINGER_MILLISECONDS, Job, Meter
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.stream.outbox import OutgoingRecord
from works import PASSED_ON, Task

BATCH_BYTES = 262_144


def leave() -> NoReturn:
    """End at once: the result is printed, and no client's own farewell is part of what is measured."""
    os._exit(0)


async def bare_aiokafka(job: Job, task: Task, meter: Meter) -> None:
    """Run a consumer and a producer of aiokafka in one loop."""
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

    way = job.connection.for_kafka_python()
    reader = AIOKafkaConsumer(job.source, group_id=job.group, enable_auto_commit=False, auto_offset_reset="earliest", **way)
    producer = AIOKafkaProducer(**aiokafka_producer(job))
    await reader.start()
    await producer.start()
    while True:
        found = await reader.getmany(timeout_ms=1000, max_records=BATCH)
        records = [task.of_record(record) for batch in found.values() for record in batch]
        if not records:
            continue
        meter.begins()
        await asyncio.gather(*[await _put(producer, outgoing_record) for outgoing_record in task.take(records)])
        task.acknowledged()
        await reader.commit()
        if meter.did(len(records)):
            leave()


def aiokafka_producer(job: Job) -> dict[str, Any]:
    """Return the settings of a producer of aiokafka."""
    safe = {"acks": "all", "enable_idempotence": True, "compression_type": "lz4"}
    return {**safe, "linger_ms": LINGER_MILLISECONDS, "max_batch_size": BATCH_BYTES, **job.connection.for_kafka_python()}


async def _put(producer: Any, outgoing_record: OutgoingRecord) -> Any:
    return await producer.send(
        outgoing_record.topic, outgoing_record.value, outgoing_record.key.encode(), headers=outgoing_record.headers
    )


def confluent_settings(to: KafkaConnection) -> dict[str, Any]:
    """Return how every client of confluent-kafka reaches Kafka."""
    way = {"bootstrap.servers": to.bootstrap, "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "SCRAM-SHA-512"}
    return {**way, "sasl.username": to.username, "sasl.password": to.password}


CONFLUENT_PRODUCER = {
    "enable.idempotence": True,
    "compression.type": "lz4",
    "linger.ms": LINGER_MILLISECONDS,
    "partitioner": "murmur2_random",
}


class ConfluentSender:
    """Sends outgoing records with librdkafka and waits for each of them."""

    def __init__(self, producer: Any) -> None:
        self._producer = producer
        self._failed: list[Any] = []

    def send(self, outgoing: Sequence[OutgoingRecord]) -> None:
        """Send outgoing records and wait."""
        for outgoing_record in outgoing:
            headers = outgoing_record.headers or None
            self._producer.produce(
                outgoing_record.topic, outgoing_record.value, outgoing_record.key, headers=headers, on_delivery=self._told
            )
        if self._producer.flush(60) or self._failed:
            raise SystemExit("Not every letter arrived.")

    def _told(self, error: Any, _message: Any) -> None:
        if error:
            self._failed.append(error)


def bare_confluent(job: Job, task: Task, meter: Meter) -> None:
    """Run a consumer and a producer of confluent-kafka in one loop."""
    from confluent_kafka import Consumer, Producer

    own = {"group.id": job.group, "enable.auto.commit": False, "auto.offset.reset": "earliest"}
    reader = Consumer({**confluent_settings(job.connection), **own})
    reader.subscribe([job.source])
    sender = ConfluentSender(Producer({**confluent_settings(job.connection), **CONFLUENT_PRODUCER}))
    while True:
        found = reader.consume(BATCH, 0.5)
        if not found:
            continue
        meter.begins()
        sender.send(task.take([task.of_message(message) for message in found]))
        task.acknowledged()
        reader.commit(asynchronous=False)
        if meter.did(len(found)):
            leave()


def kafka_python(job: Job, task: Task, meter: Meter) -> None:
    """Run a consumer and a producer of kafka-python in one loop."""
    from kafka import KafkaConsumer, KafkaProducer

    way = job.connection.for_kafka_python()
    own = {"group_id": job.group, "enable_auto_commit": False, "auto_offset_reset": "earliest", "max_poll_records": BATCH}
    reader = KafkaConsumer(job.source, **own, **way)
    safe = {"acks": "all", "enable_idempotence": True, "compression_type": "lz4", "batch_size": BATCH_BYTES}
    producer = KafkaProducer(linger_ms=LINGER_MILLISECONDS, **safe, **way)
    while True:
        found = reader.poll(1000)
        records = [task.of_record(record) for batch in found.values() for record in batch]
        if not records:
            continue
        meter.begins()
        sent = [producer.send(each.topic, each.value, each.key.encode(), each.headers) for each in task.take(records)]
        producer.flush()
        for future in sent:
            future.get(30)
        task.acknowledged()
        reader.commit()
        if meter.did(len(records)):
            leave()


def quixstreams(job: Job, task: Task, meter: Meter) -> None:
    """Quix Streams: the transport by a transformation of each record, routing by a sink, which is how it knows batches.

    It does not await what a transformation sends per batch, but at its own commit.
    """
    from quixstreams import Application
    from quixstreams.kafka import ConnectionConfig

    way = {"bootstrap_servers": job.bootstrap, "security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "SCRAM-SHA-512"}
    connection = ConnectionConfig(**way, sasl_username=job.username, sasl_password=job.password)
    producer = {"linger.ms": LINGER_MILLISECONDS, "compression.type": "lz4", "enable.idempotence": True}
    app = Application(
        connection,
        consumer_group=job.group,
        auto_offset_reset="earliest",
        auto_create_topics=False,
        loglevel="ERROR",
        commit_every=BATCH if job.work == "routing" else 0,
        commit_interval=1.0,
        use_changelog_topics=False,
        state_dir=tempfile.mkdtemp(prefix="bench-quixstreams-"),
        producer_extra_config=producer,
    )
    frame = app.dataframe(app.topic(job.source, value_deserializer="bytes", key_deserializer="bytes"))
    (_quix_sink if job.work == "routing" else _quix_transformation)(app, frame, job, task, meter)
    app.run()


def _quix_transformation(app: Any, frame: Any, _job: Job, task: Task, meter: Meter) -> None:
    from quixstreams.models import Serializer

    class Value(Serializer):
        def __call__(self, value: OutgoingRecord, ctx: Any) -> bytes | None:  # noqa: ARG002 - what a serializer of theirs is given
            return value.value

    def taken(value: bytes) -> OutgoingRecord:
        meter.begins()
        [outgoing_record] = task.take([value])
        return outgoing_record

    def counted(_value: OutgoingRecord) -> None:
        if meter.did(1):
            leave()

    target = app.topic(PASSED_ON, value_serializer=Value(), key_serializer="bytes")
    frame.apply(taken).to_topic(target, key=lambda outgoing_record: outgoing_record.key.encode()).update(counted)


def _quix_sink(_app: Any, frame: Any, job: Job, task: Task, meter: Meter) -> None:
    from confluent_kafka import Producer
    from quixstreams.sinks import BatchingSink

    sender = ConfluentSender(Producer({**confluent_settings(job.connection), **CONFLUENT_PRODUCER}))

    class Sink(BatchingSink):
        def write(self, batch: Any) -> None:
            records = [_of_item(batch, item) for item in batch]
            sender.send(task.take([task.of_record(record) for record in records]))
            task.acknowledged()
            if meter.did(len(records)):
                leave()

    frame.update(lambda _value: meter.begins())
    frame.sink(Sink())


class _Item:
    """A record as a sink of Quix Streams has it, in the shape of a ConsumerRecord."""

    def __init__(self, batch: Any, item: Any) -> None:
        self.topic, self.partition, self.offset = batch.topic, batch.partition, item.offset
        self.key, self.value, self.timestamp = item.key, item.value, item.timestamp
        self.headers = item.headers or ()


def _of_item(batch: Any, item: Any) -> _Item:
    return _Item(batch, item)


async def faststream(job: Job, task: Task, meter: Meter) -> None:
    """FastStream on confluent-kafka with a batch subscriber; its publish_batch loses the order per key, so each is published."""
    from faststream import AckPolicy, Context, FastStream
    from faststream.confluent import KafkaBroker
    from faststream.security import SASLScram512

    security = SASLScram512(username=job.username, password=job.password, use_ssl=False)
    safe = {"acks": "all", "enable_idempotence": True, "compression_type": "lz4", "linger_ms": LINGER_MILLISECONDS}
    broker = KafkaBroker(job.bootstrap, security=security, logger=None, **safe)
    reading = {"batch": True, "max_records": BATCH, "group_id": job.group, "auto_offset_reset": "earliest"}

    whole = Context("message")

    async def undecoded(message: Any) -> Any:
        return message.body

    async def parsed(messages: Sequence[Any], original: Any) -> Any:
        return await original(tuple(map(_Headless, messages)))

    own = {"parser": parsed, "decoder": undecoded}

    @broker.subscriber(job.source, **reading, **own, ack_policy=AckPolicy.REJECT_ON_ERROR, no_reply=True)
    async def handle(_bodies: list[bytes], message: Any = whole) -> None:
        try:
            await taken(message.raw_message)
        except Exception:  # noqa: BLE001 - its broker would go on with the next batch, silently
            traceback.print_exc()
            os._exit(1)

    async def taken(messages: Sequence[Any]) -> None:
        meter.begins()
        records = [task.of_message(each.real) for each in messages]
        await asyncio.gather(*[await _published(broker, outgoing_record) for outgoing_record in task.take(records)])
        task.acknowledged()
        if meter.did(len(records)):
            leave()

    await FastStream(broker, logger=None).run()


class _Headless:
    """A message without its headers: FastStream takes each for text, drops a batch with a signature in one, and says nothing."""

    def __init__(self, real: Any) -> None:
        self.real = real

    def headers(self) -> list[tuple[str, bytes]]:
        return []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


async def _published(broker: Any, outgoing_record: OutgoingRecord) -> Any:
    headers = {name: value.decode() for name, value in outgoing_record.headers}
    key = outgoing_record.key.encode()
    return await broker.publish(outgoing_record.value, outgoing_record.topic, key=key, headers=headers, no_confirm=True)


def stock_faust(job: Job, task: Task, meter: Meter) -> None:
    """Run an ordinary agent of Faust that takes batches and awaits what it sends."""
    import faust

    from signal_exchange.stream.service import faust_options

    app = faust.App(job.group, **_stock_options(job, faust_options))
    source = app.topic(job.source, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")

    @app.agent(source)
    async def agent(stream: Any) -> None:
        async for events in stream.noack_take(BATCH, within=0.05):
            meter.begins()
            records = [task.of_record(_EventRecord(event)) for event in events]
            await asyncio.gather(*[await _sent(app, outgoing_record) for outgoing_record in task.take(records)])
            task.acknowledged()
            for event in events:
                await stream.ack(event)
            if meter.did(len(records)):
                leave()

    faust.Worker(app, loglevel="ERROR", quiet=True, redirect_stdouts=False).execute_from_commandline()


class _EventRecord:
    """A record as an agent of Faust has it, in the shape of a ConsumerRecord."""

    def __init__(self, event: Any) -> None:
        message = event.message
        self.topic, self.partition, self.offset = message.topic, message.partition, message.offset
        self.key, self.value, self.timestamp = message.key, message.value, message.timestamp * 1000
        self.headers = message.headers or ()


async def _sent(app: Any, outgoing_record: OutgoingRecord) -> Any:
    target = app.topic(outgoing_record.topic, key_serializer="raw", value_serializer="raw")
    return await target.send(key=outgoing_record.key.encode(), value=outgoing_record.value, headers=outgoing_record.headers)


def _stock_options(job: Job, faust_options: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    from ours import settings_of

    producer = {"producer_acks": -1, "producer_linger": LINGER_MILLISECONDS / 1000, "producer_compression_type": "lz4"}
    names = ("topic_allow_declare", "broker", "broker_credentials", "web_enabled", "topic_disable_leader", "datadir")
    ours = faust_options(settings_of(job), job.group)
    return {
        **{name: ours[name] for name in (*names, "consumer_auto_offset_reset", "worker_redirect_stdouts")},
        **producer,
        "producer_max_batch_size": BATCH_BYTES,
        "stream_buffer_maxsize": 8192,
        "key_serializer": "raw",
        "value_serializer": "raw",
    }
