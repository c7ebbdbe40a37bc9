from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from refusing import refused

from signal_exchange.domain.ids import MunicipalityCode
from signal_exchange.pseudonyms.store import TABLES, CounterStore, DayCount, Quota, QuotaRaise, Verdict
from signal_exchange.runtime.database import Database

VENLO, WEERT = MunicipalityCode("GM0983"), MunicipalityCode("GM0988")
DAY, QUOTA = date(2026, 11, 20), Quota(2, 3)
AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def a_raise(**changed: object) -> QuotaRaise:
    fields = {
        "municipality": VENLO,
        "first_day": date(2026, 11, 20),
        "last_day": date(2026, 11, 21),
        "quota": Quota(10, 10),
        "approved_by": "T. Voorbeeld",
        "second_approver": "R. Voorbeeld",
        **changed,
    }
    return QuotaRaise(**fields)  # type: ignore[arg-type]  # the fields of a raise, one of them changed


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite+pysqlite:///{tmp_path / 'counters.sqlite'}", TABLES)
    yield made
    made.close()


@pytest.fixture
def store(database: Database) -> CounterStore:
    return CounterStore(database)


def test_a_day_is_full_at_its_quota_and_refusals_are_counted(store: CounterStore) -> None:
    verdicts = [store.take(VENLO, DAY, QUOTA) for _ in range(3)]
    assert verdicts == [Verdict.GRANTED, Verdict.GRANTED, Verdict.DAY_IS_FULL]
    assert store.counts(DAY, DAY) == (DayCount(VENLO, DAY, 2, 1),)


def test_a_month_is_full_at_its_quota_and_the_next_month_is_not(store: CounterStore) -> None:
    for day in (18, 19):
        store.take(VENLO, date(2026, 11, day), QUOTA)
    assert store.take(VENLO, DAY, QUOTA) is Verdict.GRANTED
    assert store.take(VENLO, DAY, QUOTA) is Verdict.MONTH_IS_FULL
    assert store.take(VENLO, date(2026, 12, 1), QUOTA) is Verdict.GRANTED


def test_one_municipality_does_not_use_up_the_quota_of_another(store: CounterStore) -> None:
    for _ in range(3):
        store.take(VENLO, DAY, QUOTA)
    assert store.take(WEERT, DAY, QUOTA) is Verdict.GRANTED


def test_requests_at_the_same_moment_never_pass_the_quota(store: CounterStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(lambda _: store.take(VENLO, DAY, Quota(5, 100)), range(20)))
    assert verdicts.count(Verdict.GRANTED) == 5


def test_two_people_raise_a_quota_for_the_days_they_say(store: CounterStore) -> None:
    store.raise_quota(a_raise(), AT)
    assert [store.take(VENLO, DAY, QUOTA) for _ in range(10)] == [Verdict.GRANTED] * 10
    assert store.take(VENLO, DAY, QUOTA) is Verdict.MONTH_IS_FULL
    assert store.take(WEERT, date(2026, 11, 21), Quota(0, 1)) is Verdict.DAY_IS_FULL


def test_a_raise_ends_and_never_lowers_a_quota(store: CounterStore) -> None:
    store.raise_quota(a_raise(quota=Quota(1, 1)), AT)
    assert [store.take(VENLO, DAY, QUOTA) for _ in range(2)] == [Verdict.GRANTED] * 2
    assert store.take(VENLO, date(2026, 11, 22), Quota(0, 9)) is Verdict.DAY_IS_FULL


@pytest.mark.parametrize(
    "changed",
    [
        {"second_approver": "T. Voorbeeld"},
        {"second_approver": ""},
        {"approved_by": ""},
        {"last_day": date(2026, 11, 19)},
    ],
)
def test_one_person_or_a_wrong_range_of_days_raises_nothing(store: CounterStore, changed: dict[str, object]) -> None:
    with refused():
        store.raise_quota(a_raise(**changed), AT)
    assert store.take(VENLO, DAY, Quota(0, 1)) is Verdict.DAY_IS_FULL


def test_the_store_has_no_column_that_could_hold_a_point() -> None:
    columns = {column.name for table in TABLES.tables.values() for column in table.columns}
    assert columns == {
        "municipality", "day", "evaluated", "refused", "number", "first_day", "last_day", "requests_a_day",
        "requests_a_month", "approved_by", "second_approver", "recorded_at", "serial",
    }  # fmt: skip
