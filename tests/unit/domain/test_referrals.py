from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain_cases import CALENDAR, CODES, amsterdam, check_values
from signal_exchange.domain.referrals import (
    CARE,
    CHAIR,
    FINAL_STATES,
    MUNICIPALITY,
    ROUTING,
    YOUTH,
    AlarmStage,
    Clock,
    Standing,
    Transition,
    check_transition,
    contact_alarms,
    decide_by,
    decision_alarms,
    first_contact_by,
    is_open,
    next_states,
    progress_note_by,
    running_clock,
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
    ("OFFERED", "LAPSED", CHAIR),
    ("SEEN", "LAPSED", CHAIR),
    ("COMPLETED", "OFFERED", ROUTING),
    ("WITHDRAWN", "OFFERED", ROUTING),
    ("LAPSED", "OFFERED", ROUTING),
}


def asked(to: str, role: str, **changes: object) -> Transition:
    return replace(Transition(to, role, 3, **GIVEN[to]), **changes)  # type: ignore[arg-type]  # the table's values differ in type


def standing(state: str | None, **changes: object) -> Standing:
    return replace(Standing(state, 3, withdrawal_asked=True, with_chair=True), **changes)  # type: ignore[arg-type]  # as above


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
        ("SEEN", asked("LAPSED", CHAIR, motivation="  "), "motivation"),
    ],
)
def test_r_ref_02_a_transition_needs_what_the_table_says(before: str | None, transition: Transition, field: str) -> None:
    assert refused(standing(before), transition) == [field]


def test_no_capacity_is_no_reason_to_reject() -> None:
    assert refused(standing("SEEN"), asked("REJECTED", CARE, reason="NO_CAPACITY")) == ["reason"]


def test_the_chair_lets_lapse_only_what_was_escalated() -> None:
    assert refused(standing("SEEN", with_chair=False), asked("LAPSED", CHAIR)) == ["with_chair"]


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
        assert is_open(standing(state)) == (state is not None and state not in FINAL_STATES)
        if is_open(standing(state)):
            assert refused(standing(state), asked("OFFERED", ROUTING)) == ["state"]


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


@pytest.mark.parametrize(("urgency", "start", "contact", "moments"), check_values("referral_alarms"))
def test_r_ref_05_reminder_deputy_and_chair_follow_each_other(
    urgency: str, start: str, moments: list[str | None], *, contact: bool
) -> None:
    alarms = (contact_alarms if contact else decision_alarms)(urgency, amsterdam(start), CALENDAR)
    assert [alarms.reminder, alarms.deputy, alarms.chair] == [None if at is None else amsterdam(at) for at in moments]


def test_r_ref_05_a_stage_is_reached_at_its_moment() -> None:
    alarms = decision_alarms("URGENT", amsterdam("2026-11-20T16:30"), CALENDAR)
    moments = ["2026-11-20T16:59", "2026-11-20T17:00", "2026-11-23T17:00", "2026-11-24T17:00"]
    assert [alarms.stage(amsterdam(at)) for at in moments] == [None, *AlarmStage]
    acute = decision_alarms("ACUTE", amsterdam("2026-11-20T22:30"), CALENDAR)
    assert acute.stage(amsterdam("2026-11-21T00:29")) is None


def test_r_ref_05_a_reminder_that_has_passed_comes_at_once() -> None:
    same_day = replace(CALENDAR, policy=replace(CALENDAR.policy, urgent=replace(CALENDAR.policy.urgent, decide_wd=0)))
    start = amsterdam("2026-11-20T16:30")
    assert decision_alarms("URGENT", start, same_day).reminder == start


@given(st.sampled_from(["ACUTE", "URGENT", "REGULAR", "MONITOR"]), st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1)))  # noqa: DTZ001 - the zone is set below
def test_r_ref_05_nobody_is_warned_before_the_offer_or_out_of_order(urgency: str, moment: datetime) -> None:
    start = amsterdam(moment.isoformat())
    alarms = decision_alarms(urgency, start, CALENDAR)
    assert start <= (alarms.reminder or start) < alarms.deputy < alarms.chair


def test_r_ref_05_a_clock_stops_when_its_question_is_answered() -> None:
    clocks = {state: running_clock(state) for state in CODES.codes("referral_state")}
    assert clocks == dict.fromkeys(FINAL_STATES) | {
        "OFFERED": Clock.DECIDE,
        "SEEN": Clock.DECIDE,
        "ACCEPTED": Clock.CONTACT,
        "IN_CARE": Clock.PROGRESS,
    }
