"""What changes after the first routing: retractions, withdrawals, and what receivers ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from routing_bench import Bench, an_outcome, latest, sender_of
from senders import AT, Sender, coded_example


def test_r_route_05_what_no_longer_goes_is_retracted_by_the_rule_that_changed_it(bench: Bench) -> None:
    sender, signal = sender_of(bench, "01_sexual"), coded_example("01_sexual")
    refused = {"status": "REFUSED", "given_by": None, "recorded_on": None}
    exchanges = [
        {**entry, "legal_basis": "PUBLIC_TASK"} if entry["purpose"] == "CARE_REFERRAL" else entry for entry in signal["exchanges"]
    ]
    second = {**signal, "version": 2, "supersedes": 1, "consent": refused, "exchanges": exchanges}
    bench.run(sender.published(signal))
    bench.run(sender.published(second))
    [taken_back] = latest(bench.sent("referrals"), "RETRACTED")
    assert (taken_back["rule_id"], taken_back["signal"], taken_back["summary"]) == ("C40", None, None)
    assert len(latest(bench.sent("agenda-items"))) == 1


def test_r_route_05_another_form_is_a_retraction_and_a_new_offer(bench: Bench) -> None:
    sender, signal = sender_of(bench, "02_labour"), coded_example("02_labour")
    given = {"status": "GIVEN", "given_by": "SELF", "recorded_on": "2026-11-19"}
    bench.run(sender.published(signal))
    bench.run(sender.published({**signal, "version": 2, "supersedes": 1, "consent": given}, at=AT + timedelta(hours=2)))
    told = [(each["status"], each["deliver_as"], each["offer"]) for each in bench.sent("referrals")]
    assert told == [("OFFERED", "CONSULT", 1), ("RETRACTED", "CONSULT", 1), ("OFFERED", "FULL_PSEUDONYMOUS", 2)]
    revisions = [each["revision"] for each in bench.sent("referrals")]
    assert revisions == sorted(set(revisions))
    assert bench.sent("referrals")[-1]["due_from"] == AT + timedelta(hours=2)


def test_a_withdrawal_takes_back_every_delivery_and_counts_no_longer(bench: Bench) -> None:
    sender, signal = sender_of(bench, "01_sexual"), coded_example("01_sexual")
    bench.run(sender.published(signal), sender.withdrawn(signal, 2))
    assert bench.verdicts() == {1: "superseded", 2: "withdrawn"}
    assert latest(bench.sent("referrals")) == latest(bench.sent("agenda-items")) == []
    assert [each["counted"] for each in bench.sent("observations")] == [True, False]
    assert len({each["observation_id"] for each in bench.sent("observations")}) == 1
    assert (bench.sent("accepted")[-1]["signal"], bench.sent("accepted")[-1]["sealed"]) == (None, [])


@pytest.mark.parametrize("case", ["unknown signal", "twice", "wrong version", "another municipality", "unknown reason"])
def test_a_withdrawal_that_fits_nothing_is_parked(bench: Bench, case: str) -> None:
    sender, signal = sender_of(bench, "01_sexual"), coded_example("01_sexual")
    other = Sender.of(bench.region, "GM1507")
    if case != "unknown signal":
        bench.run(sender.published(signal))
    tries = {
        "unknown signal": [sender.withdrawn(signal, 1)],
        "twice": [sender.withdrawn(signal, 2), sender.withdrawn(signal, 3)],
        "wrong version": [sender.withdrawn(signal, 5)],
        "another municipality": [other.withdrawn(signal, 2)],
        "unknown reason": [sender.withdrawn(signal, 2, reason="BECAUSE")],
    }[case]
    bench.run(*tries)
    assert bench.reasons == ["UNKNOWN_CODE" if case == "unknown reason" else "VERSION_CONFLICT"]


def test_after_a_withdrawal_a_new_version_reopens(bench: Bench) -> None:
    sender, signal = sender_of(bench, "01_sexual"), coded_example("01_sexual")
    bench.run(sender.published(signal), sender.withdrawn(signal, 2))
    bench.run(sender.published({**signal, "version": 3, "supersedes": 2}, at=AT + timedelta(days=1)))
    assert bench.verdicts()[3] == "routed"
    [offer] = latest(bench.sent("referrals"))
    assert (offer["offer"], offer["due_from"]) == (2, AT + timedelta(days=1))


@pytest.mark.parametrize(
    ("state", "outcome", "offers"),
    [
        ("REJECTED", "MORE_INFO_ASKED", [1, 2]),
        ("REJECTED", "CARE_DECLINED", [1, 1]),
        ("ACCEPTED", "IN_TREATMENT", [1, 1]),
        ("COMPLETED", "CARE_ARRANGED", [1, 2]),
        ("LAPSED", None, [1, 2]),
    ],
)
def test_r_ref_a_new_version_makes_a_new_offer_once_the_receiver_ended_the_last(
    bench: Bench, state: str, outcome: str | None, offers: list[int]
) -> None:
    sender, signal = sender_of(bench, "01_sexual"), coded_example("01_sexual")
    bench.run(sender.published(signal))
    bench.run(an_outcome(signal, "REFERRAL", state, outcome=outcome))
    bench.run(sender.published({**signal, "version": 2, "supersedes": 1}))
    assert [each["offer"] for each in bench.sent("referrals")] == offers


def test_an_outcome_of_an_earlier_offer_does_not_end_the_present_one(bench: Bench) -> None:
    sender, signal = sender_of(bench, "02_labour"), coded_example("02_labour")
    given = {"status": "GIVEN", "given_by": "SELF", "recorded_on": "2026-11-19"}
    bench.run(sender.published(signal))
    bench.run(sender.published({**signal, "version": 2, "supersedes": 1, "consent": given}))
    bench.run(an_outcome(signal, "REFERRAL", "WITHDRAWN", offer=1))
    bench.run(sender.published({**signal, "version": 3, "supersedes": 2, "consent": given, "estimated_victims": 8}))
    assert [each["offer"] for each in bench.sent("referrals")] == [1, 1, 2, 2]


def test_an_outcome_twice_ends_once(bench: Bench) -> None:
    sender, signal = sender_of(bench, "01_sexual"), coded_example("01_sexual")
    bench.run(sender.published(signal))
    bench.run(an_outcome(signal, "DECISION", "DECIDED"), an_outcome(signal, "DECISION", "DECIDED"))
    assert len(bench.sent("accepted")) == 2


def test_an_outcome_of_an_unknown_signal_or_of_routing_itself_changes_nothing(bench: Bench) -> None:
    signal = coded_example("01_sexual")
    assert bench.run(an_outcome(signal, "REFERRAL", "COMPLETED")) == []
    bench.run(sender_of(bench, "06_anonymous_tip").published(coded_example("06_anonymous_tip")))
    tip = coded_example("06_anonymous_tip")
    bench.run(an_outcome(tip, "ROUTED", "ROUTED"), an_outcome(tip, "REFERRAL", "COMPLETED"))
    assert bench.sent("accepted")[-1]["deliveries"][0]["ended"] is False


def test_r_stat_01_the_publish_day_is_that_of_the_append_and_never_of_the_senders_clock(bench: Bench) -> None:
    sender, signal = sender_of(bench, "01_sexual"), coded_example("01_sexual")
    appended, sent = datetime(2026, 12, 31, 23, 5, tzinfo=UTC), datetime(2026, 12, 31, 22, 50, tzinfo=UTC)
    bench.run(sender.published(signal, at=appended, sent_at=sent))
    assert [each["publish_day"] for each in (*bench.sent("observations"), *bench.sent("link-tokens"))] == ["2027-01-01"] * 2
