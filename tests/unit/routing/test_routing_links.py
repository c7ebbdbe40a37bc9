"""What routing passes on to linking, and what a confirmed link changes: an anonymous tip becomes relevant (R-ROUTE-05)."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from routing_bench import Bench, latest, sender_of
from senders import AT, coded_example
from trying import examples

from signal_exchange.contracts.codec import decode, encode
from signal_exchange.participants.region import Region
from signal_exchange.stream.messages import Incoming, Message

ONE, TIP = coded_example("01_sexual"), coded_example("06_anonymous_tip")
TOGETHER = "G-7f3a9b21"


def membership(signal: dict[str, Any], revision: int, cluster_id: str | None, at: datetime = AT + timedelta(days=1)) -> Message:
    """Give a record of `links` as routing reads it."""
    fields = {
        "signal_id": signal["signal_id"],
        "revision": revision,
        "cluster_id": cluster_id,
        "kinds": ["SHARED_CONTEXT"] if cluster_id else [],
        "link_ids": [],
        "changed_at": at,
    }
    value = encode("ClusterMembership", fields)
    incoming = Incoming("links", 0, revision, signal["signal_id"].encode(), value, {}, at)
    return Message("ClusterMembership", decode(value, "routing").fields, incoming)


def both_published(bench: Bench) -> None:
    bench.run(sender_of(bench, "01_sexual").published(ONE), sender_of(bench, "06_anonymous_tip").published(TIP))


def rules_of(bench: Bench, signal: dict[str, Any]) -> dict[str, str]:
    """Give the rule that decided last, by destination."""
    states = [each for each in bench.sent("accepted") if each["signal_id"] == signal["signal_id"]]
    return {each["destination"]: each["rule_id"] for each in states[-1]["deliveries"]}


def test_linking_gets_the_sealed_tokens_and_the_coded_minimum_of_every_signal(bench: Bench) -> None:
    both_published(bench)
    told = {each["signal_id"]: each for each in bench.sent("link-tokens")}
    one = told[ONE["signal_id"]]
    assert (one["status"], one["tokens"]["group"], one["form"]) == ("OPEN", "linking", "SEXUAL")
    assert (one["appended_at"], one["tokens_at"], one["publish_day"]) == (AT, AT, "2026-11-20")
    assert one["subjects"][0] == {"ref": "s1", "role": "VICTIM", "age_class": "AGE_23_PLUS"}
    assert len(told) == 2


def test_without_the_purpose_linking_no_token_is_passed_on(bench: Bench) -> None:
    exchanges = [entry for entry in ONE["exchanges"] if entry["purpose"] != "LINKING"]
    bench.run(sender_of(bench, "01_sexual").published({**ONE, "exchanges": exchanges}))
    [told] = bench.sent("link-tokens")
    assert (told["tokens"], told["tokens_at"], told["status"]) == (None, None, "OPEN")


def test_a_withdrawn_signal_leaves_linking_without_tokens(bench: Bench) -> None:
    sender = sender_of(bench, "01_sexual")
    bench.run(sender.published(ONE), sender.withdrawn(ONE, 2, at=AT + timedelta(hours=1)))
    told = bench.sent("link-tokens")[-1]
    assert (told["status"], told["tokens"], told["stated_at"]) == ("WITHDRAWN", None, AT + timedelta(hours=1))


def test_r_route_05_a_tip_reaches_the_agenda_by_a40_once_its_link_is_confirmed_and_leaves_it_when_that_is_undone(
    bench: Bench,
) -> None:
    both_published(bench)
    assert rules_of(bench, TIP)["SCREENING_AGENDA"] == "A10"
    confirmed_at = AT + timedelta(days=3)
    bench.run(membership(ONE, 1, TOGETHER, confirmed_at), membership(TIP, 1, TOGETHER, confirmed_at))
    assert rules_of(bench, TIP)["SCREENING_AGENDA"] == "A40"
    [item] = [each for each in latest(bench.sent("agenda-items")) if each["signal_id"] == TIP["signal_id"]]
    assert (item["rule_id"], item["due_from"]) == ("A40", confirmed_at)
    bench.run(membership(ONE, 2, None), membership(TIP, 2, None))
    [gone] = latest(bench.sent("agenda-items"), "RETRACTED")
    assert (gone["signal_id"], gone["rule_id"]) == (TIP["signal_id"], "A10")


def test_the_same_membership_again_and_an_older_one_change_nothing(bench: Bench) -> None:
    both_published(bench)
    bench.run(membership(ONE, 2, TOGETHER), membership(TIP, 2, TOGETHER))
    assert bench.run(membership(TIP, 2, TOGETHER), membership(TIP, 1, None)) == []


def test_a_signal_that_was_withdrawn_is_judged_no_more_and_counts_no_more(bench: Bench) -> None:
    sender = sender_of(bench, "01_sexual")
    bench.run(sender.published(ONE), sender_of(bench, "06_anonymous_tip").published(TIP))
    bench.run(sender.withdrawn(ONE, 2, at=AT + timedelta(hours=1)))
    assert bench.run(membership(ONE, 1, TOGETHER), membership(TIP, 1, TOGETHER)) == []


def test_a_new_version_is_judged_with_its_cluster(bench: Bench) -> None:
    both_published(bench)
    bench.run(membership(ONE, 1, TOGETHER), membership(TIP, 1, TOGETHER))
    again = {**TIP, "version": 2, "supersedes": 1, "estimated_victims": 4}
    bench.run(sender_of(bench, "06_anonymous_tip").published(again, at=AT + timedelta(days=2), sequence=9))
    assert rules_of(bench, TIP)["SCREENING_AGENDA"] == "A40"


def test_a_membership_of_a_signal_that_routing_does_not_know_is_kept_for_later(bench: Bench) -> None:
    assert bench.run(membership(TIP, 1, TOGETHER), membership(ONE, 1, TOGETHER)) == []
    both_published(bench)
    assert rules_of(bench, TIP)["SCREENING_AGENDA"] == "A40"


STATES = [(ONE, 1, TOGETHER), (TIP, 1, TOGETHER), (ONE, 2, None), (TIP, 2, None), (ONE, 3, TOGETHER), (TIP, 3, TOGETHER)]


@settings(max_examples=examples(20), deadline=None)
@given(order=st.permutations(range(len(STATES))), size=st.integers(1, 3))
def test_memberships_in_any_order_and_batch_end_in_the_same_routes(
    region: Region, tmp_path_factory: pytest.TempPathFactory, order: list[int], size: int
) -> None:
    bench = Bench(region, tmp_path_factory.mktemp("links") / f"{uuid.uuid4()}.sqlite")
    both_published(bench)
    records = [membership(*STATES[place]) for place in order]
    for begin in range(0, len(records), size):
        bench.run(*records[begin : begin + size])
    assert rules_of(bench, TIP)["SCREENING_AGENDA"] == "A40"
    assert {row["status"] for row in latest(bench.sent("agenda-items"))} == {"OFFERED"}
    bench.database.close()
