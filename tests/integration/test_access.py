"""Promise 5: each principal can do what the catalogue says and nothing else, tried on the real broker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError
from kafka import KafkaConsumer, KafkaProducer, TopicPartition  # type: ignore[import-untyped]  # ships no types
from kafka.admin import (  # type: ignore[import-untyped]  # ships no types
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ConfigResource,
    ConfigResourceType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    UserScramCredentialUpsertion,
)
from kafka.errors import AuthorizationError  # type: ignore[import-untyped]  # ships no types
from raw_kafka import RawKafka, is_let_in
from real_exchange import MUNICIPALITIES, Exchange, unique_name
from rights import may

from signal_exchange.contracts.topics import catalogue, municipality_principal
from signal_exchange.participants.kafka_files import identity_of
from signal_exchange.runtime.access_rules import Admin
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.faults import BrokerUnavailableError
from signal_exchange.runtime.kafka import admin_client

EVERY_PATTERN = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
EVERY_RULE = ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, EVERY_PATTERN)
CATALOGUE = catalogue(MUNICIPALITIES)
TOPICS = tuple(topic.name for topic in CATALOGUE.topics)
REFUSED = "TopicAuthorizationFailedError"
each_principal = pytest.mark.parametrize("principal", CATALOGUE.principals)


def end_offsets(exchange: Exchange) -> dict[str, int]:
    with admin_client(exchange.admin) as admin:
        asked = {TopicPartition(topic, 0): -1 for topic in TOPICS}
        return {where.topic: found.offset for where, found in admin.list_partition_offsets(asked).items()}


@each_principal
def test_a_principal_writes_exactly_what_the_catalogue_says(own_exchange: Exchange, principal: str) -> None:
    before = end_offsets(own_exchange)
    with RawKafka(own_exchange.connect(principal)) as raw:
        answers = raw.produce(TOPICS)
    arrived = {topic for topic, end in end_offsets(own_exchange).items() if end > before[topic]}
    assert answers == {topic: "NoError" if may(CATALOGUE, principal, "WRITE", topic) else REFUSED for topic in TOPICS}
    assert arrived == {topic for topic in TOPICS if may(CATALOGUE, principal, "WRITE", topic)}


@each_principal
def test_a_principal_reads_exactly_what_the_catalogue_says(own_exchange: Exchange, principal: str) -> None:
    with RawKafka(own_exchange.admin) as raw:
        raw.produce(TOPICS)
    with RawKafka(own_exchange.connect(principal)) as raw:
        answers = raw.fetch(TOPICS)
    allowed = {topic: may(CATALOGUE, principal, "READ", topic) for topic in TOPICS}
    assert answers == {topic: ("NoError", True) if granted else (REFUSED, False) for topic, granted in allowed.items()}


@each_principal
def test_a_principal_uses_its_own_consumer_group_and_no_other(own_exchange: Exchange, principal: str) -> None:
    source = CATALOGUE.sources_of(principal)[0]
    groups = (*CATALOGUE.principals, unique_name("group"))
    with RawKafka(own_exchange.admin) as raw:
        for group in groups:
            raw.await_group(group, source)
    with RawKafka(own_exchange.connect(principal)) as raw:
        answers = {group: raw.commit(group, source) for group in groups}
    assert answers == {group: "NoError" if group == principal else "GroupAuthorizationFailedError" for group in groups}


@each_principal
def test_a_principal_sees_no_topic_that_is_not_its_own(own_exchange: Exchange, principal: str) -> None:
    with admin_client(own_exchange.connect(principal)) as client:
        seen = set(client.list_topics())
    assert seen == {name for name in TOPICS if may(CATALOGUE, principal, "DESCRIBE", name)}


def is_refused(act: Callable[[], object]) -> bool:
    try:
        return "AuthorizationFailed" in str(act())
    except AuthorizationError:
        return True


@each_principal
def test_nobody_but_the_admin_changes_topics_rules_or_passwords(own_exchange: Exchange, principal: str) -> None:
    topic = ConfigResource(ConfigResourceType.TOPIC, "signals", {"retention.ms": "1"})
    password = UserScramCredentialUpsertion("routing", "SCRAM-SHA-512", "synthetic")
    with admin_client(own_exchange.admin) as admin, admin_client(own_exchange.connect(principal)) as client:
        before = state_of(admin)
        assert is_refused(lambda: client.create_topics({unique_name("topic"): {"num_partitions": 1, "replication_factor": 1}}))
        assert is_refused(lambda: client.delete_topics(["signals"]))
        assert is_refused(lambda: client.create_partitions({"signals": 12}))
        assert is_refused(lambda: client.alter_configs([topic], raise_on_unknown=False))
        assert is_refused(lambda: client.create_acls([rule_for(principal)]))
        assert is_refused(lambda: client.delete_acls([EVERY_RULE]))
        assert is_refused(lambda: client.describe_acls(EVERY_RULE))
        assert "needs ALTER permission" in client.alter_user_scram_credentials([password])["routing"]
        assert state_of(admin) == before


def state_of(admin: Admin) -> tuple[object, ...]:
    rules, _ = admin.describe_acls(EVERY_RULE)
    settings = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in TOPICS])
    return sorted(admin.list_topics()), settings, set(rules), admin.describe_user_scram_credentials()


def rule_for(principal: str) -> ACL:
    pattern = ResourcePattern(ResourceType.TOPIC, "signals")
    return ACL(f"User:{principal}", "*", ACLOperation.ALL, ACLPermissionType.ALLOW, pattern)


@pytest.mark.parametrize(("user", "password"), [("routing", "wrong"), ("nobody", "wrong"), ("routing", ""), ("admin", "admin")])
def test_who_does_not_know_the_password_is_not_let_in(
    own_exchange: Exchange, caplog: pytest.LogCaptureFixture, user: str, password: str
) -> None:
    stranger = KafkaConnection(own_exchange.broker.bootstrap, user, password)
    with pytest.raises(KafkaConnectionError):
        asyncio.run(connect(stranger))
    assert "due to invalid credentials" in caplog.text
    with pytest.raises(BrokerUnavailableError), admin_client(stranger, seconds=0.3):
        pass


async def connect(connection: KafkaConnection) -> None:
    producer = AIOKafkaProducer(**connection.for_kafka_python())
    try:
        await producer.start()
    finally:
        await producer.stop()


def test_who_knows_the_password_is_let_in(own_exchange: Exchange) -> None:
    asyncio.run(connect(own_exchange.connect("routing")))


def test_who_names_no_user_is_not_let_in(own_exchange: Exchange) -> None:
    with_a_name = {**own_exchange.admin.for_kafka_python()}
    server = with_a_name.pop("bootstrap_servers")[0]
    assert is_let_in(server, **with_a_name)
    assert not is_let_in(server, security_protocol="PLAINTEXT")


def test_a_user_without_rules_may_read_and_write_nothing(own_exchange: Exchange) -> None:
    with RawKafka(own_exchange.fresh_user()) as raw:
        assert set(raw.produce(TOPICS).values()) == {REFUSED}
        assert set(raw.fetch(TOPICS).values()) == {(REFUSED, False)}
        assert raw.admin.list_topics() == []


def test_the_admin_may_read_and_write_every_topic(own_exchange: Exchange) -> None:
    with RawKafka(own_exchange.admin) as raw:
        assert set(raw.produce(TOPICS).values()) == {"NoError"}
        assert set(raw.fetch(TOPICS).values()) == {("NoError", True)}


def test_ordinary_clients_of_a_principal_work_with_these_rights_alone(own_exchange: Exchange) -> None:
    sender = own_exchange.connect(municipality_principal("GM0983"))
    with closing(KafkaProducer(**sender.for_kafka_python(), acks="all", enable_idempotence=True)) as producer:
        sent = producer.send("signals", key=b"key", value=b"idempotent").get(timeout=10)
    reader = own_exchange.connect("routing").for_kafka_python()
    consumer = KafkaConsumer("signals", **reader, group_id="routing", auto_offset_reset="earliest", consumer_timeout_ms=10_000)
    with closing(consumer):
        assert any(record.value == b"idempotent" for record in consumer)
        consumer.commit()
        assert consumer.committed(TopicPartition("signals", sent.partition)) == sent.offset + 1


def test_the_controller_lets_in_who_knows_the_admins_password_and_nobody_else(own_exchange: Exchange) -> None:
    identity = identity_of(own_exchange.broker.log_file.parent)
    controller = f"127.0.0.1:{identity.controller_port}"

    def knows(user: str, password: str) -> bool:
        login = {"sasl_mechanism": "PLAIN", "sasl_plain_username": user, "sasl_plain_password": password}
        return is_let_in(controller, controller=True, security_protocol="SASL_PLAINTEXT", **login)

    assert not is_let_in(controller, controller=True, security_protocol="PLAINTEXT")
    assert knows("admin", identity.admin_password)
    assert not knows("admin", "wrong")
    assert not knows("routing", own_exchange.passwords["routing"])
