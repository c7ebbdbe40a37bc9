"""A keeper: who may ask, how often, and with which key it evaluates. It never sees a value and keeps no point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from signal_exchange.domain.ids import MunicipalityCode
from signal_exchange.domain.times import at, local_day
from signal_exchange.privacy.evaluating import EpochKey
from signal_exchange.pseudonyms.keys import Bearers, HeldKey
from signal_exchange.pseudonyms.store import DEFAULT_QUOTA, CounterStore, Quota, Verdict


@dataclass(frozen=True, slots=True)
class QuotaUsedUp:
    """The municipality may ask again after this many seconds."""

    retry_after_seconds: int


@dataclass(frozen=True, slots=True)
class Keeper:
    """One of the two keepers. `now` is its clock; days and months are those of Amsterdam.

    `current_bearers` gives who may ask now: who is admitted is heard at once.
    """

    keys: Sequence[HeldKey]
    current_bearers: Callable[[], Bearers]
    store: CounterStore
    now: Callable[[], datetime]
    quota: Quota = DEFAULT_QUOTA

    def municipality(self, bearer: str) -> MunicipalityCode | None:
        """Return the municipality of a bearer token, or None for a bearer token that this keeper does not know."""
        return self.current_bearers().municipality(bearer)

    def key(self, epoch: str) -> EpochKey | None:
        """Return the key of an epoch when the keeper evaluates with it today."""
        today = self._today()
        return next((held.key for held in self.keys if held.key.epoch == epoch and held.holds(today)), None)

    def works(self) -> bool:
        """Say whether this keeper holds a key for today.

        Raises:
            StoreUnavailableError: the counters do not answer, without which nothing is evaluated.
        """
        today = self._today()
        self.store.counts(today, today)
        return any(held.holds(today) for held in self.keys)

    def refuse(self, municipality: MunicipalityCode) -> None:
        """Count a request that was refused for what it held."""
        self.store.refuse(municipality, self._today())

    def evaluate(self, municipality: MunicipalityCode, key: EpochKey, points: bytes) -> bytes | QuotaUsedUp:
        """Return the proof and the evaluated points, unless the municipality's quota is used up.

        Raises:
            InvalidPointsError: these are not 16 points.
            StoreUnavailableError: the counters do not answer; what is not counted is not evaluated.
        """
        verdict = self.store.take(municipality, self._today(), self.quota)
        if verdict is Verdict.GRANTED:
            return key.evaluate(points)
        today = self._today()
        month_after = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
        return QuotaUsedUp(self._seconds_until(month_after if verdict is Verdict.MONTH_IS_FULL else today + timedelta(days=1)))

    def _today(self) -> date:
        return local_day(self.now())

    def _seconds_until(self, day: date) -> int:
        opens = at(day, time.min).astimezone(UTC)
        return int((opens - self.now()).total_seconds()) + 1
