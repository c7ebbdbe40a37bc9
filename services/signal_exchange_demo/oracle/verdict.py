"""All broken rules of one signal together (rules.md section 1)."""

from datetime import date, timedelta

from signal_exchange_demo.oracle.case import Case, coded_values
from signal_exchange_demo.oracle.checks import RULES
from signal_exchange_demo.oracle.reference import Json, Reference
from signal_exchange_demo.oracle.shape import SIGNAL, UNSEALED, missing_fields, unknown_field, wrong_type

MAX_SUMMARY = 500
TOKENS_OF_OLD_EPOCH_DAYS = 30


def _unusable_for_missing(missing: set[str]) -> set[str]:
    whole = {path.partition(".")[0] for path in missing if path.startswith(("observed_weeks", "forms"))}
    if "subjects" in missing:
        whole |= {"subjects." + name for name in ("role", "age_band", "is_minor", "minor_at_event")}
    return missing | whole


def codes_of(signal: Json, day: date, sender: str, reference: Reference, *, unsealed: bool = False) -> list[str]:
    """Give the short codes of all broken rules, in order of number; empty when the signal is valid.

    With `unsealed` the summary, objects and link tokens may still be there and are judged too (R-VAL-14, R-VAL-15).
    """
    shape = UNSEALED if unsealed else SIGNAL
    if signal.get("guard", "there") is None:
        # The wire writes an absent guard as null; R-VAL-01 speaks of that.
        signal = {name: value for name, value in signal.items() if name != "guard"}
    if wrong_type(signal, shape):
        return ["V22"]
    missing = missing_fields(signal)
    case = Case(signal, day, sender, reference, _unusable_for_missing(missing))
    wrong = {part for part, code_list, code in coded_values(signal) if not reference.valid(code_list, code, day)}
    case.unusable |= wrong
    found = {"V01"} if missing else set()
    found |= {"V03"} if wrong else set()
    found |= {"V17"} if unknown_field(signal, shape) else set()
    found |= {code for code, (broken, needs) in RULES.items() if case.can_use(*needs) and broken(case)}
    if unsealed:
        found |= _unsealed_codes(signal, day)
    return sorted(found)


def _unsealed_codes(signal: Json, day: date) -> set[str]:
    groups = [subject.get("link_tokens", []) for subject in signal.get("subjects", [])]
    groups += [place.get("link_tokens", []) for place in signal.get("places", [])]
    groups.append(signal.get("objects", []))
    found = {"V14"} if any(tokens_wrong(group, day) for group in groups) else set()
    if len(signal.get("summary") or "") > MAX_SUMMARY:
        found.add("V15")
    return found


LINK_TYPES = {"BSN", "NAME_DOB", "NAME_DOB_SOFT", "ADDRESS_BAG", "ADDRESS_PC", "PHONE", "PLATE", "KVK", "IBAN"}


def epochs_of(day: date) -> set[str]:
    """Give the epochs whose tokens are taken on a day (R-VAL-14)."""
    halves = [(date(day.year - 1, 7, 1), "H2"), (date(day.year, 1, 1), "H1"), (date(day.year, 7, 1), "H2")]
    past = [(start, f"{start.year}{half}") for start, half in halves if start <= day]
    current_start, current = past[-1]
    if day - current_start < timedelta(days=TOKENS_OF_OLD_EPOCH_DAYS):
        return {current, past[-2][1]}
    return {current}


def tokens_wrong(tokens: list[Json], day: date) -> bool:
    """R-VAL-14: known type, current epoch, 32 lower-case hex, none twice."""
    for token in tokens:
        if token["type"] not in LINK_TYPES or token["epoch"] not in epochs_of(day):
            return True
        if len(token["token"]) != 32 or set(token["token"]) - set("0123456789abcdef"):
            return True
    return len({(token["type"], token["epoch"], token["token"]) for token in tokens}) != len(tokens)
