"""The rules of R-VAL on a coded signal whose types are right, one function each.

A rule yields the fields that break it. It runs only when what it needs is there and valid: a missing field or a bad
code is reported once, by its own rule, and not again by every rule that would have read it.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from signal_exchange.domain.codes import CodeLists
from signal_exchange.domain.meetings.weeks import monday_of
from signal_exchange.domain.members import Members
from signal_exchange.domain.policy import Policy
from signal_exchange.domain.signals.coded import (
    ANONYMOUS_TIP,
    MINOR_BANDS,
    has_minor_victim,
    needs_alert_entry,
    purposes,
    victims,
)
from signal_exchange.domain.signals.coded_types import CodedSignal, Exchange, Guard, Subject
from signal_exchange.domain.signals.shape import to_date

Fields = Iterator[str]

SECONDARY_FORMS_MAX: Final = 3
NEVER_JUSTIFIED: Final = frozenset({"BSN", "IBAN", "DOCNR", "VNR"})
"""Findings that no reason lets pass (R-VAL-13, R-LEAK-02)."""

_ADULT_BANDS_23: Final = frozenset({"AGE_23_29", "AGE_30_44", "AGE_45_64", "AGE_65_PLUS"})
_BANDS_UNDER_16: Final = frozenset({"AGE_0_11", "AGE_12_15"})
_WGS_PARTNERSHIP: Final = {"WGS_RIEC": "RIEC", "WGS_SAFETY_HOUSE": "SAFETY_HOUSE"}
_POLICE_SOURCES: Final = frozenset({"POLICE", "BORDER_POLICE"})
_NO_RELEASE_NEEDED: Final = frozenset({"STATISTICS", "FEEDBACK"})


@dataclass(frozen=True, slots=True)
class Case:
    """A signal to be judged, with all that judges it; `bad` are the paths that are missing or no valid code."""

    signal: CodedSignal
    day: date
    sender: str
    members: Members
    codes: CodeLists
    policy: Policy
    bad: frozenset[str] = frozenset()

    def intact(self, base: str, *names: str) -> bool:
        """Say whether the named fields under a path can be read."""
        return not self.bad or self.bad.isdisjoint([f"{base}.{name}" for name in names])

    def exchanges(self) -> Iterator[tuple[str, Exchange]]:
        """Give the entries with their paths, without those that hold a bad code."""
        for index, entry in enumerate(self.signal["exchanges"]):
            path = f"exchanges[{index}]"
            if self.intact(path, "purpose", "legal_basis", "partnership"):
                yield path, entry


def municipality(case: Case) -> Fields:
    """Judge R-VAL-02: a member on the publish day, and the authenticated sender itself."""
    code = case.signal["municipality"]
    if code != case.sender or not case.members.is_member(code, case.day):
        yield "municipality"


def forms(case: Case) -> Fields:
    """Judge R-VAL-04: one primary and up to three other forms, UNKNOWN only alone."""
    primary, secondary = case.signal["forms"]["primary"], case.signal["forms"].get("secondary", [])
    named = {primary, *secondary}
    if len(secondary) > SECONDARY_FORMS_MAX or len(named) != 1 + len(secondary):
        yield "forms.secondary"
    elif "UNKNOWN" in named and secondary:
        yield "forms"


def sector(case: Case) -> Fields:
    """Judge R-VAL-05: the sector belongs to one of the forms."""
    code = case.signal["sector"]
    named = {case.signal["forms"]["primary"], *case.signal["forms"].get("secondary", [])}
    if code != "SECTOR_UNKNOWN" and case.codes.parent("sector", code) not in named:
        yield "sector"


def period(case: Case) -> Fields:
    """Judge R-VAL-06: real weeks, in order, not in the future and not too long ago."""
    weeks = case.signal["observed_weeks"]
    first, last = monday_of(weeks["from"]), monday_of(weeks["to"])
    if first is None:
        yield "observed_weeks.from"
    if last is None:
        yield "observed_weeks.to"
    if first is not None and last is not None:
        yield from _order_of_weeks(first, last, case)


def _order_of_weeks(first: date, last: date, case: Case) -> Fields:
    now = case.day - timedelta(days=case.day.weekday())
    if first > last or now - first > timedelta(weeks=case.policy.observed_back_weeks):
        yield "observed_weeks.from"
    if last > now:
        yield "observed_weeks.to"


def age(case: Case) -> Fields:
    """Judge R-VAL-07: the minor flags agree with the age band and with each other."""
    for index, subject in enumerate(case.signal["subjects"]):
        path = f"subjects[{index}]"
        if case.intact(path, "age_band", "is_minor", "minor_at_event"):
            yield from _age_of(subject, path)


def _age_of(subject: Subject, path: str) -> Fields:
    band, minor, at_event = subject["age_band"], subject["is_minor"], subject["minor_at_event"]
    if minor != (band in MINOR_BANDS):
        yield f"{path}.is_minor"
    if (minor and not at_event) or (at_event and band in _ADULT_BANDS_23):
        yield f"{path}.minor_at_event"


def means(case: Case) -> Fields:
    """Judge R-VAL-08: coercion must be named unless a victim was a minor at the event."""
    found = victims(case.signal)
    if found and not case.signal.get("means") and not any(victim["minor_at_event"] for victim in found):
        yield "means"


def anonymous(case: Case) -> Fields:
    """Judge R-VAL-09: an anonymous tip starts at MONITOR unless there is more to it."""
    signal = case.signal
    if signal["reporter_source"] != ANONYMOUS_TIP or signal["corroborated"]:
        return
    if signal["urgency"] == "REGULAR" or (signal["urgency"] == "URGENT" and not has_minor_victim(signal)):
        yield "urgency"


def exchanges(case: Case) -> Fields:
    """Judge R-VAL-10: purpose, basis and partnership fit in every entry, one entry per purpose."""
    seen: set[str] = set()
    for path, entry in case.exchanges():
        if entry.get("purpose") in seen or not _basis_fits(entry, case.signal["urgency"]):
            yield path
        seen.update(filter(None, [entry.get("purpose")]))


def _basis_fits(entry: Exchange, urgency: str) -> bool:
    if not {"purpose", "legal_basis", "partnership"} <= entry.keys():
        return False
    basis, partnership = entry["legal_basis"], entry["partnership"]
    if basis == "VITAL_INTEREST":
        return urgency == "ACUTE"
    return partnership == _WGS_PARTNERSHIP.get(basis, partnership)


def statistics(case: Case) -> Fields:
    """Judge R-VAL-10: a STATISTICS entry is obligatory."""
    if "STATISTICS" not in purposes(case.signal):
        yield "exchanges"


def consent(case: Case) -> Fields:
    """Judge R-VAL-11: who rests an exchange on consent has it, from somebody who may give it."""
    signal = case.signal
    if not any(entry.get("legal_basis") == "CONSENT" for entry in signal["exchanges"]):
        return
    given = signal["consent"]
    recorded, giver = to_date(given.get("recorded_on")), given.get("given_by")
    if given["status"] != "GIVEN":
        yield "consent.status"
    if recorded is None or recorded > case.day:
        yield "consent.recorded_on"
    if giver is None or not victims(signal) or not all(_may_consent(giver, victim) for victim in victims(signal)):
        yield "consent.given_by"


def _may_consent(giver: str, victim: Subject) -> bool:
    if giver == "PARENT_GUARDIAN" and victim.get("relation_to_offender") == "PARENT":
        return False
    if victim["age_band"] == "AGE_UNKNOWN_MAYBE_MINOR":
        return True
    return giver in ({"PARENT_GUARDIAN", "NIDOS"} if victim["age_band"] in _BANDS_UNDER_16 else {"SELF", "CURATOR"})


def police(case: Case) -> Fields:
    """Judge R-VAL-12: police data travels only where the police released it."""
    if not case.signal["police_data"]:
        return
    for path, entry in case.exchanges():
        if entry.get("purpose") not in _NO_RELEASE_NEEDED and not _is_released(entry, case.signal["urgency"]):
            yield path


def _is_released(entry: Exchange, urgency: str) -> bool:
    if entry.get("legal_basis") == "VITAL_INTEREST":
        return urgency == "ACUTE"
    return entry.get("legal_basis") == "WPG_RELEASE" and bool(entry.get("release_ref"))


def police_source(case: Case) -> Fields:
    """Judge R-VAL-12: what the police report is police data."""
    if case.signal["reporter_source"] in _POLICE_SOURCES and not case.signal["police_data"]:
        yield "police_data"


def guard(case: Case) -> Fields:
    """Judge R-VAL-13: nothing was found, or each finding was let pass for a reason."""
    result = case.signal["guard"]
    if result is None or not _guard_passes(result):
        yield "guard"


def _guard_passes(result: Guard) -> bool:
    if not {"version", "findings", "overrides"} <= result.keys():
        return False
    findings, overrides = result["findings"], result["overrides"]
    if result.get("result") == "PASS":
        return not findings and not overrides
    justified = [override.get("type") for override in overrides if {"reason"} <= override.keys()]
    matched = len(justified) == len(overrides) and Counter(justified) == Counter(findings)
    return result.get("result") == "JUSTIFIED" and bool(findings) and matched and NEVER_JUSTIFIED.isdisjoint(findings)


def version(case: Case) -> Fields:
    """Judge R-VAL-16 as far as the signal alone tells: versions count from 1 and supersede the one before."""
    number = case.signal["version"]
    if number < 1:
        yield "version"
    elif case.signal.get("supersedes") != (number - 1 or None):
        yield "supersedes"


def emergency(case: Case) -> Fields:
    """Judge R-VAL-18: in acute danger the 112 advice was shown first."""
    if case.signal["urgency"] == "ACUTE" and not case.signal["emergency_advised"]:
        yield "emergency_advised"


def alert(case: Case) -> Fields:
    """Judge R-VAL-19: who is in acute danger, or urgent and a minor, may be told to the chain director."""
    if needs_alert_entry(case.signal) and "ACUTE_ALERT" not in purposes(case.signal):
        yield "exchanges"


def care_class(case: Case) -> Fields:
    """Judge R-VAL-20: the victims are all minors or none is."""
    if len({victim["is_minor"] for victim in victims(case.signal)}) > 1:
        yield "subjects"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule with its code and what it cannot do without: paths without the numbers of elements."""

    code: str
    judge: Callable[[Case], Fields]
    needs: tuple[str, ...]


_MINORS: Final = ("subjects", "subjects.role", "subjects.is_minor")
_PURPOSES: Final = ("exchanges", "exchanges.purpose")

RULES: Final = (
    Rule("V02_MUNICIPALITY", municipality, ("municipality",)),
    Rule("V04_FORMS", forms, ("forms.primary", "forms.secondary")),
    Rule("V05_SECTOR", sector, ("sector", "forms.primary", "forms.secondary")),
    Rule("V06_PERIOD", period, ("observed_weeks.from", "observed_weeks.to")),
    Rule("V07_AGE", age, ("subjects",)),
    Rule("V08_MEANS", means, ("subjects", "subjects.role", "subjects.minor_at_event")),
    Rule("V09_ANONYMOUS", anonymous, ("reporter_source", "corroborated", "urgency", *_MINORS)),
    Rule("V10_EXCHANGE", exchanges, ("exchanges", "urgency")),
    Rule("V10_EXCHANGE", statistics, _PURPOSES),
    Rule(
        "V11_CONSENT",
        consent,
        ("exchanges", "consent.status", "consent.given_by", "subjects", "subjects.role", "subjects.age_band"),
    ),
    Rule("V12_POLICE", police, ("police_data", "exchanges", "urgency")),
    Rule("V12_POLICE", police_source, ("police_data", "reporter_source")),
    Rule("V13_GUARD", guard, ("guard", "guard.findings", "guard.overrides.type", "guard.overrides.reason")),
    Rule("V16_VERSION", version, ("version",)),
    Rule("V18_EMERGENCY", emergency, ("urgency", "emergency_advised")),
    Rule("V19_ALERT", alert, ("urgency", *_MINORS, *_PURPOSES)),
    Rule("V20_CARE_CLASS", care_class, _MINORS),
)
"""All rules in the order of their codes."""
