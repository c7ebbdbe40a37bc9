"""Consent and the purposes and bases of each exchange, always in agreement with R-VAL-10 to R-VAL-12 and R-VAL-19."""

from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Final

from signal_exchange_demo.region.model import Record
from signal_exchange_demo.region.profiles import CONSENT
from signal_exchange_demo.region.streams import chance, pick

CARE_SHARE: Final = 0.95
CARE_WITHOUT_VICTIM: Final = 0.03
SCREENING_SHARE: Final = 0.99
LINKING_SHARE: Final = 0.97
OWN_CONSENT_AGE: Final = 16
_OTHER_BASES: Final = {"PUBLIC_TASK": 0.4, "REPORTING_CODE": 0.3, "LEGAL_DUTY": 0.2, "WGS_SAFETY_HOUSE": 0.1}


@dataclass(frozen=True, slots=True)
class Situation:
    """The situation on which consent and bases depend; `age` is that of a single victim whose birth date is known."""

    victims: int
    minors: bool
    age: int | None
    group: str
    relation: str | None
    urgency: str
    is_police: bool
    received: date
    number: int


def exchange(purpose: str, basis: str = "PUBLIC_TASK", partnership: str = "OWN_TASK", release: str | None = None) -> Record:
    """Write one exchange entry."""
    return {"purpose": purpose, "legal_basis": basis, "partnership": partnership, "release_ref": release}


def consent_record(status: str, giver: str | None = None, on: date | None = None) -> Record:
    """Write a consent record."""
    return {"status": status, "given_by": giver, "recorded_on": on.isoformat() if on else None}


def consent_and_exchanges(rng: Random, case: Situation) -> tuple[Record, list[Record]]:
    """Draw a consent record and the exchange entries that fit it."""
    consent, basis = _minor_consent(rng, case) if case.minors else _adult_consent(rng, case)
    entries = [*_care(rng, case, basis), *_alert(case)]
    if chance(rng, SCREENING_SHARE):
        entries.append(exchange("SCREENING", partnership="SCREENING_MEETING"))
    if chance(rng, LINKING_SHARE):
        entries.append(exchange("LINKING", partnership="SCREENING_MEETING"))
    if case.is_police:
        entries = [_released(entry, case.number) for entry in entries]
    entries.append(exchange("STATISTICS", "STATISTICS_ART89"))
    entries.append(exchange("FEEDBACK"))
    return consent, entries


def _adult_consent(rng: Random, case: Situation) -> tuple[Record, str]:
    status = pick(rng, CONSENT) if case.victims else "NOT_APPLICABLE"
    other = pick(rng, _OTHER_BASES)
    vital = case.urgency == "ACUTE" and chance(rng, 0.6)
    if status == "GIVEN":
        giver = "CURATOR" if chance(rng, 0.04) else "SELF"
        return consent_record(status, giver, case.received), "CONSENT"
    if vital and case.victims:
        other = "VITAL_INTEREST"
    elif status != "NOT_APPLICABLE":
        other = "PUBLIC_TASK"
    asked = status in {"REFUSED", "WITHDRAWN"}
    return (consent_record(status, "SELF", case.received) if asked else consent_record(status)), other


def _minor_consent(rng: Random, case: Situation) -> tuple[Record, str]:
    giver = _giver_for_minor(case)
    asked, leans_on_it = chance(rng, 0.3), chance(rng, 0.5)
    if giver is None or not asked:
        return consent_record("NOT_APPLICABLE"), "YOUTH_PROTECTION"
    return consent_record("GIVEN", giver, case.received), "CONSENT" if leans_on_it else "YOUTH_PROTECTION"


def _giver_for_minor(case: Situation) -> str | None:
    """Return the givers of consent: nobody when ages differ or are in doubt, never a parent under suspicion (R-VAL-11)."""
    if case.victims != 1 or case.age is None:
        return None
    if case.age >= OWN_CONSENT_AGE:
        return "SELF"
    if case.relation == "PARENT":
        return None
    return "NIDOS" if case.group == "THIRD_COUNTRY" else "PARENT_GUARDIAN"


def _care(rng: Random, case: Situation, basis: str) -> list[Record]:
    wanted = chance(rng, CARE_SHARE if case.victims else CARE_WITHOUT_VICTIM)
    if not (wanted or case.minors):
        return []
    partnership = "SAFETY_HOUSE" if basis == "WGS_SAFETY_HOUSE" else "CARE_NETWORK"
    return [exchange("CARE_REFERRAL", basis, partnership)]


def _alert(case: Situation) -> list[Record]:
    """Write the alert entry that R-VAL-19 asks for: ACUTE, and every minor victim."""
    if case.minors:
        return [exchange("ACUTE_ALERT", "YOUTH_PROTECTION")]
    return [exchange("ACUTE_ALERT", "VITAL_INTEREST")] if case.urgency == "ACUTE" else []


def _released(entry: Record, number: int) -> Record:
    if entry["legal_basis"] == "VITAL_INTEREST":
        return entry
    return {**entry, "legal_basis": "WPG_RELEASE", "release_ref": f"SYN-WPG-{number:06d}"}
