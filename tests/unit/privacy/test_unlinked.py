"""What links, what must not, and what is told when a filled field gives no link token (R-LINK-02, R-LINK-07, R-LINK-08)."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_exchange.privacy import normal_forms
from signal_exchange.privacy.countries import country_key, words_of
from signal_exchange.privacy.keeper_client import Reason
from signal_exchange.privacy.names import PAIR_ENDS, PAIR_STARTS, PREFIXES, SHORT_PREFIXES, surname_key
from signal_exchange.privacy.normalising import KINDS, Unlinked, Why, link_values, unlinked
from signal_exchange.privacy.placeholders import is_placeholder
from signal_exchange.privacy.plain import plain
from signal_exchange.reference.loading import load_code_lists

DATA = Path(__file__).parents[2] / "data"
CHECKS: dict[str, Any] = json.loads((DATA / "check_values.json").read_text(encoding="utf-8"))
PAIRS = list(csv.DictReader((DATA / "link_values.tsv").read_text(encoding="utf-8").splitlines(), delimiter="\t"))
BLANKS = " \u00a0\u202f\u2009\u3000\t"
DIGITS = ("0123456789", "٠١٢٣٤٥٦٧٨٩", "０１２３４５６７８９", "०१२३४५६७८९")
BORN = "1999-07-14"


def a_record(**parts: object) -> dict[str, Any]:
    return {"exchanges": [{"purpose": "LINKING"}], **parts}


def record_with(kind: str, text: str) -> dict[str, Any]:
    """Return a record in which one value of this type stands, as a form would hold it."""
    before, _, last = text.rpartition(" ")
    subject = {"NAME_DOB": {"family_name": text, "given_names": "Anna", "birth_date": BORN}}
    subject |= {"BSN": {"bsn": text}, "PHONE": {"phone": text}}
    if kind in subject:
        return a_record(subjects=[{"ref": "s1", **subject[kind]}])
    return {
        "IBAN": a_record(accounts=[text]),
        "ADDRESS_PC": a_record(places=[{"postcode": before, "number": last}]),
        "PLATE": a_record(plates=[{"plate": before, "country": last}]),
    }[kind]


def value_of(kind: str, text: str) -> str | None:
    found = [each.value for each in link_values(record_with(kind, text), kinds=frozenset(KINDS)) if each.type == kind]
    return found[0] if found else None


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair['type']} {pair['first']} {pair['second']}")
def test_r_link_02_two_ways_to_write_are_one_value_or_two_or_told(pair: dict[str, str]) -> None:
    values = [value_of(pair["type"], pair[name]) for name in ("first", "second")]
    told = [bool(unlinked(record_with(pair["type"], pair[name]))) for name in ("first", "second")]
    assert [value is None for value in values] == told
    right = {"same": not any(told) and values[0] == values[1], "different": values[0] != values[1], "told": any(told)}
    assert any(right[word] for word in pair["right"].split(" or "))


@pytest.mark.parametrize(("parts", "expected"), CHECKS["unlinked"], ids=json.dumps)
def test_r_link_08_every_filled_field_that_links_nothing_is_told(parts: dict[str, Any], expected: list[list[str]]) -> None:
    assert [[each.field, each.why.value] for each in unlinked(a_record(**parts))] == expected


@pytest.mark.parametrize(("text", "expected"), CHECKS["placeholders"])
def test_r_link_07_a_word_for_unknown_is_a_placeholder(text: str, *, expected: bool) -> None:
    assert is_placeholder(text) is expected


@pytest.mark.parametrize("text", [text for text, placeholder in CHECKS["placeholders"] if placeholder])
def test_r_link_07_a_placeholder_links_nothing_in_any_field_and_is_told(text: str) -> None:
    subject = {"ref": "s1", "bsn": text, "family_name": text, "given_names": text, "birth_date": BORN, "phone": text}
    record = a_record(
        subjects=[subject],
        places=[{"postcode": text, "number": text, "bag_id": text}],
        plates=[{"plate": text, "country": "PL"}],
        accounts=[text],
        companies=[text],
    )
    assert link_values(record, kinds=frozenset(KINDS)) == ()
    told = {each.field: each.why for each in unlinked(record)}
    fields = [f"subjects[0].{name}" for name in ("bsn", "family_name", "given_names", "phone")]
    fields += [f"places[0].{name}" for name in ("postcode", "number", "bag_id")]
    assert told == dict.fromkeys([*fields, "plates[0].plate", "accounts[0]", "companies[0]"], Why.PLACEHOLDER)


def test_r_link_07_the_municipal_list_is_told_too() -> None:
    record = a_record(plates=[{"plate": "GX-123-B"}], places=[{"postcode": "5999ZZ", "number": "12"}])
    barred = frozenset({("PLATE", "NL:GX123B"), ("ADDRESS_PC", "5999ZZ|12|")})
    assert unlinked(record, barred=barred) == (
        Unlinked("places[0].postcode", Why.BARRED),
        Unlinked("plates[0].plate", Why.BARRED),
    )


def test_r_link_01_a_record_that_asks_for_no_link_is_told_nothing() -> None:
    assert unlinked({"subjects": [{"ref": "s1", "bsn": "1"}]}) == ()


def test_a_surname_that_is_barred_by_its_key_is_told_as_a_placeholder() -> None:
    subject = {"ref": "s1", "family_name": "van Unknown-Test", "given_names": "Anna", "birth_date": BORN}
    assert [each.why for each in unlinked(a_record(subjects=[{**subject, "family_name": "de Test"}]))] == [Why.PLACEHOLDER]


def test_a_field_that_is_told_never_shows_its_value() -> None:
    assert "12345" not in repr(unlinked(a_record(subjects=[{"ref": "s1", "bsn": "12345"}])))


def test_every_reason_has_its_dutch_words() -> None:
    codes = load_code_lists()
    names = [*(why.value for why in Why), *(reason.value for reason in Reason), "TOKENS_CUT"]
    assert all(codes.label_nl("link_warning", name) != name for name in names)


@pytest.mark.parametrize(("text", "key"), CHECKS["countries"])
def test_r_link_a_country_is_one_key_whatever_it_is_called(text: str, key: str | None) -> None:
    assert country_key(text) == key


def country_words() -> Iterator[tuple[str, str]]:
    text = (files("signal_exchange.privacy") / "data" / "countries.csv").read_text(encoding="utf-8")
    return ((word, row["iso2"]) for row in csv.DictReader(text.splitlines()) for word in words_of(row) if word)


def test_r_link_no_word_of_the_list_means_two_countries() -> None:
    words = list(country_words())
    assert len({iso2 for _, iso2 in words}) > 200
    assert [(word, iso2) for word, iso2 in words if country_key(word) != iso2] == []


@given(
    digits=st.from_regex(r"[0-9]{8,9}", fullmatch=True),
    script=st.sampled_from(DIGITS),
    blank=st.sampled_from(BLANKS),
    dot=st.sampled_from([".", "-", " ", "\u2011", ""]),
)
def test_r_link_the_way_a_number_is_written_changes_nothing(digits: str, script: str, blank: str, dot: str) -> None:
    written = f"{blank}{digits[:3]}{blank}{blank}{digits[3:6]}{dot}{digits[6:]}\u200b".translate(
        str.maketrans("0123456789", script)
    )
    for form in (normal_forms.bsn, normal_forms.kvk, normal_forms.address_bag):
        assert form(written) == form(digits)
    assert plain(written) == plain(plain(written))


@given(
    prefix=st.sampled_from(
        sorted({*PREFIXES, *SHORT_PREFIXES, *(f"{a}{sign}{b}" for a in PAIR_STARTS for sign in "./" for b in PAIR_ENDS)})
    ),
    surname=st.sampled_from(["Meer", "Berg", "Proefjes", "Testescu", "Veld-Jansen", "Yıldız"]),
    shout=st.booleans(),
    behind=st.booleans(),
)
def test_r_link_every_way_to_write_a_prefix_leaves_the_same_person(
    prefix: str, surname: str, *, shout: bool, behind: bool
) -> None:
    typed = f"{surname}, {prefix}" if behind and "-" not in surname else f"{prefix} {surname}"
    assert surname_key(typed.upper() if shout and "ı" not in typed else typed) == surname_key(surname)


@given(
    first=st.sampled_from(["Meer", "Berg", "Vries", "Boer", "Jong", "Dijk", "Vliet", "Heuvel"]),
    second=st.sampled_from(["Meer", "Berg", "Vries", "Boer", "Jong", "Dijk", "Vliet", "Heuvel"]),
    prefixes=st.tuples(*[st.sampled_from(["v/d", "v.d.", "vd", "van de", "in 't", "d'", "o.d.", "a/d", "uit den", ""])] * 2),
)
def test_r_link_two_persons_stay_two_whatever_stands_before_their_names(
    first: str, second: str, prefixes: tuple[str, str]
) -> None:
    keys = [surname_key(f"{prefix} {name}") for prefix, name in zip(prefixes, (first, second), strict=True)]
    assert (keys[0] == keys[1]) is (first == second)


@given(st.sampled_from("ЖΩش漢ლאн"), st.integers(0, 8), st.sampled_from(["van der Meer", "Testescu", "El-Hachmi"]))
def test_r_link_a_letter_that_no_step_knows_never_vanishes_from_a_name(letter: str, at: int, name: str) -> None:
    typed = name[:at] + letter + name[at:]
    assert normal_forms.name_dob(typed, "Anna", BORN) is None
    assert normal_forms.name_dob("Meer", typed, BORN) is None


@given(
    st.sampled_from(["M", "MA", "MAB", "MÜ", "K", "KL"]),
    st.sampled_from(["A", "AB", "B"]),
    st.integers(1, 9999),
    st.sampled_from(" -.:"),
)
def test_r_link_a_german_plate_keeps_its_district(district: str, letters: str, number: int, between: str) -> None:
    assert normal_forms.plate(f"{district}{between}{letters} {number}", "D") == f"DE:{district}-{letters}{number}"
    assert normal_forms.plate(f"{district}{letters}{number}", "DE") is None
    assert normal_forms.plate(f"{district}{letters} {number}", "DE") is None


@given(st.text(max_size=30))
def test_r_link_a_normal_form_is_its_own_normal_form(text: str) -> None:
    for form in (normal_forms.bsn, normal_forms.phone, normal_forms.kvk, normal_forms.iban, normal_forms.address_bag):
        value = form(text)
        assert value is None or form(value) == value
    made = normal_forms.plate(text, "DE") or normal_forms.plate(text, "PL")
    if made is not None:
        country, _, number = made.partition(":")
        assert normal_forms.plate(number, country) == made


@given(st.dictionaries(st.sampled_from(["bsn", "phone", "family_name", "given_names", "birth_date"]), st.text(max_size=12)))
def test_r_link_08_any_subject_is_judged_and_what_links_is_not_told(subject: dict[str, str]) -> None:
    record = a_record(subjects=[{"ref": "s1", **subject}])
    told = {each.field for each in unlinked(record)}
    linked = {value.type for value in link_values(record, kinds=frozenset(KINDS))}
    for name, kind in (("bsn", "BSN"), ("phone", "PHONE")):
        filled = bool(plain(subject.get(name, "")))
        assert filled is ((f"subjects[0].{name}" in told) or kind in linked)


anything = st.text(max_size=12) | st.sampled_from(["GX-123-B", "WI 12345", "KLE-AB 123", "5999ZZ", "12", "geen", "NL", "D", ""])


@given(plate=anything, country=anything)
def test_r_link_08_every_plate_links_or_is_told(plate: str, country: str) -> None:
    record = a_record(plates=[{"plate": plate, "country": country}])
    assert len(link_values(record)) + len(unlinked(record)) == bool(plain(plate))


@given(postcode=anything, number=anything, addition=anything)
def test_r_link_08_every_address_links_or_is_told(postcode: str, number: str, addition: str) -> None:
    record = a_record(places=[{"postcode": postcode, "number": number, "addition": addition}])
    linked, told = link_values(record), unlinked(record)
    assert bool(linked) is not bool(told) or not (linked or told)
    assert bool(linked or told) is bool(plain(postcode) or plain(number))


@given(family=anything, given_names=anything, born=st.sampled_from([None, BORN, "1988-01-01", "1900-05-05"]))
def test_r_link_08_every_name_links_or_is_told(family: str, given_names: str, born: str | None) -> None:
    record = a_record(subjects=[{"ref": "s1", "family_name": family, "given_names": given_names, "birth_date": born}])
    linked, told = link_values(record), unlinked(record)
    assert not (linked and told)
    assert bool(linked or told) is bool(plain(family) or plain(given_names))
