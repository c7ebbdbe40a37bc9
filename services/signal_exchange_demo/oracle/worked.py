"""The six examples of reference/data, and the changes that the worked values of rules.md name in words."""

import json
from collections.abc import Callable
from datetime import date, datetime

from signal_exchange_demo.oracle.days import AMSTERDAM
from signal_exchange_demo.oracle.reference import DEFAULT_DATA, Json

NAMES = ("01_sexual", "02_labour", "03_criminal", "04_organ", "05_minor", "06_anonymous_tip")


def published(name: str) -> Json:
    """Read an example as published, with its tokens and summary."""
    envelope: Json = json.loads((DEFAULT_DATA / "examples" / "published" / f"{name}.json").read_text(encoding="utf-8"))
    return envelope


def inside(name: str) -> Json:
    record: Json = json.loads((DEFAULT_DATA / "examples" / "inside" / f"{name}.json").read_text(encoding="utf-8"))
    return record


def publish_day(name: str) -> date:
    return datetime.fromisoformat(published(name)["time"]).astimezone(AMSTERDAM).date()


def wire(name: str) -> Json:
    """Give the coded signal of an example: without summary, objects and tokens."""
    data: Json = published(name)["data"]
    del data["summary"], data["objects"]
    for holder in [*data["subjects"], *data["places"]]:
        del holder["link_tokens"]
    return data


def exchange(purpose: str, basis: str = "PUBLIC_TASK", partnership: str = "OWN_TASK") -> Json:
    return {"purpose": purpose, "legal_basis": basis, "partnership": partnership, "release_ref": None}


def victim(band: str, **changes: object) -> Json:
    minor = band in ("AGE_0_11", "AGE_12_15", "AGE_16_17", "AGE_UNKNOWN_MAYBE_MINOR")
    subject = {"ref": "s9", "role": "VICTIM", "age_band": band, "is_minor": minor, "minor_at_event": minor}
    return {**subject, "sex": "F", "nationality_group": "NL", "relation_to_offender": None, **changes}


def _born_2005(signal: Json, *, is_minor: bool = False) -> None:
    signal["subjects"][0].update(age_band="AGE_18_22", is_minor=is_minor, minor_at_event=False)
    signal["means"] = []


def _consent_of_parent(signal: Json) -> None:
    signal["consent"] = {"status": "GIVEN", "given_by": "PARENT_GUARDIAN", "recorded_on": "2026-11-20"}
    signal["exchanges"][0]["legal_basis"] = "CONSENT"


def _guard(findings: list[str], overrides: list[tuple[str, str]]) -> Json:
    written = [{"type": kind, "reason": reason} for kind, reason in overrides]
    return {"version": "1.0.0", "result": "JUSTIFIED", "findings": findings, "overrides": written}


def _police_by_vital_interest(signal: Json) -> Json:
    by_vital_interest = [entry | {"legal_basis": "VITAL_INTEREST"} for entry in signal["exchanges"]]
    return {"police_data": True, "exchanges": by_vital_interest}


CHANGES: dict[str, Callable[[Json], object]] = {
    "sector=CRI_THEFT": lambda s: s.update(sector="CRI_THEFT"),
    "born 2005-06-14, means []": _born_2005,
    "the same but is_minor true": lambda s: _born_2005(s, is_minor=True),
    "urgency=REGULAR": lambda s: s.update(urgency="REGULAR"),
    "municipality=GM0907": lambda s: s.update(municipality="GM0907"),
    "forms UNKNOWN + LABOUR": lambda s: s.update(forms={"primary": "UNKNOWN", "secondary": ["LABOUR"]}),
    "basis CONSENT given by parent, relation PARENT": _consent_of_parent,
    "primary FORCED_MARRIAGE, secondary LABOUR": lambda s: s.update(
        forms={"primary": "FORCED_MARRIAGE", "secondary": ["LABOUR"]}
    ),
    "without its STATISTICS entry": lambda s: s.update(exchanges=[e for e in s["exchanges"] if e["purpose"] != "STATISTICS"]),
    "two SCREENING entries": lambda s: s["exchanges"].append(exchange("SCREENING")),
    "urgency ACUTE, emergency_advised true": lambda s: s.update(urgency="ACUTE", emergency_advised=True),
    "a second victim of AGE_30_44": lambda s: s["subjects"].append(victim("AGE_30_44")),
    "a minor victim, MONITOR": lambda s: s["subjects"].append(victim("AGE_16_17")),
    "a minor victim, URGENT, alert entry": lambda s: (
        s["subjects"].append(victim("AGE_16_17")),
        s["exchanges"].append(exchange("ACUTE_ALERT")),
        s.update(urgency="URGENT"),
    ),
    'version "1"': lambda s: s.update(version="1"),
    "reporter_source POLICE": lambda s: s.update(reporter_source="POLICE"),
    "local_ref present": lambda s: s.update(local_ref="VEN-2026-0311"),
    "token of 64 hex": lambda s: s["subjects"][0]["link_tokens"][0].update(token="ab" * 32),
    "is_minor absent": lambda s: s["subjects"][0].pop("is_minor"),
    "urgency SOON": lambda s: s.update(urgency="SOON"),
    "guard JUSTIFIED, findings [NAME], one override NAME PUBLIC_BODY": lambda s: s.update(
        guard=_guard(["NAME"], [("NAME", "PUBLIC_BODY")])
    ),
    "the same without the override": lambda s: s.update(guard=_guard(["NAME"], [])),
    "guard JUSTIFIED, BSN FALSE_ALARM": lambda s: s.update(guard=_guard(["BSN"], [("BSN", "FALSE_ALARM")])),
    "guard JUSTIFIED, no findings, no overrides": lambda s: s.update(guard=_guard([], [])),
    "police_data, ACUTE, alert entry, every basis VITAL_INTEREST": lambda s: (
        s["exchanges"].append(exchange("ACUTE_ALERT")),
        s.update(_police_by_vital_interest(s), urgency="ACUTE", emergency_advised=True),
    ),
    "police_data, URGENT, every basis VITAL_INTEREST": lambda s: s.update(_police_by_vital_interest(s), urgency="URGENT"),
}


def routing_case(label: str) -> tuple[Json, Json, str]:
    """Give signal, outside facts and example name of a label in check_values.json routing."""
    name = next(one for one in NAMES if label.startswith(one))
    signal, outside = wire(name), {}
    if "cluster of 2" in label:
        outside["cluster_size"] = 2
    if "re-screen due" in label:
        outside["rescreen_due"] = True
    _change_for(label, signal)
    return signal, outside, name


def _change_for(label: str, signal: Json) -> None:
    if "care basis VITAL_INTEREST" in label:
        signal["urgency"] = "ACUTE"
        next(e for e in signal["exchanges"] if e["purpose"] == "CARE_REFERRAL")["legal_basis"] = "VITAL_INTEREST"
    if "alert entry" in label:
        signal["exchanges"].append(exchange("ACUTE_ALERT"))
    if "minor victim" in label:
        signal["subjects"].append(victim("AGE_16_17"))
    if "minor suspect" in label:
        signal["subjects"].append(victim("AGE_16_17", role="SUSPECT"))
    if "NOT_APPLICABLE" in label:
        signal["consent"]["status"] = "NOT_APPLICABLE"
    if label.endswith("MONITOR"):
        signal["urgency"] = "MONITOR"
