"""The weekly agenda, the plain way: week, order and cap of what waits (R-AGENDA-01 to R-AGENDA-05)."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from signal_exchange_demo.oracle.days import AMSTERDAM, ONE_DAY, iso_week, works

THURSDAY, FRIDAY = 4, 5
MEETS_AT, CLOSES_AT = time(10), time(12)
CLOSES_BEFORE = 2
CAP = 20
RANK = ["ACUTE", "URGENT", "REGULAR", "MONITOR"]


@dataclass(frozen=True)
class Waiting:
    """One signal that the agenda has; one that is decided waits no more, and is still of its cluster."""

    signal_id: str
    urgency: str
    minor: bool
    due_from: datetime
    decided: bool = False


def meeting_day(monday: date, equated: frozenset[date]) -> date | None:
    """Give the day of the meeting: Thursday, else an earlier day of that week, else Friday (R-AGENDA-01)."""
    days = [monday + (number - 1) * ONE_DAY for number in (THURSDAY, 3, 2, 1, FRIDAY)]
    return next((day for day in days if works(day, equated)), None)


def cutoff(monday: date, equated: frozenset[date]) -> datetime | None:
    """Give when the agenda of a week closes: 12:00 of the second working day before its meeting (R-AGENDA-02)."""
    day = meeting_day(monday, equated)
    if day is None:
        return None
    left = CLOSES_BEFORE
    while left:
        day -= ONE_DAY
        left -= works(day, equated)
    return datetime.combine(day, CLOSES_AT, AMSTERDAM)


def week_of(due_from: datetime, equated: frozenset[date]) -> str:
    """Give the week of the first agenda that closes later (R-AGENDA-02)."""
    day = due_from.astimezone(AMSTERDAM).date()
    monday = day - (day.isoweekday() - 1) * ONE_DAY
    while (closes := cutoff(monday, equated)) is None or closes <= due_from:
        monday += timedelta(weeks=1)
    return iso_week(monday)


def agenda(items: list[list[Waiting]], equated: frozenset[date]) -> list[tuple[str, str, bool]]:
    """Give (week, smallest signal id, rolled over) of each item in order; an item is a cluster of which something waits."""
    rows: list[tuple[str, str, bool]] = []
    waiting = [members for members in items if not all(member.decided for member in members)]
    entries = sorted(_entry(members, equated) for members in waiting)
    for week in sorted({entry[0] for entry in entries}):
        own = [entry for entry in entries if entry[0] == week]
        capped = [entry for entry in own if RANK[entry[1]] in ("REGULAR", "MONITOR")][CAP:]
        rows += [(week, entry[6], False) for entry in own if entry not in capped]
        rows += [(week, entry[6], True) for entry in capped]
    return rows


def _entry(members: list[Waiting], equated: frozenset[date]) -> tuple[str, int, bool, int, int, datetime, str]:
    """Give week, urgency rank, no minor, less signals, less deferrals, due_from and id: in this order they sort (R-AGENDA-04)."""
    due_from = min(member.due_from for member in members if not member.decided)
    rank = min(RANK.index(member.urgency) for member in members)
    minor = any(member.minor for member in members)
    return week_of(due_from, equated), rank, not minor, -len(members), 0, due_from, min(member.signal_id for member in members)
