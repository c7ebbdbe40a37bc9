import copy
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from domain_cases import CALENDAR, CODES, MEMBERS, POLICY, amsterdam, check_values, coded
from hypothesis import given
from hypothesis import strategies as st

from signal_exchange.domain.destinations import CODES as DESTINATIONS
from signal_exchange.domain.destinations import OWNING
from signal_exchange.domain.rules.facts import Facts, facts_of
from signal_exchange.domain.rules.routing import (
    Route,
    rescreen_due,
    rescreen_due_from,
    route_to,
    routes_by_purpose,
    routes_for,
    unassigned,
)
from signal_exchange.domain.rules.ruleset import FallbackOwner
from signal_exchange.domain.signals.coded import raised_urgency
from signal_exchange.domain.signals.validation import validate
from signal_exchange.reference.loading import load_default_ruleset
from signal_exchange.routing.deciding import steps

Signal = dict[str, Any]

DAY = date(2026, 11, 20)
AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
RULES = load_default_ruleset()
MINOR: Signal = {"ref": "s1", "role": "VICTIM", "age_band": "AGE_12_15", "is_minor": True, "minor_at_event": True}
ALERT_ENTRY = {"purpose": "ACUTE_ALERT", "legal_basis": "VITAL_INTEREST", "partnership": "OWN_TASK", "release_ref": None}

facts = st.builds(
    Facts,
    victim_count=st.integers(0, 3),
    any_minor_victim=st.booleans(),
    any_minor_subject=st.booleans(),
    urgency=st.sampled_from(CODES.codes("urgency")),
    consent=st.sampled_from(CODES.codes("consent_status")),
    care_need_count=st.integers(0, 3),
    care_basis=st.sampled_from((None, *CODES.codes("legal_basis"))),
    reporter_source=st.sampled_from(CODES.codes("reporter_source")),
    corroborated=st.booleans(),
    cluster_size=st.integers(1, 4),
    rescreen_due=st.booleans(),
    schema_valid=st.booleans(),
)
purposes = st.frozensets(st.sampled_from(CODES.codes("purpose")))


def signal(name: str, **changes: object) -> Signal:
    return coded(name) | copy.deepcopy(changes)


def acute_organ() -> Signal:
    found = signal("04_organ", urgency="ACUTE")
    found["exchanges"][0]["legal_basis"] = "VITAL_INTEREST"
    found["exchanges"].append(ALERT_ENTRY)
    return found


def tip_with(subject: Signal, *entries: Signal) -> Signal:
    found = signal("06_anonymous_tip", subjects=[subject])
    found["exchanges"].extend(entries)
    return found


def routed(found: Signal | None, **known: Any) -> tuple[Route, ...]:
    return routes_for(found, facts_of(found or coded("01_sexual"), **known), RULES, DAY)


NOT_APPLICABLE = {"status": "NOT_APPLICABLE", "given_by": None, "recorded_on": None}
YOUTH_ENTRY = ALERT_ENTRY | {"legal_basis": "YOUTH_PROTECTION"}
WORKED: Mapping[str, tuple[Signal | None, Mapping[str, Any]]] = {
    **{
        name: (signal(name), {}) for name in ("01_sexual", "02_labour", "03_criminal", "04_organ", "05_minor", "06_anonymous_tip")
    },
    "06_anonymous_tip in a confirmed cluster of 2": (signal("06_anonymous_tip"), {"cluster_size": 2}),
    "04_organ ACUTE, care basis VITAL_INTEREST, alert entry": (acute_organ(), {}),
    "06_anonymous_tip, re-screen due": (signal("06_anonymous_tip"), {"rescreen_due": True}),
    "06_anonymous_tip with a minor victim, alert entry": (tip_with(MINOR, YOUTH_ENTRY), {}),
    "06_anonymous_tip with a minor suspect": (tip_with(MINOR | {"role": "SUSPECT"}), {}),
    "02_labour, consent NOT_APPLICABLE": (signal("02_labour", consent=NOT_APPLICABLE), {}),
    "02_labour, MONITOR": (signal("02_labour", urgency="MONITOR"), {}),
    "01_sexual withdrawn": (None, {}),
}


@pytest.mark.parametrize(("case", "expected"), check_values("routing").items())
def test_r_route_worked_signals_go_where_the_default_rules_send_them(case: str, expected: Mapping[str, list[str | None]]) -> None:
    found, known = WORKED[case]
    routes = routed(found, **known)
    assert [route.destination for route in routes] == list(DESTINATIONS)
    assert {route.destination: [route.effect, route.deliver_as, route.rule_id, route.reason] for route in routes} == expected


@pytest.mark.parametrize("case", [case for case, (found, _) in WORKED.items() if found is not None])
def test_r_route_every_worked_signal_is_valid(case: str) -> None:
    found, _ = WORKED[case]
    assert found is not None
    assert validate(found, day=DAY, sender=found["municipality"], members=MEMBERS, codes=CODES, policy=POLICY) == ()


@given(facts)
def test_r_route_02_without_an_exchange_entry_nothing_is_sent_by_default_deny(found: Facts) -> None:
    assert {(route.effect, route.rule_id) for route in routes_by_purpose((), found, RULES, DAY)} == {("DENY", "gate")}


@given(facts, purposes)
def test_r_route_01_each_destination_is_judged_as_if_it_were_the_only_one(found: Facts, exchanged: frozenset[str]) -> None:
    for route in routes_by_purpose(exchanged, found, RULES, DAY):
        its_own = exchanged & {RULES.gate[route.destination]}
        assert route_to(route.destination, its_own, found, RULES, DAY) == route


@given(facts, purposes)
def test_r_route_02_a_destination_gets_nothing_without_its_own_purpose(found: Facts, exchanged: frozenset[str]) -> None:
    for route in routes_by_purpose(exchanged, found, RULES, DAY):
        assert (route.rule_id == "gate") == (RULES.gate[route.destination] not in exchanged)


@given(facts, purposes)
def test_r_route_03_without_a_rule_nothing_is_sent_by_default_deny(found: Facts, exchanged: frozenset[str]) -> None:
    before_any_rule = date(2025, 12, 31)
    routes = routes_by_purpose(exchanged, found, RULES, before_any_rule)
    assert {route.effect for route in routes} == {"DENY"}
    assert {route.reason for route in routes} <= {"NO_RULE", "NO_EXCHANGE"}


def test_r_route_03_an_inactive_or_ended_rule_does_not_count() -> None:
    s10, s90 = RULES.rules["STATISTICS"]
    found = facts_of(coded("01_sexual"))
    for silent in (replace(s10, active=False), replace(s10, valid_to=DAY - timedelta(days=1))):
        rules = replace(RULES, rules={**RULES.rules, "STATISTICS": (silent, s90)})
        assert routes_by_purpose({"STATISTICS"}, found, rules, DAY)[2].reason == "NO_RULE"
    last_day = replace(RULES, rules={**RULES.rules, "STATISTICS": (replace(s10, valid_to=DAY), s90)})
    assert routes_by_purpose({"STATISTICS"}, found, last_day, DAY)[2].rule_id == "S10"


def test_r_route_03_the_first_rule_in_order_decides() -> None:
    both = facts_of(acute_organ())
    assert [rule.rule_id for rule in RULES.rules_on("CARE_COORDINATOR", DAY) if rule.holds(both)] == ["C30", "C40"]


def test_r_route_04_facts_are_the_closed_list() -> None:
    assert asdict(facts_of(coded("05_minor"))) == {
        "victim_count": 1,
        "any_minor_victim": True,
        "any_minor_subject": True,
        "urgency": "URGENT",
        "consent": "NOT_APPLICABLE",
        "care_need_count": 1,
        "care_basis": "YOUTH_PROTECTION",
        "reporter_source": "EDUCATION",
        "corroborated": True,
        "cluster_size": 1,
        "rescreen_due": False,
        "schema_valid": True,
    }


def test_r_route_04_a_minor_witness_is_no_minor_subject_of_the_rules() -> None:
    found = facts_of(tip_with(MINOR | {"role": "WITNESS"}))
    assert (found.any_minor_victim, found.any_minor_subject, found.victim_count) == (False, False, 0)


def taken_back(before: Iterable[Route], after: Iterable[Route]) -> list[tuple[str, str | None, str, str]]:
    """Give what a second run takes back, and the rule that caused it, as routing decides it."""
    held = {step.destination: step.now for step in steps({}, before, AT, new_version=True)}
    again = steps(held, after, AT, new_version=True)
    return [(step.destination, step.retract.deliver_as, step.now.rule_id, step.now.reason) for step in again if step.retract]


def test_r_route_05_what_was_sent_and_is_no_longer_is_retracted_by_name() -> None:
    before, after = routed(signal("01_sexual")), routed(None)
    assert taken_back(before, after) == [
        ("CARE_COORDINATOR", "FULL_PSEUDONYMOUS", "state", "WITHDRAWN"),
        ("SCREENING_AGENDA", "FULL_PSEUDONYMOUS", "state", "WITHDRAWN"),
        ("STATISTICS", "STAT_RECORD", "state", "WITHDRAWN"),
    ]
    assert taken_back(after, before) == []
    assert taken_back(before, before) == []


def test_r_route_05_another_form_retracts_the_old_one() -> None:
    before = routed(signal("02_labour"))
    after = routed(signal("02_labour", consent={"status": "GIVEN", "given_by": "SELF", "recorded_on": "2026-11-18"}))
    assert taken_back(before, after) == [("CARE_COORDINATOR", "CONSULT", "C50", "MATCHED")]


@given(one=facts, two=facts, first=purposes, second=purposes, new_version=st.booleans())
def test_r_route_05_after_retractions_each_receiver_holds_what_the_new_run_sends(
    *, one: Facts, two: Facts, first: frozenset[str], second: frozenset[str], new_version: bool
) -> None:
    before, after = routes_by_purpose(first, one, RULES, DAY), routes_by_purpose(second, two, RULES, DAY)
    known = {step.destination: step.now for step in steps({}, before, AT, new_version=True)}
    held = {destination: delivery for destination, delivery in known.items() if delivery.sent}
    for step in steps(known, after, AT, new_version=new_version):
        assert step.retract is None or held.pop(step.destination) == step.retract
        assert step.offer is None or step.is_new == (step.destination not in held)
        held |= {step.destination: step.offer} if step.offer else {}
    assert {name: delivery.deliver_as for name, delivery in held.items()} == {
        route.destination: route.deliver_as for route in after if route.effect == "SEND"
    }


@given(facts)
def test_r_route_07_no_minor_reaches_the_agenda_unshielded(found: Facts) -> None:
    agenda = routes_by_purpose({"SCREENING"}, found, RULES, DAY)[1]
    assert (agenda.deliver_as == "MINOR_STUB") == found.any_minor_subject


@pytest.mark.parametrize(("published", "now", "due"), check_values("rescreen_due"))
def test_r_route_08_a_re_screen_is_due_from_17_of_the_20th_working_day(published: str, now: str, *, due: bool) -> None:
    assert rescreen_due(amsterdam(published), amsterdam(now), CALENDAR) is due


def test_r_route_08_after_17_the_20_days_start_a_working_day_later() -> None:
    assert rescreen_due_from(amsterdam("2026-11-16T17:00"), CALENDAR) == amsterdam("2026-12-15T17:00")


@pytest.mark.parametrize(("urgency", "minor", "raised"), check_values("raised_urgency"))
def test_r_route_10_urgency_is_raised_for_a_minor_victim(urgency: str, raised: str, *, minor: bool) -> None:
    assert raised_urgency(urgency, any_minor_victim=minor) == raised


def test_r_route_10_urgency_is_raised_before_any_rule_and_the_signal_keeps_its_own() -> None:
    found = tip_with(MINOR)
    assert facts_of(found).urgency == "URGENT"
    assert found["urgency"] == "MONITOR"


@pytest.mark.parametrize(("case", "keeper"), check_values("unassigned"))
def test_r_route_11_who_is_left_alone_has_an_owner_and_a_next_date(case: str, keeper: list[Any] | None) -> None:
    found, known = WORKED[case]
    assert unassigned(routed(found, **known), RULES) == (None if keeper is None else FallbackOwner(*keeper))


def test_r_route_11_the_earlier_date_of_the_two_rules_counts() -> None:
    care = Route("CARE_COORDINATOR", "DENY", None, "C70", "NO_CARE_NEED", "ATTENTION_OFFICER", 20)
    agenda = Route("SCREENING_AGENDA", "DENY", None, "A90", "ENRICH_FIRST", "CHAIN_DIRECTOR", 10)
    assert unassigned((care, agenda), RULES) == FallbackOwner("CHAIN_DIRECTOR", 10)


def test_r_route_11_where_only_gates_denied_the_rule_set_says_who() -> None:
    found = facts_of(coded("01_sexual"))
    assert unassigned(routes_by_purpose({"STATISTICS"}, found, RULES, DAY), RULES) == RULES.unassigned


@given(facts, purposes)
def test_r_route_11_every_open_signal_has_somebody(found: Facts, exchanged: frozenset[str]) -> None:
    routes = routes_by_purpose(exchanged, found, RULES, DAY)
    received = any(route.effect == "SEND" for route in routes if route.destination in OWNING)
    assert (unassigned(routes, RULES) is None) == received


@given(facts, purposes)
def test_routing_twice_gives_the_same(found: Facts, exchanged: frozenset[str]) -> None:
    assert routes_by_purpose(exchanged, found, RULES, DAY) == routes_by_purpose(set(exchanged), replace(found), RULES, DAY)
