"""The fields that each form of delivery may show, the plain way (R-ROUTE-07, R-ROUTE-13)."""

from typing import Any

from signal_exchange_demo.oracle.reference import Json

NEVER = {"signal_id", "version", "supersedes", "municipality", "urgency", "exchanges", "guard", "emergency_advised", "subjects"}
"""What travels beside the coded fields, or not at all."""


def shown(data: Json, form: str, destination: str) -> Json:
    """Give the coded fields that a delivery of this form carries, without those that are empty."""
    subjects, coded = data["subjects"], {name: value for name, value in data.items() if name not in NEVER}
    if form == "MINOR_STUB":
        minors = [one for one in subjects if one["is_minor"] and one["role"] in ("VICTIM", "SUSPECT")]
        seen = {"forms": {"primary": data["forms"]["primary"], "secondary": []}, "subjects": [_age(one) for one in minors]}
    elif form == "CONSULT":
        seen = {**coded, "consent": {"status": data["consent"]["status"]}}
    elif form == "YOUTH_ROUTE":
        seen = {
            **coded,
            "subjects": [one if one["is_minor"] else _of(one, "ref", "role", "relation_to_offender") for one in subjects],
        }
    elif destination == "SCREENING_AGENDA":
        seen = {**coded, "subjects": [_age(one) if one["is_minor"] else one for one in subjects]}
    else:
        seen = {**coded, "subjects": [_of(one, "ref", "role") if one["is_minor"] else one for one in subjects]}
    filled: Json = without_nothing(seen)
    return filled


def without_nothing(value: Any) -> Any:
    """Give a value without fields that are null, at any depth."""
    if isinstance(value, dict):
        return {name: without_nothing(each) for name, each in value.items() if each is not None}
    return [without_nothing(each) for each in value] if isinstance(value, list) else value


def _age(subject: Json) -> Json:
    return _of(subject, "age_band")


def _of(subject: Json, *names: str) -> Json:
    return {name: subject.get(name) for name in names}
