from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import permutations, product
from typing import Any

import pytest
from domain_cases import CALENDAR, CODES, POLICY, amsterdam, check_values
from hypothesis import given
from hypothesis import strategies as st

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.links.clusters import clusters, names_of
from signal_exchange.domain.meetings.agenda import (
    AgendaEntry,
    Decision,
    Member,
    check_decision,
    entry_of,
    is_allowed,
    order,
    roll_over,
)
from signal_exchange.domain.meetings.dates import cutoff_of, meeting_of, week_for
from signal_exchange.domain.meetings.weeks import monday_of, week_of
from signal_exchange.domain.referrals.outcomes import outcome_of_decision, outcome_of_referral, outcomes_of

NOON = amsterdam("2026-11-18T12:00")
entries = st.builds(
    AgendaEntry,
    signal_id=st.uuids().map(str),
    urgency=st.sampled_from(["ACUTE", "URGENT", "REGULAR", "MONITOR"]),
    minor=st.booleans(),
    size=st.integers(1, 3),
    deferrals=st.integers(0, 2),
    due_from=st.integers(0, 3).map(lambda days: NOON + timedelta(days=days)),
)
agendas = st.lists(entries, unique_by=lambda entry: entry.signal_id, max_size=30)


@pytest.mark.parametrize(("week", "day", "cutoff"), check_values("meeting"))
def test_r_agenda_01_and_02_meeting_and_cut_off_of_a_week(week: str, day: str, cutoff: str) -> None:
    assert meeting_of(week, CALENDAR) == amsterdam(f"{day}T10:00")
    assert cutoff_of(week, CALENDAR) == amsterdam(cutoff)


@pytest.mark.parametrize(("week", "closed", "day", "cutoff"), check_values("meeting_local_closing"))
def test_r_agenda_01_a_local_closing_day_moves_the_meeting(week: str, closed: list[str], day: str, cutoff: str) -> None:
    calendar = replace(CALENDAR, local_closing_days=frozenset(map(date.fromisoformat, closed)))
    assert meeting_of(week, calendar) == amsterdam(f"{day}T10:00")
    assert cutoff_of(week, calendar) == amsterdam(cutoff)


def closed_in_w48(*days: int) -> WorkingCalendar:
    return replace(CALENDAR, local_closing_days=frozenset(date(2026, 11, day) for day in days))


def test_r_agenda_01_when_no_earlier_day_is_open_it_is_friday() -> None:
    assert meeting_of("2026-W48", closed_in_w48(23, 24, 25, 26)) == amsterdam("2026-11-27T10:00")


def test_r_agenda_01_a_week_without_an_open_day_has_no_meeting_and_its_items_roll_over() -> None:
    calendar = closed_in_w48(23, 24, 25, 26, 27)
    assert meeting_of("2026-W48", calendar) is None
    assert cutoff_of("2026-W48", calendar) is None
    assert week_for(amsterdam("2026-11-20T10:00"), calendar) == "2026-W49"


def test_a_meeting_needs_a_week_that_exists() -> None:
    with pytest.raises(ValueError, match="no ISO week"):
        meeting_of("2025-W53", CALENDAR)


@pytest.mark.parametrize(
    ("due_from", "week"),
    [
        ("2026-11-24T11:59:59.999999", "2026-W48"),
        ("2026-11-24T12:00:00", "2026-W49"),
        ("2026-11-22T23:00:00", "2026-W48"),
        ("2025-12-29T11:00:00", "2026-W01"),
        ("2027-04-30T11:59:00", "2027-W18"),
        ("2027-04-30T12:00:00", "2027-W19"),
    ],
)
def test_r_agenda_02_an_item_belongs_to_the_first_agenda_that_closes_later(due_from: str, week: str) -> None:
    assert week_for(amsterdam(due_from), CALENDAR) == week


@given(st.datetimes(datetime(2024, 1, 1), datetime(2028, 12, 1)))  # noqa: DTZ001 - the zone is set below
def test_r_agenda_02_no_earlier_agenda_was_still_open(moment: datetime) -> None:
    due_from = amsterdam(moment.isoformat())
    week = week_for(due_from, CALENDAR)
    monday = monday_of(week)
    assert monday is not None
    closes, before = cutoff_of(week, CALENDAR), cutoff_of(week_of(monday - timedelta(weeks=1)), CALENDAR)
    assert closes is not None
    assert before is not None
    assert before <= due_from < closes


def test_r_agenda_03_links_make_clusters_and_undoing_one_splits_them() -> None:
    signals = ["a", "b", "c", "d"]

    def parts(*links: tuple[str, str]) -> list[str]:
        return ["".join(sorted(part)) for part in clusters(signals, links)]

    assert parts(("a", "b"), ("b", "c")) == ["abc", "d"]
    assert parts(("a", "b")) == ["ab", "c", "d"]
    assert parts(("b", "c")) == ["a", "bc", "d"]
    assert parts(("a", "z"), ("z", "b")) == ["a", "b", "c", "d"]
    assert parts(("a", "b"), ("b", "a"), ("c", "d"), ("a", "d")) == ["abcd"]


def test_r_agenda_03_after_a_split_the_part_with_the_oldest_signal_keeps_the_name() -> None:
    appended = {"a": NOON, "b": NOON - timedelta(days=1), "c": NOON}
    named = names_of([frozenset("a"), frozenset("bc")], dict.fromkeys("abc", "G-7"), appended, "new".join)
    assert named == {frozenset("bc"): "G-7"}


def a_member(signal_id: str, **changes: Any) -> Member:
    return replace(Member(signal_id, "REGULAR", minor=False, due_from=NOON), **changes)


def test_r_agenda_02_a_cluster_takes_the_earliest_due_from_and_the_most_deferrals() -> None:
    members = [
        a_member("c", deferrals=2, decided=True, due_from=NOON - timedelta(days=9)),
        a_member("b", urgency="URGENT", due_from=NOON + timedelta(days=1)),
        a_member("d", minor=True, due_from=None),
        a_member("a"),
    ]
    assert entry_of(members) == AgendaEntry("a", "URGENT", minor=True, size=4, deferrals=2, due_from=NOON)


def test_r_agenda_02_a_cluster_of_which_nothing_is_sent_or_left_is_no_item() -> None:
    assert entry_of([a_member("a", due_from=None), a_member("b", decided=True)]) is None


def test_r_agenda_04_the_worked_items_come_in_order() -> None:
    worked = check_values("agenda_order")
    given_entries = [
        AgendaEntry(cluster, urgency, minor, size, deferred, datetime.fromisoformat(appended))
        for cluster, urgency, minor, size, deferred, appended in worked["input"]
    ]
    assert [entry.signal_id for entry in order(given_entries)] == worked["order"]


def test_r_agenda_04_the_smallest_signal_id_decides_at_last() -> None:
    same = [AgendaEntry(signal_id, "REGULAR", minor=False, size=1, deferrals=0, due_from=NOON) for signal_id in "cab"]
    assert {tuple(entry.signal_id for entry in order(shuffled)) for shuffled in permutations(same)} == {("a", "b", "c")}


@given(agendas, st.randoms())
def test_r_agenda_04_same_input_same_agenda(items: list[AgendaEntry], chance: Any) -> None:
    shuffled = list(items)
    chance.shuffle(shuffled)
    assert roll_over(shuffled, POLICY) == roll_over(items, POLICY)


@given(agendas)
def test_r_agenda_05_only_regular_and_monitor_items_above_the_cap_roll_over(items: list[AgendaEntry]) -> None:
    small = replace(POLICY, regular_items_max=3)
    kept, rolled = roll_over(items, small)
    assert sorted((*kept, *rolled), key=lambda entry: entry.signal_id) == sorted(items, key=lambda entry: entry.signal_id)
    assert (*kept, *rolled) == order((*kept, *rolled)) or any(entry.urgency in {"ACUTE", "URGENT"} for entry in kept)
    assert {entry.urgency for entry in rolled} <= {"REGULAR", "MONITOR"}
    assert len([entry for entry in kept if entry.urgency in {"REGULAR", "MONITOR"}]) == min(
        3, len([entry for entry in items if entry.urgency in {"REGULAR", "MONITOR"}])
    )


def test_r_agenda_06_no_other_pair_of_states_is_allowed() -> None:
    states = CODES.codes("agenda_state")
    assert {pair for pair in product(states, states) if is_allowed(*pair)} == {
        ("COLLECTING", "DRAFT"),
        ("DRAFT", "FINAL"),
        ("FINAL", "AMENDED"),
        ("AMENDED", "AMENDED"),
        ("AMENDED", "CLOSED"),
        ("FINAL", "CLOSED"),
    }


def a_decision(decision: str = "NO_TRAFFICKING", **changes: Any) -> Decision:
    taken = Decision(
        cluster_id="G-7",
        signals=(("a", 1), ("b", 2)),
        decision=decision,
        instruments=("NO_INSTRUMENT",),
        motivation="Geen aanwijzingen.",
        seats_present=("POLICE_AVIM", "CARE_COORDINATION"),
        legal_basis="PUBLIC_TASK",
        decided_at=amsterdam("2026-11-26T10:20"),
        agenda_version=1,
    )
    return replace(taken, **changes)


def wrong(decision: Decision, earlier_deferrals: int = 0) -> list[str]:
    found = check_decision(decision, earlier_deferrals=earlier_deferrals, codes=CODES, day=date(2026, 11, 26), policy=POLICY)
    assert {refusal.rule for refusal in found} <= {"R-AGENDA-07"}
    return [refusal.field for refusal in found]


OWNER = {"owner_role": "ATTENTION_OFFICER", "owner_organisation": "GM0983", "due_date": date(2026, 12, 10)}


@pytest.mark.parametrize("decision", CODES.codes("decision"))
def test_r_agenda_07_only_enrich_and_cases_need_an_owner_and_a_due_date(decision: str) -> None:
    needed = ["owner_role", "owner_organisation", "due_date"]
    owned = decision == "ENRICH" or decision.startswith("CASE_")
    assert wrong(a_decision(decision, kept_signal="a")) == (needed if owned else [])
    assert wrong(a_decision(decision, kept_signal="a", **OWNER)) == []


def test_r_agenda_07_an_item_is_deferred_at_most_twice_in_a_row() -> None:
    assert wrong(a_decision("DEFER"), 1) == []
    assert wrong(a_decision("DEFER"), 2) == ["decision"]
    assert wrong(a_decision("NO_TRAFFICKING"), 2) == []


def test_r_agenda_07_a_duplicate_names_the_kept_signal() -> None:
    assert wrong(a_decision("DUPLICATE")) == ["kept_signal"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"signals": ()}, "signals"),
        ({"motivation": " "}, "motivation"),
        ({"motivation": "x" * 1001}, "motivation"),
        ({"decision": "CLOSE"}, "decision"),
        ({"instruments": ("BIBOB", "FINE")}, "instruments"),
        ({"seats_present": ()}, "seats_present"),
        ({"seats_present": ("PRESS",)}, "seats_present"),
        ({"legal_basis": "CURIOSITY"}, "legal_basis"),
    ],
)
def test_r_agenda_07_a_decision_is_complete(changes: dict[str, Any], field: str) -> None:
    assert wrong(a_decision(**changes)) == [field]
    assert wrong(a_decision(motivation="x" * 1000)) == wrong(a_decision(motivation="x")) == []


def test_r_agenda_09_every_decision_has_an_outcome_and_a_criminal_partner_is_not_named() -> None:
    outcomes = {decision: outcome_of_decision(decision) for decision in CODES.codes("decision")}
    assert set(outcomes.values()) <= set(CODES.codes("outcome"))
    assert outcomes["CASE_CRIMINAL"] == "TAKEN_OVER"
    assert outcomes == {
        "ENRICH": "ACTION_BY_MUNICIPALITY",
        **dict.fromkeys(("DEFER", "CASE_ADMIN", "CASE_CARE", "CASE_COMBINED"), "IN_TREATMENT"),
        "CASE_CRIMINAL": "TAKEN_OVER",
        **dict.fromkeys(("OTHER_PROBLEM", "TRANSFER_REGION"), "REFERRED_ELSEWHERE"),
        "NO_TRAFFICKING": "NO_FURTHER_ACTION",
        "DUPLICATE": "CLOSED_DUPLICATE",
    }


def test_r_agenda_09_each_signal_of_an_item_gets_one_outcome() -> None:
    assert outcomes_of(a_decision()) == {"a": "NO_FURTHER_ACTION", "b": "NO_FURTHER_ACTION"}
    assert outcomes_of(a_decision("DUPLICATE", kept_signal="a")) == {"a": "IN_TREATMENT", "b": "CLOSED_DUPLICATE"}


@pytest.mark.parametrize(
    ("state", "reason", "outcome"),
    [
        ("OFFERED", None, None),
        ("SEEN", None, None),
        ("ACCEPTED", None, "IN_TREATMENT"),
        ("IN_CARE", None, "IN_TREATMENT"),
        ("COMPLETED", "CARE_STARTED_COMPLETED", "CARE_ARRANGED"),
        ("COMPLETED", "RETURNED_HOME", "CARE_ARRANGED"),
        ("COMPLETED", "NO_CARE_NEEDED", "NO_FURTHER_ACTION"),
        ("COMPLETED", "TRANSFERRED", "REFERRED_ELSEWHERE"),
        ("COMPLETED", "PERSON_STOPPED", "CARE_DECLINED"),
        ("COMPLETED", "LOST_CONTACT", "CARE_NOT_STARTED"),
        ("REJECTED", "PERSON_DECLINES", "CARE_DECLINED"),
        ("REJECTED", "INSUFFICIENT_DATA", "MORE_INFO_ASKED"),
        ("REJECTED", "ALREADY_IN_CARE", "CARE_ARRANGED"),
        ("REJECTED", "OUTSIDE_REGION", "CARE_NOT_STARTED"),
        ("LAPSED", None, "CARE_NOT_STARTED"),
        ("WITHDRAWN", "MISTAKE", None),
    ],
)
def test_r_agenda_09_a_referral_gives_its_outcome(state: str, reason: str | None, outcome: str | None) -> None:
    assert outcome_of_referral(state, reason) == outcome
