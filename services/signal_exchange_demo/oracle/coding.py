"""From a municipal record to the coded signal: what leaves the municipality, and nothing else."""

from datetime import date

from signal_exchange_demo.oracle.days import iso_week
from signal_exchange_demo.oracle.reference import Json

COPIED = [
    "municipality",
    "reporter_source",
    "corroborated",
    "forms",
    "sector",
    "acts",
    "means",
    "indicators",
    "vulnerabilities",
    "estimated_victims",
    "care_needs",
    "consent",
    "police_data",
    "exchanges",
]
PASSED_GUARD = {"version": "1.0.0", "result": "PASS", "findings": [], "overrides": []}
BANDS = ((12, "AGE_0_11"), (16, "AGE_12_15"), (18, "AGE_16_17"), (23, "AGE_18_22"), (30, "AGE_23_29"), (45, "AGE_30_44"))


def age_on(born: date, day: date) -> int:
    """Give the age on a day; someone born on 29 February has a birthday on 1 March in other years (R-VAL-07)."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def band_of(age: int) -> str:
    """Give the age band of an age in years."""
    for below, band in BANDS:
        if age < below:
            return band
    return "AGE_45_64" if age < 65 else "AGE_65_PLUS"


def ages(subject: Json, first_day: date, day: date) -> tuple[str, bool, bool]:
    """Give band, is_minor and minor_at_event, from the birth date or else from the band (R-VAL-07)."""
    if subject.get("birth_date"):
        born = date.fromisoformat(subject["birth_date"])
        age = age_on(born, day)
        return band_of(age), age < 18, age_on(born, first_day) < 18
    band = subject["age_band"]
    minor = band in ("AGE_0_11", "AGE_12_15", "AGE_16_17", "AGE_UNKNOWN_MAYBE_MINOR")
    return band, minor, minor


def coded_subject(subject: Json, first_day: date, day: date) -> Json:
    """Give the coded fields of one subject: no name, number, nationality or date."""
    band, minor, minor_then = ages(subject, first_day, day)
    return {
        "ref": subject["ref"],
        "role": subject["role"],
        "age_band": band,
        "is_minor": minor,
        "minor_at_event": minor_then,
        "sex": subject["sex"],
        "nationality_group": subject["nationality_group"],
        "relation_to_offender": subject["relation"],
    }


def coded(
    record: Json, day: date, *, signal_id: str, version: int = 1, supersedes: int | None = None, guard: Json | None = None
) -> Json:
    """Give the coded signal of a municipal record, published on a day (Amsterdam)."""
    first, last = date.fromisoformat(record["observed"]["from"]), date.fromisoformat(record["observed"]["to"])
    signal = {name: record[name] for name in COPIED if name in record}
    signal.update(signal_id=signal_id, version=version, supersedes=supersedes)
    signal["observed_weeks"] = {"from": iso_week(first), "to": iso_week(last)}
    signal["subjects"] = [coded_subject(subject, first, day) for subject in record["subjects"]]
    signal["places"] = [{"kind": place["kind"]} for place in record["places"]]
    signal["guard"] = dict(guard or PASSED_GUARD)
    signal["emergency_advised"] = record["emergency_advised_at"] is not None
    if "urgency" in record:
        signal["urgency"] = record["urgency"]
    elif record.get("reporter_source") == "ANONYMOUS_TIP":
        signal["urgency"] = "MONITOR"
    return signal


def inside_codes(record: Json) -> list[str]:
    """Give the short codes of what only the municipality can see: reporter of a tip, length of the summary."""
    found = []
    if record.get("reporter_source") == "ANONYMOUS_TIP" and record.get("reporter") is not None:
        found.append("V09")
    if len(record.get("summary") or "") > 500:
        found.append("V15")
    return found
