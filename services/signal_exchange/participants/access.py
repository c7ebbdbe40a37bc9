"""What a participant may do on Kafka: topic, user, quota and rules, given and taken without touching anybody else's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from kafka import KafkaConsumer, TopicPartition  # type: ignore[import-untyped]  # ships no types

from signal_exchange.contracts.codec import decode
from signal_exchange.contracts.quotas import MEMBER
from signal_exchange.contracts.topics import catalogue, feedback_topic, municipality_principal
from signal_exchange.runtime.admin_client import admin_client
from signal_exchange.runtime.administration import give_access, take_access
from signal_exchange.runtime.connection import KafkaConnection

POLL_MILLISECONDS = 500


@dataclass(frozen=True, slots=True)
class OneParticipant:
    """The part of the catalogue that one municipality adds to it."""

    code: str

    @property
    def topics(self) -> tuple[Any, ...]:
        """Return its feedback topic, and `signals`, which it may write."""
        names = {"signals", feedback_topic(self.code)}
        return tuple(topic for topic in catalogue([self.code]).topics if topic.name in names)

    @property
    def principals(self) -> tuple[str, ...]:
        """Return its node's user."""
        return (municipality_principal(self.code),)

    @property
    def quotas(self) -> Mapping[str, Mapping[str, float]]:
        """Return how much of Kafka its node may take."""
        return dict.fromkeys(self.principals, MEMBER)

    @property
    def watchers(self) -> tuple[str, ...]:
        """Return who may see how far its topic and its group are."""
        return catalogue([self.code]).watchers


def admit(connection: KafkaConnection, code: str, password: str) -> None:
    """Give a municipality its topic, its user and its rules; twice is once."""
    give_access(connection, OneParticipant(code), {municipality_principal(code): password})


def dismiss(connection: KafkaConnection, code: str) -> None:
    """Take every rule and the user of a municipality away; its topic stays, with what it was told, until its term."""
    take_access(connection, municipality_principal(code))


def open_signals(connection: KafkaConnection, code: str) -> int:
    """Return how many signals of a municipality are open on the exchange: accepted and not withdrawn or erased."""
    states = (decode(value, "routing").fields for value in _states(connection, "accepted").values())
    return sum(each["municipality"] == code and each["state"] == "ROUTED" for each in states)


def _states(connection: KafkaConnection, topic: str) -> Mapping[bytes, bytes]:
    latest: dict[bytes, bytes | None] = {}
    with closing(KafkaConsumer(group_id=None, enable_auto_commit=False, **connection.for_kafka_python())) as consumer:
        parts = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
        consumer.assign(parts)
        consumer.seek_to_beginning(*parts)
        ends = {part: end for part, end in consumer.end_offsets(parts).items() if end}
        while any(consumer.position(part) < end for part, end in ends.items()):
            latest |= {record.key: record.value for batch in _polled(consumer) for record in batch}
    return {key: value for key, value in latest.items() if value is not None}


def _polled(consumer: Any) -> Iterable[Any]:  # noqa: ANN401 - kafka-python ships no types
    found: Iterable[Any] = consumer.poll(POLL_MILLISECONDS).values()
    return found


def listens(connection: KafkaConnection) -> None:
    """Ask Kafka something, so that a wrong address or password is told before anything changes.

    Raises:
        BrokerUnavailable: Kafka does not answer, or does not let the admin in.
    """
    with admin_client(connection) as admin:
        admin.describe_cluster()
