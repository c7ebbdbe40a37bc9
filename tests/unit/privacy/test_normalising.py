from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_exchange import reference
from signal_exchange.privacy import normal_forms as normalising
from signal_exchange.privacy.names import PREFIXES
from signal_exchange.privacy.normalising import KINDS, KINDS_WITHOUT_DECISION, LinkValue, is_barred, link_values
from signal_exchange.privacy.numbers import IBAN_LENGTHS, bsn_digits, iban_is_valid, plate_series

CHECKS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "data" / "check_values.json").read_text(encoding="utf-8"))
EXAMPLES = Path(reference.__file__).parent / "data" / "examples"
NAMES = ("01_sexual", "02_labour", "03_criminal", "04_organ", "05_minor", "06_anonymous_tip")


def test_token(epoch: str, kind: str, value: str) -> str:
    """Return a token of the examples' own construction: one public key, no keepers."""
    key = CHECKS["token_test_vectors"]["key_ascii"].encode()
    return hmac.digest(key, f"{epoch}\x1f{kind}\x1f{value}".encode(), "sha256")[:16].hex()


test_token.__test__ = False  # type: ignore[attr-defined]  # it is a construction, not a test


def inside(name: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((EXAMPLES / "inside" / f"{name}.json").read_text(encoding="utf-8"))
    return record


def published(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EXAMPLES / "published" / f"{name}.json").read_text(encoding="utf-8"))
    data: dict[str, Any] = event["data"]
    return data


def gives_no_token(kind: str, value: str | None) -> bool:
    return value is None or is_barred(kind, value)


def a_record(**parts: object) -> dict[str, object]:
    return {"exchanges": [{"purpose": "LINKING"}], **parts}


@pytest.mark.parametrize(("parts", "exact", "soft", "barred"), CHECKS["normalise"]["NAME_DOB"])
def test_r_link_names_normalise_as_published(parts: list[str], exact: str | None, soft: str | None, *, barred: bool) -> None:
    assert normalising.name_dob(*parts) == exact
    assert normalising.name_dob_soft(*parts) == soft
    assert gives_no_token("NAME_DOB", exact) is barred


@pytest.mark.parametrize(("parts", "value"), CHECKS["normalise"]["ADDRESS_PC"])
def test_r_link_addresses_normalise_as_published(parts: list[str], value: str | None) -> None:
    assert normalising.address_pc(*parts) == value


@pytest.mark.parametrize(("text", "value", "barred"), CHECKS["normalise"]["PHONE"])
def test_r_link_phones_normalise_as_published(text: str, value: str | None, *, barred: bool) -> None:
    assert normalising.phone(text) == value
    assert gives_no_token("PHONE", value) is barred


@pytest.mark.parametrize(("text", "country", "value", "barred"), CHECKS["normalise"]["PLATE"])
def test_r_link_plates_normalise_as_published(text: str, country: str, value: str | None, *, barred: bool) -> None:
    assert normalising.plate(text, country) == value
    assert gives_no_token("PLATE", value) is barred


@pytest.mark.parametrize(("text", "value", "barred"), CHECKS["normalise"]["KVK"])
def test_r_link_company_numbers_normalise_as_published(text: str, value: str | None, *, barred: bool) -> None:
    assert normalising.kvk(text) == value
    assert gives_no_token("KVK", value) is barred


@pytest.mark.parametrize(
    ("function", "cases"), [(normalising.address_bag, "ADDRESS_BAG"), (normalising.iban, "IBAN")], ids=["ADDRESS_BAG", "IBAN"]
)
def test_r_link_bag_ids_and_accounts_normalise_as_published(function: Callable[[str], str | None], cases: str) -> None:
    for text, value in CHECKS["normalise"][cases]:
        assert function(text) == value


@pytest.mark.parametrize(("text", "passes"), CHECKS["bsn_eleven_test"])
def test_the_eleven_test_decides_as_published(text: str, *, passes: bool) -> None:
    assert (bsn_digits(text) is not None) is passes


@pytest.mark.parametrize(("text", "series"), CHECKS["plate_sidecode"])
def test_a_plate_is_in_the_series_as_published(text: str, series: int) -> None:
    assert plate_series(text) == series


@pytest.mark.parametrize(("text", "valid"), CHECKS["iban_mod97"])
def test_an_account_number_is_valid_as_published(text: str, *, valid: bool) -> None:
    assert iban_is_valid(text) is valid


def test_dutch_accounts_have_18_places_and_others_their_own_number() -> None:
    assert IBAN_LENGTHS["NL"] == 18
    assert normalising.iban("BE68 5390 0754 7034") == "BE68539007547034"
    assert not iban_is_valid("NL")
    assert normalising.iban("") is None


@pytest.mark.parametrize(("epoch", "kind", "value", "token"), CHECKS["token_test_vectors"]["values"])
def test_the_construction_of_the_examples_gives_their_tokens(epoch: str, kind: str, value: str, token: str) -> None:
    assert test_token(epoch, kind, value) == token


@pytest.mark.parametrize("name", NAMES)
def test_r_link_every_example_gives_the_published_tokens(name: str) -> None:
    found = [(value.carrier, value.type, test_token("2026H2", value.type, value.value)) for value in link_values_of(name)]
    expected = [
        (f"subject:{subject['ref']}", token["type"], token["token"])
        for subject in published(name)["subjects"]
        for token in subject["link_tokens"]
    ]
    for index, place in enumerate(published(name)["places"]):
        expected += [(f"place:{index}", token["type"], token["token"]) for token in place["link_tokens"]]
    expected += [(f"object:{index}", token["type"], token["token"]) for index, token in enumerate(published(name)["objects"])]
    assert found == expected


def link_values_of(name: str) -> tuple[LinkValue, ...]:
    return link_values(inside(name), kinds=frozenset(KINDS))


def test_the_bsn_does_not_link_before_its_basis_is_recorded() -> None:
    assert "BSN" not in KINDS_WITHOUT_DECISION
    assert {value.type for value in link_values(inside("02_labour"))} == {
        "NAME_DOB",
        "NAME_DOB_SOFT",
        "ADDRESS_PC",
        "ADDRESS_BAG",
        "KVK",
    }


def test_r_link_01_a_record_without_a_linking_exchange_gives_no_values() -> None:
    record = inside("01_sexual")
    record["exchanges"] = [entry for entry in record["exchanges"] if entry["purpose"] != "LINKING"]
    assert link_values(record) == ()


def test_r_link_02_only_the_kinds_of_the_policy_link() -> None:
    assert [value.type for value in link_values(inside("01_sexual"), kinds=frozenset({"PLATE"}))] == ["PLATE"]


def test_r_link_07_the_municipal_list_bars_values_too() -> None:
    shelter = frozenset({("ADDRESS_PC", "5999ZZ|12|A")})
    kinds = {value.type for value in link_values(inside("01_sexual"), barred=shelter)}
    assert kinds == {"NAME_DOB", "NAME_DOB_SOFT", "PHONE", "PLATE"}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("BSN", "123456782"),
        ("BSN", "111111110"),
        ("BSN", "999999990"),
        ("NAME_DOB", "meer|anna|19990014"),
        ("NAME_DOB", "meer|anna|19990700"),
        ("NAME_DOB", "meer|anna|19000714"),
        ("NAME_DOB", "meer|anna|19990101"),
        ("NAME_DOB_SOFT", "mr|a|19990101"),
        ("NAME_DOB", "onbekend|anna|19990714"),
        ("PHONE", "+31800123456"),
        ("PHONE", "+31900123456"),
        ("PHONE", "+31906123456"),
        ("PHONE", "+31909123456"),
        ("KVK", "00000000"),
        ("KVK", "99999999"),
        ("PLATE", "NL:00AA00"),
    ],
)
def test_r_link_07_values_of_many_people_are_barred(kind: str, value: str) -> None:
    assert is_barred(kind, value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("BSN", "999990019"), ("PHONE", "+31612345678"), ("PLATE", "GB:ABC"), ("IBAN", "NL91ABNA0417164300")],
)
def test_r_link_07_other_values_are_not_barred(kind: str, value: str) -> None:
    assert not is_barred(kind, value)


@pytest.mark.parametrize("surname", ["Onbekend", "UNKNOWN", "N.N.", "test"])
def test_r_link_07_a_placeholder_surname_gives_no_name_token_and_no_soft_one(surname: str) -> None:
    subject = {"ref": "s1", "family_name": surname, "given_names": "Anna", "birth_date": "1999-07-14"}
    assert link_values(a_record(subjects=[subject])) == ()


def test_a_barred_bsn_gives_no_value() -> None:
    record = a_record(subjects=[{"ref": "s1", "bsn": "123456782"}])
    assert link_values(record, kinds=frozenset(KINDS)) == ()


@pytest.mark.parametrize("birth_date", ["", "1999", "1999-02-30", "14-07-1999", "1999-13-01", "1999-7-14"])
def test_what_is_no_birth_date_gives_no_name_value(birth_date: str) -> None:
    assert normalising.name_dob("Meer", "Anna", birth_date) is None


@pytest.mark.parametrize(
    ("postcode", "number", "addition", "value"),
    [
        ("5999 ZZ", "0", "", None),
        ("5999 ZZ", "a12", "", None),
        ("5999 ZZ", "", "", None),
        ("5999 ZZ", " 12", "", "5999ZZ|12|"),
        ("5999 ZZ", "12-14", "", "5999ZZ|12|14"),
        ("5999 SA", "12", "", None),
        ("5999 SD", "12", "", None),
    ],
)
def test_an_address_needs_a_postcode_and_a_number(postcode: str, number: str, addition: str, value: str | None) -> None:
    assert normalising.address_pc(postcode, number, addition) == value


@pytest.mark.parametrize("text", ["", "+", "06", "+31612345", "0031061234567890", "+0123456789", "06+12345678", "14 077"])
def test_what_is_no_telephone_number_gives_no_value(text: str) -> None:
    assert normalising.phone(text) is None


def test_a_plate_without_a_country_is_dutch_and_an_empty_one_is_none() -> None:
    assert normalising.plate("GX-123-B") == "NL:GX123B"
    assert normalising.plate("--", "PL") is None
    assert normalising.plate("WI 12345", "?") is None


def test_r_val_14_a_repeated_value_counts_once_per_carrier() -> None:
    plates = [
        {"plate": "GX-123-B", "country": "NL"},
        {"plate": "gx 123 b", "country": "NL"},
        {"plate": "WI 12345", "country": "PL"},
    ]
    places = [{"postcode": "5999ZZ", "number": "12"}, {"postcode": "5999 zz", "number": "12"}]
    found = [(value.carrier, value.type) for value in link_values(a_record(plates=plates, places=places))]
    assert found == [("place:0", "ADDRESS_PC"), ("place:1", "ADDRESS_PC"), ("object:0", "PLATE"), ("object:2", "PLATE")]


def test_objects_are_plates_then_accounts_then_companies() -> None:
    record = a_record(companies=["90000020"], accounts=["NL91ABNA0417164300"], plates=[{"plate": "GX-123-B", "country": None}])
    assert [(value.carrier, value.type) for value in link_values(record)] == [
        ("object:0", "PLATE"),
        ("object:1", "IBAN"),
        ("object:2", "KVK"),
    ]


def test_a_record_of_another_shape_gives_no_values() -> None:
    assert link_values({}) == ()
    assert link_values(a_record(subjects=None, places="x", plates=[{}], subjects_extra=1)) == ()


def test_a_value_never_shows_itself() -> None:
    values = link_values_of("05_minor")
    for value in values:
        assert value.value not in repr(values)
        assert value.type in repr(values)


@given(st.text(max_size=30), st.text(max_size=30))
def test_r_link_names_are_folded_to_plain_letters_whatever_was_typed(family_name: str, given_names: str) -> None:
    value = normalising.name_dob(family_name, given_names, "1999-07-14")
    if value is not None:
        surname, given, birth_date = value.split("|")
        assert birth_date == "19990714"
        assert all("a" <= char <= "z" for char in surname + given)
        assert "ij" not in surname
        assert "ij" not in given


@given(prefix=st.sampled_from(sorted(PREFIXES)), surname=st.sampled_from(["Meer", "Proefjes", "Testescu"]), shout=st.booleans())
def test_r_link_a_prefix_lost_or_in_capitals_changes_nothing(prefix: str, surname: str, *, shout: bool) -> None:
    typed = f"{prefix} {surname}"
    typed = typed.upper() if shout else typed
    assert normalising.name_dob(typed, "Anna", "1999-07-14") == normalising.name_dob(surname, "Anna", "1999-07-14")


@given(st.from_regex(r"6[0-9]{8}", fullmatch=True), st.sampled_from(["0", "+31", "0031", "+31 (0)", ""]), st.sampled_from(" -./"))
def test_r_link_every_way_to_write_a_mobile_number_is_one_value(digits: str, start: str, separator: str) -> None:
    typed = f"{start}{digits[:1]}{separator}{digits[1:5]}{separator}{digits[5:]}"
    assert normalising.phone(typed) == f"+31{digits}"


@given(st.text(max_size=40))
def test_any_text_is_judged_without_an_error(text: str) -> None:
    for judge in (
        normalising.bsn,
        normalising.phone,
        normalising.plate,
        normalising.kvk,
        normalising.iban,
        normalising.address_bag,
    ):
        judge(text)
    normalising.address_pc(text, text, text)
    normalising.name_dob_soft(text, text, text)
