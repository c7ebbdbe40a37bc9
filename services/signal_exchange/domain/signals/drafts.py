"""Making the coded signal from a municipal record: what identifies stays inside."""

import copy
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from signal_exchange.domain.meetings.weeks import week_of
from signal_exchange.domain.signals.coded import ANONYMOUS_TIP, MINOR_BANDS, VICTIM
from signal_exchange.domain.signals.fields import SIGNAL, SUBJECT, Field, Kind, coded, copied
from signal_exchange.domain.signals.shape import to_date

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
_COPIED: Final = copied(SIGNAL)
_CODE_LISTS: Final = tuple(each.name for each in SIGNAL if each in _COPIED and each.kind is Kind.CODES)
_OF_SUBJECT: Final = copied(SUBJECT)


def age_on(born: date, day: date) -> int:
    """Give an age in whole years; who is born on 29 February turns on 1 March (R-VAL-07)."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def subjects_of(record: Mapping[str, object]) -> list[Mapping[str, object]]:
    """Give the subjects of a record whose types are right."""
    subjects = record.get("subjects")
    return subjects if isinstance(subjects, list) else []


def births(record: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, object], date]]:
    """Give each subject with a birth date: its path in the record, its fields and the date."""
    for index, subject in enumerate(subjects_of(record)):
        born = to_date(subject.get("birth_date"))
        if born is not None:
            yield f"subjects[{index}]", subject, born


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
        **{name: [] for name in _CODE_LISTS},
        **_copy(record, _COPIED),
        **dict(_derived(record, day)),
        "guard": guard,
        "emergency_advised": record.get("emergency_advised_at") is not None,
    }
    return copy.deepcopy(coded)


def with_every_field(signal: Mapping[str, object]) -> dict[str, object]:
    """Return a valid coded signal with every field that the schema has: null or empty where it says nothing."""
    return _filled(signal, SIGNAL)


def _filled(group: Mapping[str, Any], fields: tuple[Field, ...]) -> dict[str, object]:
    return {each.name: _value(group.get(each.name), each) for each in coded(fields)}


def _value(value: Any, field: Field) -> object:  # noqa: ANN401 - JSON in, JSON out
    if field.kind is Kind.GROUP:
        return _filled(value, field.parts)
    if field.kind is Kind.ROWS:
        return [_filled(each, field.parts) for each in value or ()]
    return [] if field.kind is Kind.CODES and value is None else value


def _copy(entered: Mapping[str, object], fields: tuple[Field, ...]) -> dict[str, object]:
    return {each.name: _copy_of(entered[each.inside], each) for each in fields if each.inside in entered}


def _copy_of(value: object, field: Field) -> object:
    if field.kind is Kind.GROUP and isinstance(value, Mapping):
        return _copy(value, copied(field.parts))
    if field.kind is Kind.ROWS and isinstance(value, list):
        return [_copy(each, copied(field.parts)) if isinstance(each, Mapping) else each for each in value]
    return value


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
        **_copy(subject, _OF_SUBJECT),
        **_age(subject, day, observed_from),
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
