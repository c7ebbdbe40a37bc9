"""Corrections: what an attention officer changes when a signal is published again as version 2."""

import copy
from collections.abc import Callable
from random import Random
from typing import Final

from signal_exchange_demo.region.bases import consent_record, exchange
from signal_exchange_demo.region.model import Record

Change = Callable[[Record], None]


def _victims(record: Record) -> list[Record]:
    return [subject for subject in record["subjects"] if subject["role"] == "VICTIM"]


def _care(record: Record) -> Record | None:
    return next((entry for entry in record["exchanges"] if entry["purpose"] == "CARE_REFERRAL"), None)


def _has_alert(record: Record) -> bool:
    return any(entry["purpose"] == "ACUTE_ALERT" for entry in record["exchanges"])


def _is_plain_adult(record: Record) -> bool:
    """Say whether the signal is about adults, not from the police, with care and without an alert."""
    return bool(_victims(record)) and not record["police_data"] and not _has_alert(record) and _care(record) is not None


def _on(record: Record) -> str:
    return str(record["received_at"][:10])


def _refuse(record: Record) -> None:
    record["consent"] = {**consent_record("WITHDRAWN", "SELF"), "recorded_on": _on(record)}
    care = _care(record)
    if care is not None:
        care["legal_basis"] = "PUBLIC_TASK"


def _consent(record: Record) -> None:
    record["consent"] = {**consent_record("GIVEN", "SELF"), "recorded_on": _on(record)}
    record["care_needs"] = record["care_needs"] or ["ADVICE_ONLY"]
    care = _care(record)
    if care is not None:
        care.update(legal_basis="CONSENT", partnership="CARE_NETWORK")


def _turn_out_minor(record: Record) -> None:
    _victims(record)[0]["age_band"] = "AGE_16_17"
    record.update(urgency="URGENT", consent=consent_record("NOT_APPLICABLE"))
    record["vulnerabilities"] = ["MINOR", *record["vulnerabilities"]]
    kept = [entry for entry in record["exchanges"] if entry["purpose"] != "CARE_REFERRAL"]
    care = exchange("CARE_REFERRAL", "YOUTH_PROTECTION", "CARE_NETWORK")
    record["exchanges"] = [care, exchange("ACUTE_ALERT", "YOUTH_PROTECTION"), *kept]


def _drop_screening(record: Record) -> None:
    record["exchanges"] = [entry for entry in record["exchanges"] if entry["purpose"] != "SCREENING"]


def _confirm(record: Record) -> None:
    record["corroborated"] = True


def _count_more(record: Record) -> None:
    record["estimated_victims"] += 1


def _to(urgency: str) -> Change:
    return lambda record: record.update(urgency=urgency)


def _possible(record: Record) -> list[Change]:
    """List the changes that fit a record; each leaves it valid."""
    found: list[Change] = [_count_more]
    if not record["corroborated"]:
        found.append(_confirm)
    if record["urgency"] == "REGULAR":
        found += [_to("URGENT"), _to("MONITOR")] if record["reporter_source"] != "ANONYMOUS_TIP" else []
    if not _is_plain_adult(record):
        return found
    found += {"GIVEN": [_refuse, _refuse], "NOT_ASKED": [_consent, _consent]}.get(record["consent"]["status"], [])
    if len(_victims(record)) == 1 and _victims(record)[0].get("age_band") == "AGE_UNKNOWN_ADULT":
        found += [_turn_out_minor, _turn_out_minor]
    return [*found, _drop_screening]


def corrected(rng: Random, record: Record) -> Record:
    """Give a changed copy of a record: consent, urgency, numbers, confirmation, age or purposes."""
    changed = copy.deepcopy(record)
    rng.choice(_possible(record))(changed)
    return changed


CORRECTED_SHARE: Final = 0.05
