"""Which rule decided and why the ones before it did not (R-ROUTE-06)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from signal_exchange.domain.codes import CodeLists
from signal_exchange.domain.refusals import Coded, Phrase
from signal_exchange.domain.rules.facts import FACT_CODES, Facts
from signal_exchange.domain.rules.routing import Route, routes_for
from signal_exchange.domain.rules.ruleset import Condition, RuleSet

_NAMES: Final[Mapping[str, str]] = {
    "victim_count": "fact.victim_count",
    "any_minor_victim": "fact.any_minor_victim",
    "any_minor_subject": "fact.any_minor_subject",
    "urgency": "fact.urgency",
    "consent": "fact.consent",
    "care_need_count": "fact.care_need_count",
    "care_basis": "fact.care_basis",
    "reporter_source": "fact.reporter_source",
    "corroborated": "fact.corroborated",
    "cluster_size": "fact.cluster_size",
    "rescreen_due": "fact.rescreen_due",
    "schema_valid": "fact.schema_valid",
}


@dataclass(frozen=True, slots=True)
class Trial:
    """A rule that was tried and did not hold, with what was not met."""

    rule_id: str
    unmet: tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Reason why one destination gets a signal or not: the decision, its reason in words, and the rules tried before it."""

    route: Route
    text_nl: str
    tried: tuple[Trial, ...]


def explain(
    signal: Mapping[str, object] | None, facts: Facts, ruleset: RuleSet, day: date, codes: CodeLists
) -> tuple[Explanation, ...]:
    """Explain the routes of a signal on a day, in the order of the destinations; None for a withdrawn signal."""
    routes = routes_for(signal, facts, ruleset, day)
    return tuple(_explained(route, facts, ruleset, day, codes) for route in routes)


def _explained(route: Route, facts: Facts, ruleset: RuleSet, day: date, codes: CodeLists) -> Explanation:
    rule = ruleset.rule(route.rule_id)
    text = codes.label_nl("route_reason", route.reason) if rule is None else rule.explanation_nl
    tried = () if route.rule_id in {"state", "gate"} else tuple(_tried(route, facts, ruleset, day))
    return Explanation(route, text, tried)


def _tried(route: Route, facts: Facts, ruleset: RuleSet, day: date) -> Iterator[Trial]:
    for rule in ruleset.rules_on(route.destination, day):
        if rule.rule_id == route.rule_id:
            return
        yield Trial(rule.rule_id, tuple(_unmet(each, facts) for each in rule.when if not each.holds(facts)))


def _unmet(condition: Condition, facts: Facts) -> Phrase:
    name, wanted = condition.field, condition.value
    first, *others = (_shown(name, value) for value in (wanted if isinstance(wanted, tuple) else (wanted,)))
    asked = first
    for other in others:
        asked = Phrase("either", {"one": asked, "other": other})
    if condition.op in {"lt", "gte"}:
        asked = Phrase("less_than" if condition.op == "lt" else "at_least", {"value": asked})
    return Phrase("unmet", {"fact": Phrase(_NAMES[name]), "found": _shown(name, getattr(facts, name)), "asks": asked})


def _shown(name: str, value: object) -> object:
    if isinstance(value, bool):
        return Phrase("yes" if value else "no")
    if value is None:
        return Phrase("not_there")
    return Coded(FACT_CODES[name], str(value)) if name in FACT_CODES else value
