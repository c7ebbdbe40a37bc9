"""The memory of a keeper: how often each municipality asked on each day, and raised quotas. Never a point."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, auto

from sqlalchemy import Column, Connection, Date, DateTime, Integer, String, Table, func, select, update

from signal_exchange.domain.ids import MunicipalityCode
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.runtime.columns import keys, required
from signal_exchange.runtime.database import Database, add_once, row_of, values_of
from signal_exchange.runtime.migrations import store_tables
from signal_exchange.runtime.settings import KeeperSettings
from signal_exchange.stream.seen_register import seen_register_table

TABLES = store_tables("pseudonyms")
COUNTERS = Table(
    "counters",
    TABLES,
    *keys(municipality=String, day=Date),
    *required(evaluated=Integer, refused=Integer),
)
RAISES = Table(
    "quota_raises",
    TABLES,
    Column("number", Integer, primary_key=True, autoincrement=True),
    *required(municipality=String, first_day=Date, last_day=Date, requests_a_day=Integer, requests_a_month=Integer),
    *required(approved_by=String, second_approver=String, recorded_at=DateTime(timezone=True)),
)


seen_register_table(TABLES)


class Verdict(Enum):
    """Whether a request may be evaluated, or which quota is used up."""

    GRANTED = auto()
    DAY_IS_FULL = auto()
    MONTH_IS_FULL = auto()


@dataclass(frozen=True, slots=True)
class Quota:
    """Requests of 16 points that a municipality may make per day and per calendar month."""

    requests_a_day: int = 100
    requests_a_month: int = 1000


DEFAULT_QUOTA = Quota()


@dataclass(frozen=True, slots=True)
class QuotaRaise:
    """A larger quota for a municipality from one day to another, approved by two people; the other keeper needs its own."""

    municipality: MunicipalityCode
    first_day: date
    last_day: date
    quota: Quota
    approved_by: str
    second_approver: str


@dataclass(frozen=True, slots=True)
class DayCount:
    """The numbers of requests of a municipality that were evaluated and refused on a day: for the audit."""

    municipality: MunicipalityCode
    day: date
    evaluated: int
    refused: int


class CounterStore:
    """The counters of one keeper, in SQLite or PostgreSQL.

    Raises:
        StoreUnavailableError: the database does not answer; then nothing is evaluated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        database.create_tables()

    def take(self, municipality: MunicipalityCode, day: date, quota: Quota) -> Verdict:
        """Count one request of a municipality as evaluated, or as refused when a quota is used up."""
        with self._database.transaction() as connection:
            _ensure_row(connection, municipality, day)
            verdict = _verdict(connection, municipality, day, _raised(connection, municipality, day, quota))
            _count(connection, municipality, day, "evaluated" if verdict is Verdict.GRANTED else "refused")
            return verdict

    def refuse(self, municipality: MunicipalityCode, day: date) -> None:
        """Count one request of a municipality that was refused for what it held."""
        with self._database.transaction() as connection:
            _ensure_row(connection, municipality, day)
            _count(connection, municipality, day, "refused")

    def raise_quota(self, raised: QuotaRaise, recorded_at: datetime) -> None:
        """Record a raised quota with who approved it.

        Raises:
            RefusedError: one person approved it twice, or the days are in the wrong order.
        """
        if not raised.approved_by or not raised.second_approver or raised.approved_by == raised.second_approver:
            raise RefusedError("TWO_MUST_APPROVE")
        if raised.last_day < raised.first_day:
            raise RefusedError("LAST_DAY_BEFORE_FIRST")
        with self._database.transaction() as connection:
            row = row_of(raised)
            connection.execute(RAISES.insert(), {**row, **row_of(row.pop("quota")), "recorded_at": recorded_at})

    def counts(self, first_day: date, last_day: date) -> tuple[DayCount, ...]:
        """Return the counters of a range of days, by day and municipality."""
        rows = (
            select(COUNTERS).where(COUNTERS.c.day.between(first_day, last_day)).order_by(COUNTERS.c.day, COUNTERS.c.municipality)
        )
        with self._database.reading() as connection:
            return tuple(values_of(DayCount, connection, rows))


def _ensure_row(connection: Connection, municipality: MunicipalityCode, day: date) -> None:
    add_once(connection, COUNTERS, [{"municipality": municipality, "day": day, "evaluated": 0, "refused": 0}])


def _count(connection: Connection, municipality: MunicipalityCode, day: date, column: str) -> None:
    of_day = (COUNTERS.c.municipality == municipality) & (COUNTERS.c.day == day)
    connection.execute(update(COUNTERS).where(of_day).values({column: COUNTERS.c[column] + 1}))


def _verdict(connection: Connection, municipality: MunicipalityCode, day: date, quota: Quota) -> Verdict:
    of_month = (COUNTERS.c.municipality == municipality) & COUNTERS.c.day.between(day.replace(day=1), day)
    # Locked, so that two requests at the same moment cannot both take the last place.
    rows = connection.execute(select(COUNTERS.c.day, COUNTERS.c.evaluated).where(of_month).with_for_update()).all()
    if sum(evaluated for _, evaluated in rows) >= quota.requests_a_month:
        return Verdict.MONTH_IS_FULL
    today = sum(evaluated for counted, evaluated in rows if counted == day)
    return Verdict.DAY_IS_FULL if today >= quota.requests_a_day else Verdict.GRANTED


def _raised(connection: Connection, municipality: MunicipalityCode, day: date, quota: Quota) -> Quota:
    most = select(func.max(RAISES.c.requests_a_day), func.max(RAISES.c.requests_a_month)).where(
        RAISES.c.municipality == municipality, RAISES.c.first_day <= day, RAISES.c.last_day >= day
    )
    a_day, a_month = connection.execute(most).one()
    return Quota(max(quota.requests_a_day, a_day or 0), max(quota.requests_a_month, a_month or 0))


def database_of(settings: KeeperSettings) -> Database:
    """Return the database of a keeper."""
    return Database(settings.database(f"keeper-{settings.keeper}"), TABLES)
