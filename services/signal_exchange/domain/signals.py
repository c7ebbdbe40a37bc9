"""The coded signal as a type: what is on the wire beside the sealed parts, and what the rules read."""

from collections.abc import Iterator
from typing import Final, NotRequired, TypedDict

VICTIM: Final = "VICTIM"
SUSPECT: Final = "SUSPECT"
ANONYMOUS_TIP: Final = "ANONYMOUS_TIP"

URGENCIES: Final = ("ACUTE", "URGENT", "REGULAR", "MONITOR")
"""The urgencies from the highest to the lowest rank."""

MINOR_BANDS: Final = frozenset({"AGE_0_11", "AGE_12_15", "AGE_16_17", "AGE_UNKNOWN_MAYBE_MINOR"})
"""Age bands that are handled as a minor; in doubt a person is one (R-VAL-07)."""

ObservedWeeks = TypedDict("ObservedWeeks", {"from": str, "to": str})


class Forms(TypedDict):
    """Forms of exploitation (R-VAL-04)."""

    primary: str
    secondary: NotRequired[list[str]]


class Subject(TypedDict):
    """One person in a signal, without anything that tells who it is."""

    ref: str
    role: str
    age_band: str
    is_minor: bool
    minor_at_event: bool
    sex: NotRequired[str | None]
    nationality_group: NotRequired[str | None]
    relation_to_offender: NotRequired[str | None]


class Place(TypedDict):
    """A place, by kind only."""

    kind: NotRequired[str]


class Consent(TypedDict):
    """Consent of the person, or of who may give it (R-VAL-11); the day as 2026-11-17."""

    status: str
    given_by: NotRequired[str | None]
    recorded_on: NotRequired[str | None]


class Exchange(TypedDict, total=False):
    """Purpose and legal basis on which one receiver may get the signal (R-VAL-10)."""

    purpose: str
    legal_basis: str
    partnership: str
    release_ref: str | None


class Override(TypedDict):
    """A finding that an officer let pass, by type and reason (R-VAL-13)."""

    type: NotRequired[str]
    reason: NotRequired[str]


class Guard(TypedDict, total=False):
    """Result of the leak guard (R-VAL-13)."""

    version: str
    result: str
    findings: list[str]
    overrides: list[Override]


class CodedSignal(TypedDict):
    """A signal in codes: no identity, no text, no token. Lists that are absent count as empty."""

    signal_id: str
    version: int
    supersedes: NotRequired[int | None]
    municipality: str
    observed_weeks: ObservedWeeks
    reporter_source: str
    corroborated: bool
    forms: Forms
    sector: str
    urgency: str
    acts: NotRequired[list[str]]
    means: NotRequired[list[str]]
    indicators: NotRequired[list[str]]
    vulnerabilities: NotRequired[list[str]]
    subjects: list[Subject]
    places: NotRequired[list[Place]]
    estimated_victims: NotRequired[int | None]
    care_needs: NotRequired[list[str]]
    consent: Consent
    police_data: bool
    exchanges: list[Exchange]
    guard: Guard
    emergency_advised: bool


def victims(signal: CodedSignal) -> list[Subject]:
    """Give the subjects that are possible victims."""
    return [subject for subject in signal["subjects"] if subject["role"] == VICTIM]


def has_minor_victim(signal: CodedSignal) -> bool:
    """Say whether a possible victim is a minor on the publish day (R-ROUTE-04)."""
    return any(subject["is_minor"] for subject in victims(signal))


def has_minor_subject(signal: CodedSignal) -> bool:
    """Say whether a possible victim or suspect is a minor: that shields the agenda (R-ROUTE-10)."""
    return any(subject["is_minor"] for subject in signal["subjects"] if subject["role"] in {VICTIM, SUSPECT})


def purposes(signal: CodedSignal) -> frozenset[str]:
    """Give the purposes for which the signal may be exchanged (R-ROUTE-02)."""
    return frozenset(entry["purpose"] for entry in signal["exchanges"] if "purpose" in entry)


def groups_of_text(signal: CodedSignal) -> Iterator[str]:
    """Give the recipient groups that may read the summary: nobody without a purpose, and no table for a minor's (R-VAL-23)."""
    named = purposes(signal)
    if "CARE_REFERRAL" in named:
        yield "youth" if has_minor_victim(signal) else "care"
    if "SCREENING" in named and not has_minor_subject(signal):
        yield "table"


def recipient_groups(signal: CodedSignal) -> tuple[str, ...]:
    """Return the groups for whom a part of a signal is sealed, each once (R-VAL-23)."""
    return (*groups_of_text(signal), *(["linking"] if "LINKING" in purposes(signal) else []))


def exchange_for(signal: CodedSignal, purpose: str) -> Exchange | None:
    """Give the entry with the legal basis of one purpose; None when there is none."""
    return next((entry for entry in signal["exchanges"] if entry.get("purpose") == purpose), None)


def raised_urgency(urgency: str, *, any_minor_victim: bool) -> str:
    """Raise the urgency to URGENT for a minor victim; the signal keeps its own (R-ROUTE-07, R-ROUTE-10)."""
    return "URGENT" if any_minor_victim and urgency in {"REGULAR", "MONITOR"} else urgency


def needs_alert_entry(signal: CodedSignal) -> bool:
    """Say whether the signal must carry an ACUTE_ALERT entry (R-VAL-19)."""
    minor = has_minor_victim(signal)
    urgency = raised_urgency(signal["urgency"], any_minor_victim=minor)
    return urgency == "ACUTE" or (urgency == "URGENT" and minor)
