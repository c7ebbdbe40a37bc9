"""Proving a rule set by enumeration: what must hold of every combination of facts (R-ROUTE-11)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from operator import itemgetter
from typing import Final

from signal_exchange.domain.codes import CodeLists
from signal_exchange.domain.destinations import CARE_COORDINATOR, CHAIR_ALERT, CODES, OWNING, SCREENING_AGENDA
from signal_exchange.domain.people import ACCESS_ONLY
from signal_exchange.domain.rules.fact_space import Combination, combinations
from signal_exchange.domain.rules.facts import FACT_CODES, FACT_KINDS, Facts
from signal_exchange.domain.rules.routing import BY_DEFAULT, BY_GATE, Route, route_to, unassigned
from signal_exchange.domain.rules.ruleset import Rule, RuleSet

CHECKS: Final[Mapping[str, str]] = {
    "NAMED_RULE": "a named rule decides every combination",
    "OWNER": "every signal that goes neither to care nor to the agenda has an owner and a next date",
    "UNREACHABLE": "every rule decides something",
    "MATCHES_ALL": "no rule matches everything",
    "MINOR_SHIELDED": "no minor reaches the agenda unshielded",
    "YOUTH_ROUTE": "care gets a minor victim by the youth route, and nobody else",
    "ACUTE_ALERTS": "every ACUTE case alerts somebody",
    "UNKNOWN_CODE": "every code in a rule exists",
}
"""What is proved, by the name of the check."""


@dataclass(frozen=True, slots=True)
class LintProblem:
    """One thing that does not hold from a day on; `example` is a combination of facts that shows it."""

    check: str
    day: date
    rule_id: str | None = None
    destination: str | None = None
    example: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class LintReport:
    """The result of a proof: the days on which rules change, over how many classes of facts, and what does not hold."""

    ruleset_id: str
    version: int
    days: tuple[date, ...]
    classes: int
    problems: tuple[LintProblem, ...]

    @property
    def holds(self) -> bool:
        """Say whether everything is proved."""
        return not self.problems


def lint(ruleset: RuleSet, codes: CodeLists, *, day: date | None = None) -> LintReport:
    """Prove a rule set from a day on, each time that a rule starts or ends; by default from its own first day.

    A rule that decides nothing on any of these days is unreachable.
    """
    proofs = [_Proof(ruleset, codes, each) for each in _days_of_change(ruleset, day)]
    problems = [*(problem for proof in proofs for problem in proof.problems), *_unreachable(proofs)]
    days, classes = tuple(proof.day for proof in proofs), sum(proof.classes for proof in proofs)
    return LintReport(ruleset.ruleset_id, ruleset.version, days, classes, tuple(problems))


def _days_of_change(ruleset: RuleSet, day: date | None) -> tuple[date, ...]:
    rules = [rule for found in ruleset.rules.values() for rule in found]
    first = day or max(min(rule.valid_from for rule in found) for found in ruleset.rules.values() if found)
    starts = {rule.valid_from for rule in rules}
    ends = {rule.valid_to + timedelta(days=1) for rule in rules if rule.valid_to is not None}
    return (first, *sorted(change for change in starts | ends if change > first))


def _unreachable(proofs: Sequence["_Proof"]) -> Iterator[LintProblem]:
    deciding = {rule_id for proof in proofs for rule_id in proof.deciding}
    first_days = {rule: proof.day for proof in reversed(proofs) for rule in proof.rules}
    for rule, day in first_days.items():
        if rule.rule_id not in deciding:
            yield LintProblem("UNREACHABLE", day, rule.rule_id, rule.destination)


class _Proof:
    """The proof for one day: every class of combinations is routed, and each check looks at what came out."""

    def __init__(self, ruleset: RuleSet, codes: CodeLists, day: date) -> None:
        self.day = day
        self.classes = 0
        self.rules = tuple(rule for name in CODES for rule in ruleset.rules_on(name, day))
        self.deciding: set[str] = set()
        self._ruleset = ruleset
        self._memory = [_Memory(ruleset, name, day) for name in CODES]
        self._seen: set[tuple[object, ...]] = set()
        self._found: dict[tuple[str, str | None], LintProblem] = {}
        self._check_codes(codes)
        for combination in combinations(ruleset, codes, day):
            self._check(combination)
        self._check_whole()

    @property
    def problems(self) -> tuple[LintProblem, ...]:
        """Give the properties that do not hold, each with its first example."""
        return tuple(self._found.values())

    def _check(self, combination: Combination) -> None:
        self.classes += len(combination.purposes)
        behind_gates = [memory.route(combination) for memory in self._memory]
        outcome = (*(route.rule_id for route in behind_gates), *_looked_at(combination.values), combination.purposes)
        # Combinations with the same decisions and the same facts that a check looks at are all right or all wrong.
        if outcome not in self._seen:
            self._seen.add(outcome)
            for purposes in combination.purposes:
                self._check_routes(combination.facts, purposes, behind_gates)

    def _check_routes(self, facts: Facts, purposes: frozenset[str], behind_gates: Iterable[Route]) -> None:
        routes = tuple(memory.through_gate(route, purposes) for memory, route in zip(self._memory, behind_gates, strict=True))
        for check, destination in _broken(routes, facts, self._ruleset):
            self._add(check, destination=destination, example={**asdict(facts), "purposes": sorted(purposes)})
        # What only invalid signals reach counts for a rule that asks for them: any other would be parked before.
        asking = {rule.rule_id for rule in self.rules if facts.schema_valid or _asks(rule, "schema_valid")}
        self.deciding |= asking & {route.rule_id for route in routes}

    def _check_whole(self) -> None:
        if not self.classes:
            self._add("NAMED_RULE")
        for memory in self._memory:
            for rule_id in sorted(memory.matching_all):
                self._add("MATCHES_ALL", rule_id, memory.destination)

    def _check_codes(self, codes: CodeLists) -> None:
        for rule in self.rules:
            unknown = any(not codes.valid(name, code, self.day) for name, code in _codes_of(rule))
            if unknown or rule.owner in ACCESS_ONLY:
                self._add("UNKNOWN_CODE", rule.rule_id, rule.destination)
        for destination, purpose in self._ruleset.gate.items():
            if not codes.valid("purpose", purpose, self.day):
                self._add("UNKNOWN_CODE", None, destination)

    def _add(
        self,
        check: str,
        rule_id: str | None = None,
        destination: str | None = None,
        example: Mapping[str, object] | None = None,
    ) -> None:
        problem = LintProblem(check, self.day, rule_id, destination, example)
        self._found.setdefault((check, rule_id or destination), problem)


class _Memory:
    """The decisions of one destination by the facts that its rules ask for: most combinations differ only in others."""

    def __init__(self, ruleset: RuleSet, destination: str, day: date) -> None:
        self.destination = destination
        self._ruleset, self._day = ruleset, day
        self._gate = ruleset.gate[destination]
        self._rules = ruleset.rules_on(destination, day)
        asked = {condition.field for rule in self._rules for condition in rule.when}
        # The first fact stands in every key: an itemgetter needs at least one.
        self._key = itemgetter(*(index for index, name in enumerate(FACT_KINDS) if name in asked or index == 0))
        self._known: dict[object, Route] = {}
        self._openable: dict[tuple[frozenset[str], ...], bool] = {}
        self._unmatched: set[str] = set()

    @property
    def matching_all(self) -> set[str]:
        """Give the rules that held for every combination they could be asked about."""
        asked = any(self._openable.values())
        return {rule.rule_id for rule in self._rules} - self._unmatched if asked else set()

    def route(self, combination: Combination) -> Route:
        """Decide for facts as if the gate is open."""
        opens = self._opens(combination.purposes)
        key = (opens, self._key(combination.values))
        if key not in self._known:
            facts = combination.facts
            self._known[key] = route_to(self.destination, {self._gate}, facts, self._ruleset, self._day)
            self._unmatched |= {rule.rule_id for rule in self._rules if opens and not rule.holds(facts)}
        return self._known[key]

    def _opens(self, purposes: tuple[frozenset[str], ...]) -> bool:
        if purposes not in self._openable:
            self._openable[purposes] = any(self._gate in each for each in purposes)
        return self._openable[purposes]

    def through_gate(self, route: Route, purposes: frozenset[str]) -> Route:
        """Give the decision for a signal with these purposes."""
        return route if self._gate in purposes else Route(self.destination, "DENY", None, BY_GATE, "NO_EXCHANGE")


_looked_at: Final = itemgetter(
    *(list(FACT_KINDS).index(name) for name in ("any_minor_victim", "any_minor_subject", "urgency", "schema_valid"))
)


def _broken(routes: tuple[Route, ...], facts: Facts, ruleset: RuleSet) -> Iterator[tuple[str, str | None]]:
    care, agenda, alert = (routes[CODES.index(code)] for code in (CARE_COORDINATOR, SCREENING_AGENDA, CHAIR_ALERT))
    owned = any(route.effect == "SEND" for route in routes if route.destination in OWNING)
    yield from (("NAMED_RULE", route.destination) for route in routes if route.rule_id == BY_DEFAULT)
    if not owned and unassigned(routes, ruleset) is None:
        yield "OWNER", None
    if facts.any_minor_subject and agenda.effect == "SEND" and agenda.deliver_as != "MINOR_STUB":
        yield "MINOR_SHIELDED", SCREENING_AGENDA
    if care.effect == "SEND" and (care.deliver_as == "YOUTH_ROUTE") != facts.any_minor_victim:
        yield "YOUTH_ROUTE", CARE_COORDINATOR
    if facts.urgency == "ACUTE" and facts.schema_valid and alert.effect == "DENY":
        yield "ACUTE_ALERTS", CHAIR_ALERT


def _asks(rule: Rule, name: str) -> bool:
    return any(condition.field == name for condition in rule.when)


def _codes_of(rule: Rule) -> Iterator[tuple[str, str]]:
    yield "route_reason", rule.reason
    if rule.owner is not None:
        yield "role", rule.owner
    for condition in rule.when:
        if condition.field in FACT_CODES:
            values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
            yield from ((FACT_CODES[condition.field], str(value)) for value in values)
