"""Metrics: listed, and never a municipality together with where its signals went."""

from __future__ import annotations

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from signal_exchange.runtime.metrics import PREFIX, Described, Metrics

OF_A_MUNICIPALITY = {"municipality", "gm_code", "sender"}
OF_A_SIGNAL = {"destination", "form", "urgency", "signal_id", "summary"}


def tells_too_much(metric: Described) -> bool:
    labels = set(metric.labels)
    return bool(labels & {"signal_id", "summary"}) or bool(labels & OF_A_MUNICIPALITY and labels & OF_A_SIGNAL)


def test_no_metric_combines_a_municipality_with_a_destination_form_or_urgency() -> None:
    assert [metric.name for metric in Metrics().described if tells_too_much(metric)] == []


@pytest.mark.parametrize("labels", [("municipality", "destination"), ("sender", "form"), ("gm_code", "urgency"), ("signal_id",)])
def test_such_a_metric_would_be_noticed(labels: tuple[str, ...]) -> None:
    assert tells_too_much(Described("signal_exchange_x_total", "counter", labels, "Invented."))


def test_labels_are_codes_of_closed_lists_only() -> None:
    assert {label for metric in Metrics().described for label in metric.labels} == {
        "topic",
        "reason",
        "step",
        "rule",
        "group",
        "place",
        "service",
    }


def test_what_a_scrape_shows_is_what_the_list_says() -> None:
    metrics = Metrics()
    for each in (metrics.records_read, metrics.records_parked, metrics.outbox_sent, metrics.world_waits, metrics.records_refused):
        each.labels("code").inc()
    families = text_string_to_metric_families(generate_latest(metrics.registry).decode())
    shown = {(family.name, family.type, family.documentation) for family in families if not family.name.endswith("_created")}
    listed = {(each.name.removesuffix("_total"), each.kind, each.meaning) for each in metrics.described}
    assert shown == listed


def test_every_name_has_the_prefix_and_every_metric_a_meaning() -> None:
    for each in Metrics().described:
        assert each.name.startswith(f"{PREFIX}_")
        assert each.meaning.endswith(".")


def test_two_processes_in_one_test_do_not_share_their_counts() -> None:
    one, other = Metrics(), Metrics()
    one.batches_handled.inc()
    assert other.registry.get_sample_value("signal_exchange_batches_handled_total") == 0
