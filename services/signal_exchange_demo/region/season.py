"""The moments at which signals come in: seasons, campaigns and working days over the period."""

from datetime import date, datetime, time, timedelta
from itertools import accumulate
from random import Random
from typing import Final

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.times import AMSTERDAM

LABOUR_SEASON: Final = (*range(14, 27), *range(36, 43))
LABOUR_EXTRA: Final = 0.35
CAMPAIGN_EXTRA: Final = 0.15
CAMPAIGN_EVERY: Final = 26
CAMPAIGN_DECAY: Final = 4


def intensity(day: date, week_number: int, *, is_labour: bool) -> float:
    """Give the relative number of signals on a day, `week_number` weeks after the first."""
    season = LABOUR_EXTRA if is_labour and day.isocalendar().week in LABOUR_SEASON else 0.0
    after_campaign = week_number % CAMPAIGN_EVERY
    campaign = CAMPAIGN_EXTRA * max(0.0, 1 - after_campaign / CAMPAIGN_DECAY)
    return 1 + season + campaign


class Season:
    """Draws the moment at which a signal comes in, within a number of weeks from a first day."""

    def __init__(self, start: date, weeks: int, calendar: WorkingCalendar) -> None:
        self._days = [start + timedelta(days=index) for index in range(7 * weeks)]
        self._calendar = calendar
        self._weights = {
            (is_labour, any_day): self._cumulative(is_labour=is_labour, any_day=any_day)
            for is_labour in (False, True)
            for any_day in (False, True)
        }

    def moment(self, rng: Random, *, is_labour: bool, any_day: bool) -> datetime:
        """Draw a moment; sources of an office report on working days between 8 and 18 hours."""
        day = rng.choices(self._days, cum_weights=self._weights[is_labour, any_day])[0]
        return self.at(rng, day, any_day=any_day)

    def later(self, rng: Random, first: datetime, lag_days: float, *, any_day: bool) -> datetime | None:
        """Give a moment some days after a first one; None when the period is over by then."""
        day = first.date() + timedelta(days=round(lag_days))
        while not (any_day or self._calendar.is_working_day(day)):
            day += timedelta(days=1)
        return self.at(rng, day, any_day=any_day) if day <= self._days[-1] else None

    def moment_within(self, rng: Random, days: range, *, any_day: bool) -> datetime | None:
        """Draw a moment on one of these days (ordinals) as far as they lie in the period; None when there is none."""
        possible = [day for day in self._days if day.toordinal() in days and (any_day or self._calendar.is_working_day(day))]
        return self.at(rng, rng.choice(possible), any_day=any_day) if possible else None

    @staticmethod
    def at(rng: Random, day: date, *, any_day: bool) -> datetime:
        """Draw a time of day, on five minutes."""
        hour = rng.randint(0, 23) if any_day else rng.randint(8, 17)
        return datetime.combine(day, time(hour, rng.randrange(12) * 5), AMSTERDAM)

    def _cumulative(self, *, is_labour: bool, any_day: bool) -> list[float]:
        counts = (any_day or self._calendar.is_working_day(day) for day in self._days)
        weights = (intensity(day, index // 7, is_labour=is_labour) for index, day in enumerate(self._days))
        return list(accumulate(weight if counted else 0.0 for weight, counted in zip(weights, counts, strict=True)))
