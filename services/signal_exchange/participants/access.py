"""The access of a participant to Kafka: topic, user, quota and rules, given and taken without touching anybody else's."""

from __future__ import annotations

from signal_exchange.contracts.codec import decode
from signal_exchange.contracts.quotas import MEMBER, Quota
from signal_exchange.contracts.topics import Catalogue, Topic, feedback_topic, municipality_principal
from signal_exchange.runtime.administration import give_access, take_access
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.kafka import admin_client, read_to_end, reader


class OneParticipant(Catalogue):
    """The part of the catalogue that one municipality adds to it."""

    __slots__ = ()

    @property
    def topics(self) -> tuple[Topic, ...]:
        """Return its feedback topic, and `signals`, which it may write."""
        names = {"signals", *map(feedback_topic, self.municipalities)}
        return tuple(topic for topic in super().topics if topic.name in names)

    @property
    def principals(self) -> tuple[str, ...]:
        """Return its node's user."""
        return tuple(map(municipality_principal, self.municipalities))

    @property
    def quotas(self) -> dict[str, Quota]:
        """Return the quotas of its node."""
        return dict.fromkeys(self.principals, MEMBER)


def admit(connection: KafkaConnection, code: str, password: str) -> None:
    """Give a municipality its topic, its user and its rules; twice is once."""
    give_access(connection, OneParticipant((code,)), {municipality_principal(code): password})


def dismiss(connection: KafkaConnection, code: str) -> None:
    """Take every rule and the user of a municipality away; its topic stays, with what it was told, until its term."""
    take_access(connection, municipality_principal(code))


def open_signals(connection: KafkaConnection, code: str) -> int:
    """Return the number of signals of a municipality that are open on the exchange: accepted and not withdrawn or erased."""
    with reader(connection, "accepted") as consumer:
        latest = {record.key: record.value for record in read_to_end(consumer)}
    states = (decode(value, "routing").fields for value in latest.values() if value is not None)
    return sum(each["municipality"] == code and each["state"] == "ROUTED" for each in states)


def listens(connection: KafkaConnection) -> None:
    """Ask Kafka something, so that a wrong address or password is told before anything changes.

    Raises:
        BrokerUnavailableError: Kafka does not answer, or does not let the admin in.
    """
    with admin_client(connection) as admin:
        admin.describe_cluster()
