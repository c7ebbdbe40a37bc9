"""The clients of kafka-python, in one place: opened or refused in time, closed whatever happens, their errors told as ours.

Why there are three Kafka clients says docs/decisions/0039-three-kafka-clients.md.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition  # type: ignore[import-untyped]  # ships no types
from kafka.errors import KafkaError, UnknownBrokerIdError  # type: ignore[import-untyped]  # ships no types
from kafka.net.compat import KafkaNetClient  # type: ignore[import-untyped]  # ships no types

from signal_exchange.runtime.access_rules import Admin, AdministrationFailedError
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.faults import BrokerUnavailableError

ANSWER_SECONDS = 30.0
RETRY_SECONDS = 0.05
PORT_SECONDS = 2.0
POLL_MILLISECONDS = 200
NOT_YET = (UnknownBrokerIdError,)
"""What kafka-python raises by itself while it does not know the brokers yet, and does not call retriable."""


def connect(client: Callable[..., Any], connection: KafkaConnection, seconds: float = ANSWER_SECONDS, **options: object) -> Any:  # noqa: ANN401 - kafka-python ships no types
    """Return a new client of this class, which the caller closes.

    Raises:
        BrokerUnavailableError: nobody listens, or Kafka does not let this user in within `seconds`.
    """
    if not _listens(connection):
        raise BrokerUnavailableError("NotListening")
    opened: list[Any] = []
    try:
        milliseconds = int(seconds * 1000)
        arguments = {**connection.for_kafka_python(), **options, "bootstrap_timeout_ms": milliseconds}
        return client(**arguments, kafka_client=partial(_remembered, opened))
    except KafkaError as error:  # its text says that time ran out, also when the password is wrong
        for each in opened:  # the constructor that fails leaves a thread and its sockets behind
            each.close()
            each._net.stop()  # noqa: SLF001 - what the client's own close does
        raise BrokerUnavailableError(type(error).__name__) from None


def _remembered(opened: list[Any], **settings: object) -> Any:  # noqa: ANN401 - kafka-python ships no types
    opened.append(KafkaNetClient(**settings))
    return opened[-1]


def _listens(connection: KafkaConnection) -> bool:
    # Asked here, because kafka-python leaves the socket of a refused connection to the garbage collector.
    return any(map(_accepts, connection.servers))


def _accepts(server: str) -> bool:
    host, _, port = server.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=PORT_SECONDS).close()
    except OSError:
        return False
    return True


@contextmanager
def admin_client(connection: KafkaConnection, seconds: float = ANSWER_SECONDS) -> Iterator[Admin]:
    """Give the client of an administrator for the length of a `with` block.

    Raises:
        AdministrationFailedError: Kafka refuses what the block asks.
        BrokerUnavailableError: Kafka does not let this user in within `seconds`, or stops answering later.
    """
    client = _let_in(connection, seconds)
    try:
        yield client
    except KafkaError as error:
        if error.retriable or isinstance(error, NOT_YET):
            raise BrokerUnavailableError(f"Kafka at {connection.bootstrap} stopped answering: {type(error).__name__}.") from error
        raise AdministrationFailedError("ADMINISTRATION_REFUSED", fault=type(error).__name__) from error
    finally:
        client.close()


def _let_in(connection: KafkaConnection, seconds: float) -> Admin:
    deadline = time.monotonic() + seconds
    while not _listens(connection):
        if time.monotonic() > deadline:
            raise BrokerUnavailableError(f"Kafka at {connection.bootstrap} does not answer.")
        time.sleep(RETRY_SECONDS)
    try:
        return connect(KafkaAdminClient, connection, max(deadline - time.monotonic(), RETRY_SECONDS))
    except BrokerUnavailableError:
        message = f"Kafka at {connection.bootstrap} answers, but does not let {connection.username} in or is still starting."
        raise BrokerUnavailableError(message) from None


def answers(connection: KafkaConnection, seconds: float) -> bool:
    """Say whether Kafka lets this user in within `seconds`; a closed port is told at once."""
    if not _listens(connection):
        return False
    try:
        with admin_client(connection, seconds) as admin:
            return bool(admin.describe_cluster()["brokers"])
    except (AdministrationFailedError, BrokerUnavailableError):
        return False


@contextmanager
def reader(connection: KafkaConnection, *topics: str) -> Iterator[KafkaConsumer]:
    """Open a consumer at the start of these topics, outside every group.

    Raises:
        BrokerUnavailableError: Kafka does not answer, or lets this user not read.
    """
    options: dict[str, Any] = {"group_id": None, "auto_offset_reset": "earliest", "enable_auto_commit": False}
    consumer = connect(KafkaConsumer, connection, **options)
    try:
        named = [(topic, consumer.partitions_for_topic(topic) or ()) for topic in topics]
        parts = [TopicPartition(topic, number) for topic, numbers in named for number in sorted(numbers)]
        consumer.assign(parts)
        consumer.seek_to_beginning(*parts)
        yield consumer
    except KafkaError as error:
        raise BrokerUnavailableError(type(error).__name__) from None
    finally:
        consumer.close()


def read_to_end(consumer: KafkaConsumer) -> Iterator[Any]:
    """Yield each record that the topics of a `reader` hold now, as kafka-python's consumer records."""
    ends = {part: end for part, end in consumer.end_offsets(list(consumer.assignment())).items() if end}
    while any(consumer.position(part) < end for part, end in ends.items()):
        for batch in consumer.poll(POLL_MILLISECONDS).values():
            yield from batch


def quiet_client() -> None:
    """Keep kafka-python to its errors: its debug log holds whole records, and an outage fills its warnings."""
    logging.getLogger("kafka").setLevel(logging.ERROR)
