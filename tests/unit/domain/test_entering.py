"""What is judged once, where it is entered: windows (R-VAL-24) and contradictions that are asked (R-VAL-25)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from domain_cases import POLICY, check_values
from hypothesis import given
from hypothesis import strategies as st

from signal_exchange.domain.refusals import Phrase
from signal_exchange.domain.signals.contradictions import contradictions
from signal_exchange.domain.signals.inside_rules import validate_inside
from signal_exchange.domain.signals.windows import due_days, first_contact_days, planned_contact_days, windows_left
from signal_exchange.reference.loading import load_example
from signal_exchange.words import phrase
from signal_exchange_demo.oracle import entering as naive

DAYS = {"due_date": due_days, "planned_contact": planned_contact_days, "first_contact": first_contact_days}
TODAY = date(2026, 11, 30)
days = st.dates(date(2024, 1, 1), date(2032, 12, 31))
born_on = st.none() | st.dates(date(1900, 1, 1), date(2033, 1, 1)).map(date.isoformat)


def record_with(field: str, value: object) -> dict[str, Any]:
    if field == "birth_date":
        return {"subjects": [{"ref": "s1", "role": "VICTIM", "birth_date": value}]}
    outer, _, inner = field.partition(".")
    return {outer: {inner: value} if inner else value}


def is_taken(field: str, day: date, value: Any) -> bool:
    if field in DAYS:
        window = DAYS[field](day, POLICY)
        entered = date.fromisoformat(value)
        assert (window.missed_by(entered) is None) is window.hold(entered)
        return window.hold(entered)
    return not list(windows_left(record_with(field, value), day, POLICY))


@pytest.mark.parametrize(("field", "day", "value", "right"), check_values("windows"))
def test_r_val_24_each_window_ends_where_the_rules_say(field: str, day: str, value: object, *, right: bool) -> None:
    on = date.fromisoformat(day)
    assert is_taken(field, on, value) is right
    assert naive.is_in_window(field, on, value) is right


@given(days, st.sampled_from(sorted(DAYS)), st.integers(-800, 800))
def test_r_val_24_every_day_that_is_entered_is_judged_as_the_oracle_does(day: date, field: str, ahead: int) -> None:
    entered = day + timedelta(days=ahead)
    assert is_taken(field, day, entered.isoformat()) is naive.is_in_window(field, day, entered.isoformat())


@given(
    days,
    st.fixed_dictionaries(
        {
            "subjects": st.lists(st.fixed_dictionaries({"birth_date": born_on, "role": st.just("VICTIM")}), max_size=2),
            "estimated_victims": st.none() | st.integers(-5, 1005),
            "received_at": st.none() | st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat()),
            "observed": st.fixed_dictionaries({"from": born_on, "to": born_on}),
            "consent": st.fixed_dictionaries({"recorded_on": born_on}),
            "exchanges": st.lists(
                st.fixed_dictionaries({"legal_basis": st.sampled_from(["CONSENT", "PUBLIC_TASK"])}), max_size=2
            ),
        }
    ),
)
def test_r_val_24_every_record_is_judged_as_the_oracle_does(day: date, record: dict[str, Any]) -> None:
    assert {each.field for each in windows_left(record, day, POLICY)} == naive.windows_left(record, day)


def test_r_val_24_an_error_names_field_rule_and_window() -> None:
    record = load_example("01_sexual", "inside") | {"estimated_victims": -2}
    record["subjects"][0]["birth_date"] = "1011-05-04"
    found = validate_inside(record, day=TODAY, policy=POLICY)
    assert [(each.field, each.rule, each.words and phrase(each.words)) for each in found] == [
        ("subjects[0].birth_date", "R-VAL-24", "leeftijd van 0 t/m 110 jaar op de dag van publiceren"),
        ("estimated_victims", "R-VAL-24", "van 0 t/m 1000"),
    ]


@pytest.mark.parametrize(
    ("field", "entered", "missed", "window"),
    [
        ("due_date", "2026-11-29", "day_in_past", Phrase("days_from_today", {"days": 400})),
        ("due_date", "2028-01-05", "day_too_far_ahead", Phrase("days_from_today", {"days": 400})),
        ("first_contact", "2026-12-01", "day_in_future", Phrase("days_until_today", {"days": 90})),
        ("first_contact", "2026-08-31", "day_too_far_back", Phrase("days_until_today", {"days": 90})),
    ],
)
def test_r_val_24_a_day_that_cannot_be_is_told_with_what_would_be_right(
    field: str, entered: str, missed: str, window: Phrase
) -> None:
    assert DAYS[field](TODAY, POLICY).missed_by(date.fromisoformat(entered)) == Phrase(missed, {"window": window})


@pytest.mark.parametrize(("day", "record", "fields"), check_values("contradictions"))
def test_r_val_25_a_contradiction_is_found_where_the_rules_say(day: str, record: dict[str, Any], fields: list[str]) -> None:
    on = date.fromisoformat(day)
    assert [each.field for each in contradictions(record, on, POLICY)] == fields
    assert naive.asked(record, on) == set(fields)


subjects = st.fixed_dictionaries({
    "role": st.sampled_from(["VICTIM", "SUSPECT", "WITNESS"]),
    "birth_date": st.none() | st.dates(date(1940, 1, 1), date(2026, 11, 30)).map(date.isoformat),
    "age_band": st.sampled_from([None, "AGE_0_11", "AGE_16_17", "AGE_45_64", "AGE_UNKNOWN_ADULT", "AGE_UNKNOWN_MAYBE_MINOR"]),
    "relation": st.sampled_from([None, "PARENT", "PARTNER", "EMPLOYER", "RECRUITER"]),
})  # fmt: skip


@given(
    st.fixed_dictionaries(
        {
            "subjects": st.lists(subjects, max_size=3),
            "consent": st.fixed_dictionaries(
                {"given_by": st.sampled_from([None, "SELF", "PARENT_GUARDIAN", "NIDOS", "CURATOR"])}
            ),
            "sector": st.sampled_from(
                [None, "SECTOR_UNKNOWN", "LAB_MEAT", "SEX_CLUB", "SRV_HOUSEHOLD", "CRI_THEFT", "CRI_MONEY_MULE"]
            ),
            "vulnerabilities": st.lists(st.sampled_from(["MINOR", "YOUTH", "DEBTS"]), max_size=2),
            "observed": st.fixed_dictionaries({"from": st.sampled_from([None, "2026-11-01"])}),
        }
    )
)
def test_r_val_25_every_contradiction_is_found_as_the_oracle_does(record: dict[str, Any]) -> None:
    found = contradictions(record, TODAY, POLICY)
    assert {each.field for each in found} == naive.asked(record, TODAY)
    assert all(each.words and each.rule == "R-VAL-25" for each in found)


@pytest.mark.parametrize("name", ["01_sexual", "02_labour", "03_criminal", "04_organ", "05_minor", "06_anonymous_tip"])
def test_r_val_24_and_25_say_nothing_of_the_examples(name: str) -> None:
    record, day = load_example(name, "inside"), date(2026, 11, 20)
    assert list(windows_left(record, day, POLICY)) == []
    assert contradictions(record, day, POLICY) == ()


@given(st.dictionaries(st.sampled_from(["subjects", "observed", "consent", "vulnerabilities", "sector"]), st.none()))
def test_r_val_25_a_record_that_says_little_contradicts_nothing(record: dict[str, Any]) -> None:
    assert contradictions(record, TODAY, POLICY) == ()
