import copy
import json
from collections.abc import Callable
from contextlib import suppress
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_exchange.domain.rules.reading import parse_ruleset
from signal_exchange.domain.rules.ruleset import InvalidRuleSetError
from signal_exchange.reference.loading import load_default_ruleset

Document = dict[str, Any]

DEFAULT: Document = json.loads((files("signal_exchange.reference") / "data" / "routing_rules.json").read_text(encoding="utf-8"))


def problems_of(document: Any) -> tuple[str, ...]:
    with pytest.raises(InvalidRuleSetError) as refused:
        parse_ruleset(document)
    return refused.value.problems


def changed(change: Callable[[Document], object]) -> Document:
    document = copy.deepcopy(DEFAULT)
    change(document)
    return document


def rule(named: str, /, **changes: object) -> Document:
    def change(document: Document) -> None:
        next(found for found in document["rules"] if found["rule_id"] == named).update(changes)

    return changed(change)


def when(*conditions: Document) -> Document:
    return {"all": list(conditions)}


def asks(field: str, op: str, value: object) -> Document:
    return when({"field": field, "op": op, "value": value})


def test_the_default_rules_are_read_in_their_order() -> None:
    rules = load_default_ruleset()
    assert (rules.ruleset_id, rules.version, rules.status) == ("region-default", 2, "proposal")
    assert [found.rule_id for found in rules.rules["SCREENING_AGENDA"]] == ["A20", "A10", "A30", "A40", "A50", "A60", "A90"]


def test_a_rule_is_found_by_its_id() -> None:
    found = load_default_ruleset().rule("C30")
    assert found is not None
    assert found.deliver_as == "FULL_PSEUDONYMOUS"
    assert load_default_ruleset().rule("gate") is None


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (rule("C10", when=when()), "C10 when.all: missing or empty"),
        (rule("C10", when={}), "C10 when.all: missing or empty"),
        (rule("C10", when={"any": []}), "C10 when.all: missing or empty"),
        (rule("C10", when=asks("sex", "eq", "F")), "C10: unknown field sex"),
        (rule("C10", when=asks("urgency", "or", "ACUTE")), "C10: unknown operator or"),
        (rule("C10", when=asks("urgency", "lt", "ACUTE")), "C10: lt compares counts, urgency is none"),
        (rule("C10", when=asks("victim_count", "eq", 0.5)), "C10: the value of victim_count is no count"),
        (rule("C10", when=asks("victim_count", "gte", value=True)), "C10: the value of victim_count is no count"),
        (rule("C10", when=asks("corroborated", "eq", 1)), "C10: the value of corroborated is no flag"),
        (rule("C10", when=asks("urgency", "in", "ACUTE")), "C10: the value of urgency is no list of code"),
        (rule("C10", when=asks("urgency", "in", [])), "C10: the value of urgency is no list of code"),
        (rule("C10", when=asks("urgency", "eq", None)), "C10: the value of urgency is no code"),
        (rule("C20", order=10), "C10, C20: order 10 stands 2 times at CARE_COORDINATOR"),
        (rule("C20", rule_id="C10"), "C10: the id stands 2 times"),
        (rule("C10", destination="PRESS"), "C10: unknown destination"),
        (rule("C10", effect="MAYBE"), "C10: effect is SEND or DENY"),
        (rule("C10", deliver_as="CONSULT"), "C10: a DENY rule delivers nothing"),
        (rule("C10", owner=None), "C10: owner and next_wd stand together"),
        (rule("C10", next_wd=0), "C10: owner and next_wd stand together"),
        (rule("C20", owner="ATTENTION_OFFICER", next_wd=20), "C20: a SEND rule has no owner: the receiver is"),
        (rule("C20", deliver_as=None), "C20: deliver_as is one of CONSULT, FULL_PSEUDONYMOUS, YOUTH_ROUTE"),
        (rule("A20", deliver_as="YOUTH_ROUTE"), "A20: deliver_as is one of FULL_PSEUDONYMOUS, MINOR_STUB"),
        (rule("C10", valid_to="2025-12-31"), "C10: valid_to lies before valid_from"),
        (rule("C10", valid_from="soon"), "C10 valid_from: wrong type"),
        (rule("C10", order="10"), "C10 order: wrong type"),
        (rule("C10", weight=3), "C10 weight: unknown field"),
        (changed(lambda found: found.update(default_effect="SEND")), "rule set: the default is DENY with reason NO_RULE"),
        (changed(lambda found: found.update(operators=["eq", "like"])), "rule set: operators are eq, in, lt, gte"),
        (changed(lambda found: found.update(unassigned={"owner": "X"})), "rule set: owner and next_wd stand together"),
        (changed(lambda found: found["gate"].pop("STATISTICS")), "gate.STATISTICS: missing or empty"),
        (changed(lambda found: found["rules"].append(7)), "rules[23]: wrong type"),
        (changed(lambda found: found["rules"][0].pop("rule_id")), "rules[0] rule_id: missing or empty"),
        (changed(lambda found: found["rules"].clear()), "rules: missing or empty"),
        ([], "rule set: wrong type"),
    ],
)
def test_r_route_03_an_invalid_rule_set_names_the_rule_and_what_is_wrong(document: Any, problem: str) -> None:
    assert any(found.startswith(problem) for found in problems_of(document))


def test_one_working_day_is_enough_to_keep_a_signal() -> None:
    found = parse_ruleset(rule("C10", next_wd=1)).rule("C10")
    assert found is not None
    assert found.next_wd == 1


def test_r_route_03_every_problem_is_named_at_once() -> None:
    document = rule("C10", when=asks("sex", "eq", "F"), effect="MAYBE")
    document["default_reason"] = "WHO_KNOWS"
    assert len(problems_of(document)) == 3
    with pytest.raises(InvalidRuleSetError, match=r"default is DENY.*C10: effect.*C10: unknown field"):
        parse_ruleset(document)


def test_a_rule_set_may_leave_out_what_has_a_default() -> None:
    def shorten(document: Document) -> None:
        del document["operators"], document["unassigned"]
        for found in document["rules"]:
            del found["valid_to"]

    rules = parse_ruleset(changed(shorten))
    assert rules.unassigned is None
    assert rules.rules == load_default_ruleset().rules


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(DEFAULT)), json_values)
def test_whatever_stands_in_a_rule_set_only_invalid_rule_set_is_raised(name: str, value: Any) -> None:
    with suppress(InvalidRuleSetError):
        parse_ruleset(copy.deepcopy(DEFAULT) | {name: value})


@given(st.sampled_from(sorted(DEFAULT["rules"][0])), json_values)
def test_whatever_stands_in_a_rule_only_invalid_rule_set_is_raised(name: str, value: Any) -> None:
    with suppress(InvalidRuleSetError):
        parse_ruleset(rule("C10", **{name: value}))
