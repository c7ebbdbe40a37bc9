"""Reading a rule set from JSON: every problem at once, each naming its rule."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from signal_exchange.domain.destinations import BY_CODE, CODES
from signal_exchange.domain.rules.facts import FACT_KINDS
from signal_exchange.domain.rules.ruleset import OPERATORS, Condition, FallbackOwner, InvalidRuleSetError, Rule, RuleSet
from signal_exchange.domain.signals.shape import Leaf, Many, Reading, Record, is_count, is_date, is_flag, is_text, needed

Document = Mapping[str, Any]
Problems = Iterator[str]

_KIND_FITS: Final = {"count": is_count, "flag": is_flag, "code": is_text}
_ORDERED: Final = frozenset({"lt", "gte"})
_INDEX: Final = re.compile(r"rules\[([0-9]+)\]\.?")


def _any(_value: object) -> bool:
    return True


_OWNER: Final = {"owner": Leaf(is_text, nullable=True), "next_wd": Leaf(is_count, nullable=True)}
_CONDITION: Final = Record({"field": needed(is_text), "op": needed(is_text), "value": needed(_any)})
_RULE: Final = Record({
    "rule_id": needed(is_text),
    "destination": needed(is_text),
    "order": needed(is_count),
    "active": needed(is_flag),
    "valid_from": needed(is_date),
    "valid_to": Leaf(is_date, nullable=True),
    "when": Record({"all": Many(_CONDITION, required=True, filled=True)}, required=True),
    "effect": needed(is_text),
    "deliver_as": Leaf(is_text, nullable=True),
    "reason": needed(is_text),
    "explanation_nl": needed(is_text),
    **_OWNER,
})  # fmt: skip
_RULESET: Final = Record({
    "ruleset_id": needed(is_text),
    "version": needed(is_count),
    "status": needed(is_text),
    "gate": Record({destination: needed(is_text) for destination in CODES}, required=True),
    "operators": Many(Leaf(is_text)),
    "default_effect": needed(is_text),
    "default_reason": needed(is_text),
    "unassigned": Record(_OWNER, nullable=True),
    "rules": Many(_RULE, required=True, filled=True),
})  # fmt: skip


def parse_ruleset(document: Mapping[str, object]) -> RuleSet:
    """Read a rule set as in routing_rules.json; raises InvalidRuleSetError with every problem found (R-ROUTE-03)."""
    problems = tuple(_form_problems(document)) or tuple(_problems(document))
    if problems:
        raise InvalidRuleSetError(problems)
    return _ruleset(document)


def _form_problems(document: Mapping[str, object]) -> Problems:
    found = Reading()
    _RULESET.read(document, "", found)
    yield from (f"{_named(wrong.field, document)}: wrong type" for wrong in found.types)
    yield from (f"{_named(path, document)}: missing or empty" for path in found.missing)
    yield from (f"{_named(path, document)}: unknown field" for path in found.unknown)


def _named(path: str, document: Document) -> str:
    """Put the rule's own id in the place of its number, where it has one."""
    found = _INDEX.match(path)
    if found is None:
        return path or "rule set"
    rule = document["rules"][int(found[1])]
    name = rule.get("rule_id") if isinstance(rule, Mapping) else None
    return f"{name or found[0].rstrip('.')} {path[found.end() :]}".strip()


def _problems(document: Document) -> Problems:
    if (document["default_effect"], document["default_reason"]) != ("DENY", "NO_RULE"):
        yield "rule set: the default is DENY with reason NO_RULE"
    if not set(document.get("operators", OPERATORS)) <= set(OPERATORS):
        yield f"rule set: operators are {', '.join(OPERATORS)}"
    yield from _keeper_problems("rule set", document.get("unassigned") or {})
    yield from _repeats(document["rules"])
    for rule in document["rules"]:
        yield from (f"{rule['rule_id']}: {problem}" for problem in _rule_problems(rule))


def _repeats(rules: list[Document]) -> Problems:
    ids = Counter(rule["rule_id"] for rule in rules)
    yield from (f"{rule_id}: the id stands {count} times" for rule_id, count in ids.items() if count > 1)
    places = Counter((rule["destination"], rule["order"]) for rule in rules)
    for (destination, order), count in places.items():
        if count > 1:
            named = ", ".join(rule["rule_id"] for rule in rules if (rule["destination"], rule["order"]) == (destination, order))
            yield f"{named}: order {order} stands {count} times at {destination}"


def _rule_problems(rule: Document) -> Problems:
    if rule["destination"] not in BY_CODE:
        yield "unknown destination"
    else:
        yield from _effect_problems(rule, BY_CODE[rule["destination"]].forms)
    if rule.get("valid_to") is not None and rule["valid_to"] < rule["valid_from"]:
        yield "valid_to lies before valid_from"
    yield from _keeper_problems("", rule)
    for condition in rule["when"]["all"]:
        yield from _condition_problems(condition)


def _effect_problems(rule: Document, forms: frozenset[str]) -> Problems:
    if rule["effect"] == "SEND":
        if rule.get("deliver_as") not in forms:
            yield f"deliver_as is one of {', '.join(sorted(forms))}"
        if rule.get("owner") is not None:
            yield "a SEND rule has no owner: the receiver is"
    elif rule["effect"] != "DENY":
        yield "effect is SEND or DENY"
    elif rule.get("deliver_as") is not None:
        yield "a DENY rule delivers nothing"


def _keeper_problems(where: str, found: Document) -> Problems:
    owner, next_wd = found.get("owner"), found.get("next_wd")
    if (owner is None) != (next_wd is None) or (next_wd is not None and next_wd < 1):
        yield f"{where}: owner and next_wd stand together, next_wd from 1".removeprefix(": ")


def _condition_problems(condition: Document) -> Problems:
    name, op = condition["field"], condition["op"]
    kind = FACT_KINDS.get(name)
    if kind is None:
        yield f"unknown field {name}"
    elif op not in OPERATORS:
        yield f"unknown operator {op}"
    elif op in _ORDERED and kind != "count":
        yield f"{op} compares counts, {name} is none"
    elif not _value_fits(condition["value"], kind, op):
        yield f"the value of {name} is no {'list of ' if op == 'in' else ''}{kind}"


def _value_fits(value: object, kind: str, op: str) -> bool:
    fits = _KIND_FITS[kind]
    if op != "in":
        return fits(value)
    return isinstance(value, list) and bool(value) and all(fits(each) for each in value)


def _ruleset(document: Document) -> RuleSet:
    rules = sorted((_rule(rule) for rule in document["rules"]), key=lambda rule: rule.order)
    return RuleSet(
        ruleset_id=document["ruleset_id"],
        version=document["version"],
        status=document["status"],
        gate=dict(document["gate"]),
        rules={name: tuple(rule for rule in rules if rule.destination == name) for name in CODES},
        unassigned=_keeper(document.get("unassigned") or {}),
    )


def _keeper(found: Document) -> FallbackOwner | None:
    return FallbackOwner(found["owner"], found["next_wd"]) if found.get("owner") is not None else None


def _rule(rule: Document) -> Rule:
    read = {
        "valid_from": date.fromisoformat(rule["valid_from"]),
        "valid_to": None if rule.get("valid_to") is None else date.fromisoformat(rule["valid_to"]),
        "when": tuple(_condition(condition) for condition in rule["when"]["all"]),
    }
    return Rule(**{"deliver_as": None, **rule, **read})


def _condition(condition: Document) -> Condition:
    value = condition["value"]
    return Condition(condition["field"], condition["op"], tuple(value) if isinstance(value, list) else value)
