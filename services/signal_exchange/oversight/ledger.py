"""The balance, drawn up by the store itself: what the rules count (R-FLOW-01), without a row of each number in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, func, select, true

from signal_exchange.domain.ledger import ACCEPTED, IN_FLIGHT, SIGNAL_STATES, VERDICTS, Ledger, Number
from signal_exchange.domain.policy import Policy
from signal_exchange.oversight.store import CHECKPOINTS, FACTS, NUMBERS, OversightStore, milliseconds

Run = tuple[str, str]
"""Municipality and publisher run."""


def ledger(store: OversightStore, now: datetime, municipality: str | None = None) -> Ledger:
    """Return the balance of all, or of one municipality, as `domain.ledger.balance` draws it up; what blames nobody is of all."""
    given_up = {each.number for each in store.given_up(municipality)}
    gone = given_up - store.entries(given_up).keys()
    return _Drawing(store.connection, municipality, gone).ledger(now)


@dataclass(frozen=True, slots=True)
class _Drawing:
    """The numbers and checkpoints of all or of one municipality; `gone` are numbers without a place that were given up."""

    connection: Connection
    municipality: str | None
    gone: Collection[Number]

    def ledger(self, now: datetime) -> Ledger:
        announced = self._highest(true())
        sent, named = sum(announced.values()), self._placed_within(announced)
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
            overdue=tuple(sorted(self._overdue(now))),
        )

    def _own(self, column: ColumnElement[str]) -> ColumnElement[bool]:
        return true() if self.municipality is None else column == self.municipality

    def _highest(self, chosen: ColumnElement[bool]) -> dict[Run, int]:
        """Return how far each run was announced, by the chosen checkpoints."""
        run = CHECKPOINTS.c.municipality, CHECKPOINTS.c.publisher_run
        asked = select(*run, func.max(CHECKPOINTS.c.highest)).where(self._own(run[0]), chosen).group_by(*run)
        return {(code, name): highest for code, name, highest in self.connection.execute(asked)}

    def _counts(self) -> Counter[str]:
        asked = select(NUMBERS.c.verdict, func.count()).where(self._own(NUMBERS.c.municipality)).group_by(NUMBERS.c.verdict)
        counts = self._counted(asked)
        counts["discarded"] += len(self.gone)
        return counts

    def _placed_within(self, limits: dict[Run, int]) -> int:
        """Return how many of the numbers 1 to the limit of each run have a place."""
        return sum(self._placed(run, limit) for run, limit in limits.items())

    def _placed(self, run: Run, limit: int) -> int:
        kept: int = self.connection.execute(_numbers(func.count(), run, limit)).scalar_one()
        return kept + len(self._gone(run, limit))

    def _gone(self, run: Run, limit: int) -> set[int]:
        return {sequence for *own, sequence in self.gone if (*own,) == run and 1 <= sequence <= limit}

    def _overdue(self, now: datetime) -> Iterator[Number]:
        """Give the numbers that were named longer ago than one may wait for them, and have no place."""
        latest = now - timedelta(minutes=Policy().missing_number_minutes)
        for run, limit in self._highest(CHECKPOINTS.c.earliness > -milliseconds(latest)).items():
            if self._placed(run, limit) < limit:
                yield from ((*run, sequence) for sequence in self._missing(run, limit))

    def _missing(self, run: Run, limit: int) -> Iterator[int]:
        kept = self.connection.execute(_numbers(NUMBERS.c.sequence, run, limit)).scalars()
        there = {*kept, *self._gone(run, limit)}
        return (sequence for sequence in range(1, limit + 1) if sequence not in there)

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


def _numbers(wanted: Any, run: Run, limit: int) -> Select[Any]:  # noqa: ANN401 - a column or a count of them
    own = NUMBERS.c.municipality == run[0], NUMBERS.c.publisher_run == run[1]
    return select(wanted).where(*own, NUMBERS.c.sequence.between(1, limit))
