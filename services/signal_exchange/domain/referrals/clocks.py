"""The clocks of a referral: until when to decide and to make contact, and who is warned (R-REF-04, R-REF-05)."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final, Literal

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.policy import Policy, Term
from signal_exchange.domain.times import at, local, local_day

ACUTE = "ACUTE"
Unit = Literal["WORKING_DAYS", "HOURS", "MINUTES"]
_DAY: Final = timedelta(days=1)
_HOUR: Final[tuple[Unit, timedelta]] = ("HOURS", timedelta(hours=1))
_MINUTE: Final[tuple[Unit, timedelta]] = ("MINUTES", timedelta(minutes=1))


def decide_by(urgency: str, due_from: datetime, calendar: WorkingCalendar) -> datetime:
    """Give the moment by which the coordinator decides on an offer; ACUTE counts in hours, by the clock (R-REF-04)."""
    if urgency == ACUTE:
        return _later(due_from, timedelta(hours=calendar.policy.acute_decide_hours))
    return calendar.deadline(due_from, _term(urgency, calendar.policy).decide_wd)


def first_contact_by(urgency: str, accepted_at: datetime, calendar: WorkingCalendar) -> datetime:
    """Give the moment by which the person is contacted after acceptance; ACUTE: 24:00 of that day (R-REF-04)."""
    if urgency == ACUTE:
        return at(local_day(accepted_at) + timedelta(days=1), time())
    return calendar.deadline(accepted_at, _term(urgency, calendar.policy).contact_wd)


def progress_note_by(last_note: datetime, calendar: WorkingCalendar) -> datetime:
    """Give the moment of the next progress note in IN_CARE (R-REF-04)."""
    return calendar.deadline(last_note, calendar.policy.progress_note_wd)


def _term(urgency: str, policy: Policy) -> Term:
    return {"URGENT": policy.urgent, "REGULAR": policy.regular, "MONITOR": policy.monitor}[urgency]


def _later(moment: datetime, lapse: timedelta) -> datetime:
    # Hours pass by the clock also in the night that summer time starts or ends, so they are added in UTC.
    return local(moment.astimezone(UTC) + lapse)


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """The time until a term ends, or since it did: a number of working days, or of hours or minutes by the clock."""

    count: int
    unit: Unit
    late: bool


def time_left(due: datetime, now: datetime, calendar: WorkingCalendar, *, by_clock: bool = False) -> TimeLeft:
    """Give the time left of a term: in working days (R-CAL-03), on its last day and in the first 24 hours after it by the clock.

    `by_clock`, as for ACUTE, counts two days before and after by the clock. Time that is left is rounded down and time that is
    over rounded up, so that nobody is told of more time than there is. After 24 hours it is at least one working day late.
    """
    late, apart = now > due, abs(due - now)
    days = calendar.working_days_between(*sorted((local_day(now), local_day(due))))
    if (by_clock and apart < 2 * _DAY) or (apart < _DAY if late else not days):
        return _by_clock(apart, late=late)
    return TimeLeft(max(days, 1), "WORKING_DAYS", late)


def _by_clock(apart: timedelta, *, late: bool) -> TimeLeft:
    unit, length = _HOUR if apart >= _HOUR[1] else _MINUTE
    whole, rest = divmod(apart, length)
    return TimeLeft(whole + (late and bool(rest)), unit, late)
