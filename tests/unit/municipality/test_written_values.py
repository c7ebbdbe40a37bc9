from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from domain_cases import check_values
from hypothesis import example, given
from hypothesis import strategies as st

from signal_exchange.municipality.publishing.causes import Cause
from signal_exchange.municipality.publishing.explaining import with_causes
from signal_exchange.municipality.publishing.field_faults import unreadable
from signal_exchange.municipality.publishing.written_values import count, day, flag, moment, understood
from signal_exchange_demo.oracle import reading as naive

READERS = {"day": day, "moment": moment, "flag": flag, "count": count}
ORACLE = {"day": naive.day, "moment": naive.moment, "flag": naive.flag, "count": naive.count}
FIELDS = {"day": "subjects[0].birth_date", "moment": "received_at", "flag": "corroborated", "count": "estimated_victims"}


@pytest.mark.parametrize(("kind", "written", "meant", "cause"), check_values("written"))
def test_r_val_22_what_can_mean_one_thing_is_read_and_else_its_cause_is_told(
    kind: str, written: Any, meant: object, cause: str | None
) -> None:
    if isinstance(written, str):
        read = READERS[kind](written)
        assert read == (written if meant is None else meant)
        assert isinstance(read, bool) == isinstance(meant, bool)
    if isinstance(written, str) and not written.endswith(("Z", ":00+01:00")):
        assert ORACLE[kind](written) == meant
    if cause is not None:
        refusal = unreadable(Cause.NO_RECORD, FIELDS[kind])
        record = {"subjects": [{"birth_date": written}]}
        (told,) = with_causes([replace(refusal, cause="")], record)
        assert told.cause == cause


DAYS = st.builds(
    lambda parts, mark: mark.join(parts),
    st.lists(
        st.sampled_from(["1", "03", "3", "12", "13", "29", "30", "31", "26", "02", "2002", "2024", "2026", "mrt", "mei"]),
        min_size=2,
        max_size=4,
    ),
    st.sampled_from(["-", "/", ".", " ", ""]),
)
CLOCKS = st.sampled_from(["", " 0:00", " 00:00:00", "T00:00:00", " 14:10", " 2:30", "T02:30:05", " 24:00", " 14"])


@given(DAYS, CLOCKS)
@example("25-10-2026", " 2:30")
@example("29-3-2026", " 2:30")
def test_r_val_22_days_and_moments_are_read_as_the_oracle_reads_them(on: str, clock: str) -> None:
    for kind in ("day", "moment"):
        read = READERS[kind](on + clock)
        expected = ORACLE[kind](on + clock)
        assert read == (on + clock if expected is None else expected), kind


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
