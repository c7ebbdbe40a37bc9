"""The normal forms of the product and those of the oracle, written apart from the same text, agree on whatever people write."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_exchange.privacy import normal_forms
from signal_exchange.privacy.countries import country_key
from signal_exchange.privacy.placeholders import is_placeholder
from signal_exchange.privacy.plain import plain
from signal_exchange_demo.oracle import links as naive

CHECKS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "data" / "check_values.json").read_text(encoding="utf-8"))
FORMS = CHECKS["normalise"]
PIECES = re.findall(
    r"\S+",
    "van der Meer v.d. v/d vd vander in 't op den d' l' Jansen IJsbrand Yıldız Müller Иванов onbekend n.v.t. geen - / . , ( ) ' ’"
    " 0612345678 +31 (0) 0031 06 77 12 12.0 999900018 GX 123 B KLE AB MÜ 5999ZZ a bis \u200b ٠٦ １２ tel. x test ж",
)
parts_of_text = st.sampled_from([*PIECES, " ", "\u00a0", "\u202f"]) | st.characters()
written = st.lists(parts_of_text, max_size=6).map("".join) | st.text(max_size=12)


@pytest.mark.parametrize(("parts", "exact", "soft", "_barred"), FORMS["NAME_DOB"])
def test_r_link_the_oracle_gives_the_worked_names(parts: list[str], exact: str | None, soft: str | None, _barred: object) -> None:
    assert naive.name_forms(*parts) == (exact, soft)


def test_r_link_the_oracle_gives_the_worked_values() -> None:
    for kind, form in (("PHONE", naive.phone), ("KVK", naive.kvk)):
        assert [form(text) for text, _, _ in FORMS[kind]] == [value for _, value, _ in FORMS[kind]]
    assert [naive.bag(text) for text, _ in FORMS["ADDRESS_BAG"]] == [value for _, value in FORMS["ADDRESS_BAG"]]
    assert [naive.address(*parts) for parts, _ in FORMS["ADDRESS_PC"]] == [value for _, value in FORMS["ADDRESS_PC"]]
    plates = [naive.plate(text, country_key(country) if country else "NL") for text, country, _, _ in FORMS["PLATE"]]
    assert plates == [value for _, _, value, _ in FORMS["PLATE"]]
    assert [naive.placeholder(text) for text, _ in CHECKS["placeholders"]] == [right for _, right in CHECKS["placeholders"]]
    assert [naive.bsn(text) is not None for text, _ in CHECKS["bsn_eleven_test"]] == [
        right for _, right in CHECKS["bsn_eleven_test"]
    ]


@given(written)
def test_r_link_both_read_every_text_alike(text: str) -> None:
    assert plain(text) == naive.read(text)
    assert is_placeholder(text) is naive.placeholder(text)


@given(written, written)
def test_r_link_both_make_the_same_of_every_name(family: str, given_names: str) -> None:
    born = "1999-07-14"
    expected = naive.name_forms(family, given_names, born)
    assert (normal_forms.name_dob(family, given_names, born), normal_forms.name_dob_soft(family, given_names, born)) == expected


@given(written)
def test_r_link_both_make_the_same_of_every_number(text: str) -> None:
    assert normal_forms.bsn(text) == naive.bsn(text)
    assert normal_forms.phone(text) == naive.phone(text)
    assert normal_forms.kvk(text) == naive.kvk(text)
    assert normal_forms.address_bag(text) == naive.bag(text)


@given(written, written, st.sampled_from(["NL", "DE", "PL"]))
def test_r_link_both_make_the_same_of_every_address_and_plate(text: str, addition: str, country: str) -> None:
    assert normal_forms.address_pc("5999 ZZ", text, addition) == naive.address("5999 ZZ", text, addition)
    assert normal_forms.address_pc(text, "12", addition) == naive.address(text, "12", addition)
    assert normal_forms.plate(text, country) == naive.plate(text, country)
