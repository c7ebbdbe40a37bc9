"""A real Kafka set up as the catalogue says, for tests that need the broker itself."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from signal_exchange.contracts.topics import Catalogue, catalogue
from signal_exchange.runtime.access_rules import AccessRule, add_rules
from signal_exchange.runtime.administration import apply_catalogue, create_topics, set_users
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.kafka import admin_client
from signal_exchange_demo.broker import EmbeddedBroker
from signal_exchange_demo.java import BrokerError

ROOT = Path(__file__).resolve().parents[2]
KAFKA_LIBS = ROOT / "deploy" / "kafka" / "libs"
MUNICIPALITIES = ("GM0983", "GM1507")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A broker with the topics, users and access rules of a catalogue."""

    broker: EmbeddedBroker
    catalogue: Catalogue
    passwords: Mapping[str, str] = field(repr=False)

    @property
    def admin(self) -> KafkaConnection:
        """Return the connection of the admin, who may do everything."""
        return self.broker.admin_credentials

    def connect(self, principal: str) -> KafkaConnection:
        """Return the connection of a principal of the catalogue."""
        return KafkaConnection(self.broker.bootstrap, principal, self.passwords[principal])

    def fresh_topic(self, *, partitions: int = 6, settings: Mapping[str, str] | None = None) -> str:
        """Create a topic under a name that no other test has, which only the admin may use, and return the name."""
        name = unique_name("topic")
        with admin_client(self.admin) as admin:
            create_topics(admin, {name: {"num_partitions": partitions, "replication_factor": 1, "configs": dict(settings or {})}})
        return name

    def fresh_user(self, *, reads: tuple[str, ...] = (), writes: tuple[str, ...] = ()) -> KafkaConnection:
        """Create a user that no other test has, with these rights and its own group, and return how it connects."""
        return self.add_user(unique_name("user"), secrets.token_urlsafe(), reads=reads, writes=writes)

    def add_user(self, name: str, password: str, *, reads: tuple[str, ...] = (), writes: tuple[str, ...] = ()) -> KafkaConnection:
        """Create a user outside the catalogue, with these rights and its own group, and return how it connects."""
        rules = [AccessRule(name, "READ", "TOPIC", topic) for topic in reads]
        rules += [AccessRule(name, "WRITE", "TOPIC", topic) for topic in writes]
        with admin_client(self.admin) as admin:
            set_users(admin, {name: password})
            add_rules(admin, [*rules, AccessRule(name, "READ", "GROUP", name)])
        return KafkaConnection(self.broker.bootstrap, name, password)


def unique_name(kind: str) -> str:
    """Return a name that no other test has."""
    return f"{kind}-{uuid.uuid4().hex[:12]}"


@contextmanager
def running_broker(directory: Path, settings: Mapping[str, str] | None = None) -> Iterator[EmbeddedBroker]:
    """Run a broker of one's own for the length of a `with` block; what is missing fails the test and says what to do."""
    broker = EmbeddedBroker(directory, KAFKA_LIBS, settings=settings or {})
    try:
        broker.start()
    except BrokerError as failure:
        pytest.fail(str(failure), pytrace=False)
    try:
        yield broker
    finally:
        broker.stop()


def exchange_on(broker: EmbeddedBroker, municipalities: tuple[str, ...] = MUNICIPALITIES) -> Exchange:
    """Apply the catalogue of these municipalities to a broker, with random passwords."""
    wanted = catalogue(municipalities)
    passwords = {principal: secrets.token_urlsafe() for principal in wanted.principals}
    apply_catalogue(broker.admin_credentials, wanted, passwords)
    return Exchange(broker, wanted, passwords)
