"""Brings a Kafka to what the catalogue says: its topics, its users with their quotas, and exactly its access rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kafka.admin import ConfigResource, ConfigResourceType, UserScramCredentialDeletion, UserScramCredentialUpsertion  # type: ignore[import-untyped]  # ships no types
from kafka.errors import TopicAlreadyExistsError  # type: ignore[import-untyped]  # ships no types

from signal_exchange.contracts.topics import Catalogue, Topic
from signal_exchange.runtime.access_rules import (
    AccessRule,
    Admin,
    AdministrationFailedError,
    add_rules,
    remove_rules,
    replace_rules,
)
from signal_exchange.runtime.connection import MECHANISM, KafkaConnection
from signal_exchange.runtime.kafka import admin_client
from signal_exchange.runtime.quotas import remove_quotas, set_quotas


@dataclass(frozen=True, slots=True)
class Applied:
    """All that was not yet as the catalogue says, and is now; every password is set again each time and does not count."""

    topics_created: tuple[str, ...]
    topics_changed: tuple[str, ...]
    users_created: tuple[str, ...]
    users_removed: tuple[str, ...]
    rules_added: tuple[AccessRule, ...]
    rules_removed: tuple[AccessRule, ...]
    quotas_changed: tuple[str, ...] = ()


def apply_catalogue(
    connection: KafkaConnection, catalogue: Catalogue, passwords: Mapping[str, str], replication: int = 1
) -> Applied:
    """Create what the catalogue names and take away every access rule that it does not name; twice is once.

    `connection` is the admin's; `passwords` holds one password for each principal of the catalogue. A principal that only
    an earlier catalogue named loses its rules and its password. With 3 replicas a write needs 2 of them.

    Raises:
        AdministrationFailedError: a password is missing, a topic has another number of partitions, or Kafka refuses.
        BrokerUnavailableError: Kafka does not answer, or does not let the admin in.
    """
    missing = sorted(set(catalogue.principals) - set(passwords))
    if missing:
        raise AdministrationFailedError("NO_PASSWORD", principals=missing)
    with admin_client(connection) as admin:
        created, changed = _apply_topics(admin, catalogue.topics, replication)
        users = _apply_users(admin, {name: passwords[name] for name in catalogue.principals})
        limited = set_quotas(admin, catalogue.quotas)
        added, removed = replace_rules(admin, wanted_rules(catalogue))
        left = _remove_users(admin, {rule.principal for rule in removed} - set(catalogue.principals))
        return Applied(created, changed, users, left, added, removed, limited)


def give_access(connection: KafkaConnection, catalogue: Catalogue, passwords: Mapping[str, str]) -> None:
    """Add what a part of a catalogue names: missing topics, its users with their quotas, and rules; nothing is taken away.

    A topic that exists stays as it is; a new one gets as many copies as the others have.

    Raises:
        AdministrationFailedError: Kafka refuses.
        BrokerUnavailableError: Kafka does not answer, or does not let the admin in.
    """
    with admin_client(connection) as admin:
        _apply_topics(admin, catalogue.topics, _copies(admin))
        set_users(admin, {name: passwords[name] for name in catalogue.principals})
        set_quotas(admin, catalogue.quotas)
        add_rules(admin, wanted_rules(catalogue))


def take_access(connection: KafkaConnection, principal: str) -> tuple[AccessRule, ...]:
    """Take every rule of a principal away, its password and its quota; return the rules that it had.

    Raises:
        AdministrationFailedError: Kafka refuses.
        BrokerUnavailableError: Kafka does not answer, or does not let the admin in.
    """
    with admin_client(connection) as admin:
        removed = remove_rules(admin, principal)
        _remove_users(admin, [principal])
        return removed


def _copies(admin: Admin) -> int:
    """Return the number of copies of the topic that has most."""
    return max(len(part["replica_nodes"]) for topic in admin.describe_topics() for part in topic["partitions"])


def wanted_rules(catalogue: Catalogue) -> frozenset[AccessRule]:
    """Return the access rules of a catalogue: topics by reader and writer, and for each reader its own consumer group.

    A watcher may DESCRIBE every topic and every group: the offsets, not the records.
    """
    reads = {AccessRule(name, "READ", "TOPIC", topic.name) for topic in catalogue.topics for name in topic.readers}
    writes = {AccessRule(name, "WRITE", "TOPIC", topic.name) for topic in catalogue.topics for name in topic.writers}
    groups = {AccessRule(rule.principal, "READ", "GROUP", rule.principal) for rule in reads}
    places = {("TOPIC", topic.name) for topic in catalogue.topics} | {("GROUP", rule.name) for rule in groups}
    watches = {AccessRule(name, "DESCRIBE", *place) for name in catalogue.watchers for place in places}
    return frozenset(reads | writes | groups | watches)


def _apply_topics(
    admin: Admin,
    topics: Iterable[Topic],
    replication: int,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    wanted = {topic.name: topic for topic in topics}
    settings = {name: {**topic.settings, "min.insync.replicas": str(max(1, replication - 1))} for name, topic in wanted.items()}
    known = {each["name"]: len(each["partitions"]) for each in admin.describe_topics() if each["name"] in wanted}
    for name, partitions in known.items():
        if partitions != wanted[name].partitions:
            raise AdministrationFailedError("TOPIC_PARTITIONS", topic=name, found=partitions, wanted=wanted[name].partitions)
    missing = {
        name: {"num_partitions": topic.partitions, "replication_factor": replication, "configs": settings[name]}
        for name, topic in wanted.items()
        if name not in known
    }
    if missing:
        create_topics(admin, missing)
    return tuple(sorted(missing)), _change_settings(admin, {name: settings[name] for name in known})


def create_topics(admin: Admin, topics: Mapping[str, Mapping[str, object]]) -> None:
    """Create topics, as kafka-python wants them described, and wait until each partition has a leader."""
    try:
        admin.create_topics(dict(topics), wait_for_metadata=True)
    except TopicAlreadyExistsError:  # someone else applied the same catalogue at the same moment
        admin.wait_for_topics(list(topics))


def _change_settings(admin: Admin, wanted: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    found = _own_settings(admin, wanted) if wanted else {}
    differing = {name: _change(found[name], settings) for name, settings in wanted.items() if found[name] != settings}
    changes = [ConfigResource(ConfigResourceType.TOPIC, name, change) for name, change in differing.items()]
    answers = admin.alter_configs(changes, raise_on_unknown=False)["topic"] if changes else {}
    refused = sorted(name for name, answer in answers.items() if answer != "OK")
    if refused:
        raise AdministrationFailedError("TOPIC_SETTINGS_REFUSED", topic=refused[0], answer=answers[refused[0]])
    return tuple(sorted(differing))


def _own_settings(admin: Admin, topics: Iterable[str]) -> dict[str, dict[str, str]]:
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in topics]
    found = admin.describe_configs(asked)["topic"]
    return {name: {key: each["value"] for key, each in settings.items() if _is_own(each)} for name, settings in found.items()}


def _is_own(setting: Mapping[str, object]) -> bool:
    return setting["config_source"] == "DYNAMIC_TOPIC_CONFIG"  # others are defaults of the broker


def _change(found: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, tuple[str, str | None]]:
    gone = {key: ("DELETE", None) for key in found if key not in wanted}
    return {**gone, **{key: ("SET", value) for key, value in wanted.items()}}


def set_users(admin: Admin, passwords: Mapping[str, str]) -> None:
    """Give each of these users this password, whether it was there or not."""
    _alter(admin, [UserScramCredentialUpsertion(name, MECHANISM, password) for name, password in passwords.items()])


def _apply_users(admin: Admin, passwords: Mapping[str, str]) -> tuple[str, ...]:
    known = set(admin.describe_user_scram_credentials())
    set_users(admin, passwords)
    return tuple(sorted(set(passwords) - known))


def _remove_users(admin: Admin, names: Iterable[str]) -> tuple[str, ...]:
    names = set(names)
    leaving = sorted(names & set(admin.describe_user_scram_credentials()))
    _alter(admin, [UserScramCredentialDeletion(name, MECHANISM) for name in leaving])
    remove_quotas(admin, names)
    return tuple(leaving)


def _alter(admin: Admin, alterations: list[object]) -> None:
    if not alterations:
        return
    refused = sorted(name for name, error in admin.alter_user_scram_credentials(alterations).items() if error is not None)
    if refused:
        raise AdministrationFailedError("PASSWORD_REFUSED", principals=refused)
