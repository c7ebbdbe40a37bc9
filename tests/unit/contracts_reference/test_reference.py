from datetime import date

import pytest
from domain_cases import EXAMPLES

from signal_exchange.reference.loading import (
    load_code_lists,
    load_equated_days,
    load_example,
    load_members,
)


def test_every_code_list_has_codes_under_its_file_name() -> None:
    lists = load_code_lists().lists
    assert len(lists) == 53
    assert all(code_list.name == name and code_list.codes for name, code_list in lists.items())


def test_codes_carry_dates_parent_and_further_columns() -> None:
    lists = load_code_lists().lists
    kidney = lists["sector"].codes["ORG_KIDNEY"]
    assert (kidney.label_nl, kidney.valid_from, kidney.valid_to, kidney.parent) == ("nier", date(2022, 1, 1), None, "ORGAN")
    assert lists["form_of_exploitation"].codes["SURROGACY"].valid_from is None
    assert lists["validation_error"].codes["V15_SIZE"].extra == {"dead_letter": "TOO_LARGE"}


def test_every_parent_of_a_sector_is_a_form_and_of_an_indicator_a_group() -> None:
    codes = load_code_lists()
    for name, parents in (("sector", "form_of_exploitation"), ("indicator", "indicator_group")):
        named = {codes.parent(name, code) for code in codes.codes(name)} - {None}
        assert named <= set(codes.codes(parents))


def test_the_region_has_fifteen_municipalities_in_two_parts() -> None:
    members = load_members().by_code
    assert len(members) == 15
    assert {member.subregion for member in members.values()} == {"noord", "midden"}
    assert sum(member.population for member in members.values()) == 531_992


def test_equated_days_end_with_the_last_known_decree() -> None:
    assert date(2026, 5, 15) in load_equated_days()
    assert max(load_equated_days()) <= date(2028, 12, 31)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_exists_inside_and_published_and_is_synthetic(name: str) -> None:
    assert load_example(name, "inside")["synthetic"] is True
    event = load_example(name, "published")
    assert event["id"].startswith(event["data"]["signal_id"])


def test_an_example_may_be_changed_without_changing_the_next() -> None:
    load_example("01_sexual", "inside")["sector"] = "changed"
    assert load_example("01_sexual", "inside")["sector"] == "SEX_HOME_HOTEL"
