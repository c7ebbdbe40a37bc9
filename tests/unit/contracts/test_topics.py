"""The catalogue of topics and principals: what is not granted is refused (promise 5)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rights import may

from signal_exchange.cli.declaring import declarations
from signal_exchange.contracts.schemas import reader_schemas
from signal_exchange.contracts.topics import (
    CONSUMERS,
    PARTITIONS,
    Kind,
    Topic,
    catalogue,
    feedback_topic,
    municipality_principal,
    retry_topic,
)

TWO = catalogue(["GM1507", "GM0983"])
CODES = st.lists(st.from_regex(r"GM[0-9]{4}", fullmatch=True), unique=True, max_size=5)


def test_a_municipality_has_a_principal_and_a_topic_of_its_own() -> None:
    assert (municipality_principal("GM0983"), feedback_topic("GM0983")) == ("municipality-gm0983", "feedback.gm0983")


def test_the_catalogue_has_a_fixed_order_whatever_order_it_was_asked_in() -> None:
    assert catalogue(["GM0983", "GM1507"]) == TWO
    assert TWO.municipalities == ("GM0983", "GM1507")


@given(CODES)
def test_no_municipality_reads_the_topic_of_another(codes: list[str]) -> None:
    made = catalogue(codes)
    for reader in codes:
        assert made.sources_of(municipality_principal(reader)) == (feedback_topic(reader),)
        assert not any(may(made, municipality_principal(reader), "WRITE", feedback_topic(code)) for code in codes)


@given(CODES)
def test_every_municipality_may_write_signals_and_nothing_else(codes: list[str]) -> None:
    made = catalogue(codes)
    for code in codes:
        written = [topic.name for topic in made.topics if may(made, municipality_principal(code), "WRITE", topic.name)]
        assert written == ["signals"]


@given(CODES)
def test_every_reader_and_writer_is_a_principal(codes: list[str]) -> None:
    made = catalogue(codes)
    named = {name for topic in made.topics for name in (*topic.readers, *topic.writers)}
    assert named == set(made.principals)
    assert len(made.principals) == len(set(made.principals))


def test_what_is_not_granted_is_refused() -> None:
    assert may(TWO, "routing", "READ", "signals")
    assert not may(TWO, "routing", "WRITE", "signals")
    assert not may(TWO, "statistics", "READ", "signals")
    assert not may(TWO, "nobody", "READ", "signals")
    assert not may(TWO, "routing", "READ", "no-such-topic")


def test_statistics_reads_facts_under_random_ids_and_nothing_of_a_signal() -> None:
    assert TWO.sources_of("statistics") == ("observations", "retry.statistics")


@pytest.mark.parametrize(("principal", "topic"), [("worklist", "referrals-youth"), ("worklist-youth", "referrals")])
def test_a_coordinator_reads_nothing_of_the_other_coordinator(principal: str, topic: str) -> None:
    assert not may(TWO, principal, "READ", topic)
    assert not may(TWO, principal, "WRITE", topic)


def test_only_oversight_asks_a_service_to_try_again_and_only_that_service_hears_it() -> None:
    for service in CONSUMERS:
        topic = next(each for each in TWO.topics if each.name == retry_topic(service))
        assert (topic.writers, topic.readers, topic.keep) == (("oversight",), (service,), timedelta(days=7))


def test_oversight_sees_how_far_every_topic_is_and_reads_no_signal() -> None:
    assert all(may(TWO, "oversight", "DESCRIBE", topic.name) for topic in TWO.topics)
    assert not may(TWO, "oversight", "DESCRIBE", "no-such-topic")
    assert not may(TWO, "statistics", "DESCRIBE", "signals")
    assert may(TWO, "statistics", "DESCRIBE", "observations")
    assert not any(may(TWO, "oversight", "READ", name) for name in ("signals", "referrals", "agenda-items", "outcomes"))


def test_only_municipalities_bring_signals_in_and_only_routing_reads_them() -> None:
    signals = next(topic for topic in TWO.topics if topic.name == "signals")
    assert signals.writers == ("municipality-gm0983", "municipality-gm1507")
    assert signals.readers == ("routing",)


@pytest.mark.parametrize("topic", TWO.topics, ids=lambda topic: topic.name)
def test_a_topic_forgets_in_one_way_and_has_the_brokers_time(topic: Topic) -> None:
    settings = topic.settings
    assert settings["message.timestamp.type"] == "LogAppendTime"
    assert (settings["cleanup.policy"], topic.partitions) == (topic.kind.value, PARTITIONS)
    assert ("retention.ms" in settings) == (topic.kind is Kind.LOG) == (topic.keep is not None)
    assert topic.why.endswith(".")


def test_signals_are_kept_for_7_days_and_the_trace_for_60_months_of_30_days() -> None:
    kept = {topic.name: topic.settings.get("retention.ms") for topic in TWO.topics}
    assert kept["signals"] == str(7 * 24 * 3600 * 1000)
    assert kept["signal-trace"] == str(60 * 30 * 24 * 3600 * 1000)


def test_a_log_without_a_term_is_kept_without_end() -> None:
    endless = Topic("t", "k", Kind.LOG, (), (), (), "Invented.")
    assert endless.settings["retention.ms"] == "-1"


def test_a_tombstone_stays_longer_than_the_signals_do() -> None:
    state = next(topic for topic in TWO.topics if topic.kind is Kind.STATE)
    signals = next(topic for topic in TWO.topics if topic.name == "signals")
    assert signals.keep is not None
    assert timedelta(milliseconds=int(state.settings["delete.retention.ms"])) > signals.keep


def test_a_consumer_has_a_view_of_every_record_on_the_topics_it_reads() -> None:
    views = {each.name: each.reader for part in declarations().values() for each in part.services if each.reader}
    views["municipality-gm0983"] = "municipality"
    for principal in (*CONSUMERS, "municipality-gm0983"):
        topics = [topic for topic in TWO.topics if principal in (*topic.subscribers, *topic.rebuilt_by)]
        read = {record for topic in topics for record in topic.records}
        own = set(reader_schemas(views.get(principal, principal)))
        assert own <= read
        by_the_loop = {"AcceptedSignal", "ParkedRecord", "RetryRequest"}
        at_a_rebuild = set(reader_schemas("rebuild")) if principal == "routing" else set()
        assert read - own <= by_the_loop | at_a_rebuild


def test_every_principal_has_a_quota_and_a_municipality_the_smaller_one() -> None:
    found = catalogue(["GM0983", "GM1507"])
    assert found.quotas.keys() == set(found.principals)
    members = [found.quotas[municipality_principal(code)] for code in ("GM0983", "GM1507")]
    services = [quota for name, quota in found.quotas.items() if not name.startswith("municipality-")]
    assert all(member[name] < service[name] for member in members for service in services for name in member)
