"""The coded signal as types, which rules and records share.

Generated from schemas/ by `make schemas`; a test holds it equal. Change a schema, not this file.
The rules read signals that nobody has judged: there, a field may be absent, and a list that is absent counts as empty.
"""

from __future__ import annotations

from typing import TypedDict


class CodedSignal(TypedDict):
    """A signal in codes: no identity, no text, no token."""

    signal_id: str
    """Random UUID of the signal."""
    version: int
    """Counts corrections, from 1."""
    supersedes: int | None
    """The version this one replaces; null for version 1 (R-VAL-16)."""
    municipality: str
    """CBS code of the reporting municipality, as GM0983 (R-VAL-02)."""
    observed_weeks: ObservedWeeks
    """When it was observed."""
    reporter_source: str
    """Code of reporter_source.csv; ANONYMOUS_TIP carries nothing of the reporter (R-VAL-09)."""
    corroborated: bool
    """Confirmed by a second source."""
    forms: Forms
    """Forms of exploitation."""
    sector: str
    """Code of sector.csv, fitting a form (R-VAL-05)."""
    urgency: str
    """Code of urgency.csv as the municipality set it."""
    acts: list[str]
    """Codes of act.csv."""
    means: list[str]
    """Codes of means.csv (R-VAL-08)."""
    indicators: list[str]
    """Codes of indicator.csv."""
    vulnerabilities: list[str]
    """Codes of vulnerability.csv."""
    subjects: list[Subject]
    """Persons, possibly none; victims of one care class only (R-VAL-20)."""
    places: list[Place]
    """Places, by kind."""
    estimated_victims: int | None
    """Estimate by the municipality, shown apart from counts (R-STAT-01)."""
    care_needs: list[str]
    """Codes of care_need.csv."""
    consent: Consent
    """Consent."""
    police_data: bool
    """Holds police data (R-VAL-12)."""
    exchanges: list[Exchange]
    """At least STATISTICS; nobody gets what has no entry here (R-ROUTE-02)."""
    guard: Guard | None
    """Leak guard result; absent means parked (R-VAL-01)."""
    emergency_advised: bool
    """The 112 advice was shown before saving (R-VAL-18)."""


class Consent(TypedDict):
    """Consent of the person or who may give it (R-VAL-11)."""

    status: str
    """Code of consent_status.csv."""
    given_by: str | None
    """Code of consent_giver.csv."""
    recorded_on: str | None
    """Date of recording, as 2026-11-17."""


class Exchange(TypedDict):
    """Purpose and legal basis on which one receiver may get this signal (R-VAL-10)."""

    purpose: str
    """Code of purpose.csv."""
    legal_basis: str
    """Code of legal_basis.csv."""
    partnership: str
    """Code of partnership.csv."""
    release_ref: str | None
    """Reference of the police release; only with WPG_RELEASE (R-VAL-12)."""


class Forms(TypedDict):
    """Forms of exploitation (R-VAL-04)."""

    primary: str
    """Primary form, a code of form_of_exploitation.csv."""
    secondary: list[str]
    """Zero to three other forms, codes of form_of_exploitation.csv."""


class Guard(TypedDict):
    """Result of the leak guard (R-VAL-13)."""

    version: str
    """Version of the guard."""
    result: str
    """PASS or JUSTIFIED."""
    findings: list[str]
    """Types found, codes of leak_type.csv; never a value."""
    overrides: list[GuardOverride]
    """One per finding when JUSTIFIED."""


class GuardOverride(TypedDict):
    """A finding of the leak guard that an officer let pass; words and officer stay in the vault."""

    type: str
    """Code of leak_type.csv."""
    reason: str
    """Code of override_reason.csv."""


ObservedWeeks = TypedDict("ObservedWeeks", {"from": str, "to": str})
"""ISO weeks of the first and last observation (R-VAL-06); exact dates stay in the municipality."""


class Place(TypedDict):
    """A place, by kind only."""

    kind: str
    """Code of place_kind.csv."""


class Subject(TypedDict):
    """One person in the signal, without anything that tells who it is."""

    ref: str
    """Reference within the signal, as s1."""
    role: str
    """Code of subject_role.csv."""
    age_band: str
    """Code of age_band.csv."""
    is_minor: bool
    """Under 18 on the publish day (R-VAL-07)."""
    minor_at_event: bool
    """Under 18 on the first observed day (R-VAL-07)."""
    sex: str | None
    """Code of sex.csv; there is no default."""
    nationality_group: str | None
    """Code of nationality_group.csv."""
    relation_to_offender: str | None
    """Code of relation.csv."""
