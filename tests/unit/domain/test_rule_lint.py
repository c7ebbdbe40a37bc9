from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest
from domain_cases import CODES, EXAMPLES, MEMBERS, POLICY, coded
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from signal_exchange.domain.rules.explaining import explain
from signal_exchange.domain.rules.fact_space import combinations, fact_classes
from signal_exchange.domain.rules.facts import facts_of
from signal_exchange.domain.rules.lint import CHECKS, LintProblem, lint
from signal_exchange.domain.rules.routing import Route, routes_by_purpose, routes_for
from signal_exchange.domain.rules.ruleset import Condition, FallbackOwner, Rule, RuleSet
from signal_exchange.domain.signals.validation import validate
from signal_exchange.reference.loading import load_default_ruleset
from signal_exchange.words import phrase

DAY = date(2026, 11, 20)
RULES = load_default_ruleset()
Routes = tuple[Route, ...]


def changed(rule_id: str, **changes: Any) -> RuleSet:
    def change(rule: Rule) -> Rule:
        return replace(rule, **changes) if rule.rule_id == rule_id else rule

    return replace(RULES, rules={name: tuple(map(change, rules)) for name, rules in RULES.rules.items()})


def without(*rule_ids: str) -> RuleSet:
    kept = {name: tuple(rule for rule in rules if rule.rule_id not in rule_ids) for name, rules in RULES.rules.items()}
    return replace(RULES, rules=kept)


def with_rule(like: str, **changes: Any) -> RuleSet:
    found = RULES.rule(like)
    assert found is not None
    added = replace(found, rule_id="NEW", **changes)
    rules = sorted((*RULES.rules[added.destination], added), key=lambda rule: rule.order)
    return replace(RULES, rules={**RULES.rules, added.destination: tuple(rules)})


def problems_of(ruleset: RuleSet) -> list[tuple[str, str | None]]:
    found = lint(ruleset, CODES).problems
    return [(problem.check, problem.rule_id or problem.destination) for problem in found]


def example_of(ruleset: RuleSet, check: str) -> dict[str, object]:
    found = next(problem for problem in lint(ruleset, CODES).problems if problem.check == check)
    return dict(found.example or {})


@cache
def default_report() -> tuple[bool, int, tuple[date, ...]]:
    report = lint(RULES, CODES)
    return report.holds, report.classes, report.days


def test_r_route_11_the_default_rules_are_proved_over_every_combination() -> None:
    holds, classes, days = default_report()
    assert holds
    assert classes > 100_000
    assert days == (date(2026, 1, 1),)


def test_r_route_11_a_combination_without_a_named_rule_is_found() -> None:
    found = without("C80")
    assert problems_of(found) == [("NAMED_RULE", "CARE_COORDINATOR")]
    example = example_of(found, "NAMED_RULE")
    assert example["consent"] == "NOT_APPLICABLE"
    assert "CARE_REFERRAL" in str(example["purposes"])


def test_r_route_11_a_signal_without_an_owner_is_found() -> None:
    assert problems_of(replace(RULES, unassigned=None)) == [("OWNER", None)]
    example = example_of(replace(RULES, unassigned=None), "OWNER")
    assert not {"CARE_REFERRAL", "SCREENING"} & set(str(example["purposes"]))


def test_an_owner_named_by_every_rule_does_not_keep_a_signal_that_gates_denied() -> None:
    kept = replace(RULES, unassigned=FallbackOwner("CHAIN_DIRECTOR", 1))
    assert problems_of(kept) == []


def test_a_rule_that_another_one_always_precedes_is_unreachable() -> None:
    assert problems_of(with_rule("A40", order=95)) == [("UNREACHABLE", "NEW")]


def test_a_rule_that_contradicts_itself_or_validation_is_unreachable() -> None:
    vital_and_regular = (Condition("care_basis", "eq", "VITAL_INTEREST"), Condition("urgency", "eq", "REGULAR"))
    minor_and_monitor = (Condition("any_minor_victim", "eq", value=True), Condition("urgency", "eq", "MONITOR"))
    for when in (vital_and_regular, minor_and_monitor):
        assert problems_of(with_rule("C10", order=5, when=when)) == [("UNREACHABLE", "NEW")]


def asks(**values: Any) -> tuple[Condition, ...]:
    return tuple(Condition(name, "eq", value) for name, value in values.items())


@pytest.mark.parametrize(
    ("when", "reachable"),
    [
        (asks(reporter_source="ANONYMOUS_TIP", corroborated=False, urgency="REGULAR"), False),
        (asks(reporter_source="ANONYMOUS_TIP", corroborated=False, urgency="URGENT", any_minor_victim=False), False),
        (asks(reporter_source="ANONYMOUS_TIP", corroborated=False, urgency="URGENT", any_minor_victim=True), True),
        (asks(reporter_source="ANONYMOUS_TIP", corroborated=False, urgency="MONITOR"), True),
        (asks(reporter_source="ANONYMOUS_TIP", corroborated=True, urgency="REGULAR"), True),
        (asks(reporter_source="EDUCATION", corroborated=False, urgency="REGULAR"), True),
        (asks(reporter_source="POLICE", care_basis="PUBLIC_TASK"), False),
        (asks(reporter_source="POLICE", care_basis="WPG_RELEASE"), True),
        (asks(reporter_source="BORDER_POLICE", care_basis="VITAL_INTEREST", urgency="ACUTE"), True),
        (asks(care_basis="VITAL_INTEREST", urgency="URGENT"), False),
        (asks(care_basis="CONSENT", consent="REFUSED"), False),
        (asks(care_basis="CONSENT", victim_count=0), False),
        (asks(care_basis="CONSENT", consent="GIVEN", victim_count=1), True),
        (asks(any_minor_victim=True, any_minor_subject=False), False),
        (asks(any_minor_victim=True, victim_count=0), False),
        (asks(any_minor_victim=True, urgency="REGULAR"), False),
        (asks(any_minor_victim=False, any_minor_subject=True, urgency="REGULAR"), True),
    ],
)
def test_a_rule_is_reachable_only_for_signals_that_validation_lets_through(
    when: tuple[Condition, ...], *, reachable: bool
) -> None:
    found = with_rule("C10", order=5, when=when)
    assert (("UNREACHABLE", "NEW") not in problems_of(found)) is reachable


def test_a_rule_is_reachable_through_its_number_edges() -> None:
    large = (Condition("cluster_size", "gte", 7), Condition("cluster_size", "lt", 8), Condition("urgency", "eq", "MONITOR"))
    assert problems_of(with_rule("A90", order=8, when=large)) == []
    assert 7 in fact_classes(with_rule("A90", order=8, when=large), CODES, DAY)["cluster_size"]


def test_a_rule_that_is_reached_only_by_invalid_signals_is_unreachable_unless_it_asks_for_them() -> None:
    vital = (Condition("care_basis", "eq", "VITAL_INTEREST"), Condition("urgency", "eq", "URGENT"))
    assert problems_of(with_rule("C10", order=5, when=vital)) == [("UNREACHABLE", "NEW")]
    asked = (*vital, Condition("schema_valid", "eq", value=False))
    assert problems_of(with_rule("C10", order=5, when=asked)) == []


def test_an_inactive_rule_need_not_be_reachable() -> None:
    assert problems_of(with_rule("A40", order=95, active=False)) == []


@pytest.mark.parametrize(
    "when",
    [
        (Condition("victim_count", "gte", 0),),
        (Condition("care_basis", "in", CODES.codes("legal_basis")),),
        (Condition("urgency", "in", ("ACUTE", "URGENT", "REGULAR", "MONITOR")), Condition("cluster_size", "gte", 1)),
    ],
)
def test_r_route_03_a_rule_that_matches_everything_is_found(when: tuple[Condition, ...]) -> None:
    assert ("MATCHES_ALL", "C10") in problems_of(changed("C10", when=when))


def test_r_route_07_a_minor_on_the_agenda_without_its_shield_is_found() -> None:
    assert ("MINOR_SHIELDED", "SCREENING_AGENDA") in problems_of(changed("A20", deliver_as="FULL_PSEUDONYMOUS"))
    only_victims = changed("A20", when=(Condition("any_minor_victim", "eq", value=True),))
    assert problems_of(only_victims) == [("MINOR_SHIELDED", "SCREENING_AGENDA")]
    assert example_of(only_victims, "MINOR_SHIELDED")["any_minor_victim"] is False


def test_r_route_07_a_minor_victim_off_the_youth_route_is_found_and_an_adult_on_it() -> None:
    assert problems_of(changed("C20", deliver_as="FULL_PSEUDONYMOUS")) == [("YOUTH_ROUTE", "CARE_COORDINATOR")]
    assert problems_of(changed("C50", deliver_as="YOUTH_ROUTE")) == [("YOUTH_ROUTE", "CARE_COORDINATOR")]


def test_r_route_11_an_acute_case_that_alerts_nobody_is_found() -> None:
    silent = (Condition("reporter_source", "eq", "ANONYMOUS_TIP"),)
    found = with_rule("H90", order=5, when=silent)
    assert problems_of(found) == [("ACUTE_ALERTS", "CHAIR_ALERT")]
    assert example_of(found, "ACUTE_ALERTS")["urgency"] == "ACUTE"


@pytest.mark.parametrize(
    ("found", "named"),
    [
        (with_rule("H90", order=5, when=(Condition("urgency", "in", ("ACUTE", "SOON")), Condition("victim_count", "eq", 0)),
                   effect="SEND", deliver_as="ALERT", reason="MATCHED"), "NEW"),
        (changed("C10", owner="SOMEBODY"), "C10"),
        (changed("C10", owner="ORGANISATION_ADMIN"), "C10"),
        (changed("C10", reason="BECAUSE"), "C10"),
        (replace(RULES, gate={**RULES.gate, "STATISTICS": "CURIOSITY"}), "STATISTICS"),
    ],
)  # fmt: skip
def test_r_route_03_a_code_that_does_not_exist_is_found(found: RuleSet, named: str) -> None:
    assert ("UNKNOWN_CODE", named) in problems_of(found)


def test_every_rule_with_a_code_that_does_not_exist_is_named() -> None:
    found = changed("C10", owner="SOMEBODY")
    found = replace(found, gate={**found.gate, "STATISTICS": "CURIOSITY"})
    silent = replace(found, rules={**found.rules, "CHAIR_ALERT": changed("H10", reason="BECAUSE").rules["CHAIR_ALERT"]})
    named = [(check, where) for check, where in problems_of(silent) if check == "UNKNOWN_CODE"]
    assert named == [("UNKNOWN_CODE", "C10"), ("UNKNOWN_CODE", "H10"), ("UNKNOWN_CODE", "STATISTICS")]


def test_r_route_03_a_rule_that_ends_must_be_followed() -> None:
    last = date(2027, 6, 30)
    report = lint(changed("C80", valid_to=last), CODES)
    assert report.days == (date(2026, 1, 1), last + timedelta(days=1))
    problem = report.problems[0]
    assert (problem.check, problem.day, problem.destination) == ("NAMED_RULE", last + timedelta(days=1), "CARE_COORDINATOR")
    assert not report.holds


def test_a_proof_may_start_on_a_later_day() -> None:
    assert lint(changed("C80", valid_from=date(2026, 6, 1)), CODES, day=DAY).problems == ()


def test_days_on_which_no_fact_can_be_proved_are_no_proof() -> None:
    before_any_code = date(2020, 1, 1)
    assert LintProblem("NAMED_RULE", before_any_code) in lint(RULES, CODES, day=before_any_code).problems


def test_every_check_says_what_it_proves() -> None:
    assert set(CHECKS) == {
        "NAMED_RULE", "OWNER", "UNREACHABLE", "MATCHES_ALL", "MINOR_SHIELDED", "YOUTH_ROUTE", "ACUTE_ALERTS", "UNKNOWN_CODE",
    }  # fmt: skip


@cache
def enumerated() -> frozenset[Routes]:
    return frozenset(
        routes_by_purpose(purposes, found.facts, RULES, DAY)
        for found in combinations(RULES, CODES, DAY)
        for purposes in found.purposes
    )


def subject(role: str, band: str) -> dict[str, Any]:
    minor = band in {"AGE_12_15", "AGE_16_17"}
    return {"ref": "s1", "role": role, "age_band": band, "is_minor": minor, "minor_at_event": minor}


exchanges = st.builds(
    lambda purpose, basis: {"purpose": purpose, "legal_basis": basis, "partnership": "OWN_TASK", "release_ref": "R-1"},
    st.sampled_from(["CARE_REFERRAL", "SCREENING", "ACUTE_ALERT", "LINKING"]),
    st.sampled_from(["PUBLIC_TASK", "CONSENT", "VITAL_INTEREST", "WPG_RELEASE", "YOUTH_PROTECTION"]),
)
changes = st.fixed_dictionaries(
    {},
    optional={
        "urgency": st.sampled_from(CODES.codes("urgency")),
        "reporter_source": st.sampled_from(["ANONYMOUS_TIP", "POLICE", "EDUCATION"]),
        "corroborated": st.booleans(),
        "care_needs": st.sampled_from([[], ["MEDICAL"]]),
        "consent": st.builds(
            lambda status: {"status": status, "given_by": "SELF", "recorded_on": "2026-11-18"},
            st.sampled_from(CODES.codes("consent_status")),
        ),
        "subjects": st.lists(
            st.builds(subject, st.sampled_from(CODES.codes("subject_role")), st.sampled_from(["AGE_12_15", "AGE_30_44"])),
            max_size=2,
        ),
        "exchanges": st.lists(exchanges, unique_by=lambda entry: entry["purpose"]).map(
            lambda entries: [*entries, coded("01_sexual")["exchanges"][3]]
        ),
        "police_data": st.booleans(),
        "emergency_advised": st.just(value=True),
    },
)


@given(st.sampled_from(EXAMPLES), changes, st.integers(1, 3), st.booleans())
@settings(max_examples=150, suppress_health_check=[HealthCheck.filter_too_much])
def test_r_route_11_no_valid_signal_lies_outside_the_enumerated_space(
    name: str,
    change: dict[str, Any],
    cluster_size: int,
    rescreen_due: bool,  # noqa: FBT001 - drawn by hypothesis
) -> None:
    signal = coded(name) | change
    assume(not validate(signal, day=DAY, sender=signal["municipality"], members=MEMBERS, codes=CODES, policy=POLICY))
    routes = routes_for(signal, facts_of(signal, cluster_size=cluster_size, rescreen_due=rescreen_due), RULES, DAY)
    assert routes in enumerated()


def text_of(signal: dict[str, Any], destination: int, **known: Any) -> tuple[str, list[tuple[str, tuple[str, ...]]]]:
    found = explain(signal, facts_of(signal, **known), RULES, DAY, CODES)[destination]
    return found.text_nl, [(trial.rule_id, tuple(map(phrase, trial.unmet))) for trial in found.tried]


def test_r_route_06_an_explanation_names_the_rule_and_what_the_ones_before_it_missed() -> None:
    text, tried = text_of(coded("06_anonymous_tip"), 1, cluster_size=2)
    assert text == "Zwak signaal met samenhang."
    assert tried == [
        ("A20", ("minderjarig slachtoffer of minderjarige verdachte is nee, de regel vraagt ja",)),
        ("A10", ("aantal signalen in samenhang is 2, de regel vraagt minder dan 2",)),
        ("A30", ("urgentie is volgen, de regel vraagt acuut of spoed of regulier",)),
    ]


def test_r_route_06_a_count_and_a_basis_are_explained_in_words() -> None:
    _, tried = text_of(coded("06_anonymous_tip"), 1)
    assert tried[0][0] == "A20"
    care = coded("02_labour") | {"consent": {"status": "GIVEN"}, "care_needs": []}
    _, tried = text_of(care, 0)
    assert dict(tried)["C50"] == ("aantal zorgbehoeften is 0, de regel vraagt minstens 1",)
    assert dict(tried)["C30"][1].startswith("grondslag voor zorg is publieke taak")


def test_r_route_06_a_missing_basis_is_said_so() -> None:
    gate = {**RULES.gate, "CARE_COORDINATOR": "SCREENING"}
    signal = coded("06_anonymous_tip") | {"subjects": [subject("VICTIM", "AGE_30_44")]}
    found = explain(signal, facts_of(signal), replace(RULES, gate=gate), DAY, CODES)[0]
    assert any("grondslag voor zorg is er niet" in phrase(unmet) for trial in found.tried for unmet in trial.unmet)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda signal: signal, "geen doel en grondslag voor deze ontvanger"),
        (lambda _: None, "ingetrokken"),
    ],
)
def test_r_route_06_a_gate_and_a_state_are_explained_without_rules(change: Callable[[Any], Any], text: str) -> None:
    signal = coded("06_anonymous_tip")
    found = explain(change(signal), facts_of(signal), RULES, DAY, CODES)[0]
    assert (found.text_nl, found.tried, found.route.destination) == (text, (), "CARE_COORDINATOR")


def test_r_route_06_a_default_is_explained_with_every_rule_that_did_not_hold() -> None:
    signal = coded("02_labour") | {"consent": {"status": "NOT_APPLICABLE"}, "exchanges": [
        {"purpose": "CARE_REFERRAL", "legal_basis": "YOUTH_PROTECTION", "partnership": "OWN_TASK"}]}  # fmt: skip
    found = explain(signal, facts_of(signal), without("C80"), DAY, CODES)[0]
    assert (found.route.rule_id, found.text_nl, len(found.tried)) == ("default", "geen regel, dus niet", 10)
