"""The shape of a coded signal: types (R-VAL-22), required fields (R-VAL-01) and unknown fields (R-VAL-17)."""

import re
from datetime import date

from signal_exchange_demo.oracle.reference import Json

Shape = str | dict[str, "Shape"] | list["Shape"]

EXCHANGE: Shape = {"purpose": "text", "legal_basis": "text", "partnership": "text", "release_ref": "text?"}
GUARD: Shape = {"version": "text", "result": "text", "findings": ["text"], "overrides": [{"type": "text", "reason": "text"}]}
TOKENS: Shape = [{"type": "text", "epoch": "text", "token": "text"}]

SUBJECT: dict[str, Shape] = {
    "ref": "text",
    "role": "text",
    "age_band": "text",
    "is_minor": "flag",
    "minor_at_event": "flag",
    "sex": "text?",
    "nationality_group": "text?",
    "relation_to_offender": "text?",
}
SIGNAL: dict[str, Shape] = {
    "signal_id": "uuid",
    "version": "number",
    "supersedes": "number?",
    "municipality": "text",
    "observed_weeks": {"from": "text", "to": "text"},
    "reporter_source": "text",
    "corroborated": "flag",
    "forms": {"primary": "text", "secondary": ["text"]},
    "sector": "text",
    "urgency": "text",
    "acts": ["text"],
    "means": ["text"],
    "indicators": ["text"],
    "vulnerabilities": ["text"],
    "subjects": [dict(SUBJECT)],
    "places": [{"kind": "text"}],
    "estimated_victims": "number?",
    "care_needs": ["text"],
    "consent": {"status": "text", "given_by": "text?", "recorded_on": "date?"},
    "police_data": "flag",
    "exchanges": [EXCHANGE],
    "guard": GUARD,
    "emergency_advised": "flag",
}
# Inside, before sealing, the signal still has its summary, objects and link tokens.
UNSEALED: dict[str, Shape] = {
    **SIGNAL,
    "subjects": [{**SUBJECT, "link_tokens": TOKENS}],
    "places": [{"kind": "text", "link_tokens": TOKENS}],
    "objects": TOKENS,
    "summary": "text?",
}
REQUIRED = [
    "signal_id",
    "version",
    "municipality",
    "observed_weeks",
    "observed_weeks.from",
    "observed_weeks.to",
    "reporter_source",
    "corroborated",
    "forms",
    "forms.primary",
    "sector",
    "urgency",
    "subjects",
    "consent",
    "consent.status",
    "police_data",
    "exchanges",
    "guard",
    "emergency_advised",
]
REQUIRED_OF_SUBJECT = ("ref", "role", "age_band", "is_minor", "minor_at_event")


def _is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _fits_kind(value: object, kind: str) -> bool:
    if kind.endswith("?"):
        return value is None or _fits_kind(value, kind[:-1])
    if kind == "flag":
        return isinstance(value, bool)
    if kind == "number":
        return isinstance(value, int) and not isinstance(value, bool)
    if not isinstance(value, str):
        return False
    if kind == "uuid":
        return re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", value) is not None
    return kind != "date" or _is_date(value)


def wrong_type(value: object, shape: Shape) -> bool:
    """Say whether a value, or anything in it, is of the wrong JSON type (R-VAL-22)."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return True
        return any(wrong_type(value[name], shape[name]) for name in value if name in shape)
    if isinstance(shape, list):
        return not isinstance(value, list) or any(wrong_type(item, shape[0]) for item in value)
    return not _fits_kind(value, shape)


def unknown_field(value: object, shape: Shape) -> bool:
    """Say whether an object holds a field that its shape does not name (R-VAL-17)."""
    if isinstance(shape, dict) and isinstance(value, dict):
        return any(name not in shape or unknown_field(value[name], shape[name]) for name in value)
    if isinstance(shape, list) and isinstance(value, list):
        return any(unknown_field(item, shape[0]) for item in value)
    return False


def missing_fields(signal: Json) -> set[str]:
    """Name the required fields that are absent; an empty list of exchanges is one (R-VAL-01)."""
    missing = set()
    for path in REQUIRED:
        outer, _, inner = path.partition(".")
        if outer not in signal or (inner and inner not in signal[outer]):
            missing.add(path)
    if signal.get("exchanges") == []:
        missing.add("exchanges")
    for subject in signal.get("subjects", []):
        missing.update("subjects." + name for name in REQUIRED_OF_SUBJECT if name not in subject)
    return missing
