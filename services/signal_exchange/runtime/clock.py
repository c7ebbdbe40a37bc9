"""The one clock. Everything else takes the time as an argument."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - this is the one clock


def local_day(moment: datetime) -> date:
    """Return the Amsterdam date of a moment: the publish day of the rules."""
    return moment.astimezone(AMSTERDAM).date()
