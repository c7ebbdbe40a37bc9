"""The acts of a person on the routing rules, for commands and pages alike: prove a rule set, explain what it decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from signal_exchange.domain.policy import Policy
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.domain.rules.explaining import Explanation, explain
from signal_exchange.domain.rules.facts import facts_of
from signal_exchange.domain.rules.lint import LintReport, lint
from signal_exchange.domain.rules.reading import parse_ruleset
from signal_exchange.domain.rules.routing import unassigned
from signal_exchange.domain.rules.ruleset import FallbackOwner, InvalidRuleSetError, RuleSet
from signal_exchange.domain.signals.drafts import without_sealed_parts
from signal_exchange.domain.signals.validation import validate
from signal_exchange.domain.signals.violations import Violation, dead_letter_reason
from signal_exchange.domain.times import local_day
from signal_exchange.reference.loading import load_code_lists, load_default_ruleset, load_members


@dataclass(frozen=True, slots=True)
class Parked:
    """The fault that keeps a signal from being routed at all: the reason for parking it, and the rules that it breaks."""

    reason: str
    violations: Sequence[Violation]


@dataclass(frozen=True, slots=True)
class Explained:
    """The decision of the rules of a day about a signal for each destination, and the owner who keeps it when nobody gets it."""

    day: date
    destinations: Sequence[Explanation]
    kept_by: FallbackOwner | None


@dataclass(frozen=True, slots=True)
class RuleActions:
    """Everything that a person can ask of the routing rules. A rule set is JSON; None means the default one."""

    now: Callable[[], datetime]

    def prove(self, rules: Mapping[str, object] | None, day: date | None = None) -> LintReport:
        """Return the proof of a rule set, from a day on.

        Raises:
            InvalidRuleSetError: it is none.
        """
        return lint(_ruleset(rules), load_code_lists(), day=day)

    def explain(
        self,
        document: object,
        rules: Mapping[str, object] | None = None,
        *,
        day: date | None = None,
        cluster_size: int = 1,
        rescreen_due: bool = False,
        withdrawn: bool = False,
    ) -> Explained | Parked:
        """Return the decision of the rules on a signal, which is a CloudEvent or its bare data, on its own day or on `day`.

        Raises:
            RefusedError: it is no signal, or the rule set is none.
        """
        coded, day = _coded(document), day or self._day_of(document)
        if broken := _violations(coded, day):
            return Parked(dead_letter_reason(broken, load_code_lists()), broken)
        try:
            ruleset = _ruleset(rules)
        except InvalidRuleSetError as fault:
            raise RefusedError("RULES_INVALID", problems=fault.problems) from None
        facts = facts_of(coded, cluster_size=cluster_size, rescreen_due=rescreen_due)
        found = explain(None if withdrawn else coded, facts, ruleset, day, load_code_lists())
        return Explained(day, found, unassigned([each.route for each in found], ruleset))

    def _day_of(self, document: object) -> date:
        sent = document.get("time") if isinstance(document, Mapping) else None
        try:
            return local_day(datetime.fromisoformat(str(sent)) if sent is not None else self.now())
        except ValueError:
            raise RefusedError("EVENT_TIME_WITHOUT_ZONE") from None


def _ruleset(rules: Mapping[str, object] | None) -> RuleSet:
    return load_default_ruleset() if rules is None else parse_ruleset(rules)


def _coded(document: object) -> dict[str, object]:
    data = document.get("data", document) if isinstance(document, Mapping) else None
    if not isinstance(data, Mapping):
        raise RefusedError("NOT_A_SIGNAL")
    return without_sealed_parts(data)


def _violations(coded: Mapping[str, object], day: date) -> tuple[Violation, ...]:
    sender = str(coded.get("municipality"))
    return validate(coded, day=day, sender=sender, members=load_members(), codes=load_code_lists(), policy=Policy())
