"""Routing, the plain way (rules.md section 2)."""

from datetime import date, datetime

from signal_exchange_demo.oracle.days import deadline
from signal_exchange_demo.oracle.reference import Json, Reference

DESTINATIONS = ("CARE_COORDINATOR", "SCREENING_AGENDA", "STATISTICS", "CHAIR_ALERT")
RESCREEN_AFTER = 20
Route = dict[str, str | None]


def raised(urgency: str, *, any_minor_victim: bool) -> str:
    """Raise the urgency to URGENT for a minor victim, if it is lower (R-ROUTE-07)."""
    if any_minor_victim and urgency in ("REGULAR", "MONITOR"):
        return "URGENT"
    return urgency


def facts_of(signal: Json, *, cluster_size: int = 1, rescreen_due: bool = False) -> Json:
    """Give the facts that rules may use, and no other (R-ROUTE-04)."""
    victims = [subject for subject in signal["subjects"] if subject["role"] == "VICTIM"]
    suspects = [subject for subject in signal["subjects"] if subject["role"] == "SUSPECT"]
    minor_victim = any(victim["is_minor"] for victim in victims)
    care = [entry["legal_basis"] for entry in signal["exchanges"] if entry["purpose"] == "CARE_REFERRAL"]
    return {
        "victim_count": len(victims),
        "any_minor_victim": minor_victim,
        "any_minor_subject": minor_victim or any(suspect["is_minor"] for suspect in suspects),
        "urgency": raised(signal["urgency"], any_minor_victim=minor_victim),
        "consent": signal["consent"]["status"],
        "care_need_count": len(signal.get("care_needs", [])),
        "care_basis": care[0] if care else None,
        "reporter_source": signal["reporter_source"],
        "corroborated": signal["corroborated"],
        "cluster_size": cluster_size,
        "rescreen_due": rescreen_due,
        "schema_valid": True,
    }


def _holds(condition: Json, facts: Json) -> bool:
    value, wanted = facts[condition["field"]], condition["value"]
    if condition["op"] == "eq":
        return bool(value == wanted)
    if condition["op"] == "in":
        return value in wanted
    if condition["op"] == "lt":
        return bool(value < wanted)
    if condition["op"] == "gte":
        return bool(value >= wanted)
    raise ValueError("The rule set uses an operator that does not exist.")


def _in_force(rule: Json, day: date) -> bool:
    ends = rule["valid_to"]
    return bool(rule["active"]) and rule["valid_from"] <= day.isoformat() and (ends is None or ends >= day.isoformat())


def _deny(rule_id: str, reason: str) -> Route:
    return {"effect": "DENY", "deliver_as": None, "rule_id": rule_id, "reason": reason}


def deciding_rule(destination: str, facts: Json, day: date, rules: Json) -> Json | None:
    """Give the first rule in order that is active, valid and whose conditions all hold (R-ROUTE-03)."""
    own = sorted((rule for rule in rules["rules"] if rule["destination"] == destination), key=lambda rule: int(rule["order"]))
    for rule in own:
        if _in_force(rule, day) and all(_holds(condition, facts) for condition in rule["when"]["all"]):
            return dict(rule)
    return None


def route(destination: str, signal: Json, facts: Json, day: date, rules: Json) -> Route:
    """Decide one destination: the gate first, then the rules (R-ROUTE-02, R-ROUTE-03)."""
    if rules["gate"][destination] not in [entry["purpose"] for entry in signal["exchanges"]]:
        return _deny("gate", "NO_EXCHANGE")
    rule = deciding_rule(destination, facts, day, rules)
    if rule is None:
        return _deny("default", "NO_RULE")
    return {name: rule[name] for name in ("effect", "deliver_as", "rule_id", "reason")}


def routes_for(signal: Json, facts: Json, day: date, reference: Reference) -> dict[str, Route]:
    """Decide all four destinations, each by itself (R-ROUTE-01)."""
    return {destination: route(destination, signal, facts, day, reference.rules) for destination in DESTINATIONS}


def routes_withdrawn() -> dict[str, Route]:
    """Deny every destination for a withdrawn or erased signal (R-ROUTE-02)."""
    return {destination: _deny("state", "WITHDRAWN") for destination in DESTINATIONS}


def unassigned(routes: dict[str, Route], rules: Json) -> tuple[str, int] | None:
    """Return the owner of a signal that goes neither to care nor to the agenda, and within how many working days (R-ROUTE-11)."""
    two = [routes["CARE_COORDINATOR"], routes["SCREENING_AGENDA"]]
    if any(one["effect"] == "SEND" or one["reason"] == "WITHDRAWN" for one in two):
        return None
    ids = {one["rule_id"] for one in two}
    named = [(rule["next_wd"], rule["owner"]) for rule in rules["rules"] if rule["rule_id"] in ids]
    if not named:
        return rules["unassigned"]["owner"], rules["unassigned"]["next_wd"]
    next_wd, owner = min(named)
    return owner, next_wd


def retractions(old: dict[str, Route], new: dict[str, Route]) -> list[dict[str, str | None]]:
    """List the old deliveries that go back, with the rule that changed them (R-ROUTE-05)."""
    found: list[dict[str, str | None]] = []
    for destination, before in old.items():
        after = new[destination]
        if before["effect"] == "SEND" and (after["effect"] == "DENY" or after["deliver_as"] != before["deliver_as"]):
            form = before["deliver_as"]
            found.append({"destination": destination, "deliver_as": form, "changed_by": after["rule_id"]})
    return found


def rescreen_due(published: datetime, now: datetime, reference: Reference) -> bool:
    """Say whether the re-screen is due: from 17:00 of the 20th working day after version 1 (R-ROUTE-08)."""
    return now >= deadline(published, RESCREEN_AFTER, reference.equated)
