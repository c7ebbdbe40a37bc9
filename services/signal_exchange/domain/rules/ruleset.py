"""Routing rules as data: what a rule set may say (R-ROUTE-03)."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal, NamedTuple

from signal_exchange.domain.rules.facts import Facts

Effect = Literal["SEND", "DENY"]
Value = bool | int | str | tuple[bool | int | str, ...]


def _is_in(value: object, wanted: Any) -> bool:  # noqa: ANN401 - the kind of a condition's value was checked when it was read
    return value in wanted


OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "eq": operator.eq,
    "in": _is_in,
    "lt": operator.lt,
    "gte": operator.ge,
}
"""The four operators; there is no "or": use `in` or two rules."""


class InvalidRuleSetError(ValueError):
    """A rule set that may not be used; `problems` names each rule and what is wrong with it."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a fact."""

    field: str
    op: str
    value: Value

    def holds(self, facts: Facts) -> bool:
        """Say whether the facts satisfy it."""
        return OPERATORS[self.op](getattr(facts, self.field), self.value)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a destination; `owner` and `next_wd` say who keeps a signal that it denies, and how long."""

    rule_id: str
    destination: str
    order: int
    active: bool
    valid_from: date
    valid_to: date | None
    when: tuple[Condition, ...]
    effect: Effect
    deliver_as: str | None
    reason: str
    explanation_nl: str
    owner: str | None = None
    next_wd: int | None = None

    def valid_on(self, day: date) -> bool:
        """Say whether the rule counts on a day."""
        return self.active and self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def holds(self, facts: Facts) -> bool:
        """Say whether all its conditions hold."""
        return all(condition.holds(facts) for condition in self.when)


class FallbackOwner(NamedTuple):
    """The owner of a signal that nobody received, and for how many working days (R-ROUTE-11)."""

    owner: str
    next_wd: int


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A version of the rules; `rules` holds those of each destination in their order."""

    ruleset_id: str
    version: int
    status: str
    gate: Mapping[str, str]
    rules: Mapping[str, tuple[Rule, ...]]
    unassigned: FallbackOwner | None

    def rules_on(self, destination: str, day: date) -> tuple[Rule, ...]:
        """Give the rules of a destination that count on a day, in their order."""
        return tuple(rule for rule in self.rules[destination] if rule.valid_on(day))

    def rule(self, rule_id: str) -> Rule | None:
        """Find a rule; None for `state`, `gate` and `default`, which are no rules."""
        return next((rule for rules in self.rules.values() for rule in rules if rule.rule_id == rule_id), None)
