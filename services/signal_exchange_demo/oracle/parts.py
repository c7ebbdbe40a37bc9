"""For whom the parts of a signal are sealed (R-VAL-23)."""

from signal_exchange_demo.oracle.reference import Json


def sealed_for(signal: Json) -> list[str]:
    """Give the groups in alphabetical order."""
    named = [entry["purpose"] for entry in signal["exchanges"]]
    minors = {subject["role"] for subject in signal["subjects"] if subject["is_minor"]}
    groups = []
    if "CARE_REFERRAL" in named:
        groups.append("youth" if "VICTIM" in minors else "care")
    if "SCREENING" in named and not minors & {"VICTIM", "SUSPECT"}:
        groups.append("table")
    if "LINKING" in named:
        groups.append("linking")
    return sorted(groups)
