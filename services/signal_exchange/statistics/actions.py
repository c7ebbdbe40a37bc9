"""The acts of a keeper of the figures: raw counts, and single facts under random ids."""

from __future__ import annotations

from dataclasses import dataclass

from signal_exchange.contracts.records import Observation
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.statistics.store import ReportCount, StatisticsStore
from signal_exchange.stream.acting import ActionStore


@dataclass(frozen=True, slots=True)
class StatisticsActions:
    """Everything that a keeper of the figures can see; several threads may call it."""

    store: ActionStore

    def report_counts(self, year: int | None = None) -> list[ReportCount]:
        """Return the raw counts of the reports published in a year, or ever (R-STAT-01, I01): not for publication."""
        since, until = (f"{year}-01-01", f"{year}-12-31") if year else ("0000", "9999")
        with self.store.reading() as connection:
            return StatisticsStore(connection).report_counts(since, until)

    def show(self, observation_id: str) -> Observation:
        """Return one fact under its random id, which leads to no signal.

        Raises:
            RefusedError: there is none.
        """
        with self.store.reading() as connection:
            fact = StatisticsStore(connection).fact(observation_id)
        if fact is None:
            raise RefusedError("FACT_UNKNOWN")
        return fact
