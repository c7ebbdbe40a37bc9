"""The admin's client of a Kafka: opened, closed and its errors told as ours."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from kafka import KafkaAdminClient  # type: ignore[import-untyped]  # ships no types
from kafka.errors import KafkaError, UnknownBrokerIdError  # type: ignore[import-untyped]  # ships no types
from kafka.net.compat import KafkaNetClient  # type: ignore[import-untyped]  # ships no types

from signal_exchange.runtime.access_rules import Admin, AdministrationFailed
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.faults import BrokerUnavailable

ANSWER_SECONDS = 30.0
RETRY_SECONDS = 0.05
NOT_YET = (UnknownBrokerIdError,)
"""What kafka-python raises by itself while it does not know the brokers yet, and does not call retriable."""


@contextmanager
def admin_client(connection: KafkaConnection, seconds: float = ANSWER_SECONDS) -> Iterator[Admin]:
    """Give a kafka-python admin client for the length of a `with` block.

    Raises:
        AdministrationFailed: Kafka refuses what the block asks.
        BrokerUnavailable: Kafka does not let this user in within `seconds`, or stops answering later.
    """
    client = _let_in(connection, seconds)
    try:
        yield client
    except KafkaError as error:
        if error.retriable or isinstance(error, NOT_YET):
            raise BrokerUnavailable(f"Kafka at {connection.bootstrap} stopped answering: {type(error).__name__}.") from error
        raise AdministrationFailed(f"Kafka refuses this administration: {type(error).__name__}.") from error
    finally:
        client.close()


def answers(connection: KafkaConnection, seconds: float) -> bool:
    """Say whether Kafka lets this user in within `seconds`; a closed port is told at once."""
    if not _listens(connection):
        return False
    try:
        with admin_client(connection, seconds) as admin:
            return bool(admin.describe_cluster()["brokers"])
    except (AdministrationFailed, BrokerUnavailable):
        return False


def _let_in(connection: KafkaConnection, seconds: float) -> Admin:
    deadline = time.monotonic() + seconds
    while not _listens(connection):
        if time.monotonic() > deadline:
            raise BrokerUnavailable(f"Kafka at {connection.bootstrap} does not answer.")
        time.sleep(RETRY_SECONDS)
    return _client(connection, max(deadline - time.monotonic(), RETRY_SECONDS))


def _client(connection: KafkaConnection, seconds: float) -> Admin:
    opened: list[Any] = []
    arguments = {**connection.for_kafka_python(), "bootstrap_timeout_ms": int(seconds * 1000)}
    try:
        return KafkaAdminClient(**arguments, kafka_client=partial(_remembered, opened))
    except KafkaError:  # its text says that time ran out, also when the password is wrong
        _close(opened)
        message = f"Kafka at {connection.bootstrap} answers, but does not let {connection.username} in or is still starting."
        raise BrokerUnavailable(message) from None


def _remembered(opened: list[Any], **settings: object) -> Any:  # noqa: ANN401 - kafka-python ships no types
    opened.append(KafkaNetClient(**settings))
    return opened[-1]


def _close(opened: list[Any]) -> None:
    # The constructor of kafka-python's admin that fails leaves a thread and its sockets behind.
    for client in opened:
        client.close()
        client._net.stop()  # noqa: SLF001 - what KafkaAdminClient.close does


def _listens(connection: KafkaConnection) -> bool:
    # Asked here, because kafka-python leaves the socket of a refused connection to the garbage collector.
    return any(map(_accepts, connection.servers))


def _accepts(server: str) -> bool:
    host, _, port = server.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True
