"""Making the coded signal from a municipal record: what identifies stays inside."""

import copy
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from signal_exchange.domain.shape import to_date
from signal_exchange.domain.signals import ANONYMOUS_TIP, MINOR_BANDS, VICTIM
from signal_exchange.domain.weeks import week_of

MAJORITY: Final = 18
_BANDS: Final = (
    (12, "AGE_0_11"),
    (16, "AGE_12_15"),
    (18, "AGE_16_17"),
    (23, "AGE_18_22"),
    (30, "AGE_23_29"),
    (45, "AGE_30_44"),
    (65, "AGE_45_64"),
)
_COPIED: Final = ("municipality", "reporter_source", "corroborated", "sector", "police_data", "estimated_victims")
_LISTS: Final = ("acts", "means", "indicators", "care_needs")
_NAMED: Final = {"forms": ("primary", "secondary"), "consent": ("status", "given_by", "recorded_on")}
_NAMED_LISTS: Final = {"places": ("kind",), "exchanges": ("purpose", "legal_basis", "partnership", "release_ref")}
_SUBJECT: Final = ("ref", "role", "sex", "nationality_group")


def age_on(born: date, day: date) -> int:
    """Give an age in whole years; who is born on 29 February turns on 1 March (R-VAL-07)."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def age_band(years: int) -> str:
    """Give the age band of an age."""
    return next((band for below, band in _BANDS if years < below), "AGE_65_PLUS")


def coded_signal(
    record: Mapping[str, object],
    *,
    signal_id: str,
    version: int,
    supersedes: int | None,
    day: date,
    guard: Mapping[str, object],
) -> dict[str, object]:
    """Make the coded signal that leaves on a day; the record is as in the examples inside and is not changed.

    Dates become weeks, ages become bands with the minor flags (R-VAL-07), an anonymous tip starts at MONITOR
    (R-VAL-09). Names, numbers, addresses, texts and the reporter stay behind, as does every field that has no place
    on the wire. What is missing or wrong in the record is missing or wrong here, for `validate` to say so.
    """
    coded: dict[str, object] = {
        "signal_id": signal_id,
        "version": version,
        "supersedes": supersedes,
        **{name: record[name] for name in _COPIED if name in record},
        **{name: record.get(name, []) for name in _LISTS},
        **{name: _pick(record[name], names) for name, names in _NAMED.items() if name in record},
        **{name: _each(record[name], names) for name, names in _NAMED_LISTS.items() if name in record},
        **dict(_derived(record, day)),
        "guard": guard,
        "emergency_advised": record.get("emergency_advised_at") is not None,
    }
    return copy.deepcopy(coded)


def _pick(value: object, names: tuple[str, ...]) -> object:
    return {name: value[name] for name in names if name in value} if isinstance(value, Mapping) else value


def _each(values: object, names: tuple[str, ...]) -> object:
    return [_pick(value, names) for value in values] if isinstance(values, list) else values


def _derived(record: Mapping[str, object], day: date) -> Iterator[tuple[str, object]]:
    observed = record.get("observed")
    first = to_date(observed.get("from")) if isinstance(observed, Mapping) else None
    if observed is not None:
        yield "observed_weeks", _weeks(observed)
    if record.get("urgency") is not None:
        yield "urgency", record["urgency"]
    elif record.get("reporter_source") == ANONYMOUS_TIP:
        yield "urgency", "MONITOR"
    subjects = record.get("subjects")
    if subjects is not None:
        coded = [_subject(subject, day, first) for subject in subjects] if isinstance(subjects, list) else subjects
        yield "subjects", coded
        yield "vulnerabilities", _vulnerabilities(record.get("vulnerabilities", []), coded)


def _weeks(observed: object) -> object:
    if not isinstance(observed, Mapping):
        return observed
    return {end: _week(observed[end]) for end in ("from", "to") if end in observed}


def _week(value: object) -> object:
    day = to_date(value)
    return value if day is None else week_of(day)


def _subject(subject: object, day: date, observed_from: date | None) -> object:
    if not isinstance(subject, Mapping):
        return subject
    return {
        **{name: subject[name] for name in _SUBJECT if name in subject},
        **_age(subject, day, observed_from),
        "relation_to_offender": subject.get("relation"),
    }


def _age(subject: Mapping[str, object], day: date, observed_from: date | None) -> dict[str, object]:
    born, band = to_date(subject.get("birth_date")), subject.get("age_band")
    if born is not None:
        minor = age_on(born, day) < MAJORITY
        at_event = minor if observed_from is None else age_on(born, observed_from) < MAJORITY
        return {"age_band": age_band(age_on(born, day)), "is_minor": minor, "minor_at_event": at_event}
    if band is None:
        return {}
    minor = band in MINOR_BANDS
    return {"age_band": band, "is_minor": minor, "minor_at_event": minor}


def _vulnerabilities(typed: object, subjects: object) -> object:
    """Derive MINOR from the victims; what was typed says nothing about it."""
    if not isinstance(typed, list) or not isinstance(subjects, list):
        return typed
    found = (subject for subject in subjects if isinstance(subject, dict) and subject.get("role") == VICTIM)
    minor = ["MINOR"] if any(subject.get("is_minor") for subject in found) else []
    return [*minor, *(code for code in typed if code != "MINOR")]


def without_sealed_parts(data: Mapping[str, object]) -> dict[str, object]:
    """Give the coded signal of a published event in JSON: without its summary, its objects and every link token."""
    coded = {name: value for name, value in data.items() if name not in {"summary", "objects"}}
    for name in ("subjects", "places"):
        carriers = coded.get(name)
        if isinstance(carriers, list):
            coded[name] = [_without_tokens(carrier) for carrier in carriers]
    return coded


def _without_tokens(carrier: object) -> object:
    if not isinstance(carrier, Mapping):
        return carrier
    return {name: value for name, value in carrier.items() if name != "link_tokens"}
