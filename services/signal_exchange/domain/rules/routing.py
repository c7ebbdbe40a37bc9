"""Which destination gets a signal, in which form and by which rule: pure, default deny (R-ROUTE)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, cast

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.destinations import CODES, OWNING
from signal_exchange.domain.rules.facts import Facts
from signal_exchange.domain.rules.ruleset import Effect, FallbackOwner, Rule, RuleSet
from signal_exchange.domain.signals.coded import purposes
from signal_exchange.domain.signals.coded_types import CodedSignal

BY_STATE: Final = "state"
BY_GATE: Final = "gate"
BY_DEFAULT: Final = "default"
"""What stands in the place of a rule id where no rule decided (R-ROUTE-06)."""


@dataclass(frozen=True, slots=True)
class Route:
    """The decision for one destination; `owner` and `next_wd` are those of the rule that denied it."""

    destination: str
    effect: Effect
    deliver_as: str | None
    rule_id: str
    reason: str
    owner: str | None = None
    next_wd: int | None = None


def routes_for(signal: Mapping[str, object] | None, facts: Facts, ruleset: RuleSet, day: date) -> tuple[Route, ...]:
    """Decide every destination on a day, in their order; None for a signal that is withdrawn or erased (R-ROUTE-02)."""
    if signal is None:
        return routes_of_ended()
    return routes_by_purpose(purposes(cast("CodedSignal", signal)), facts, ruleset, day)


def routes_of_ended() -> tuple[Route, ...]:
    """Deny every destination, as of a signal that is withdrawn or erased (R-ROUTE-02)."""
    return tuple(Route(destination, "DENY", None, BY_STATE, "WITHDRAWN") for destination in CODES)


def routes_by_purpose(exchanged: Collection[str], facts: Facts, ruleset: RuleSet, day: date) -> tuple[Route, ...]:
    """Decide every destination for a signal that may be exchanged for these purposes."""
    return tuple(route_to(destination, exchanged, facts, ruleset, day) for destination in CODES)


def route_to(destination: str, exchanged: Collection[str], facts: Facts, ruleset: RuleSet, day: date) -> Route:
    """Decide one destination: the gate, then the first rule that holds, else DENY (R-ROUTE-02, R-ROUTE-03)."""
    if ruleset.gate[destination] not in exchanged:
        return Route(destination, "DENY", None, BY_GATE, "NO_EXCHANGE")
    for rule in ruleset.rules[destination]:
        if rule.valid_on(day) and rule.holds(facts):
            return _route_of(rule)
    return Route(destination, "DENY", None, BY_DEFAULT, "NO_RULE")


def _route_of(rule: Rule) -> Route:
    return Route(rule.destination, rule.effect, rule.deliver_as, rule.rule_id, rule.reason, rule.owner, rule.next_wd)


def unassigned(routes: Iterable[Route], ruleset: RuleSet) -> FallbackOwner | None:
    """Return the owner of an open signal that goes neither to care nor to the agenda; None when somebody has it (R-ROUTE-11).

    The earlier term of the two rules that denied it counts; where a gate denied, the rule set says who.
    """
    asked = [route for route in routes if route.destination in OWNING]
    if any(route.effect == "SEND" or route.rule_id == BY_STATE for route in asked):
        return None
    named = [
        FallbackOwner(route.owner, route.next_wd) for route in asked if route.owner is not None and route.next_wd is not None
    ]
    return min(named, key=lambda owner: owner.next_wd, default=ruleset.unassigned)


def rescreen_due_from(published_at: datetime, calendar: WorkingCalendar) -> datetime:
    """Give the moment from which a signal's re-screen is due, counted from its version 1 (R-ROUTE-08)."""
    return calendar.deadline(published_at, calendar.policy.rescreen_wd)


def rescreen_due(published_at: datetime, now: datetime, calendar: WorkingCalendar) -> bool:
    """Say whether the re-screen is due; that it was done or the signal closed is for the caller to know (R-ROUTE-08)."""
    return now >= rescreen_due_from(published_at, calendar)
