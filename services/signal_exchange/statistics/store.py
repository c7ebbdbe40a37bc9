"""The store of statistics: coded facts under random ids, which lead to no signal. All of it can be rebuilt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, Connection, Integer, String, Table, func, select

from signal_exchange.runtime.database import put_newer
from signal_exchange.runtime.migrations import store_tables
from signal_exchange.stream.outbox import outbox_table

TABLES = store_tables("statistics")
OUTBOX = outbox_table(TABLES)

OBSERVATIONS = Table(
    "projection_observations",
    TABLES,
    Column("observation_id", String, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("kind", String, nullable=False),
    Column("municipality", String, nullable=False),
    Column("publish_day", String, nullable=False, index=True),
    Column("form", String, nullable=False),
    Column("sector", String, nullable=False),
    Column("urgency", String, nullable=False),
    Column("reporter_source", String, nullable=False),
    Column("victim_age_bands", JSON, nullable=False),
    Column("estimated_victims", Integer),
    Column("counted", Boolean, nullable=False),
    Column("age_class", String),
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

    def put(self, observations: Sequence[Mapping[str, Any]]) -> None:
        """Write facts; an older revision never wins. What a newer writer tells besides is left out."""
        names = [column.name for column in OBSERVATIONS.columns]
        rows = [{name: each[name] for name in names} for each in _latest(observations)]
        put_newer(self._connection, OBSERVATIONS, rows, guard="revision")

    def fact(self, observation_id: str) -> dict[str, Any] | None:
        """Return one fact as it was last told, or None."""
        row = self._connection.execute(select(OBSERVATIONS).where(OBSERVATIONS.c.observation_id == observation_id)).first()
        return None if row is None else dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name starts with a line

    def report_counts(self, since: str, until: str) -> list[ReportCount]:
        """Count the reports of these publishing days, first and last included (R-STAT-01, I01), by municipality and form."""
        grouped = (OBSERVATIONS.c.municipality, OBSERVATIONS.c.form)
        counted = select(*grouped, func.count()).where(
            OBSERVATIONS.c.kind == "REPORT", OBSERVATIONS.c.counted, OBSERVATIONS.c.publish_day.between(since, until)
        )
        return [ReportCount(*row) for row in self._connection.execute(counted.group_by(*grouped).order_by(*grouped))]


def _latest(observations: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    latest: dict[str, Mapping[str, Any]] = {}
    for each in observations:
        known = latest.get(each["observation_id"])
        if known is None or known["revision"] < each["revision"]:
            latest[each["observation_id"]] = each
    return list(latest.values())
