"""The balance, drawn up by the store itself: what the rules count (R-FLOW-01), without a row of each number in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Self

from sqlalchemy import ColumnElement, Connection, Select, case, func, literal, select, true, union_all

from signal_exchange.domain.figures.ledger import ACCEPTED, GAPS_SHOWN, IN_FLIGHT, SIGNAL_STATES, VERDICTS, Gap, Ledger, Run
from signal_exchange.domain.policy import Policy
from signal_exchange.oversight.store import CHECKPOINTS, FACTS, GIVEN_UP, NUMBERS, GivenUp, OversightStore, milliseconds

Range = tuple[int, int]
"""The first and the last of some numbers of a run."""


def _merged(given_up: Sequence[GivenUp]) -> dict[Run, list[Range]]:
    """Return the numbers of each run that were given up, in ranges that do not overlap."""
    found: dict[Run, list[Range]] = {}
    for each in sorted(given_up, key=lambda one: (one.first, one.last)):
        ranges = found.setdefault((each.municipality, each.publisher_run), [])
        if ranges and each.first <= ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], max(ranges[-1][1], each.last))
        else:
            ranges.append((each.first, each.last))
    return found


@dataclass(frozen=True, slots=True)
class Drawing:
    """The numbers and checkpoints of all or of one municipality; `given_up` are ranges of numbers that will not come any more."""

    connection: Connection
    municipality: str | None
    given_up: Mapping[Run, Sequence[Range]]

    @classmethod
    def of(cls, store: OversightStore, municipality: str | None = None) -> Self:
        """Return the numbers and checkpoints that the store has of all, or of one municipality."""
        return cls(store.connection, municipality, _merged(store.given_up(municipality)))

    def ledger(self, now: datetime) -> Ledger:
        """Return the balance, as the rules draw it up (R-FLOW-01); what blames nobody is of all.

        A gap is counted and found as a range, however many numbers it has.
        """
        announced = self._highest(true())
        sent, named = sum(announced.values()), sum(self._placed(run, limit) for run, limit in announced.items())
        counts, signals = self._counts(), self._signals()
        placed = counts.total()
        counts[IN_FLIGHT] += sent - named
        return Ledger(
            sent=sent,
            early=placed - named,
            counts={verdict: counts[verdict] for verdict in VERDICTS},
            signals={state: signals[state] for state in SIGNAL_STATES},
            published=signals.total(),
            unattributed=self._unattributed() if self.municipality is None else 0,
            overdue=sum(limit - self._placed(run, limit) for run, limit in self.late(now).items()),
            gaps=tuple(islice(self._gaps(now), GAPS_SHOWN)),
        )

    def overdue_within(self, asked: Gap, now: datetime) -> int:
        """Return the count of the asked numbers that are overdue and were not given up."""
        run = (asked.municipality, asked.run)
        last, before = min(asked.last, self.late(now).get(run, 0)), asked.first - 1
        return last - self._placed(run, last) - (before - self._placed(run, before)) if last >= asked.first else 0

    def _own(self, column: ColumnElement[str]) -> ColumnElement[bool]:
        return true() if self.municipality is None else column == self.municipality

    def _highest(self, chosen: ColumnElement[bool]) -> dict[Run, int]:
        """Return the highest announced number of each run, by the chosen checkpoints."""
        run = CHECKPOINTS.c.municipality, CHECKPOINTS.c.publisher_run
        asked = select(*run, func.max(CHECKPOINTS.c.highest)).where(self._own(run[0]), chosen).group_by(*run)
        return {(code, name): highest for code, name, highest in self.connection.execute(asked)}

    def _counts(self) -> Counter[str]:
        asked = select(NUMBERS.c.verdict, func.count()).where(self._own(NUMBERS.c.municipality)).group_by(NUMBERS.c.verdict)
        counts = self._counted(asked)
        counts["discarded"] += sum(self._gone(run, ranges[-1][1]) for run, ranges in self.given_up.items())
        return counts

    def _placed(self, run: Run, limit: int) -> int:
        """Return the count of the numbers 1 to the limit of a run that have a place."""
        return self._kept(run, 1, limit) + self._gone(run, limit)

    def _kept(self, run: Run, first: int, last: int) -> int:
        own = NUMBERS.c.municipality == run[0], NUMBERS.c.publisher_run == run[1], NUMBERS.c.sequence.between(first, last)
        return int(self.connection.execute(select(func.count()).select_from(NUMBERS).where(*own)).scalar_one())

    def _gone(self, run: Run, limit: int) -> int:
        """Return the count of the numbers up to a limit that were given up and did not come after all."""
        ranges = [(first, min(last, limit)) for first, last in self.given_up.get(run, ()) if first <= limit]
        return sum(last - first + 1 - self._kept(run, first, last) for first, last in ranges)

    def late(self, now: datetime) -> dict[Run, int]:
        """Return up to which number each run was named longer ago than one may wait for it."""
        latest = now - timedelta(minutes=Policy().missing_number_minutes)
        return self._highest(CHECKPOINTS.c.earliness > -milliseconds(latest))

    def _gaps(self, now: datetime) -> Iterator[Gap]:
        """Give the gaps among the numbers that are late, by run and number."""
        for run, limit in sorted(self.late(now).items()):
            if self._placed(run, limit) < limit:
                found = self.connection.execute(_gaps(run, limit).limit(GAPS_SHOWN))
                yield from (Gap(run[0], run[1], *row) for row in found)

    def _signals(self) -> Counter[str]:
        """Count the signals by their place: that of the highest accepted version, else of the highest one.

        Of two places of one version the last in the alphabet counts. Their first letters differ: every server sorts them alike.
        """
        state = case((NUMBERS.c.verdict.in_(SIGNAL_STATES), NUMBERS.c.verdict), else_=IN_FLIGHT)
        best = NUMBERS.c.verdict.in_(ACCEPTED).desc(), NUMBERS.c.version.desc(), state.desc()
        nth = func.row_number().over(partition_by=NUMBERS.c.signal_id, order_by=best)
        ranked = (
            select(state.label("state"), nth.label("nth"))
            .where(self._own(NUMBERS.c.municipality), NUMBERS.c.signal_id.is_not(None))
            .subquery()
        )
        asked = select(ranked.c.state, func.count()).where(ranked.c.nth == 1).group_by(ranked.c.state)
        return self._counted(asked)

    def _counted(self, asked: Select[Any]) -> Counter[str]:
        counts = Counter[str]()
        for name, count in self.connection.execute(asked):
            counts[name] = count
        return counts

    def _unattributed(self) -> int:
        return int(self.connection.execute(select(func.sum(FACTS.c.unattributed))).scalar_one() or 0)


def _gaps(run: Run, limit: int) -> Select[Any]:
    """Return the query for the first and last number of each gap in 1 to a limit; nothing is made of each number."""
    placed = select(NUMBERS.c.sequence.label("first"), NUMBERS.c.sequence.label("last")).where(
        NUMBERS.c.municipality == run[0], NUMBERS.c.publisher_run == run[1], NUMBERS.c.sequence.between(1, limit)
    )
    gone = select(GIVEN_UP.c.first, GIVEN_UP.c.last).where(
        GIVEN_UP.c.municipality == run[0], GIVEN_UP.c.publisher_run == run[1], GIVEN_UP.c.first <= limit
    )
    end = select(literal(limit + 1).label("first"), literal(limit + 1).label("last"))
    taken = union_all(placed, gone, end).subquery()
    earlier = func.max(taken.c.last).over(order_by=(taken.c.first, taken.c.last), rows=(None, -1))
    following = select(taken.c.first, (func.coalesce(earlier, 0) + 1).label("free_from")).subquery()
    found = select(following.c.free_from, following.c.first - 1).where(following.c.free_from < following.c.first)
    return found.order_by(following.c.free_from)
