"""Routing: what a signed record becomes, wherever it comes from and however often it comes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from routing_bench import Bench, sender_of
from senders import AT, EXAMPLES, Sender, coded_example, identity_in
from trying import examples

from signal_exchange.contracts.codec import decode_whole, encode
from signal_exchange.participants.region import Region
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.stream.messages import Message

CHECKS = json.loads((Path(__file__).parents[2] / "data" / "check_values.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("example", EXAMPLES)
def test_r_route_worked_examples_go_where_the_table_says(bench: Bench, example: str) -> None:
    signal = coded_example(example)
    bench.run(sender_of(bench, example).published(signal))
    [accepted] = bench.sent("accepted")
    decided = {
        each["destination"]: [each["effect"], each["deliver_as"], each["rule_id"], each["reason"]]
        for each in accepted["deliveries"]
    }
    assert decided == CHECKS["routing"][example]


@pytest.mark.parametrize(
    ("example", "topics"),
    [
        ("01_sexual", {"referrals": "FULL_PSEUDONYMOUS", "agenda-items": "FULL_PSEUDONYMOUS"}),
        ("02_labour", {"referrals": "CONSULT", "agenda-items": "FULL_PSEUDONYMOUS"}),
        ("04_organ", {"agenda-items": "FULL_PSEUDONYMOUS"}),
        ("05_minor", {"referrals-youth": "YOUTH_ROUTE", "agenda-items": "MINOR_STUB"}),
        ("06_anonymous_tip", {}),
    ],
)
def test_each_delivery_goes_to_its_own_topic_in_its_own_form(bench: Bench, example: str, topics: dict[str, str]) -> None:
    bench.run(sender_of(bench, example).published(coded_example(example)))
    found = {
        topic: bench.sent(topic)[0]["deliver_as"]
        for topic in ("referrals", "referrals-youth", "agenda-items")
        if bench.sent(topic)
    }
    assert found == topics
    assert len(bench.sent("observations")) == 1
    assert len(bench.sent("chair-alerts")) == (1 if example == "05_minor" else 0)


def test_a_stub_and_a_consult_carry_no_text_and_only_their_fields(bench: Bench) -> None:
    bench.run(sender_of(bench, "05_minor").published(coded_example("05_minor")))
    bench.run(sender_of(bench, "02_labour").published(coded_example("02_labour")))
    stub = next(item for item in bench.sent("agenda-items") if item["deliver_as"] == "MINOR_STUB")
    [consult] = bench.sent("referrals")
    assert (stub["summary"], stub["minor"], stub["signal"]["sector"], stub["signal"]["indicators"]) == (None, True, None, None)
    assert [subject["ref"] for subject in stub["signal"]["subjects"]] == [None]
    assert (consult["summary"], consult["signal"]["subjects"]) == (None, None)


def test_only_the_part_of_the_own_group_is_passed_on(bench: Bench) -> None:
    bench.run(sender_of(bench, "01_sexual").published(coded_example("01_sexual")))
    bench.run(sender_of(bench, "05_minor").published(coded_example("05_minor")))
    assert bench.sent("referrals")[0]["summary"]["group"] == "care"
    assert bench.sent("referrals-youth")[0]["summary"]["group"] == "youth"
    assert bench.sent("agenda-items")[0]["summary"]["group"] == "table"


def test_the_municipality_alone_reads_which_rule_decided(bench: Bench) -> None:
    signal = coded_example("01_sexual")
    bench.run(sender_of(bench, "01_sexual").published(signal))
    [outcome] = bench.sent("outcomes")
    bound = f"{signal['signal_id']}/{outcome['outcome_id']}"
    detail = json.loads(identity_in(bench.region, "municipality-gm0983").opened(outcome["detail"], bound))
    assert {each["destination"]: each["rule_id"] for each in detail["deliveries"]}["CARE_COORDINATOR"] == "C50"
    assert not any(b"C50" in (record.value or b"") for record in bench.outgoing if record.topic in ("outcomes", "signal-trace"))


def test_r_route_11_a_signal_that_nobody_gets_has_an_owner_and_a_date(bench: Bench) -> None:
    bench.run(sender_of(bench, "06_anonymous_tip").published(coded_example("06_anonymous_tip")))
    routed = [fact for fact in bench.sent("signal-trace") if fact["stage"] == "ROUTED"]
    assert {(fact["owner_role"], fact["next_date"]) for fact in routed} == {("ATTENTION_OFFICER", "2026-12-18")}


def test_same_signal_twice_is_one_signal_and_the_sender_hears_it_again(bench: Bench) -> None:
    message = sender_of(bench, "01_sexual").published(coded_example("01_sexual"))
    bench.run(message)
    again = bench.run(message)
    assert [record.topic for record in again] == ["signal-trace"]
    assert bench.verdicts() == {1: "routed"}
    assert len(bench.stored()) == 1


def test_r_val_16_the_same_content_under_a_new_number_is_a_repeat(bench: Bench) -> None:
    sender, signal = sender_of(bench, "01_sexual"), coded_example("01_sexual")
    bench.run(sender.published(signal), sender.published(signal))
    assert bench.verdicts() == {1: "routed", 2: "repeat"}
    assert len(bench.sent("accepted")) == 1


def test_r_val_16_other_content_under_the_same_version_is_a_conflict(bench: Bench) -> None:
    sender, signal = sender_of(bench, "01_sexual"), coded_example("01_sexual")
    bench.run(sender.published(signal), sender.published({**signal, "estimated_victims": 9}))
    assert (bench.verdicts(), bench.reasons) == ({1: "routed", 2: "parked"}, ["VERSION_CONFLICT"])


def test_r_flow_01_a_second_record_under_a_used_number_blames_nobody_and_leaves_the_first_alone(bench: Bench) -> None:
    sender, signal = sender_of(bench, "01_sexual"), coded_example("01_sexual")
    bench.run(sender.published(signal))
    bench.run(sender.published({**signal, "estimated_victims": 9}, sequence=1))
    assert (bench.verdicts(), bench.reasons) == ({1: "routed"}, ["VERSION_CONFLICT"])
    assert bench.sent("parked")[0]["attributed"] is False


def test_a_new_version_supersedes_the_one_before_also_in_the_same_batch(bench: Bench) -> None:
    sender, signal = sender_of(bench, "01_sexual"), coded_example("01_sexual")
    second = {**signal, "version": 2, "supersedes": 1, "estimated_victims": 3}
    bench.run(sender.published(signal), sender.published(second, at=AT + timedelta(hours=1)))
    assert bench.verdicts() == {1: "superseded", 2: "routed"}
    offers = bench.sent("referrals")
    assert [offer["version"] for offer in offers] == [1, 2]
    assert {offer["due_from"] for offer in offers} == {AT}
    assert offers[0]["revision"] < offers[1]["revision"]


def test_an_older_version_after_a_newer_one_is_parked_and_changes_nothing(bench: Bench) -> None:
    sender, signal = sender_of(bench, "01_sexual"), coded_example("01_sexual")
    bench.run(sender.published({**signal, "version": 2, "supersedes": 1}))
    assert bench.reasons == ["VERSION_CONFLICT"]
    assert bench.sent("accepted") == []


def test_r_val_21_a_version_after_a_parked_one_is_taken(bench: Bench) -> None:
    sender, signal = sender_of(bench, "01_sexual"), coded_example("01_sexual")
    bench.run(sender.published({**signal, "sector": "CRI_THEFT"}))
    bench.run(sender.published({**signal, "version": 2, "supersedes": 1}))
    assert (bench.verdicts(), bench.reasons) == ({1: "parked", 2: "routed"}, ["CONTENT_INVALID"])
    assert bench.sent("parked")[0]["errors"] == ["sector R-VAL-05"]


def test_a_checkpoint_is_told_to_the_trace(bench: Bench) -> None:
    bench.run(sender_of(bench, "01_sexual").checkpoint(7))
    [fact] = bench.sent("signal-trace")
    assert (fact["stage"], fact["sequence"], fact["municipality"]) == ("CHECKPOINT", 7, "GM0983")


Wrong = Callable[[Sender, dict[str, Any]], Message]
STRANGER = SigningKey.generate("stranger-2026-1")


def under_the_name_of(sender: Sender) -> SigningKey:
    return SigningKey(sender.key.key_id, STRANGER.secret)


UNATTRIBUTED: dict[str, tuple[Wrong, str]] = {
    "unknown key": (lambda sender, signal: sender.published(signal, signing=STRANGER), "SENDER_NOT_ALLOWED"),
    "wrong key under a known id": (
        lambda sender, signal: sender.published(signal, signing=under_the_name_of(sender)),
        "SIGNATURE_INVALID",
    ),
    "wrong signature": (lambda sender, signal: sender.published(signal, headers={"signature": bytes(64)}), "SIGNATURE_INVALID"),
    "no signature": (lambda sender, signal: sender.published(signal, headers={"signature": b""}), "SIGNATURE_INVALID"),
    "another key in the header": (
        lambda sender, signal: sender.published(signal, headers={"signing-key": b"x"}),
        "SIGNATURE_INVALID",
    ),
    "another municipality's signal": (
        lambda sender, signal: sender.published({**signal, "municipality": "GM1507"}),
        "SENDER_NOT_ALLOWED",
    ),
    "before the member joined": (lambda sender, signal: sender.published(signal, at=AT.replace(year=2021)), "SENDER_NOT_ALLOWED"),
    "number zero": (lambda sender, signal: sender.published(signal, sequence=0), "VERSION_CONFLICT"),
}


@pytest.mark.parametrize("case", UNATTRIBUTED)
def test_whose_sender_is_not_certain_is_parked_and_blames_nobody(bench: Bench, case: str) -> None:
    make, reason = UNATTRIBUTED[case]
    bench.run(make(sender_of(bench, "01_sexual"), coded_example("01_sexual")))
    assert bench.reasons == [reason]
    [parked] = bench.sent("parked")
    assert (parked["attributed"], parked["municipality"], parked["signal_id"]) == (False, None, None)
    assert bench.verdicts() == {}


def test_r_val_23_a_proven_sender_answers_for_a_wrong_record_key(bench: Bench) -> None:
    sender, signal = sender_of(bench, "01_sexual"), coded_example("01_sexual")
    fields = decode_whole(sender.published(signal).incoming.value).fields
    content = {name: value for name, value in fields.items() if name != "envelope"}
    wrong = sender.message("SignalPublished", content, key="x", sequence=4)
    bench.run(wrong)
    bench.run(wrong)
    [parked] = bench.sent("parked")
    assert (parked["reason"], parked["errors"], parked["attributed"]) == ("SENDER_NOT_ALLOWED", ["key R-VAL-23"], True)
    assert (parked["sequence"], parked["signal_id"]) == (4, signal["signal_id"])
    assert bench.verdicts() == {4: "parked"}
    bench.run(sender.message("SignalPublished", content, key=signal["signal_id"], sequence=5))
    assert bench.verdicts() == {4: "parked", 5: "routed"}


@pytest.mark.parametrize(
    ("minutes", "reason"), [(-7 * 24 * 60, None), (-7 * 24 * 60 - 1, "CONTENT_INVALID"), (2, None), (3, "CONTENT_INVALID")]
)
def test_r_val_a_senders_clock_cannot_choose_the_rules(bench: Bench, minutes: int, reason: str | None) -> None:
    sender, signal = sender_of(bench, "01_sexual"), coded_example("01_sexual")
    signal["observed_weeks"] = {"from": "2026-W40", "to": "2026-W41"}
    signal["consent"] = {**signal["consent"], "recorded_on": "2026-11-01"}
    bench.run(sender.published(signal, sent_at=AT + timedelta(minutes=minutes)))
    assert bench.reasons == ([reason] if reason else [])


def test_r_val_15_a_record_that_is_too_large_is_parked_under_its_number(bench: Bench) -> None:
    sender, signal = sender_of(bench, "01_sexual"), coded_example("01_sexual")
    sealed = [{"group": "care", "key_id": "k", "ciphertext": bytes(70_000)}]
    fields = {"own_ref": b"r", "tokens_pending": False, "signal": signal, "sealed": sealed}
    bench.run(sender.message("SignalPublished", fields, key=signal["signal_id"]))
    assert (bench.reasons, bench.verdicts()) == (["TOO_LARGE"], {1: "parked"})


def test_a_missing_guard_is_parked_as_missing(bench: Bench) -> None:
    bench.run(sender_of(bench, "01_sexual").published({**coded_example("01_sexual"), "guard": None}))
    assert (bench.reasons, bench.sent("parked")[0]["errors"]) == (["SCHEMA_INVALID"], ["guard R-VAL-01"])


def test_another_municipality_cannot_write_a_version_of_ours(bench: Bench) -> None:
    signal = coded_example("01_sexual")
    bench.run(sender_of(bench, "01_sexual").published(signal))
    theirs = {**signal, "municipality": "GM1507", "version": 2, "supersedes": 1}
    bench.run(Sender.of(bench.region, "GM1507").published(theirs))
    assert bench.reasons == ["VERSION_CONFLICT"]
    assert bench.stored()[0].municipality == "GM0983"


def test_no_parked_reason_or_trace_holds_a_value(bench: Bench) -> None:
    marked = {**coded_example("01_sexual"), "sector": "ONVINDBAAR4711"}
    bench.run(sender_of(bench, "01_sexual").published(marked))
    told = b"".join(record.value or b"" for record in bench.outgoing)
    assert b"ONVINDBAAR4711" not in told
    encode("ParkedRecord", bench.sent("parked")[0])


@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_order_and_repetition_with_any_batches_ends_in_one_account_per_number(
    region: Region, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whatever comes twice or late: each number has one verdict, each signal one state, and the sum is what was sent."""
    bench = Bench(region, tmp_path_factory.mktemp("any") / "r.sqlite")
    sender, signal = sender_of(bench, "01_sexual"), coded_example("01_sexual")
    first = sender.published(signal)
    others = [
        sender.published({**signal, "version": 2, "supersedes": 1}),
        sender.published({**signal, "version": 3, "supersedes": 2, "estimated_victims": 5}),
        sender.published({**signal, "version": 2, "supersedes": 1, "estimated_victims": 7}),
        sender.withdrawn(signal, 4),
        sender.published({**signal, "sector": "CRI_THEFT"}),
    ]
    stream = data.draw(st.lists(st.sampled_from([first, *others]), min_size=1, max_size=14))
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        bench.run(*stream[:size])
        # A batch may come again, as after a crash between its effects and its commit.
        if data.draw(st.booleans()):
            bench.run(*stream[:size])
        stream = stream[size:]
    numbers = {each["sequence"] for each in bench.sent("signal-trace") if each["stage"] in ("RECEIVED", "PARKED")}
    assert set(bench.verdicts()) == numbers
    assert len(bench.stored()) <= 1
    states = bench.sent("accepted")
    assert [state["revision"] for state in states] == sorted({state["revision"] for state in states})
    bench.database.close()
