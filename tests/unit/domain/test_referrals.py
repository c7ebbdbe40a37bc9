from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from domain_cases import CALENDAR, CODES, amsterdam, check_values

from signal_exchange.domain.referrals.clocks import TimeLeft, decide_by, first_contact_by, progress_note_by, time_left
from signal_exchange.domain.referrals.transitions import (
    CARE,
    CHAIN_DIRECTOR,
    FINAL_STATES,
    MUNICIPALITY,
    ROUTING,
    YOUTH,
    Standing,
    Transition,
    check_transition,
    next_states,
)

DAY = date(2026, 11, 20)
STATES = (None, *CODES.codes("referral_state"))
ROLES = (ROUTING, *CODES.codes("role"))
GIVEN = {
    "OFFERED": {"rule_id": "C50"},
    "SEEN": {},
    "ACCEPTED": {"planned_contact": DAY},
    "REJECTED": {"reason": "OUTSIDE_REGION"},
    "IN_CARE": {"first_contact": DAY},
    "COMPLETED": {"result": "TRANSFERRED"},
    "WITHDRAWN": {"reason": "MISTAKE", "rule_id": "C40"},
    "LAPSED": {"motivation": "Niemand bereikt."},
}
ALLOWED = {
    (None, "OFFERED", ROUTING),
    ("OFFERED", "SEEN", CARE),
    ("OFFERED", "ACCEPTED", CARE),
    ("SEEN", "ACCEPTED", CARE),
    ("OFFERED", "REJECTED", CARE),
    ("SEEN", "REJECTED", CARE),
    ("OFFERED", "WITHDRAWN", MUNICIPALITY),
    ("SEEN", "WITHDRAWN", MUNICIPALITY),
    ("OFFERED", "WITHDRAWN", ROUTING),
    ("SEEN", "WITHDRAWN", ROUTING),
    ("ACCEPTED", "IN_CARE", CARE),
    ("ACCEPTED", "WITHDRAWN", CARE),
    ("IN_CARE", "WITHDRAWN", CARE),
    ("ACCEPTED", "COMPLETED", CARE),
    ("IN_CARE", "COMPLETED", CARE),
    ("OFFERED", "LAPSED", CHAIN_DIRECTOR),
    ("SEEN", "LAPSED", CHAIN_DIRECTOR),
    ("COMPLETED", "OFFERED", ROUTING),
    ("WITHDRAWN", "OFFERED", ROUTING),
    ("LAPSED", "OFFERED", ROUTING),
}


def asked(to: str, role: str, **changes: object) -> Transition:
    return replace(Transition(to, role, 3, **GIVEN[to]), **changes)  # type: ignore[arg-type]  # the table's values differ in type


def standing(state: str | None, **changes: object) -> Standing:
    return replace(Standing(state, 3, withdrawal_asked=True, with_chain_director=True), **changes)  # type: ignore[arg-type]  # as above


def refused(before: Standing, transition: Transition) -> list[str]:
    return [refusal.field for refusal in check_transition(before, transition, codes=CODES, day=DAY)]


def test_r_ref_02_only_the_pairs_of_the_table_are_allowed_and_only_to_their_roles() -> None:
    transitions = product(STATES, CODES.codes("referral_state"), ROLES)
    allowed = {(before, to, role) for before, to, role in transitions if not refused(standing(before), asked(to, role))}
    assert allowed == ALLOWED


def test_r_ref_02_a_youth_referral_is_moved_by_the_youth_coordinator_only() -> None:
    youth = standing("SEEN", youth=True)
    assert refused(youth, asked("ACCEPTED", YOUTH)) == []
    assert refused(youth, asked("ACCEPTED", CARE)) == ["state"]
    assert refused(standing("SEEN"), asked("ACCEPTED", YOUTH)) == ["state"]


def test_r_ref_02_a_stale_screen_is_refused() -> None:
    assert refused(standing("SEEN"), asked("ACCEPTED", CARE, expected_version=2)) == ["version"]


@pytest.mark.parametrize(
    ("before", "transition", "field"),
    [
        ("SEEN", asked("ACCEPTED", CARE, planned_contact=None), "planned_contact"),
        ("SEEN", asked("REJECTED", CARE, reason=None), "reason"),
        ("SEEN", asked("REJECTED", CARE, reason="BUSY"), "reason"),
        ("SEEN", asked("WITHDRAWN", MUNICIPALITY, reason="OUTSIDE_REGION"), "reason"),
        ("SEEN", asked("WITHDRAWN", ROUTING, rule_id=None), "rule_id"),
        (None, asked("OFFERED", ROUTING, rule_id=""), "rule_id"),
        ("ACCEPTED", asked("IN_CARE", CARE, first_contact=None), "first_contact"),
        ("IN_CARE", asked("COMPLETED", CARE, result="DONE"), "result"),
        ("SEEN", asked("LAPSED", CHAIN_DIRECTOR, motivation="  "), "motivation"),
    ],
)
def test_r_ref_02_a_transition_needs_what_the_table_says(before: str | None, transition: Transition, field: str) -> None:
    assert refused(standing(before), transition) == [field]


def test_no_capacity_is_no_reason_to_reject() -> None:
    assert refused(standing("SEEN"), asked("REJECTED", CARE, reason="NO_CAPACITY")) == ["reason"]


def test_the_chain_director_lets_lapse_only_what_was_escalated() -> None:
    assert refused(standing("SEEN", with_chain_director=False), asked("LAPSED", CHAIN_DIRECTOR)) == ["with_chain_director"]


def test_r_route_12_in_care_the_coordinator_closes_only_after_a_request() -> None:
    assert refused(standing("IN_CARE", withdrawal_asked=False), asked("WITHDRAWN", CARE)) == ["withdrawal_asked"]


def test_r_ref_02_every_reason_is_told_at_once() -> None:
    transition = asked("WITHDRAWN", CARE, reason=None, expected_version=1)
    assert refused(standing("IN_CARE", withdrawal_asked=False), transition) == ["version", "reason", "withdrawal_asked"]


@pytest.mark.parametrize(("reason", "fields"), [("INSUFFICIENT_DATA", []), ("OUTSIDE_REGION", ["state"]), (None, ["state"])])
def test_r_ref_after_a_rejection_only_more_data_leads_to_a_new_offer(reason: str | None, fields: list[str]) -> None:
    assert refused(standing("REJECTED", reason=reason), asked("OFFERED", ROUTING)) == fields


def test_r_ref_01_a_second_offer_is_refused_until_the_first_ends() -> None:
    for state in STATES:
        is_open = state is not None and state not in FINAL_STATES
        assert (refused(standing(state, reason="INSUFFICIENT_DATA"), asked("OFFERED", ROUTING)) == []) is not is_open


def test_a_screen_knows_what_its_user_may_do() -> None:
    assert next_states(standing("SEEN"), CARE) == ("ACCEPTED", "REJECTED")
    assert next_states(standing("COMPLETED"), CARE) == ()


@pytest.mark.parametrize(("urgency", "offered", "decide", "contact"), check_values("referral_deadlines"))
def test_r_ref_04_decide_and_contact_in_time(urgency: str, offered: str, decide: str, contact: str) -> None:
    due = decide_by(urgency, amsterdam(offered), CALENDAR)
    assert due == amsterdam(f"{decide}T17:00")
    assert first_contact_by(urgency, due.replace(hour=12), CALENDAR) == amsterdam(f"{contact}T17:00")


def test_r_ref_04_acute_is_decided_in_two_hours_and_contacted_the_same_day_by_the_clock() -> None:
    assert decide_by("ACUTE", amsterdam("2026-11-20T22:30"), CALENDAR) == amsterdam("2026-11-21T00:30")
    assert first_contact_by("ACUTE", amsterdam("2026-11-21T00:20"), CALENDAR) == amsterdam("2026-11-22T00:00")


def test_r_ref_04_two_hours_pass_by_the_clock_in_the_night_that_summer_time_ends() -> None:
    offered = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    due = decide_by("ACUTE", offered.astimezone(CALENDAR.deadline(offered, 1).tzinfo), CALENDAR)
    assert due.astimezone(UTC) - offered == timedelta(hours=2)


def test_r_ref_04_in_care_a_note_follows_every_20_working_days() -> None:
    assert progress_note_by(amsterdam("2026-11-16T15:10"), CALENDAR) == amsterdam("2026-12-14T17:00")


@pytest.mark.parametrize(
    ("now", "due", "left"),
    [
        ("2026-11-20T16:30", "2026-11-23T17:00", (1, "WORKING_DAYS", False)),
        ("2026-11-22T12:00", "2026-11-23T17:00", (1, "WORKING_DAYS", False)),
        ("2026-11-23T09:10", "2026-11-23T17:00", (7, "HOURS", False)),
        ("2026-11-23T16:30", "2026-11-23T17:00", (30, "MINUTES", False)),
        ("2026-11-23T17:00", "2026-11-23T17:00", (0, "MINUTES", False)),
        ("2026-11-23T17:00:01", "2026-11-23T17:00", (1, "MINUTES", True)),
        ("2026-11-23T18:30", "2026-11-23T17:00", (2, "HOURS", True)),
        ("2026-11-22T09:00", "2026-11-20T17:00", (1, "WORKING_DAYS", True)),
        ("2026-11-23T18:00", "2026-11-20T17:00", (1, "WORKING_DAYS", True)),
        ("2026-11-25T09:00", "2026-11-20T17:00", (3, "WORKING_DAYS", True)),
        # 24 December is a working day; Christmas is not.
        ("2026-12-23T09:00", "2026-12-24T17:00", (1, "WORKING_DAYS", False)),
        ("2026-12-24T09:00", "2026-12-28T17:00", (1, "WORKING_DAYS", False)),
        # Good Friday and Easter Monday.
        ("2026-04-02T12:00", "2026-04-07T17:00", (1, "WORKING_DAYS", False)),
        ("2026-05-04T12:00", "2026-05-06T17:00", (1, "WORKING_DAYS", False)),
    ],
)
def test_what_is_left_of_a_term_is_told_in_working_days_and_on_its_last_day_by_the_clock(
    now: str, due: str, left: tuple[int, str, bool]
) -> None:
    assert time_left(amsterdam(due), amsterdam(now), CALENDAR) == TimeLeft(*left)  # type: ignore[arg-type]  # a unit


def test_acute_is_told_by_the_clock_on_any_day_and_after_two_days_in_working_days() -> None:
    due = amsterdam("2026-11-21T00:30")
    found = [
        time_left(due, amsterdam(now), CALENDAR, by_clock=True)
        for now in ("2026-11-20T22:30", "2026-11-21T02:15", "2026-11-24T09:00")
    ]
    assert found == [TimeLeft(2, "HOURS", late=False), TimeLeft(2, "HOURS", late=True), TimeLeft(2, "WORKING_DAYS", late=True)]
