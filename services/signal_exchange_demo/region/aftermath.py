"""The aftermath of signals that came in: corrected, sent twice, taken back, erased, copied badly, forged."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from signal_exchange_demo.region.bad_records import BadRecords
from signal_exchange_demo.region.corrections import CORRECTED_SHARE, corrected
from signal_exchange_demo.region.forgeries import PENDING_MUNICIPALITY, Forgeries
from signal_exchange_demo.region.model import Arrival, BadRecord, Built, Erasure, Forgery, Withdrawal
from signal_exchange_demo.region.people import age_on
from signal_exchange_demo.region.plan import Plan
from signal_exchange_demo.region.profiles import WITHDRAWAL
from signal_exchange_demo.region.streams import Streams, chance, pick

DUPLICATE_SHARE: Final = 0.02
WITHDRAWN_SHARE: Final = 0.03
ERASED_SHARE: Final = 0.01
PUBLISHED_AFTER: Final = timedelta(minutes=90)
"""Between coming in and publishing."""
_AGES: Final = (16, 18)
"""Ages at which other rules apply (R-VAL-07, R-VAL-11): a correction does not step over a birthday of these."""


@dataclass(slots=True)
class After:
    """Everything that came of some signals."""

    arrivals: list[Arrival] = field(default_factory=list)
    withdrawals: list[Withdrawal] = field(default_factory=list)
    erasures: list[Erasure] = field(default_factory=list)
    bad_records: list[BadRecord] = field(default_factory=list)
    forgeries: list[Forgery] = field(default_factory=list)


class Aftermath:
    """Draws what becomes of signals, one after another."""

    def __init__(self, streams: Streams, plan: Plan) -> None:
        self._rng = streams["again"]
        self._plan = plan
        self._bad = BadRecords()
        self._forgeries = Forgeries()

    def of(self, built: Iterable[Built]) -> After:
        """Give the fate of these signals. A municipality that has not joined yet publishes none of its own."""
        after = After()
        for one in built:
            if self._plan.may_publish(one.event.municipality, one.day):
                self._add(one, after)
            else:
                after.arrivals.append(Arrival(one.signal_id, "refused", 0, one.event.received, one.record))
        return after

    def _add(self, one: Built, after: After) -> None:
        arrivals = [Arrival(one.signal_id, "new", 1, one.event.received, one.record), *self._again(one)]
        after.arrivals += arrivals
        last = max(arrivals, key=lambda arrival: arrival.came)
        is_ended = self._end(last.came, one.signal_id, max(arrival.version for arrival in arrivals) + 1, after)
        for bad in self._bad.of(one.record, one.day):
            after.bad_records.append(bad)
            after.arrivals.append(Arrival(one.signal_id, "bad", 0, bad.came, bad.record))
        if len(arrivals) == 1 and not is_ended:
            has_pending = self._plan.is_pending(PENDING_MUNICIPALITY, one.day)
            after.forgeries += self._forgeries.of(one.signal_id, one.record, has_pending=has_pending)

    def _again(self, one: Built) -> Iterator[Arrival]:
        is_corrected, is_sent_twice = chance(self._rng, CORRECTED_SHARE), chance(self._rng, DUPLICATE_SHARE)
        if is_corrected:
            came = self._later(one.event.received)
            if not _is_same_age(one, published_at(came, self._plan).date()):
                came = one.event.received + timedelta(minutes=5)
            yield Arrival(one.signal_id, "correction", 2, came, corrected(self._rng, one.record))
        elif is_sent_twice:
            yield Arrival(one.signal_id, "duplicate", 1, self._later(one.event.received), one.record)

    def _end(self, last: datetime, signal_id: str, version: int, after: After) -> bool:
        """Take back or erase a signal after the last that came of it; say whether that was so."""
        is_withdrawn, is_erased = chance(self._rng, WITHDRAWN_SHARE), chance(self._rng, ERASED_SHARE)
        if is_withdrawn:
            at, reason = self._later(last + PUBLISHED_AFTER), pick(self._rng, WITHDRAWAL)
            after.withdrawals.append(Withdrawal(signal_id, version, at, reason))
        elif is_erased:
            after.erasures.append(Erasure(signal_id, version, self._later(last + PUBLISHED_AFTER)))
        return is_withdrawn or is_erased

    def _later(self, first: datetime) -> datetime:
        """Give a moment some weeks later, but in the period; a record that comes again keeps its own received_at."""
        last = self._plan.last_moment.replace(tzinfo=first.tzinfo)
        return min(first + timedelta(days=self._rng.randint(1, 30)), max(first + timedelta(minutes=5), last))


def published_at(came: datetime, plan: Plan) -> datetime:
    """Give the moment at which something that came is published: soon, or on the one publish day of the plan."""
    if plan.publish_day is None:
        return came + PUBLISHED_AFTER
    return datetime.combine(plan.publish_day, datetime.min.time(), came.tzinfo) + timedelta(hours=9)


def _is_same_age(one: Built, later: date) -> bool:
    births = [date.fromisoformat(each["birth_date"]) for each in one.record["subjects"] if each["birth_date"]]
    return all((age_on(born, one.day) < age) == (age_on(born, later) < age) for born in births for age in _AGES)
