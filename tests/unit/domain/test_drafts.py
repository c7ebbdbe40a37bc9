from datetime import date
from typing import Any

import pytest
from domain_cases import CODES, EXAMPLES, MEMBERS, POLICY, amsterdam, coded, published
from hypothesis import given
from hypothesis import strategies as st

from signal_exchange.domain.signals.drafts import age_band, age_on, coded_signal, without_sealed_parts
from signal_exchange.domain.signals.inside_rules import validate_inside
from signal_exchange.domain.signals.validation import validate
from signal_exchange.domain.times import local_day
from signal_exchange.reference.loading import load_example

Record = dict[str, Any]

DAY = date(2026, 11, 20)
GUARD = {"version": "1.0.0", "result": "PASS", "findings": [], "overrides": []}
IDENTIFYING = ("family_name", "given_names", "bsn", "phone", "birth_date", "nationality")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)


def inside(name: str = "01_sexual", **changes: object) -> Record:
    return load_example(name, "inside") | changes


def drafted(record: Record, day: date = DAY) -> Record:
    signal_id = "24b1c59c-4d80-4b31-8fd9-e2b32ee611ca"
    return coded_signal(record, signal_id=signal_id, version=1, supersedes=None, day=day, guard=GUARD)


def with_subject(**changes: object) -> Record:
    record = inside()
    record["subjects"][0] |= changes
    return record


def refusals(record: Record, **changes: bool) -> list[tuple[str, str]]:
    return [(found.code[:3], found.field) for found in validate_inside(record, day=DAY, policy=POLICY, **changes)]


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_municipal_example_gives_its_published_coded_signal(name: str) -> None:
    event = load_example(name, "published")
    assert event["data"]["signal_id"] == coded(name)["signal_id"]
    day = local_day(amsterdam(event["time"][:19]))
    made = coded_signal(inside(name), signal_id=event["data"]["signal_id"], version=1, supersedes=None, day=day, guard=GUARD)
    assert made == coded(name)
    assert refusals(inside(name)) == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_identifying_value_of_a_record_is_in_its_coded_signal(name: str) -> None:
    record = inside(name)
    values = [subject[field] for subject in record["subjects"] for field in IDENTIFYING if subject[field]]
    values += [place[field] for place in record["places"] for field in ("street", "postcode") if place[field]]
    values += [*(record["reporter"] or {}).values(), record["narrative"], record["summary"], record["local_ref"]]
    made = repr(drafted(record))
    assert [value for value in values if value in made] == []


def test_a_field_that_has_no_place_on_the_wire_stays_inside() -> None:
    record = inside(household="Testescu")
    record["consent"]["words"] = "Testescu"
    assert "Testescu" not in repr(drafted(record))


def test_a_draft_shares_nothing_with_its_record() -> None:
    record = inside()
    drafted(record)["means"].append("FRAUD")
    assert record == inside()


@pytest.mark.parametrize(("born", "age"), [("2008-11-20", 18), ("2008-11-21", 17), ("2008-11-19", 18)])
def test_r_val_07_a_birthday_counts_from_the_start_of_the_day(born: str, age: int) -> None:
    assert age_on(date.fromisoformat(born), DAY) == age


def test_r_val_07_born_on_29_february_is_18_on_1_march() -> None:
    assert age_on(date(2008, 2, 29), date(2026, 2, 28)) == 17
    assert age_on(date(2008, 2, 29), date(2026, 3, 1)) == 18


def test_r_val_07_bands_follow_the_age() -> None:
    ages = [0, 11, 12, 15, 16, 17, 18, 22, 23, 29, 30, 44, 45, 64, 65, 99]
    bands = ["0_11", "12_15", "16_17", "18_22", "23_29", "30_44", "45_64", "65_PLUS"]
    assert [age_band(age) for age in ages] == [f"AGE_{band}" for band in bands for _ in range(2)]


def test_r_val_07_the_flags_are_judged_on_the_publish_day_and_the_first_observed_day() -> None:
    record = with_subject(birth_date="2008-11-15")
    subject = drafted(record)["subjects"][0]
    assert (subject["age_band"], subject["is_minor"], subject["minor_at_event"]) == ("AGE_18_22", False, True)


def test_r_val_07_without_a_birth_date_the_band_says_who_is_a_minor() -> None:
    subject = drafted(with_subject(birth_date=None, age_band="AGE_UNKNOWN_MAYBE_MINOR"))["subjects"][0]
    assert (subject["is_minor"], subject["minor_at_event"]) == (True, True)


def test_r_val_07_without_either_nothing_is_guessed() -> None:
    made = drafted(with_subject(birth_date=None))
    found = validate(made, day=DAY, sender="GM0983", members=MEMBERS, codes=CODES, policy=POLICY)
    assert {(violation.code, violation.field) for violation in found} == {
        ("V01_MISSING", f"subjects[0].{name}") for name in ("age_band", "is_minor", "minor_at_event")
    }


def test_r_val_07_without_an_observed_day_the_publish_day_stands_for_it() -> None:
    record = with_subject(birth_date="2008-11-21")
    del record["observed"]
    assert drafted(record)["subjects"][0]["minor_at_event"] is True


def test_the_vulnerability_minor_is_derived_and_never_typed() -> None:
    assert drafted(inside(vulnerabilities=["MINOR", "DEBTS"]))["vulnerabilities"] == ["DEBTS"]
    assert drafted(with_subject(birth_date="2012-01-02"))["vulnerabilities"] == ["MINOR", "NO_HOUSING", "DEBTS"]


def test_r_val_09_an_anonymous_tip_starts_at_monitor_and_others_must_choose() -> None:
    record = inside("06_anonymous_tip", urgency=None)
    assert drafted(record)["urgency"] == "MONITOR"
    assert "urgency" not in drafted(record | {"reporter_source": "RESIDENT"})


def test_r_val_18_the_112_advice_is_known_by_its_moment() -> None:
    assert drafted(inside("02_labour"))["emergency_advised"] is False
    assert drafted({})["emergency_advised"] is False


@given(json_values)
def test_no_record_makes_drafting_or_its_checks_raise(value: object) -> None:
    names = ["observed", "subjects", "places", "exchanges", "consent", "forms", "means", "vulnerabilities", "urgency"]
    for name in names:
        record = inside() | {name: value}
        validate(drafted(record), day=DAY, sender="GM0983", members=MEMBERS, codes=CODES, policy=POLICY)
        validate_inside(record, day=DAY, policy=POLICY)


def test_wrong_types_in_a_record_pass_through_for_validation_to_name() -> None:
    record = inside(subjects=["s1"], observed="november", places=["home"], vulnerabilities="none")
    made = drafted(record)
    assert (made["subjects"], made["observed_weeks"], made["places"]) == (["s1"], "november", ["home"])
    assert drafted(inside(subjects="s1"))["subjects"] == "s1"


def test_a_date_that_is_none_stays_a_wrong_week() -> None:
    made = drafted(inside(observed={"from": "13-11-2026", "to": "2026-11-16"}))
    assert made["observed_weeks"] == {"from": "13-11-2026", "to": "2026-W47"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_travels_sealed_is_taken_off_a_published_event(name: str) -> None:
    assert without_sealed_parts(published(name)) == coded(name)


def test_taking_off_the_sealed_parts_never_raises() -> None:
    assert without_sealed_parts({"subjects": "x", "places": ["x"]}) == {"subjects": "x", "places": ["x"]}


def test_r_val_06_inside_the_exact_dates_are_in_order() -> None:
    assert refusals(inside(observed={"from": "2026-11-16", "to": "2026-11-16"})) == []
    assert refusals(inside(observed={})) == []
    assert refusals({}) == []
    assert refusals(inside(observed={"from": "2026-11-17", "to": "2026-11-16"})) == [("V06", "observed.from")]


def test_r_val_07_inside_nobody_is_born_after_the_publish_day() -> None:
    assert refusals(with_subject(birth_date="2026-11-20")) == []
    assert refusals(with_subject(birth_date="2026-11-21")) == [("V07", "subjects[0].birth_date")]


def test_r_val_09_inside_nothing_of_an_anonymous_reporter_is_kept() -> None:
    reporter = {"name": "T. Voorbeeld"}
    assert refusals(inside("06_anonymous_tip", reporter=reporter)) == [("V09", "reporter")]
    assert refusals(inside("06_anonymous_tip", ip="127.0.0.1")) == [("V09", "ip"), ("V17", "ip")]


def test_r_val_13_inside_a_guard_result_older_than_the_text_is_refused() -> None:
    assert refusals(inside(), guard_is_fresh=False) == [("V13", "guard")]


def test_r_val_15_inside_the_summary_counts_code_points() -> None:
    assert refusals(inside(summary="é" * 500)) == []
    assert refusals(inside(summary="😀" * 501)) == [("V15", "summary")]
    assert refusals(inside(summary=None)) == []


def test_r_val_17_inside_an_unknown_field_is_an_error() -> None:
    record = inside()
    record["places"][0]["gps"] = "51.37,6.17"
    assert refusals(record) == [("V17", "places[0].gps")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("received_at", "2026-11-17T14:10:00"),
        ("received_at", "gisteren"),
        ("emergency_advised_at", 5),
        ("observed", {"from": "x"}),
    ],
)
def test_r_val_22_inside_a_wrong_type_is_reported_alone(name: str, value: object) -> None:
    assert {code for code, _ in refusals(inside(summary="x" * 501) | {name: value})} == {"V22"}
