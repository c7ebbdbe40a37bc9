from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_exchange.municipality.causes import Cause
from signal_exchange.municipality.written_values import cause_of_date, count, day, flag, moment, understood


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-13", "2026-11-13"),
        ("13-11-2026", "2026-11-13"),
        ("9-3-2002", "2002-03-09"),
        ("09-03-2002", "2002-03-09"),
        ("13.11.2026", "2026-11-13"),
        ("13/11/2026", "2026-11-13"),
        ("11/11/2026", "2026-11-11"),
        ("2026/11/13", "2026-11-13"),
        ("2026/3/9", "2026-03-09"),
        ("2002-3-9", "2002-03-09"),
        (" 13-11-2026 ", "2026-11-13"),
        ("13-11-2026 00:00:00", "2026-11-13"),
        ("13-11-2026 0:00", "2026-11-13"),
        ("2026-11-13T00:00:00", "2026-11-13"),
        ("9 maart 2002", "2002-03-09"),
        ("9-mrt-2002", "2002-03-09"),
        ("13 Nov. 2026", "2026-11-13"),
        ("1 mei 2002", "2002-05-01"),
        ("29-2-2024", "2024-02-29"),
    ],
)
def test_a_date_that_cannot_be_wrong_is_read(written: str, meant: str) -> None:
    assert day(written) == meant


@pytest.mark.parametrize(
    ("written", "cause"),
    [
        ("37324", Cause.DATE_SERIAL),
        ("37324.0", Cause.DATE_SERIAL),
        ("46339,5", Cause.DATE_SERIAL),
        (37324, Cause.DATE_SERIAL),
        ("17/11/26", Cause.DATE_SHORT_YEAR),
        ("17-11-26", Cause.DATE_SHORT_YEAR),
        ("9-mrt-02", Cause.DATE_SHORT_YEAR),
        ("02-03-09", Cause.DATE_SHORT_YEAR),
        ("13-11-'26", Cause.DATE_SHORT_YEAR),
        ("09/03/2002", Cause.DATE_ORDER),
        ("3/9/2002", Cause.DATE_ORDER),
        ("11/13/2026", Cause.DATE_ORDER),
        ("31/02/2026", Cause.NO_SUCH_DAY),
        ("31-02-2026", Cause.NO_SUCH_DAY),
        ("2026-02-31", Cause.NO_SUCH_DAY),
        ("29-2-2026", Cause.NO_SUCH_DAY),
        ("0-3-2002", Cause.NO_SUCH_DAY),
        ("13-11/2026", Cause.DATE_FORM),
        ("13112026", Cause.DATE_FORM),
        ("20261113", Cause.DATE_FORM),
        ("13-11-2026 14:10", Cause.DATE_FORM),
        ("9 brumaire 2002", Cause.DATE_FORM),
        ("gisteren", Cause.DATE_FORM),
        ("1\u0663-11-2026", Cause.DATE_FORM),
        ("", Cause.DATE_FORM),
        (None, Cause.DATE_FORM),
        (True, Cause.DATE_FORM),
    ],
)
def test_r_val_22_a_date_that_may_be_wrong_stays_as_it_is_and_its_cause_is_told(written: object, cause: Cause) -> None:
    assert cause_of_date(written) is cause
    if isinstance(written, str):
        assert day(written) == written


@given(st.dates(date(1000, 1, 1), date(9999, 12, 31)), st.sampled_from("-."), st.booleans())
def test_every_day_as_it_is_written_here_is_that_day(when: date, mark: str, padded: bool) -> None:  # noqa: FBT001 - drawn
    written = [f"{part:02d}" if padded else str(part) for part in (when.day, when.month)]
    assert day(mark.join([*written, f"{when.year:04d}"])) == when.isoformat()
    assert day(when.isoformat()) == when.isoformat()


@given(st.text(max_size=30))
def test_whatever_is_written_reading_it_raises_nothing_and_reading_twice_is_reading_once(text: str) -> None:
    for read in (day, moment):
        assert read(read(text)) == read(text)
    assert flag(text) in (True, False, text)
    assert isinstance(count(text), int | str)


@pytest.mark.parametrize("word", ["true", "TRUE", "waar", "WAAR", "ja", "Ja", "1", " ja "])
def test_a_word_for_yes_is_true(word: str) -> None:
    assert flag(word) is True


@pytest.mark.parametrize("word", ["false", "FALSE", "onwaar", "ONWAAR", "nee", "NEE", "0"])
def test_a_word_for_no_is_false(word: str) -> None:
    assert flag(word) is False


@pytest.mark.parametrize("word", ["maybe", "yes", "", "2", "x", "ja/nee"])
def test_another_word_stays_for_the_rules_to_refuse(word: str) -> None:
    assert flag(word) == word


@pytest.mark.parametrize(("written", "meant"), [("2", 2), ("2.0", 2), ("2,00", 2), (" 3 ", 3), ("0", 0), ("007", 7), ("-2", -2)])
def test_a_count_is_read(written: str, meant: int) -> None:
    assert count(written) == meant


@pytest.mark.parametrize("written", ["2.5", "many", "- 2", "1.000.000", "99999999999", "\u0662", ""])
def test_another_count_stays_for_the_rules_to_refuse(written: str) -> None:
    assert count(written) == written


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("17-11-2026 14:10", "2026-11-17T14:10:00+01:00"),
        ("17-7-2026 9:05:30", "2026-07-17T09:05:30+02:00"),
        ("2026-11-17T14:10:00", "2026-11-17T14:10:00+01:00"),
        ("2026-11-17 14:10", "2026-11-17T14:10:00+01:00"),
        ("2026-11-17T14:10:00+01:00", "2026-11-17T14:10:00+01:00"),
        ("2026-11-17T13:10:00Z", "2026-11-17T13:10:00Z"),
    ],
)
def test_a_moment_without_a_zone_is_of_amsterdam(written: str, meant: str) -> None:
    assert moment(written) == meant


@pytest.mark.parametrize(
    "written",
    ["25-10-2026 02:30", "29-03-2026 02:30", "17-11-26 14:10", "17-11-2026", "46343.59", "17-11-2026 25:10", "9/3/2026 14:10"],
    ids=["shown twice", "never shown", "short year", "no clock", "serial", "no such hour", "which month"],
)
def test_a_moment_that_may_be_another_stays_as_it_is(written: str) -> None:
    assert moment(written) == written


def test_only_fields_with_dates_flags_moments_and_counts_are_read() -> None:
    record = {
        "local_ref": "13-11-2026",
        "summary": "ja",
        "corroborated": "ja",
        "estimated_victims": "2",
        "observed": {"from": "13-11-2026", "to": 5},
        "consent": {"recorded_on": "17-11-2026", "status": "1"},
        "subjects": [{"birth_date": "9-3-2002", "ref": "1"}, 7],
    }
    assert understood(record) == {
        "local_ref": "13-11-2026",
        "summary": "ja",
        "corroborated": True,
        "estimated_victims": 2,
        "observed": {"from": "2026-11-13", "to": 5},
        "consent": {"recorded_on": "2026-11-17", "status": "1"},
        "subjects": [{"birth_date": "2002-03-09", "ref": "1"}, 7],
    }


@pytest.mark.parametrize("nothing", [None, 3, "text", [], {"subjects": None, "observed": 3, "consent": []}])
def test_what_is_no_record_stays_what_it_is(nothing: object) -> None:
    assert understood(nothing) == nothing
