"""Windows: the limits of a value beside the day on which a person enters it (R-VAL-24).

Judged once, where the value is entered, and never again: not in a replay and not by a receiver, because what was right on the day
that it was entered stays right.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from signal_exchange.domain.meetings.weeks import week_of
from signal_exchange.domain.policy import Policy
from signal_exchange.domain.refusals import Phrase
from signal_exchange.domain.signals.drafts import age_on, births
from signal_exchange.domain.signals.shape import to_date
from signal_exchange.domain.signals.violations import Violation, violation
from signal_exchange.domain.times import local_day

RULE: Final = "R-VAL-24"
_CODE: Final = "V24_WINDOW"


@dataclass(frozen=True, slots=True)
class Days:
    """The days from `first` up to and including `last`, and the text that calls them from the day of entry."""

    first: date
    last: date
    today: date
    window: Phrase

    def hold(self, day: date) -> bool:
        """Say whether a day is one of them."""
        return self.first <= day <= self.last

    def missed_by(self, day: date) -> Phrase | None:
        """Return the fault of a day outside them, with the days that would be right; None when it is one of them."""
        if self.hold(day):
            return None
        facts = {"window": self.window}
        if day < self.first:
            return Phrase("day_in_past", facts) if self.first == self.today else Phrase("day_too_far_back", facts)
        return Phrase("day_in_future", facts) if self.last == self.today else Phrase("day_too_far_ahead", facts)


def due_days(today: date, policy: Policy) -> Days:
    """Give the days on which something that is decided today may be due."""
    ahead = policy.due_ahead_days
    return Days(today, today + timedelta(days=ahead), today, Phrase("days_from_today", {"days": ahead}))


def planned_contact_days(today: date, policy: Policy) -> Days:
    """Give the days on which a contact that is planned today may be."""
    ahead = policy.planned_contact_ahead_days
    return Days(today, today + timedelta(days=ahead), today, Phrase("days_from_today", {"days": ahead}))


def first_contact_days(today: date, policy: Policy) -> Days:
    """Give the days on which a first contact that is told today may have been."""
    back = policy.first_contact_back_days
    return Days(today - timedelta(days=back), today, today, Phrase("days_until_today", {"days": back}))


def past_days(today: date, policy: Policy) -> Days:
    """Give the days on which something that is told today may have happened."""
    back = policy.entered_back_years
    return Days(_years_before(today, back), today, today, Phrase("years_until_today", {"years": back}))


def windows_left(record: Mapping[str, object], today: date, policy: Policy) -> Iterator[Violation]:
    """Judge a municipal record whose types are right: every value that cannot be, with the window that it left.

    What lies after today is left to the rule that says so already: a birth date to R-VAL-07, a later week to R-VAL-06, consent
    that an exchange rests on to R-VAL-11.
    """
    yield from _ages(record, today, policy)
    yield from _counts(record, policy)
    past = past_days(today, policy)
    for field, day in _past_days_of(record):
        if day is not None and not past.hold(day) and not (day > today and _is_told_already(field, day, record, today)):
            yield violation(field, _CODE, words=past.window)


def _is_told_already(field: str, day: date, record: Mapping[str, object], today: date) -> bool:
    if field.startswith("observed."):
        return week_of(day) != week_of(today)
    entries = record.get("exchanges")
    consents = (each.get("legal_basis") == "CONSENT" for each in (entries if isinstance(entries, list) else ()))
    return field == "consent.recorded_on" and any(consents)


def _ages(record: Mapping[str, object], today: date, policy: Policy) -> Iterator[Violation]:
    for path, _, born in births(record):
        if age_on(born, today) > policy.age_max_years:
            yield violation(f"{path}.birth_date", _CODE, words=Phrase("age_up_to", {"years": policy.age_max_years}))


def _counts(record: Mapping[str, object], policy: Policy) -> Iterator[Violation]:
    count = record.get("estimated_victims")
    if isinstance(count, int) and not 0 <= count <= policy.victims_max:
        yield violation("estimated_victims", _CODE, words=Phrase("count_up_to", {"most": policy.victims_max}))


def _past_days_of(record: Mapping[str, object]) -> Iterator[tuple[str, date | None]]:
    for name in ("received_at", "emergency_advised_at"):
        moment = record.get(name)
        yield name, _day_of(moment) if isinstance(moment, str) else None
    for name, parts in (("observed", ("from", "to")), ("consent", ("recorded_on",))):
        fields = record.get(name)
        if isinstance(fields, Mapping):
            yield from ((f"{name}.{part}", to_date(fields.get(part))) for part in parts)


def _day_of(moment: str) -> date:
    """Return the Amsterdam date of a moment; one so far off that it has none is the first day of all."""
    try:
        return local_day(datetime.fromisoformat(moment))
    except OverflowError:
        return date.min


def _years_before(day: date, years: int) -> date:
    """Give the same day so many years before; of 29 February the 28th (as R-RET-01)."""
    year = day.year - years
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 2, 28)
