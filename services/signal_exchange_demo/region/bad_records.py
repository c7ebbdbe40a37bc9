"""Records that a municipality must refuse: one rule broken each, in a copy of a good record."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from signal_exchange_demo.region.model import BadRecord, Record
from signal_exchange_demo.region.people import ADULT, age_on
from signal_exchange_demo.region.references import reference
from signal_exchange_demo.region.turns import Turns

FIRST_BAD_NUMBER: Final = 90_000
"""Bad records get references from here on, so that they shift no other."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One way to go wrong: which records it can be made in, what it changes, and who must notice."""

    kind: str
    field: str
    rule: str
    code: str
    fits: Callable[[Record], bool]
    make: Callable[[Record], object]


def _victims(record: Record) -> list[Record]:
    return [subject for subject in record["subjects"] if subject["role"] == "VICTIM"]


def _has_entry(record: Record, purpose: str) -> bool:
    return any(entry["purpose"] == purpose for entry in record["exchanges"])


def _has_adults_only(record: Record) -> bool:
    first_day = date.fromisoformat(record["observed"]["from"])
    births = [victim["birth_date"] for victim in _victims(record)]
    return bool(births) and all(born and age_on(date.fromisoformat(born), first_day) >= ADULT for born in births)


def _rests_on_consent(record: Record) -> bool:
    return any(entry["legal_basis"] == "CONSENT" for entry in record["exchanges"])


def _is_tip(record: Record) -> bool:
    return bool(record["reporter_source"] == "ANONYMOUS_TIP")


def _is_police(record: Record) -> bool:
    return bool(record["police_data"])


def _move_sector(record: Record) -> None:
    forms = [record["forms"]["primary"], *record["forms"]["secondary"]]
    record["sector"] = "CRI_THEFT" if "ORGAN" in forms else "ORG_KIDNEY"


def _add_reporter(record: Record) -> None:
    record["reporter"] = {"name": "B. Voorbeeld", "function": "beller", "phone": "06-00009999", "email": None}


def _without(purpose: str) -> Callable[[Record], None]:
    def change(record: Record) -> None:
        record["exchanges"] = [entry for entry in record["exchanges"] if entry["purpose"] != purpose]

    return change


def _look_ahead(record: Record) -> None:
    last = date.fromisoformat(record["observed"]["to"])
    record["observed"]["to"] = (last + timedelta(days=730)).isoformat()


def _miscount_february(record: Record) -> None:
    record["observed"]["from"] = record["observed"]["from"][:4] + "-02-31"


def _forget_consent(record: Record) -> None:
    record["consent"] = {"status": "NOT_ASKED", "given_by": None, "recorded_on": None}


def _lengthen(record: Record) -> None:
    record["summary"] = " ".join([record["summary"]] * (501 // len(record["summary"]) + 1))


def _leak(record: Record) -> None:
    record["summary"] += " Bel haar op 06-00009998."


MISTAKES: Final = (
    Mistake("field_missing", "urgency", "R-VAL-01", "V01_MISSING", lambda r: not _is_tip(r), lambda r: r.pop("urgency")),
    Mistake("unknown_code", "acts", "R-VAL-03", "V03_CODE", lambda _: True, lambda r: r.update(acts=["LURE"])),
    Mistake("wrong_sector", "sector", "R-VAL-05", "V05_SECTOR", lambda _: True, _move_sector),
    Mistake("week_to_come", "observed", "R-VAL-06", "V06_PERIOD", lambda _: True, _look_ahead),
    Mistake("no_means", "means", "R-VAL-08", "V08_MEANS", _has_adults_only, lambda r: r.update(means=[])),
    Mistake("reporter_on_tip", "reporter", "R-VAL-09", "V09_ANONYMOUS", _is_tip, _add_reporter),
    Mistake("no_statistics", "exchanges", "R-VAL-10", "V10_EXCHANGE", lambda _: True, _without("STATISTICS")),
    Mistake("consent_not_asked", "consent", "R-VAL-11", "V11_CONSENT", _rests_on_consent, _forget_consent),
    Mistake("police_unmarked", "police_data", "R-VAL-12", "V12_POLICE", _is_police, lambda r: r.update(police_data=False)),
    Mistake("leak_in_summary", "summary", "R-LEAK-02", "V13_GUARD", lambda _: True, _leak),
    Mistake("long_summary", "summary", "R-VAL-15", "V15_SIZE", lambda _: True, _lengthen),
    Mistake("unknown_field", "eye_colour", "R-VAL-17", "V17_UNKNOWN_FIELD", lambda _: True, lambda r: r.update(eye_colour="x")),
    Mistake(
        "no_112_advice",
        "emergency_advised",
        "R-VAL-18",
        "V18_EMERGENCY",
        lambda r: _has_entry(r, "ACUTE_ALERT"),
        lambda r: r.update(urgency="ACUTE", emergency_advised_at=None),
    ),
    Mistake(
        "no_alert",
        "exchanges",
        "R-VAL-19",
        "V19_ALERT",
        lambda r: _has_entry(r, "ACUTE_ALERT"),
        _without("ACUTE_ALERT"),
    ),
    Mistake("no_such_day", "observed", "R-VAL-22", "V22_TYPE", lambda _: True, _miscount_february),
)


class BadRecords:
    """Spoils a copy of one record in a hundred, for each kind of mistake that it can be made in."""

    def __init__(self) -> None:
        self._turns = Turns(len(MISTAKES))
        self._number = FIRST_BAD_NUMBER

    def of(self, record: Record, day: date) -> Iterator[BadRecord]:
        """Give the bad copies for which it is this record's turn; `day` is its publish day."""
        self._turns.pass_by()
        for kind, mistake in enumerate(MISTAKES):
            if self._turns.is_due(kind) and mistake.fits(record):
                self._turns.take(kind)
                yield self._spoilt(mistake, record, day)

    def _spoilt(self, mistake: Mistake, base: Record, day: date) -> BadRecord:
        self._number += 1
        record = copy.deepcopy(base)
        record["local_ref"] = reference(record["municipality"], day.year, self._number)
        mistake.make(record)
        came = datetime.fromisoformat(base["received_at"])
        return BadRecord(mistake.kind, came, record, mistake.field, mistake.rule, mistake.code)
