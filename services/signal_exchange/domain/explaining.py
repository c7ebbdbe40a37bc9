"""Saying in Dutch which rule decided and why the ones before it did not (R-ROUTE-06)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from signal_exchange.domain.codes import CodeLists
from signal_exchange.domain.facts import FACT_CODES, Facts
from signal_exchange.domain.routing import Route, routes_for
from signal_exchange.domain.rules import Condition, RuleSet

_NAMES: Final[Mapping[str, str]] = {
    "victim_count": "aantal slachtoffers",
    "any_minor_victim": "minderjarig slachtoffer",
    "any_minor_subject": "minderjarig slachtoffer of minderjarige verdachte",
    "urgency": "urgentie",
    "consent": "toestemming",
    "care_need_count": "aantal zorgbehoeften",
    "care_basis": "grondslag voor zorg",
    "reporter_source": "bron",
    "corroborated": "bevestigd door een tweede bron",
    "cluster_size": "aantal signalen in samenhang",
    "rescreen_due": "hertoets aan de beurt",
    "schema_valid": "geldig signaal",
}
_WANTED: Final[Mapping[str, str]] = {"eq": "{}", "in": "{}", "lt": "minder dan {}", "gte": "minstens {}"}


@dataclass(frozen=True, slots=True)
class Trial:
    """A rule that was tried and did not hold, with what was not met."""

    rule_id: str
    unmet_nl: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one destination gets a signal or not: the decision, its reason in words, and the rules tried before it."""

    route: Route
    destination_nl: str
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
    tried = () if route.rule_id in {"state", "gate"} else tuple(_tried(route, facts, ruleset, day, codes))
    return Explanation(route, codes.label_nl("route_destination", route.destination), text, tried)


def _tried(route: Route, facts: Facts, ruleset: RuleSet, day: date, codes: CodeLists) -> Iterator[Trial]:
    for rule in ruleset.rules_on(route.destination, day):
        if rule.rule_id == route.rule_id:
            return
        yield Trial(rule.rule_id, tuple(_unmet(each, facts, codes) for each in rule.when if not each.holds(facts)))


def _unmet(condition: Condition, facts: Facts, codes: CodeLists) -> str:
    name, wanted = condition.field, condition.value
    asked = " of ".join(_shown(name, value, codes) for value in (wanted if isinstance(wanted, tuple) else (wanted,)))
    found = _shown(name, getattr(facts, name), codes)
    return f"{_NAMES[name]} is {found}, de regel vraagt {_WANTED[condition.op].format(asked)}"


def _shown(name: str, value: object, codes: CodeLists) -> str:
    if isinstance(value, bool):
        return "ja" if value else "nee"
    if value is None:
        return "er niet"
    return codes.label_nl(FACT_CODES[name], str(value)) if name in FACT_CODES else str(value)
