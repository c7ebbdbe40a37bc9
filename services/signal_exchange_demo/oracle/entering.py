"""The values that are judged once, where they are entered: windows (R-VAL-24) and contradictions that are asked (R-VAL-25)."""

from datetime import date, datetime, timedelta

from signal_exchange_demo.oracle.coding import age_on, band_of
from signal_exchange_demo.oracle.days import AMSTERDAM, iso_week
from signal_exchange_demo.oracle.reference import Json

WORK = ("LAB_", "SRV_", "CRI_MONEY_MULE")


def too_early(day: date) -> date:
    """Give the last day that lies more than ten years before a day."""
    years_ago = date(day.year - 10, day.month, 28) if (day.month, day.day) == (2, 29) else date(day.year - 10, day.month, day.day)
    return years_ago - timedelta(days=1)


def is_in_window(field: str, day: date, value: object) -> bool:
    """Say whether a value may be entered in a field on a day."""
    if value is None:
        return True
    if field == "estimated_victims":
        return isinstance(value, int) and value in range(1001)
    entered = _day_of(str(value))
    if field == "birth_date":
        return age_on(entered, day) < 111  # one that lies ahead is R-VAL-07's
    ahead = {"due_date": 400, "planned_contact": 60}
    if field in ahead:
        return (entered - day).days in range(ahead[field] + 1)
    if field == "first_contact":
        return (day - entered).days in range(91)
    return too_early(day) < entered <= day


def _day_of(text: str) -> date:
    if "T" not in text:
        return date.fromisoformat(text)
    try:
        return datetime.fromisoformat(text).astimezone(AMSTERDAM).date()
    except OverflowError:
        return date(1, 1, 1)


def windows_left(record: Json, day: date) -> set[str]:
    """Name the fields of a municipal record that hold what cannot be on its day."""
    values = {name: record.get(name) for name in ("estimated_victims", "received_at", "emergency_advised_at")}
    for outer, inner in (("observed", "from"), ("observed", "to"), ("consent", "recorded_on")):
        values[f"{outer}.{inner}"] = (record.get(outer) or {}).get(inner)
    left = {field for field, value in values.items() if not is_in_window(field, day, value)}
    left -= {field for field in left if _is_of_another_rule(field, values[field], record, day)}
    for index, subject in enumerate(record.get("subjects", [])):
        if not is_in_window("birth_date", day, subject.get("birth_date")):
            left.add(f"subjects[{index}].birth_date")
    return left


def _is_of_another_rule(field: str, value: object, record: Json, day: date) -> bool:
    if field.startswith("observed"):
        return iso_week(_day_of(str(value))) > iso_week(day)  # R-VAL-06
    on_consent = any(entry.get("legal_basis") == "CONSENT" for entry in record.get("exchanges", []))
    return field == "consent.recorded_on" and on_consent and _day_of(str(value)) > day  # R-VAL-11


def asked(record: Json, day: date) -> set[str]:
    """Name the fields of a municipal record that contradict another one."""
    subjects = record.get("subjects", [])
    fields = {f"subjects[{index}].birth_date" for index, each in enumerate(subjects) if _birth_is_odd(each, record, day)}
    fields |= {f"subjects[{index}].age_band" for index, each in enumerate(subjects) if _band_is_odd(each, day)}
    victims = [each for each in subjects if each["role"] == "VICTIM"]
    ages = [_age(each, day) for each in victims if each.get("birth_date")]
    words = set(record.get("vulnerabilities", []))
    if ages and len(ages) == len(victims):
        adults = words & {"MINOR", "UNACCOMPANIED_MINOR"} and min(ages) >= 18
        if adults or ("YOUTH" in words and min(ages) >= 28):
            fields.add("vulnerabilities")
    return fields


def _age(subject: Json, day: date) -> int:
    return age_on(date.fromisoformat(subject["birth_date"]), day)


def _band_is_odd(subject: Json, day: date) -> bool:
    band = subject.get("age_band")
    if not subject.get("birth_date") or band is None:
        return False
    if band.startswith("AGE_UNKNOWN"):
        return bool((band == "AGE_UNKNOWN_MAYBE_MINOR") != (_age(subject, day) < 18))
    return bool(band != band_of(_age(subject, day)))


def _birth_is_odd(subject: Json, record: Json, day: date) -> bool:
    if not subject.get("birth_date"):
        return False
    first = (record.get("observed") or {}).get("from")
    if first and subject["birth_date"] > first:
        return True
    if subject["role"] != "VICTIM":
        return False
    age, giver = _age(subject, day), str((record.get("consent") or {}).get("given_by"))
    by_giver = {"PARENT_GUARDIAN": age > 17, "NIDOS": age > 17, "CURATOR": age < 18, "SELF": age < 12}
    sector, relation = record.get("sector") or "SECTOR_UNKNOWN", subject.get("relation")
    child_at_work = sector.startswith(WORK) and age < 12
    by_sector = sector not in ("SECTOR_UNKNOWN", "SRV_HOUSEHOLD") and (child_at_work or age > 75)
    child_of_adults = relation in ("PARTNER", "EMPLOYER", "LANDLORD") and age < 12
    return by_giver.get(giver, False) or by_sector or child_of_adults or (relation == "PARENT" and _no_parent(subject, record))


def _no_parent(victim: Json, record: Json) -> bool:
    suspects = [each for each in record["subjects"] if each["role"] == "SUSPECT" and each.get("birth_date")]
    born = date.fromisoformat(victim["birth_date"])
    return bool(suspects) and all(age_on(date.fromisoformat(each["birth_date"]), born) < 12 for each in suspects)
