"""The clocks of a referral: until when to decide and to make contact, and who is warned (R-REF-04, R-REF-05)."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import Enum

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.policy import Policy, Term
from signal_exchange.domain.referral_transitions import ACCEPTED, IN_CARE, OFFERED, SEEN
from signal_exchange.domain.times import at, local, local_day

ACUTE = "ACUTE"


class Clock(Enum):
    """What a referral waits for."""

    DECIDE = "DECIDE"
    CONTACT = "CONTACT"
    PROGRESS = "PROGRESS"


class AlarmStage(Enum):
    """Who has been warned by now; each stage includes the ones before it."""

    REMINDER = "REMINDER"
    DEPUTY = "DEPUTY"
    CHAIR = "CHAIR"


@dataclass(frozen=True, slots=True)
class Alarms:
    """The three moments of warning; an ACUTE case has no reminder."""

    reminder: datetime | None
    deputy: datetime
    chair: datetime

    def stage(self, now: datetime) -> AlarmStage | None:
        """Give the stage that is reached; None before the first."""
        if now >= self.chair:
            return AlarmStage.CHAIR
        if now >= self.deputy:
            return AlarmStage.DEPUTY
        return AlarmStage.REMINDER if self.reminder is not None and now >= self.reminder else None


def running_clock(state: str) -> Clock | None:
    """Give the clock that runs in a state; an end state has none (R-REF-05)."""
    return {OFFERED: Clock.DECIDE, SEEN: Clock.DECIDE, ACCEPTED: Clock.CONTACT, IN_CARE: Clock.PROGRESS}.get(state)


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


def decision_alarms(urgency: str, due_from: datetime, calendar: WorkingCalendar) -> Alarms:
    """Give the warnings before and after the decision's deadline (R-REF-05)."""
    return _alarms(urgency, due_from, decide_by(urgency, due_from, calendar), calendar)


def contact_alarms(urgency: str, accepted_at: datetime, calendar: WorkingCalendar) -> Alarms:
    """Give the warnings around the first contact (R-REF-05)."""
    return _alarms(urgency, accepted_at, first_contact_by(urgency, accepted_at, calendar), calendar)


def _alarms(urgency: str, start: datetime, deadline: datetime, calendar: WorkingCalendar) -> Alarms:
    if urgency == ACUTE:
        return Alarms(None, deadline, _later(deadline, timedelta(minutes=calendar.policy.acute_chair_minutes)))
    due, ends = local_day(deadline), calendar.policy.day_ends_at
    reminder = max(at(calendar.add_working_days(due, -1), ends), local(start))
    return Alarms(reminder, deadline, at(calendar.add_working_days(due, calendar.policy.chair_after_wd), ends))


def _term(urgency: str, policy: Policy) -> Term:
    return {"URGENT": policy.urgent, "REGULAR": policy.regular, "MONITOR": policy.monitor}[urgency]


def _later(moment: datetime, lapse: timedelta) -> datetime:
    # Hours pass by the clock also in the night that summer time starts or ends, so they are added in UTC.
    return local(moment.astimezone(UTC) + lapse)
