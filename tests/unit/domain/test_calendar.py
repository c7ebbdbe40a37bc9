import csv
from datetime import date, timedelta
from pathlib import Path

import holidays
import pytest
from domain_cases import CALENDAR, amsterdam, check_values
from hypothesis import given
from hypothesis import strategies as st

from signal_exchange.domain.calendar import Holiday, WorkingCalendar, atw_holidays, easter
from signal_exchange.domain.times import AMSTERDAM

days = st.dates(date(2014, 1, 1), date(2060, 12, 31))
moments = st.datetimes(date_time := amsterdam("2014-01-01T00:00").replace(tzinfo=None), date_time.replace(year=2060)).map(
    lambda moment: moment.replace(tzinfo=AMSTERDAM)
)


@pytest.mark.parametrize(("year", "day"), check_values("easter"))
def test_r_cal_01_easter_falls_on_the_computed_day(year: int, day: str) -> None:
    assert easter(year) == date.fromisoformat(day)


@pytest.mark.parametrize(
    "day", ["1818-03-22", "1886-04-25", "1943-04-25", "1954-04-18", "1981-04-19", "2038-04-25", "2285-03-22"]
)
def test_r_cal_01_easter_is_right_in_its_extreme_and_exceptional_years(day: str) -> None:
    assert easter(int(day[:4])) == date.fromisoformat(day)


def test_r_cal_01_holidays_are_those_of_the_published_table() -> None:
    table = Path(__file__).parents[2] / "data" / "holidays.csv"
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    named = {(date.fromisoformat(row["date"]), row["code"]) for row in rows if row["code"] != "EQUATED_DAY"}
    years = {day.year for day, _ in named}
    assert {(found.day, found.code) for year in years for found in atw_holidays(year)} == named


@given(st.integers(2014, 2099))
def test_r_cal_01_national_days_agree_with_a_second_implementation(year: int) -> None:
    second = holidays.country_holidays("NL", years=year, categories=("public", "optional"))
    sundays = {easter(year), easter(year) + timedelta(days=49)}
    assert {found.day for found in atw_holidays(year)} == set(second) - sundays


def test_r_cal_01_kings_day_on_a_sunday_is_kept_on_saturday() -> None:
    assert Holiday(date(2025, 4, 26), "KINGS_DAY") in atw_holidays(2025)
    assert Holiday(date(2031, 4, 26), "KINGS_DAY") in atw_holidays(2031)


@pytest.mark.parametrize("day", [date(2026, 1, 2), date(2026, 5, 15), date(2027, 5, 7)])
def test_r_cal_01_equated_days_are_no_working_days(day: date) -> None:
    assert not CALENDAR.is_working_day(day)
    assert WorkingCalendar().is_working_day(day)


@pytest.mark.parametrize("day", [date(2026, 12, 24), date(2026, 12, 31), date(2026, 2, 16)])
def test_r_cal_01_christmas_eve_new_years_eve_and_carnival_are_working_days(day: date) -> None:
    assert CALENDAR.is_working_day(day)


def test_r_cal_02_receipt_at_17_counts_as_next_working_day() -> None:
    assert CALENDAR.day_zero(amsterdam("2026-11-20T16:59:59.999999")) == date(2026, 11, 20)
    assert CALENDAR.day_zero(amsterdam("2026-11-20T17:00")) == date(2026, 11, 23)


def test_r_cal_02_receipt_on_a_free_morning_counts_as_next_working_day() -> None:
    assert CALENDAR.day_zero(amsterdam("2026-12-25T09:00")) == date(2026, 12, 28)


@pytest.mark.parametrize(("received", "n", "day"), check_values("deadline"))
def test_r_cal_03_deadline_is_17_on_the_nth_working_day(received: str, n: int, day: str) -> None:
    assert CALENDAR.deadline(amsterdam(received), n) == amsterdam(f"{day}T17:00")


def test_r_cal_04_local_closing_days_do_not_move_deadlines() -> None:
    carnival = date(2026, 2, 16)
    closed = WorkingCalendar(local_closing_days=frozenset({carnival}))
    assert closed.deadline(amsterdam("2026-02-13T10:00"), 1).date() == carnival
    assert not closed.is_open(carnival)


@given(moments, st.integers(0, 30))
def test_deadline_lies_that_many_working_days_after_day_zero(received: object, n: int) -> None:
    moment = amsterdam(str(received)[:19])
    zero, due = CALENDAR.day_zero(moment), CALENDAR.deadline(moment, n)
    assert CALENDAR.is_working_day(due.date())
    days_after = (zero + timedelta(days=day) for day in range(1, (due.date() - zero).days + 1))
    assert sum(map(CALENDAR.is_working_day, days_after)) == n
    assert due.astimezone(AMSTERDAM).hour == 17


@given(days, st.integers(1, 30))
def test_adding_and_taking_working_days_returns_to_a_working_day(day: date, n: int) -> None:
    start = CALENDAR.add_working_days(day, 1)
    assert CALENDAR.add_working_days(CALENDAR.add_working_days(start, n), -n) == start
