"""The store of statistics: coded facts under random ids, which lead to no signal. All of it can be rebuilt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import JSON, BigInteger, Boolean, Column, Connection, Integer, String, Table, func, select

from signal_exchange.contracts.records import Observation
from signal_exchange.runtime.columns import keys, optional, required
from signal_exchange.runtime.database import put_newer, rows_of
from signal_exchange.runtime.migrations import store_tables
from signal_exchange.stream.tables import common_tables

TABLES = store_tables("statistics")
OUTBOX = common_tables(TABLES)

OBSERVATIONS = Table(
    "projection_observations",
    TABLES,
    *keys(observation_id=String),
    *required(revision=BigInteger, kind=String, municipality=String),
    Column("publish_day", String, nullable=False, index=True),
    *required(form=String, sector=String, urgency=String, reporter_source=String, victim_age_bands=JSON),
    *optional(estimated_victims=Integer),
    *required(counted=Boolean),
    *optional(age_class=String),
)
"""One row per fact, as it was last told. A withdrawn report stays and is not counted (R-STAT-01)."""


@dataclass(frozen=True, slots=True)
class ReportCount:
    """So many reports of one municipality with one primary form."""

    municipality: str
    form: str
    reports: int


class StatisticsStore:
    """The facts in one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, observations: Sequence[Observation]) -> None:
        """Write facts; an older revision never wins. What a newer writer tells besides is left out."""
        put_newer(self._connection, OBSERVATIONS, rows_of(OBSERVATIONS, _latest(observations)), guard="revision")

    def fact(self, observation_id: str) -> Observation | None:
        """Return one fact as it was last told, or None."""
        row = self._connection.execute(select(OBSERVATIONS).where(OBSERVATIONS.c.observation_id == observation_id)).first()
        return None if row is None else cast("Observation", dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's public name starts with a line

    def report_counts(self, since: str, until: str) -> list[ReportCount]:
        """Count the reports of these publishing days, first and last included (R-STAT-01, I01), by municipality and form."""
        grouped = (OBSERVATIONS.c.municipality, OBSERVATIONS.c.form)
        counted = select(*grouped, func.count()).where(
            OBSERVATIONS.c.kind == "REPORT", OBSERVATIONS.c.counted, OBSERVATIONS.c.publish_day.between(since, until)
        )
        return [ReportCount(*row) for row in self._connection.execute(counted.group_by(*grouped).order_by(*grouped))]


def _latest(observations: Sequence[Observation]) -> list[Observation]:
    latest: dict[str, Observation] = {}
    for each in observations:
        known = latest.get(each["observation_id"])
        if known is None or known["revision"] < each["revision"]:
            latest[each["observation_id"]] = each
    return list(latest.values())
