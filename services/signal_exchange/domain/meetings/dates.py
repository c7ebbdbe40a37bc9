"""The dates of the screening meeting: its moment, the cut-off of its agenda, and the agenda of a signal (R-AGENDA-01, 02, 05)."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.meetings.weeks import monday_of, week_of
from signal_exchange.domain.times import at, local_day

FRIDAY: Final = 5


def meeting_of(week: str, calendar: WorkingCalendar) -> datetime | None:
    """Give the moment of the meeting in an ISO week; None when nobody can meet in it (R-AGENDA-01).

    On a day that is not open it moves to an earlier day of that week, else to Friday. Raises ValueError for no week.
    """
    monday = monday_of(week)
    if monday is None:
        raise ValueError("no ISO week")
    chosen = calendar.policy.meeting_weekday
    weekdays = [*range(chosen, 0, -1), FRIDAY]
    days = (monday + timedelta(days=weekday - 1) for weekday in weekdays)
    day = next((day for day in days if calendar.is_open(day)), None)
    return None if day is None else at(day, calendar.policy.meeting_at)


def cutoff_of(week: str, calendar: WorkingCalendar) -> datetime | None:
    """Give the moment at which the agenda of an ISO week closes; None when there is no meeting (R-AGENDA-02)."""
    meeting = meeting_of(week, calendar)
    if meeting is None:
        return None
    day = calendar.add_working_days(local_day(meeting), -calendar.policy.cutoff_wd)
    return at(day, calendar.policy.cutoff_at)


def week_for(due_from: datetime, calendar: WorkingCalendar) -> str:
    """Give the ISO week of the agenda that an item belongs to: the first that closes later (R-AGENDA-02).

    At 12:00:00.000 exactly an item is late.
    """
    return next(week for week in _weeks_from(local_day(due_from)) if _closes_after(week, due_from, calendar))


def _closes_after(week: str, moment: datetime, calendar: WorkingCalendar) -> bool:
    cutoff = cutoff_of(week, calendar)
    return cutoff is not None and cutoff > moment


def _weeks_from(day: date) -> Iterator[str]:
    while True:
        yield week_of(day)
        day += timedelta(weeks=1)
