"""ISO weeks as the signals and the agenda write them: 2026-W48."""

import re
from datetime import date
from typing import Final

_WEEK: Final = re.compile(r"([0-9]{4})-W([0-9]{2})")


def monday_of(week: str) -> date | None:
    """Give the Monday of an ISO week; None for a week that is misspelt or does not exist, as 2025-W53 (R-VAL-06)."""
    found = _WEEK.fullmatch(week)
    if found is None:
        return None
    try:
        return date.fromisocalendar(int(found[1]), int(found[2]), 1)
    except ValueError:
        return None


def week_of(day: date) -> str:
    """Give the ISO week of a day; its year is the one that holds the Thursday: 2025-12-31 lies in 2026-W01."""
    year, week, _ = day.isocalendar()
    return f"{year:04d}-W{week:02d}"
