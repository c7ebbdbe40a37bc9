"""Dutch working days and the deadlines that count them (R-CAL)."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache

from signal_exchange.domain.policy import Policy
from signal_exchange.domain.times import at, local

SATURDAY = 6
SUNDAY = 7
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day that the Algemene termijnenwet names, with its code."""

    day: date
    code: str


@lru_cache(maxsize=256)
def easter(year: int) -> date:
    """Give Easter Sunday of the Gregorian calendar, by the anonymous algorithm (R-CAL-01)."""
    century, rest = divmod(year, 100)
    leaps, leap_rest = divmod(century, 4)
    moon = (19 * (year % 19) + century - leaps - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    quarter, quarter_rest = divmod(rest, 4)
    weekday = (32 + 2 * leap_rest + 2 * quarter - moon - quarter_rest) % 7
    late = (year % 19 + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def _kings_day(year: int) -> date:
    day = date(year, 4, 27)
    return day - _DAY if day.isoweekday() == SUNDAY else day


@lru_cache(maxsize=256)
def atw_holidays(year: int) -> tuple[Holiday, ...]:
    """Give the days of the Algemene termijnenwet in a year, without those equated by decree (R-CAL-01)."""
    sunday = easter(year)
    return (
        Holiday(date(year, 1, 1), "NEW_YEAR"),
        Holiday(sunday - 2 * _DAY, "GOOD_FRIDAY"),
        Holiday(sunday + _DAY, "EASTER_MONDAY"),
        Holiday(_kings_day(year), "KINGS_DAY"),
        Holiday(date(year, 5, 5), "LIBERATION_DAY"),
        Holiday(sunday + 39 * _DAY, "ASCENSION_DAY"),
        Holiday(sunday + 50 * _DAY, "WHIT_MONDAY"),
        Holiday(date(year, 12, 25), "CHRISTMAS_1"),
        Holiday(date(year, 12, 26), "CHRISTMAS_2"),
    )


@lru_cache(maxsize=256)
def _holiday_dates(year: int) -> frozenset[date]:
    return frozenset(holiday.day for holiday in atw_holidays(year))


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Working days of the region: `equated` days count as holidays, local closing days move meetings only."""

    equated: frozenset[date] = frozenset()
    local_closing_days: frozenset[date] = frozenset()
    policy: Policy = field(default_factory=Policy)

    def is_working_day(self, day: date) -> bool:
        """Say whether a day counts for deadlines (R-CAL-01); local closing days do (R-CAL-04)."""
        return day.isoweekday() < SATURDAY and day not in self.equated and day not in _holiday_dates(day.year)

    def is_open(self, day: date) -> bool:
        """Say whether people can meet on a day: a working day that is no local closing day (R-AGENDA-01)."""
        return self.is_working_day(day) and day not in self.local_closing_days

    def add_working_days(self, day: date, n: int) -> date:
        """Give the n-th working day after a day, or before it for a negative n; for 0 the day itself."""
        step = _DAY if n > 0 else -_DAY
        left = abs(n)
        while left:
            day += step
            left -= self.is_working_day(day)
        return day

    def working_days_between(self, first: date, last: date) -> int:
        """Give the number of working days after the first day, up to and with the last (R-CAL-03)."""
        return sum(self.is_working_day(first + n * _DAY) for n in range(1, (last - first).days + 1))

    def day_zero(self, received: datetime) -> date:
        """Give the day that a receipt counts as: the next working day after 17:00 or on a free day (R-CAL-02)."""
        moment = local(received)
        if self.is_working_day(moment.date()) and moment.time() < self.policy.day_ends_at:
            return moment.date()
        return self.add_working_days(moment.date(), 1)

    def deadline(self, received: datetime, n: int) -> datetime:
        """Give 17:00 Amsterdam on the n-th working day after day 0 (R-CAL-03)."""
        return at(self.add_working_days(self.day_zero(received), n), self.policy.day_ends_at)
