"""Applying the catalogue to a real Kafka: what is missing comes, what is no longer named goes, twice is once."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from kafka.admin import (  # type: ignore[import-untyped]  # ships no types
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ConfigResource,
    ConfigResourceType,
    ResourcePattern,
    ResourceType,
)
from raw_kafka import RawKafka
from real_exchange import MUNICIPALITIES, Exchange
from refusing import refused

from signal_exchange.contracts.quotas import Quota
from signal_exchange.contracts.topics import Catalogue, Kind, Topic, catalogue, feedback_topic, municipality_principal
from signal_exchange.runtime.access_rules import AccessRule, Admin, add_rules
from signal_exchange.runtime.administration import Applied, apply_catalogue, wanted_rules
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.faults import BrokerUnavailableError
from signal_exchange.runtime.kafka import admin_client

LEAVER = municipality_principal("GM1507")


@pytest.fixture
def changed(own_exchange: Exchange) -> Iterator[Exchange]:
    """Give an exchange that a test may change; afterwards it is as the catalogue says."""
    yield own_exchange
    apply(own_exchange)


def apply(exchange: Exchange, municipalities: tuple[str, ...] = MUNICIPALITIES) -> Applied:
    return apply_catalogue(exchange.admin, catalogue(municipalities), exchange.passwords)


def settings_of(admin: Admin, topic: str) -> dict[str, str]:
    found = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])["topic"][topic]
    return {key: setting["value"] for key, setting in found.items()}


def test_every_topic_has_the_partitions_and_settings_of_the_catalogue(own_exchange: Exchange) -> None:
    with admin_client(own_exchange.admin) as admin:
        found = {each["name"]: (len(each["partitions"]), settings_of(admin, each["name"])) for each in admin.describe_topics()}
    for topic in own_exchange.catalogue.topics:
        assert found[topic.name] == (topic.partitions, {**topic.settings, "min.insync.replicas": "1"})


def test_a_second_time_changes_nothing_and_takes_less_than_a_second(own_exchange: Exchange) -> None:
    begin = time.monotonic()
    again = apply(own_exchange)
    assert time.monotonic() - begin < 1
    assert again == Applied((), (), (), (), (), ())


def test_a_municipality_that_left_loses_its_rules_and_its_password(changed: Exchange) -> None:
    applied = apply(changed, ("GM0983",))
    assert applied.users_removed == (LEAVER,)
    assert {rule for rule in applied.rules_removed if rule.principal == LEAVER} == {
        AccessRule(LEAVER, "WRITE", "TOPIC", "signals"),
        AccessRule(LEAVER, "READ", "TOPIC", feedback_topic("GM1507")),
        AccessRule(LEAVER, "READ", "GROUP", LEAVER),
    }
    with pytest.raises(BrokerUnavailableError), admin_client(changed.connect(LEAVER), seconds=0.5):
        pass


def test_a_municipality_that_joins_can_work_at_once(changed: Exchange) -> None:
    apply(changed, ("GM0983",))
    joined = apply(changed)
    assert joined.users_created == (LEAVER,)
    with RawKafka(changed.connect(LEAVER)) as raw:
        assert raw.produce(["signals", feedback_topic("GM0983")]) == {
            "signals": "NoError",
            feedback_topic("GM0983"): "TopicAuthorizationFailedError",
        }


def test_rules_that_the_catalogue_does_not_name_are_taken_away(changed: Exchange) -> None:
    every_topic = ResourcePattern(ResourceType.TOPIC, "*")
    prefix = ResourcePattern(ResourceType.TOPIC, "feedback.", ACLResourcePatternType.PREFIXED)
    strange = [ACL("User:agenda", "*", ACLOperation.ALL, ACLPermissionType.ALLOW, each) for each in (every_topic, prefix)]
    with admin_client(changed.admin) as admin:
        admin.create_acls(strange)
        add_rules(admin, [AccessRule("agenda", "READ", "TOPIC", "referrals")])
    assert len(apply(changed).rules_removed) == 3
    with RawKafka(changed.connect("agenda")) as raw:
        assert raw.fetch(["referrals", "feedback.gm0983"]) == {
            "referrals": ("TopicAuthorizationFailedError", False),
            "feedback.gm0983": ("TopicAuthorizationFailedError", False),
        }


def test_a_changed_setting_is_put_back_and_a_strange_one_goes(changed: Exchange) -> None:
    other = ConfigResource(ConfigResourceType.TOPIC, "signals", {"retention.ms": "1000", "segment.ms": "5000"})
    with admin_client(changed.admin) as admin:
        admin.alter_configs([other])
        assert apply(changed).topics_changed == ("signals",)
        wanted = next(topic for topic in changed.catalogue.topics if topic.name == "signals")
        assert settings_of(admin, "signals") == {**wanted.settings, "min.insync.replicas": "1"}


def test_a_new_password_replaces_the_old_one(changed: Exchange) -> None:
    apply_catalogue(changed.admin, changed.catalogue, {**changed.passwords, "agenda": "synthetic-new"})
    with pytest.raises(BrokerUnavailableError), admin_client(changed.connect("agenda"), seconds=0.5):
        pass
    with admin_client(KafkaConnection(changed.broker.bootstrap, "agenda", "synthetic-new")) as client:
        assert client.list_topics()


def test_a_missing_password_stops_before_anything_is_changed(own_exchange: Exchange) -> None:
    passwords = {name: word for name, word in own_exchange.passwords.items() if name not in ("agenda", "routing")}
    with refused(r"^There is no password for: agenda, routing\.$", "en"):
        apply_catalogue(own_exchange.admin, own_exchange.catalogue, passwords)


def test_who_is_not_the_admin_cannot_apply_the_catalogue(own_exchange: Exchange) -> None:
    more = catalogue((*MUNICIPALITIES, "GM0994"))
    passwords = dict.fromkeys(more.principals, "synthetic")
    with refused(r"^Kafka refuses this administration: \w+AuthorizationFailedError\.$", "en"):
        apply_catalogue(own_exchange.connect("routing"), more, passwords)


def test_a_topic_with_another_number_of_partitions_is_told_and_left_alone(changed: Exchange) -> None:
    with admin_client(changed.admin) as admin:
        admin.create_partitions({"chair-alerts": 7})
        with refused(r"^Topic chair-alerts has 7 partitions instead of 6\.$", "en"):
            apply(changed)
        admin.delete_topics(["chair-alerts"])


class StrangeTopic(Topic):
    @property
    def settings(self) -> dict[str, str]:
        return {"nonsense": "1"}


class StrangeCatalogue(Catalogue):
    @property
    def topics(self) -> tuple[Topic, ...]:
        return (StrangeTopic("signals", "signal_id", Kind.LOG, (), (), (), "It has a setting that Kafka does not know."),)

    @property
    def principals(self) -> tuple[str, ...]:
        return ()

    @property
    def quotas(self) -> dict[str, Quota]:
        return {}


def test_a_setting_that_kafka_does_not_know_is_told(own_exchange: Exchange) -> None:
    strange = StrangeCatalogue(())
    with refused(r"^Kafka refuses the settings of topic signals: .*nonsense", "en"):
        apply_catalogue(own_exchange.admin, strange, {})


def test_more_replicas_than_brokers_is_refused_with_its_reason(own_exchange: Exchange) -> None:
    more = catalogue((*MUNICIPALITIES, "GM0994"))
    passwords = dict.fromkeys(more.principals, "synthetic")
    with refused(r"^Kafka refuses this administration: InvalidReplicationFactorError\.$", "en"):
        apply_catalogue(own_exchange.admin, more, passwords, replication=3)


def test_a_kafka_that_is_not_there_is_told_with_its_address() -> None:
    nowhere = KafkaConnection("127.0.0.1:1", "admin", "synthetic")
    told = r"^Kafka at 127\.0\.0\.1:1 does not answer\.$"
    with pytest.raises(BrokerUnavailableError, match=told), admin_client(nowhere, seconds=0.2):
        pass


def test_a_reader_gets_its_own_group_and_a_writer_gets_none() -> None:
    rules = wanted_rules(catalogue(["GM0983"]))
    groups = {(rule.principal, rule.name) for rule in rules if rule.kind == "GROUP" and rule.operation != "DESCRIBE"}
    assert groups == {(name, name) for name in catalogue(["GM0983"]).principals}
    assert {rule.operation for rule in rules if rule.kind == "GROUP" and rule.principal != "oversight"} == {"READ"}


def test_only_oversight_sees_how_far_others_are() -> None:
    watching = [rule for rule in wanted_rules(catalogue(["GM0983"])) if rule.operation == "DESCRIBE"]
    assert {rule.principal for rule in watching} == {"oversight"}
    assert {rule.kind for rule in watching} == {"TOPIC", "GROUP"}
