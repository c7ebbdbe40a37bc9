"""The validation rules of rules.md section 1, one plain function each.

A function answers True when its rule is broken. A rule that needs a part which is missing, or whose code is not valid,
skips it: that part has been reported already (V01 or V03 alone).
"""

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta

from signal_exchange_demo.oracle.case import Case
from signal_exchange_demo.oracle.days import iso_week, monday_of
from signal_exchange_demo.oracle.reference import Json

MINOR_BANDS = {"AGE_0_11", "AGE_12_15", "AGE_16_17", "AGE_UNKNOWN_MAYBE_MINOR"}
BANDS_UNDER_16 = {"AGE_0_11", "AGE_12_15"}
BANDS_FROM_23 = {"AGE_23_29", "AGE_30_44", "AGE_45_64", "AGE_65_PLUS"}
NEVER_JUSTIFIED = {"BSN", "IBAN", "DOCNR", "VNR"}
MAX_SECONDARY_FORMS = 3
MAX_WEEKS_AGO = 260


def v02(case: Case) -> bool:
    """R-VAL-02: a member on the day, and the sender itself."""
    code = case.signal["municipality"]
    return code != case.sender or not case.reference.member(code, case.day)


def v04(case: Case) -> bool:
    """R-VAL-04: one primary form, up to three others, all different, UNKNOWN alone."""
    forms = case.signal["forms"]
    every = [forms["primary"], *forms.get("secondary", [])]
    if len(every) > 1 + MAX_SECONDARY_FORMS or len(set(every)) != len(every):
        return True
    return "UNKNOWN" in every and len(every) > 1


def v05(case: Case) -> bool:
    """R-VAL-05: the sector belongs to one of the forms."""
    sector = case.signal["sector"]
    if sector == "SECTOR_UNKNOWN":
        return False
    forms = case.signal["forms"]
    parent = case.reference.codes["sector"][sector]["parent"]
    return parent not in [forms["primary"], *forms.get("secondary", [])]


def v06(case: Case) -> bool:
    """R-VAL-06: existing weeks, in order, not in the future, not too old."""
    weeks = case.signal["observed_weeks"]
    first, last = monday_of(weeks["from"]), monday_of(weeks["to"])
    today = monday_of(iso_week(case.day))
    if first is None or last is None or today is None:
        return True
    return not first <= last <= today or today - first > timedelta(weeks=MAX_WEEKS_AGO)


def v07(case: Case) -> bool:
    """R-VAL-07: the minor flags fit the age band and each other."""
    for subject in case.signal["subjects"]:
        if subject["is_minor"] != (subject["age_band"] in MINOR_BANDS):
            return True
        if subject["is_minor"] and not subject["minor_at_event"]:
            return True
        if subject["minor_at_event"] and subject["age_band"] in BANDS_FROM_23:
            return True
    return False


def v08(case: Case) -> bool:
    """R-VAL-08: means for victims of whom none was a minor at the event."""
    victims = case.victims()
    if not victims or any(victim["minor_at_event"] for victim in victims):
        return False
    return not case.signal.get("means")


def v09(case: Case) -> bool:
    """R-VAL-09: an uncorroborated anonymous tip starts at MONITOR."""
    if case.signal["reporter_source"] != "ANONYMOUS_TIP" or case.signal["corroborated"]:
        return False
    urgency = case.signal["urgency"]
    if urgency in ("MONITOR", "ACUTE"):
        return False
    if urgency == "URGENT":
        return case.can_use("subjects.role", "subjects.is_minor") and not _minor_victim(case)
    return True


def v10(case: Case) -> bool:
    """R-VAL-10: purpose, basis and partnership that fit, once per purpose, with STATISTICS."""
    if any(name not in entry for entry in case.entries() for name in ("purpose", "legal_basis", "partnership")):
        return True
    if case.can_use("exchanges.purpose"):
        purposes = case.purposes()
        if len(set(purposes)) != len(purposes) or "STATISTICS" not in purposes:
            return True
    if not case.can_use("exchanges.legal_basis"):
        return False
    return any(_basis_misfits(case, entry["legal_basis"], entry["partnership"]) for entry in case.entries())


def _basis_misfits(case: Case, basis: str, partnership: str) -> bool:
    if basis == "VITAL_INTEREST" and case.can_use("urgency") and case.signal["urgency"] != "ACUTE":
        return True
    if not case.can_use("exchanges.partnership"):
        return False
    if basis == "WGS_RIEC" and partnership != "RIEC":
        return True
    if basis == "WGS_SAFETY_HOUSE" and partnership != "SAFETY_HOUSE":
        return True
    return partnership == "SCREENING_MEETING" and basis in ("WGS_RIEC", "WGS_SAFETY_HOUSE")


def v11(case: Case) -> bool:
    """R-VAL-11: where an entry rests on CONSENT, consent was given by one who may give it."""
    if all(entry.get("legal_basis") != "CONSENT" for entry in case.entries()):
        return False
    if not case.can_use("consent.status", "consent.given_by", "subjects.role", "subjects.age_band"):
        return False
    consent = case.signal["consent"]
    if consent["status"] != "GIVEN" or not consent.get("given_by") or not consent.get("recorded_on"):
        return True
    if date.fromisoformat(consent["recorded_on"]) > case.day or not case.victims():
        return True
    return any(not _may_consent(consent["given_by"], victim) for victim in case.victims())


def _may_consent(giver: str, victim: Json) -> bool:
    if giver == "PARENT_GUARDIAN" and victim.get("relation_to_offender") == "PARENT":
        return False
    if victim["age_band"] == "AGE_UNKNOWN_MAYBE_MINOR":
        return True
    if victim["age_band"] in BANDS_UNDER_16:
        return giver in ("PARENT_GUARDIAN", "NIDOS")
    return giver in ("SELF", "CURATOR")


def v12(case: Case) -> bool:
    """R-VAL-12: police data only with a release, and police sources only as police data."""
    if not case.signal["police_data"]:
        return case.can_use("reporter_source") and case.signal["reporter_source"] in ("POLICE", "BORDER_POLICE")
    if not case.can_use("exchanges", "exchanges.purpose", "exchanges.legal_basis"):
        return False
    return any(not _released(case, entry) for entry in case.entries())


def _released(case: Case, entry: Json) -> bool:
    if entry.get("purpose") in ("STATISTICS", "FEEDBACK"):
        return True
    if entry.get("legal_basis") == "WPG_RELEASE":
        return bool(entry.get("release_ref"))
    return entry.get("legal_basis") == "VITAL_INTEREST" and (not case.can_use("urgency") or case.signal["urgency"] == "ACUTE")


def v13(case: Case) -> bool:
    """R-VAL-13: the guard passed, or each finding was justified and may be."""
    guard = case.signal["guard"]
    if any(name not in guard for name in ("version", "result", "findings", "overrides")):
        return True
    if any("type" not in override or "reason" not in override for override in guard["overrides"]):
        return True
    if guard["result"] == "PASS":
        return bool(guard["findings"] or guard["overrides"])
    if guard["result"] != "JUSTIFIED" or not guard["findings"] or NEVER_JUSTIFIED.intersection(guard["findings"]):
        return True
    return Counter(guard["findings"]) != Counter(override["type"] for override in guard["overrides"])


def v16(case: Case) -> bool:
    """R-VAL-16, as far as one signal shows it: version n follows n - 1, version 1 nothing."""
    version = case.signal["version"]
    return version < 1 or case.signal.get("supersedes") != (version - 1 or None)


def v18(case: Case) -> bool:
    """R-VAL-18: ACUTE only after the 112 advice."""
    return case.signal["urgency"] == "ACUTE" and not case.signal["emergency_advised"]


def _minor_victim(case: Case) -> bool:
    return any(victim["is_minor"] for victim in case.victims())


def v19(case: Case) -> bool:
    """R-VAL-19: raised urgency ACUTE, or URGENT with a minor victim, has an alert entry."""
    # A minor victim raises to URGENT at least (R-ROUTE-07), so a minor victim always needs the entry.
    if case.can_use("urgency") and case.signal["urgency"] == "ACUTE":
        return "ACUTE_ALERT" not in case.purposes()
    if not case.can_use("urgency", "subjects.role", "subjects.is_minor"):
        return False
    return _minor_victim(case) and "ACUTE_ALERT" not in case.purposes()


def v20(case: Case) -> bool:
    """R-VAL-20: all victims are minors, or none is."""
    return len({victim["is_minor"] for victim in case.victims()}) > 1


# The rule of each code, and the parts without which it cannot be judged at all.
RULES: dict[str, tuple[Callable[[Case], bool], tuple[str, ...]]] = {
    "V02": (v02, ("municipality",)),
    "V04": (v04, ("forms",)),
    "V05": (v05, ("forms", "sector")),
    "V06": (v06, ("observed_weeks",)),
    "V07": (v07, ("subjects.age_band", "subjects.is_minor", "subjects.minor_at_event")),
    "V08": (v08, ("subjects.role", "subjects.minor_at_event")),
    "V09": (v09, ("reporter_source", "corroborated", "urgency")),
    "V10": (v10, ("exchanges",)),
    "V11": (v11, ("exchanges", "exchanges.legal_basis")),
    "V12": (v12, ("police_data",)),
    "V13": (v13, ("guard", "guard.findings", "guard.overrides")),
    "V16": (v16, ("version",)),
    "V18": (v18, ("urgency", "emergency_advised")),
    "V19": (v19, ("exchanges", "exchanges.purpose")),
    "V20": (v20, ("subjects.role", "subjects.is_minor")),
}
