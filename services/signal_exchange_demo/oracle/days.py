"""Working days and ISO weeks, the plain way (rules.md section 3)."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
ONE_DAY = timedelta(days=1)
CLOSING_HOUR = 17


def easter(year: int) -> date:
    """Give Easter Sunday by the anonymous Gregorian algorithm (holidays.md)."""
    a = year % 19
    b, c = divmod(year, 100)
    d, e = divmod(b, 4)
    g = (b - (b + 8) // 25 + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    l_ = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * l_) // 451
    month, day = divmod(h + l_ - 7 * m + 114, 31)
    return date(year, month, day + 1)


def legal_holidays(year: int) -> set[date]:
    """Give the days of R-CAL-01 that fall in one year, without equated days."""
    sunday = easter(year)
    kings_day = date(year, 4, 27)
    if kings_day.isoweekday() == 7:
        kings_day = date(year, 4, 26)
    return {
        date(year, 1, 1),
        sunday - 2 * ONE_DAY,
        sunday + ONE_DAY,
        kings_day,
        date(year, 5, 5),
        sunday + 39 * ONE_DAY,
        sunday + 50 * ONE_DAY,
        date(year, 12, 25),
        date(year, 12, 26),
    }


def works(day: date, equated: frozenset[date]) -> bool:
    """Say whether a day is a working day (R-CAL-01)."""
    return day.isoweekday() < 6 and day not in legal_holidays(day.year) and day not in equated


def next_working_day(day: date, equated: frozenset[date]) -> date:
    """Give the first working day after a day."""
    day += ONE_DAY
    while not works(day, equated):
        day += ONE_DAY
    return day


def day_zero(received: datetime, equated: frozenset[date]) -> date:
    """Give the day that a moment counts as (R-CAL-02)."""
    local = received.astimezone(AMSTERDAM)
    if works(local.date(), equated) and local.hour < CLOSING_HOUR:
        return local.date()
    return next_working_day(local.date(), equated)


def deadline(received: datetime, count: int, equated: frozenset[date]) -> datetime:
    """Give 17:00 of the n-th working day after day 0 (R-CAL-03)."""
    day = day_zero(received, equated)
    for _ in range(count):
        day = next_working_day(day, equated)
    return datetime.combine(day, time(CLOSING_HOUR), AMSTERDAM)


def iso_week(day: date) -> str:
    """Write the ISO week of a day as 2026-W48."""
    year, week, _ = day.isocalendar()
    return f"{year:04d}-W{week:02d}"


def monday_of(week: str) -> date | None:
    """Give the Monday of a week, or nothing when it is misspelt or does not exist (R-VAL-06)."""
    if len(week) != 8 or week[4:6] != "-W" or not (week[:4] + week[6:]).isascii() or not (week[:4] + week[6:]).isdigit():
        return None
    try:
        return date.fromisocalendar(int(week[:4]), int(week[6:]), 1)
    except ValueError:
        return None
