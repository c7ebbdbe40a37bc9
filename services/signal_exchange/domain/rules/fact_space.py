"""Every combination of facts that routing can meet, in classes that the rules cannot tell apart.

The facts are finite once counts stand in classes, so what is proved for one of each class is proved for all. Two
values of a fact share a class when every condition of the rule set, and every rule of validation used here, gives the
same answer for both.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import product
from operator import itemgetter
from typing import Any, Final

from signal_exchange.domain.codes import CodeLists
from signal_exchange.domain.rules.facts import FACT_CODES, FACT_KINDS, Facts
from signal_exchange.domain.rules.ruleset import OPERATORS, Condition, RuleSet
from signal_exchange.domain.signals.coded import ANONYMOUS_TIP

Value = bool | int | str | None

_LEAST: Final = {"victim_count": 0, "care_need_count": 0, "cluster_size": 1}
_POLICE: Final = frozenset({"POLICE", "BORDER_POLICE"})
_TRUE: Final[tuple[frozenset[Value], ...]] = (frozenset({True}),)
_APART: Final[Mapping[str, tuple[frozenset[Value], ...]]] = {
    "victim_count": (frozenset({0}),),
    "any_minor_victim": _TRUE,
    "any_minor_subject": _TRUE,
    "corroborated": _TRUE,
    "schema_valid": _TRUE,
    "consent": (frozenset({"GIVEN"}),),
    "care_basis": tuple(frozenset({basis}) for basis in (None, "VITAL_INTEREST", "CONSENT", "WPG_RELEASE")),
    "reporter_source": (frozenset({ANONYMOUS_TIP}), _POLICE),
}
"""Values that validation or a check tells apart, beside those that the rules do; of the urgency all."""

_FREE: Final = ("care_need_count", "cluster_size", "rescreen_due")
"""Facts that no rule of validation ties to another."""
_TIED: Final = tuple(name for name in FACT_KINDS if name not in _FREE)
_IN_ORDER: Final = itemgetter(*((*_TIED, *_FREE).index(name) for name in FACT_KINDS))


@dataclass(frozen=True, slots=True)
class Combination:
    """One combination: the values of the facts in their order, and each set of purposes that it can come with."""

    values: tuple[Any, ...]
    purposes: tuple[frozenset[str], ...]

    @property
    def facts(self) -> Facts:
        """Give the values as facts."""
        return Facts(*self.values)


def combinations(ruleset: RuleSet, codes: CodeLists, day: date) -> Iterator[Combination]:
    """Give one combination of each class that a signal on this day can have.

    Of signals that are valid only those that validation lets through (R-VAL-09 to R-VAL-12, R-VAL-19); of signals that
    are not, all that can be thought of.
    """
    classes = fact_classes(ruleset, codes, day)
    free = list(product(*(classes[name] for name in _FREE)))
    for tied in product(*(classes[name] for name in _TIED)):
        facts = Facts(*_IN_ORDER((*tied, *free[0])))
        if _is_consistent(facts) and (not facts.schema_valid or _is_valid(facts)):
            purposes = _purposes(facts, ruleset)
            yield from (Combination(_IN_ORDER((*tied, *values)), purposes) for values in free)


def fact_classes(ruleset: RuleSet, codes: CodeLists, day: date) -> dict[str, tuple[Value, ...]]:
    """Give one value of each class of every fact."""
    asked = [condition for rules in ruleset.rules.values() for rule in rules for condition in rule.when]
    return {name: _classes(name, [each for each in asked if each.field == name], codes, day) for name in FACT_KINDS}


def _classes(name: str, conditions: list[Condition], codes: CodeLists, day: date) -> tuple[Value, ...]:
    if name == "urgency":
        return codes.codes_on("urgency", day)
    by_answers: dict[tuple[bool, ...], Value] = {}
    for value in _domain(name, conditions, codes, day):
        answers = [value is not None and OPERATORS[each.op](value, each.value) for each in conditions]
        by_answers.setdefault((*answers, *(value in apart for apart in _APART.get(name, ()))), value)
    return tuple(by_answers.values())


def _domain(name: str, conditions: list[Condition], codes: CodeLists, day: date) -> tuple[Value, ...]:
    if FACT_KINDS[name] == "flag":
        return (False, True)
    if FACT_KINDS[name] == "code":
        named = codes.codes_on(FACT_CODES[name], day)
        return (None, *named) if name == "care_basis" else named
    least = _LEAST[name]
    edges = {edge for each in conditions for value in _numbers(each) for edge in (value - 1, value, value + 1)}
    return tuple(sorted({least, least + 1, *(edge for edge in edges if edge >= least)}))


def _numbers(condition: Condition) -> tuple[int, ...]:
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    return tuple(int(value) for value in values)


def _is_consistent(facts: Facts) -> bool:
    """Say whether the facts can stand together in any signal (R-ROUTE-04, R-ROUTE-10)."""
    if facts.any_minor_victim:
        return facts.victim_count > 0 and facts.any_minor_subject and facts.urgency in {"ACUTE", "URGENT"}
    return True


def _is_valid(facts: Facts) -> bool:
    """Say whether validation lets the facts through."""
    if facts.reporter_source == ANONYMOUS_TIP and not facts.corroborated and _starts_too_high(facts):
        return False
    if facts.care_basis == "VITAL_INTEREST":
        return facts.urgency == "ACUTE"
    if facts.reporter_source in _POLICE:
        return facts.care_basis in {None, "WPG_RELEASE"}
    return facts.care_basis != "CONSENT" or (facts.consent == "GIVEN" and facts.victim_count > 0)


def _starts_too_high(facts: Facts) -> bool:
    return facts.urgency == "REGULAR" or (facts.urgency == "URGENT" and not facts.any_minor_victim)


def _purposes(facts: Facts, ruleset: RuleSet) -> tuple[frozenset[str], ...]:
    alert = facts.urgency == "ACUTE" or (facts.urgency == "URGENT" and facts.any_minor_victim)
    gated = frozenset(ruleset.gate.values())
    return _purpose_sets(gated, care=facts.care_basis is not None, alert=alert, valid=facts.schema_valid)


@lru_cache(maxsize=64)
def _purpose_sets(gated: frozenset[str], *, care: bool, alert: bool, valid: bool) -> tuple[frozenset[str], ...]:
    """Give the sets of purposes a signal may carry: care by its basis, statistics and alert as R-VAL-10 and 19 want."""
    wanted = {"CARE_REFERRAL": care, "STATISTICS": valid, "ACUTE_ALERT": valid and alert}
    must = {purpose for purpose, needed in wanted.items() if needed}
    may = sorted(gated - must - {"CARE_REFERRAL"})
    choices = product((False, True), repeat=len(may))
    return tuple(frozenset(must | {each for each, taken in zip(may, chosen, strict=True) if taken}) for chosen in choices)
