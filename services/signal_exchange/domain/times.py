"""Moments and days: what the rules call the publish day, and which sender's clock is believed."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from signal_exchange.domain.policy import Policy

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
"""The zone of every rule that speaks of days or clock times."""


def local(moment: datetime) -> datetime:
    """Give a moment in Amsterdam time; raises ValueError for one without a zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(AMSTERDAM)


def local_day(moment: datetime) -> date:
    """Give the Amsterdam date of a moment; of the envelope's time this is the publish day."""
    return local(moment).date()


def at(day: date, clock: time) -> datetime:
    """Give the moment of a clock time in Amsterdam on a day."""
    return datetime.combine(day, clock, tzinfo=AMSTERDAM)


def is_credible(sent: datetime, appended: datetime, policy: Policy) -> bool:
    """Say whether a sender's time may be believed beside the broker's append time.

    Otherwise a sender's clock could choose the rules that judge its signal: the record is parked.
    """
    oldest = appended - timedelta(days=policy.sender_clock_back_days)
    newest = appended + timedelta(minutes=policy.sender_clock_ahead_minutes)
    return oldest <= sent <= newest
