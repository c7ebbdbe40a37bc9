"""The retention of a signal: its end is the last relevant event and a term (R-RET-01, R-RET-02)."""

from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final


@dataclass(frozen=True, slots=True)
class Term:
    """The time for which something is kept after its last relevant event."""

    months: int = 0
    days: int = 0

    def after(self, day: date) -> date:
        """Give the day on which it ends; a month that is too short clips (2026-08-31 and 6 months is 2027-02-28)."""
        number = day.year * 12 + day.month - 1 + self.months
        year, month = divmod(number, 12)
        clipped = date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
        return clipped + timedelta(days=self.days)


TERMS: Final[Mapping[str, Term]] = {
    "UNSUBSTANTIATED": Term(months=6),
    "DISCUSSED": Term(months=24),
    "ADMIN_CASE": Term(months=60),
    "CARE_REFERRAL": Term(months=12),
    "DEAD_LETTER": Term(days=30),
}
"""The term of each class of retention_class.csv that ends by a date (R-RET-02)."""


def end_of(retention_class: str, events: Iterable[date], held_days: int = 0) -> date:
    """Give the day from which something is erased: the term after its last event, moved by the days of a legal hold (R-RET-01).

    A class that ends by no date is a KeyError.
    """
    return TERMS[retention_class].after(max(events)) + timedelta(days=held_days)


def latest_end(events: Mapping[str, Iterable[date]]) -> tuple[str, date]:
    """Give the class whose end comes last, and that day: of several classes the latest end wins (R-RET-01)."""
    ends = {each: end_of(each, days) for each, days in events.items()}
    last = max(ends, key=lambda each: ends[each])
    return last, ends[last]
