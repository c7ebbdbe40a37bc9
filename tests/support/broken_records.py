"""Fifty municipal records with one defect each, and what must be said of it. Made from the examples; all is synthetic."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nodes import VENLO, example

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Broken:
    """One defect: its name, the example it is made in, how, and the field and rule that must be named."""

    name: str
    base: str
    field: str
    rule: str
    spoil: Callable[[Record], object]

    @property
    def line(self) -> str:
        """Return the record with its defect, as a line."""
        record = example(self.base, municipality=VENLO, local_ref=f"VEN-2026-{self.name.replace(' ', '-')}")
        self.spoil(record)
        return json.dumps(record, ensure_ascii=False)


def without(*path: str | int) -> Callable[[Record], object]:
    """Take a field away."""

    def spoil(record: Record) -> None:
        *holders, last = path
        found: Any = record
        for name in holders:
            found = found[name]
        del found[last]

    return spoil


def put(value: object, *path: str | int) -> Callable[[Record], object]:
    """Put a value in a field."""

    def spoil(record: Record) -> None:
        *holders, last = path
        found: Any = record
        for name in holders:
            found = found[name]
        found[last] = value

    return spoil


def all_of(*changes: Callable[[Record], object]) -> Callable[[Record], object]:
    """Change several things, of which only together is a defect."""
    return lambda record: [change(record) for change in changes]


def without_purpose(purpose: str) -> Callable[[Record], object]:
    """Take the exchange entry of a purpose away."""

    def spoil(record: Record) -> None:
        record["exchanges"] = [entry for entry in record["exchanges"] if entry["purpose"] != purpose]

    return spoil


ALERT = {"purpose": "ACUTE_ALERT", "legal_basis": "PUBLIC_TASK", "partnership": "OWN_TASK", "release_ref": None}
REPORTER = {"name": "B. Voorbeeld", "function": "beller", "phone": "06-00009999", "email": None}
ADULT_VICTIM = {"ref": "s3", "role": "VICTIM", "age_band": "AGE_30_44", "relation": None}
SEXUAL, LABOUR, MINOR, TIP = "01_sexual", "02_labour", "05_minor", "06_anonymous_tip"

BROKEN = (
    Broken("no reference", SEXUAL, "local_ref", "R-VAL-01", without("local_ref")),
    Broken("an empty reference", SEXUAL, "local_ref", "R-VAL-01", put(" ", "local_ref")),
    Broken("no sector", SEXUAL, "sector", "R-VAL-01", without("sector")),
    Broken("no urgency", LABOUR, "urgency", "R-VAL-01", without("urgency")),
    Broken("no last day", SEXUAL, "observed.to", "R-VAL-01", without("observed", "to")),
    Broken("no primary form", SEXUAL, "forms.primary", "R-VAL-01", without("forms", "primary")),
    Broken("no consent status", SEXUAL, "consent.status", "R-VAL-01", without("consent", "status")),
    Broken("no police data flag", SEXUAL, "police_data", "R-VAL-01", without("police_data")),
    Broken("no exchanges", SEXUAL, "exchanges", "R-VAL-01", put([], "exchanges")),
    Broken("no subjects", SEXUAL, "subjects", "R-VAL-01", without("subjects")),
    Broken("no role", SEXUAL, "subjects[1].role", "R-VAL-01", without("subjects", 1, "role")),
    Broken("no ref", SEXUAL, "subjects[1].ref", "R-VAL-01", without("subjects", 1, "ref")),
    Broken("no age at all", SEXUAL, "subjects[1].birth_date", "R-VAL-01", without("subjects", 1, "age_band")),
    Broken("another municipality", SEXUAL, "municipality", "R-VAL-02", put("GM0988", "municipality")),
    Broken("unknown act", SEXUAL, "acts[0]", "R-VAL-03", put("LURE", "acts", 0)),
    Broken("unknown sector", SEXUAL, "sector", "R-VAL-03", put("SEX_MOON", "sector")),
    Broken("reserved form", SEXUAL, "forms.primary", "R-VAL-03", put("FORCED_MARRIAGE", "forms", "primary")),
    Broken("unknown place", SEXUAL, "places[0].kind", "R-VAL-03", put("MOON", "places", 0, "kind")),
    Broken("unknown relation", SEXUAL, "subjects[0].relation", "R-VAL-03", put("ENEMY", "subjects", 0, "relation")),
    Broken("unknown age band", SEXUAL, "subjects[1].age_band", "R-VAL-03", put("AGE_99", "subjects", 1, "age_band")),
    Broken("the same form twice", SEXUAL, "forms.secondary", "R-VAL-04", put(["SEXUAL"], "forms", "secondary")),
    Broken(
        "unknown form with another", SEXUAL, "forms", "R-VAL-04", put({"primary": "UNKNOWN", "secondary": ["SEXUAL"]}, "forms")
    ),
    Broken("sector of another form", LABOUR, "sector", "R-VAL-05", put("CRI_THEFT", "sector")),
    Broken("observed in a week to come", SEXUAL, "observed.to", "R-VAL-06", put("2027-03-01", "observed", "to")),
    Broken("observed backwards", SEXUAL, "observed.from", "R-VAL-06", put("2026-11-18", "observed", "from")),
    Broken("observed too long ago", SEXUAL, "observed.from", "R-VAL-06", put("2020-11-18", "observed", "from")),
    Broken("born in time to come", SEXUAL, "subjects[1].birth_date", "R-VAL-07", put("2027-01-01", "subjects", 1, "birth_date")),
    Broken("no means", SEXUAL, "means", "R-VAL-08", put([], "means")),
    Broken("a reporter on a tip", TIP, "reporter", "R-VAL-09", put(REPORTER, "reporter")),
    Broken("a regular tip", TIP, "urgency", "R-VAL-09", put("REGULAR", "urgency")),
    Broken("no statistics", SEXUAL, "exchanges", "R-VAL-10", without_purpose("STATISTICS")),
    Broken("a purpose twice", SEXUAL, "exchanges[2]", "R-VAL-10", put("SCREENING", "exchanges", 2, "purpose")),
    Broken("a basis that does not fit", SEXUAL, "exchanges[1]", "R-VAL-10", put("WGS_RIEC", "exchanges", 1, "legal_basis")),
    Broken("vital interest", SEXUAL, "exchanges[1]", "R-VAL-10", put("VITAL_INTEREST", "exchanges", 1, "legal_basis")),
    Broken("no basis", SEXUAL, "exchanges[1]", "R-VAL-10", without("exchanges", 1, "legal_basis")),
    Broken("consent not asked", SEXUAL, "consent.status", "R-VAL-11", put("NOT_ASKED", "consent", "status")),
    Broken("consent in time to come", SEXUAL, "consent.recorded_on", "R-VAL-11", put("2027-01-01", "consent", "recorded_on")),
    Broken("consent of a parent", SEXUAL, "consent.given_by", "R-VAL-11", put("PARENT_GUARDIAN", "consent", "given_by")),
    Broken("police without police data", SEXUAL, "police_data", "R-VAL-12", put("POLICE", "reporter_source")),
    Broken("a telephone number", SEXUAL, "summary", "R-LEAK-02", put("Bel haar op 06-00001234.", "summary")),
    Broken("a name of the record", MINOR, "summary", "R-LEAK-02", put("Tess moet pakketjes wegbrengen.", "summary")),
    Broken("a summary too long", SEXUAL, "summary", "R-VAL-15", put("a" * 501, "summary")),
    Broken("an unknown field", SEXUAL, "eye_colour", "R-VAL-17", put("blue", "eye_colour")),
    Broken("an unknown field of a person", SEXUAL, "subjects[0].shoe_size", "R-VAL-17", put(41, "subjects", 0, "shoe_size")),
    Broken(
        "no advice in direct danger",
        SEXUAL,
        "emergency_advised_at",
        "R-VAL-18",
        all_of(
            put("ACUTE", "urgency"), without("emergency_advised_at"), lambda record: record["exchanges"].append(ALERT)
        ),
    ),
    Broken("a minor without alert", MINOR, "exchanges", "R-VAL-19", without_purpose("ACUTE_ALERT")),
    Broken("minor and adult", MINOR, "subjects", "R-VAL-20", lambda record: record["subjects"].append(ADULT_VICTIM)),
    Broken("no such day", SEXUAL, "subjects[0].birth_date", "R-VAL-22", put("1999-02-30", "subjects", 0, "birth_date")),
    Broken("a word for a flag", SEXUAL, "corroborated", "R-VAL-22", put("yes", "corroborated")),
    Broken("a name for a ref", SEXUAL, "subjects[0].ref", "R-VAL-22", put("ioana", "subjects", 0, "ref")),
)  # fmt: skip


def broken_file() -> str:
    """Return all of them as JSON Lines."""
    return "".join(broken.line + "\n" for broken in BROKEN)
