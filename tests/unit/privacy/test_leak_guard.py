from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signal_exchange import reference
from signal_exchange.privacy import leak_guard
from signal_exchange.privacy.leak_guard import GuardUnavailableError, check_text
from signal_exchange.privacy.leak_names import load_lists
from signal_exchange.privacy.names import PAIR_ENDS, PAIR_STARTS, PREFIXES, SHORT_PREFIXES, fold
from signal_exchange.reference.loading import load_code_lists

CHECKS: list[tuple[str, list[list[str]]]] = json.loads(
    (Path(__file__).parents[2] / "data" / "check_values.json").read_text(encoding="utf-8")
)["leak_guard"]
EXAMPLES = sorted((Path(reference.__file__).parent / "data" / "examples" / "inside").glob("*.json"))
DENSE = (
    "Vrouw zonder eigen papieren in een woning, noemt schuld bij de man die haar bracht. Wil weg en vraagt om opvang. "
    "Piotr Kowalczyk werkt daar, tel 06-00001234 en BSN 999990019, adres Kerkplein 5, 5999 ZZ, kenteken GX-123-B. "
)
OWN: dict[str, Any] = {
    "reporter": {"name": "T. Voorbeeld", "phone": "06-00004411"},
    "subjects": [
        {"family_name": "van der Zwaantjes", "given_names": "Bo Femn", "phone": "+31 6 0000 4422", "bsn": "999900043"},
        {"family_name": "Çelikyürek", "given_names": None},
        {"family_name": "IJsbrandsma", "given_names": "X"},
    ],
    "places": [{"street": "Fabelpad"}],
    "plates": [{"plate": "GX-123-B"}, {"plate": None}],
    "accounts": ["NL13 TEST 0123 4567 89"],
}


def found(text: str, own: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    return [(finding.type, text[finding.start : finding.end]) for finding in check_text(text, own)]


def example(path: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record


@pytest.mark.parametrize(("text", "expected"), CHECKS)
def test_r_leak_every_worked_text_has_exactly_its_findings(text: str, expected: list[list[str]]) -> None:
    assert sorted(found(text)) == sorted((kind, value) for kind, value in expected)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_r_leak_the_summary_of_every_example_passes_and_its_narrative_does_not(path: Path) -> None:
    record = example(path)
    assert check_text(record["summary"], record) == ()
    assert check_text(record["narrative"], record) != ()


def test_r_leak_03_names_of_the_own_record_are_found_that_no_list_holds() -> None:
    record = example(next(path for path in EXAMPLES if path.stem == "05_minor"))
    assert found("ze heet tess en haar vader is PROEFJES", record) == [("NAME", "tess"), ("NAME", "PROEFJES")]
    assert found("Femn kwam met de broer van zwaantjes", OWN) == [("NAME", "Femn"), ("NAME", "van zwaantjes")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Femns telefoon", [("NAME", "Femns")]),
        ("celikyurek belde", [("NAME", "celikyurek")]),
        ("de heer Ysbrandsma", [("NAME", "heer Ysbrandsma")]),
        ("Bo Femn van der Zwaantjes zei", [("NAME", "Bo Femn van der Zwaantjes")]),
        ("zei Zwaantjes, van der te laat", [("NAME", "Zwaantjes")]),
        ("bo zei niets", []),
        ("van der Valk", [("NAME", "van der Valk")]),
        ("collega t. voorbeeld belde", [("NAME", "t. voorbeeld")]),
        ("aan het fabelpad", [("ADDRESS", "fabelpad")]),
        ("Femnke is een ander", []),
        ("belde met 6 0000 44 22", [("PHONE", "6 0000 44 22")]),
        ("van de melder: 0600004411", [("PHONE", "0600004411")]),
        ("nummer 999-900-043", [("BSN", "999-900-043")]),
        ("bus gx 123 b stond er", [("PLATE", "gx 123 b")]),
        ("xgx123b of gx123bb", []),
        ("g--------x--------1-----------2--------3--------b", []),
        ("op nl13test0123456789", [("IBAN", "nl13test0123456789")]),
        ("ßgx 123 b en gx 123 b", [("PLATE", "gx 123 b")]),
    ],
)
def test_r_leak_03_words_and_numbers_of_the_own_record_are_found_however_written(
    text: str, expected: list[tuple[str, str]]
) -> None:
    assert found(text, OWN) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bel +31 (0)6 0000 1234 of 0031 6 00001234", [("PHONE", "+31 (0)6 0000 1234"), ("PHONE", "0031 6 00001234")]),
        ("bel (077) 000 12 34 nu", [("PHONE", "077) 000 12 34")]),
        ("0900-1234 en 0909 123456", []),
        ("999.990.019 en 9 9 9 9 9 0 0 1 9", [("BSN", "999.990.019"), ("BSN", "9 9 9 9 9 0 0 1 9")]),
        ("sofinummer 12345672", [("BSN", "12345672")]),
        ("bsn is 12345673", []),
        ("PL61-1090-1014-0000-0712-1981-2874.", [("IBAN", "PL61-1090-1014-0000-0712-1981-2874")]),
        ("ZZ13 TEST 1123 4567 89", []),
        ("NL13 TEST 0123", []),
        ("1999-07-14, 14.7.1999 en 14/07/1999", [("DOB", "1999-07-14"), ("DOB", "14.7.1999"), ("DOB", "14/07/1999")]),
        ("geb. 14-07-99 en 14-07-99", [("DOB", "14-07-99")]),
        ("op 3 mrt. 2001 en 31 mei '99", [("DOB", "3 mrt. 2001"), ("DOB", "31 mei '99")]),
        ("vnr: 271 123 4567", [("VNR", "vnr: 271 123 4567")]),
        ("paspoortnummer xr1001r58", [("DOCNR", "xr1001r58")]),
        ("XO1001R58 heeft een O", []),
        ("kenteken: 12-ab-34 en 12-ab-34", [("PLATE", "12-ab-34"), ("PLATE", "12-ab-34")]),
        ("kenteken 12ab3", []),
        ("in 5999ZZ-gebied", [("POSTCODE", "5999ZZ")]),
        ("Laan van Meerdervoort 12 b", [("ADDRESS", "Laan van Meerdervoort 12 b")]),
        ("KERKSTRAAT 5-3 en Proefstr. 7", [("ADDRESS", "KERKSTRAAT 5-3"), ("ADDRESS", "Proefstr. 7")]),
        ("adres: Heuvel 12", [("ADDRESS", "Heuvel 12")]),
        ("op het Stationsplein 10.30 uur", []),
        ("https://voorbeeld.nl/a?b=1, voorbeeld.com.", [("URL", "https://voorbeeld.nl/a?b=1"), ("URL", "voorbeeld.com")]),
        ("Jan.Test@example.nl", [("EMAIL", "Jan.Test@example.nl")]),
        ("instagram.com/Piotr", [("URL", "instagram.com/Piotr")]),
        ("z.o.z. en b.v.", []),
    ],
)
def test_r_leak_numbers_addresses_and_links_are_found_as_people_write_them(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dhr. A.B. de Vries kwam", [("NAME", "dhr. A.B. de Vries")]),
        ("Zij sprak mevrouw. Leerling kwam later", []),
        ("familie in Polen", []),
        ("mevrouw Roemeense kwam", []),
        ("De naam is Fatsjo, hij heet Gorpo", [("NAME", "Fatsjo"), ("NAME", "Gorpo")]),
        ("hij heet .... Gorpo", []),
        ("zij heet", []),
        ("de buurman van der Proef", [("NAME", "van der Proef")]),
        ("gezien met Xavo van den Proef", [("NAME", "Xavo van den Proef")]),
        ("Volgens van der Proef", [("NAME", "van der Proef")]),
        ("van der", []),
        ("Wil weg en vraagt om opvang", []),
        ("Wil Proefman zei dat", [("NAME", "Wil Proefman")]),
        ("Zij zag Katarzyna. Leerling kwam later", [("NAME", "Katarzyna")]),
        ("Fatima El Proefi en Jan-Piet", [("NAME", "Fatima El Proefi"), ("NAME", "Jan-Piet")]),
        ("melder J. Proefman", [("NAME", "J. Proefman")]),
        ("de firma Test B.V. Proefstad", []),
        ("plan B. Daarna verder", []),
        ("jan en fatima zonder hoofdletter", []),
        ("A. B. C.", []),
    ],
)
def test_r_leak_names_are_found_by_title_given_name_initials_prefix_or_introduction(
    text: str, expected: list[tuple[str, str]]
) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("BSN 999\u00a0990\u2009019.", "999\u00a0990\u2009019"),
        ("tel 06\u201100001234.", "06\u201100001234"),
        ("tel 06-0000\u200b1234.", "06-0000\u200b1234"),
        ("tel \uff10\uff16-00001234.", "\uff10\uff16-00001234"),
        ("Mevrouw Zoe\u0308 kwam", "Mevrouw Zoe\u0308"),
        ("\U0001f600 tel 06-00001234", "06-00001234"),
    ],
)
def test_odd_spaces_dashes_digits_and_accents_hide_nothing(text: str, value: str) -> None:
    (finding,) = check_text(text)
    assert text[finding.start : finding.end].startswith(value[:-1])


@given(text=st.text(max_size=300))
def test_any_text_gets_an_answer_and_every_finding_lies_in_it(text: str) -> None:
    for finding in check_text(text, OWN):
        assert 0 <= finding.start < finding.end <= len(text)
        assert finding.type in load_code_lists().codes("leak_type")


@given(st.lists(st.sampled_from([text for text, _ in CHECKS] + ["\n", "Femn", "é"]), max_size=6))
def test_the_same_text_always_has_the_same_findings(parts: list[str]) -> None:
    text = " ".join(parts)
    assert check_text(text, OWN) == check_text(text, OWN)


@given(st.integers(0, 999_999_999))
def test_r_leak_every_number_that_passes_the_eleven_test_is_found(number: int) -> None:
    digits = f"{number:09}"
    weighted = sum(weight * int(digit) for weight, digit in zip((9, 8, 7, 6, 5, 4, 3, 2, -1), digits, strict=True))
    passes = weighted % 11 == 0 and number != 0
    assert bool(found(f"dossier {digits} gezien")) is passes


def test_r_leak_01_an_internal_error_is_no_answer_and_says_nothing_of_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: str) -> None:
        raise LookupError("Piotr Kowalczyk")

    monkeypatch.setattr(leak_guard, "find_numbers", fails)
    with pytest.raises(GuardUnavailableError) as refusal:
        check_text("Piotr Kowalczyk werkt daar")
    assert str(refusal.value) == "The leak guard gave no answer."
    assert refusal.value.__suppress_context__


def test_r_leak_01_what_is_no_text_or_no_record_gets_no_answer() -> None:
    with pytest.raises(GuardUnavailableError):
        check_text(None)  # type: ignore[arg-type]  # what a careless caller may pass
    with pytest.raises(GuardUnavailableError):
        check_text("tekst", {"subjects": "s1"})


def test_a_finding_never_shows_what_it_found() -> None:
    assert repr(check_text("BSN 999990019")) == "(Finding(start=4, end=13, type='BSN'),)"


LONG = ("0 ", "A-", "a.", "@a", "+1 ", "van der ", "A. ", "Piotr ", "NL00 ", "é", "bsn 1", "Mevrouw van ")


@pytest.mark.parametrize("unit", LONG)
@pytest.mark.timeout(60)
def test_no_text_keeps_the_guard_busy_for_ever(unit: str) -> None:
    assert isinstance(check_text(unit * (20_000 // len(unit))), (list, tuple))


def test_the_lists_are_folded_and_an_ambiguous_name_is_a_name_too() -> None:
    lists = load_lists()
    assert lists.ambiguous < lists.given
    assert not any("*" in name or fold(name) != name for name in lists.given | lists.not_names)


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(sorted(load_lists().given - load_lists().not_names)), st.sampled_from(["Proefman", "van der Proef"]))
def test_r_leak_every_known_given_name_with_a_surname_is_found_whole(given_name: str, surname: str) -> None:
    name = f"{given_name.capitalize()} {surname}"
    assert found(f"gezien met {name} in huis") == [("NAME", name)]


PLACE_WORDS = frozenset(re.findall("[a-z]+", "in op te s het aan bij uit uijt over onder voor tot am im auf aus dem"))
SPELLINGS = sorted({
    *(PREFIXES - PLACE_WORDS),
    *SHORT_PREFIXES,
    *(f"{start}{sign}{end}" for start in PAIR_STARTS for sign in ("/", ".", ". ") for end in PAIR_ENDS),
    *(f"{word} {article}" for word in PLACE_WORDS for article in ("de", "den", "'t", "het")),
    *("van 't", "v. d.", "van d.", "v.'t", "d'", "l'", "v.d.", "o.d.", "uit den"),
})  # fmt: skip


@pytest.mark.parametrize("title", ["Mevrouw", "mw.", "dhr", "hr.", "fam.", "de heer"])
@pytest.mark.parametrize("prefix", SPELLINGS)
def test_r_leak_a_name_behind_a_title_is_found_whatever_prefix_stands_between(title: str, prefix: str) -> None:
    between = "" if prefix.endswith("'") else " "
    (kind, name) = found(f"{title} {prefix}{between}Proefman kwam langs")[0]
    assert (kind, name) == ("NAME", f"{title.removeprefix('de ')} {prefix}{between}Proefman")


@given(
    blanks=st.text(alphabet=" \u00a0\u202f\t\n", min_size=1, max_size=3),
    small=st.booleans(),
    title=st.sampled_from(["mw", "dhr.", "mevrouw"]),
)
def test_r_leak_no_blank_and_no_small_letter_hides_a_name_behind_a_title(blanks: str, title: str, *, small: bool) -> None:
    name = "proefman" if small else "Proefman"
    assert found(f"{title}{blanks}{name} kwam langs") == [("NAME", f"{title}{blanks}{name}")]


ORDINARY = (
    "verklaarde niets", "gaf aan", "woont daar", "is weg", "zegt niets", "wilde weg", "uit de buurt", "en zijn zus",
    "van de gemeente", "vertelde later", "heeft schulden", "werd gebracht", "kan niet", "belde terug", "in Polen",
    "die belde", "op straat",
)  # fmt: skip


@pytest.mark.parametrize("title", ["mevrouw", "dhr.", "mw", "familie", "de heer"])
@pytest.mark.parametrize("words", ORDINARY)
def test_r_leak_an_ordinary_word_behind_a_title_is_no_name(title: str, words: str) -> None:
    assert found(f"{title} {words}") == []


@pytest.mark.parametrize("words", ["2024 is", "1200 km", "1500 op", "2026 wo", "5999 ss"])
def test_r_leak_a_number_before_an_ordinary_word_is_no_postcode(words: str) -> None:
    assert found(f"er was {words} sprake van") == []


@pytest.mark.parametrize(
    "name", ["el hachmi", "von der proef", "van der meer", "di proefa", "v.d. meer", "ter proef", "in 't veld"]
)
def test_r_leak_a_prefix_of_names_only_makes_a_name_of_small_letters(name: str) -> None:
    assert found(f"mw. {name} kwam langs") == [("NAME", f"mw. {name}")]


def test_r_leak_a_number_that_is_called_a_postcode_is_one() -> None:
    assert found("postcode 2024 is") == [("POSTCODE", "2024 is")]


@pytest.mark.parametrize("name", ["onbekend", "Onbekend (buitenlands)", "n.v.t.", "geen achternaam"])
def test_r_leak_03_a_word_for_unknown_in_the_own_record_is_nobodys_name(name: str) -> None:
    own = {"subjects": [{"family_name": name, "given_names": name}], "places": [{"street": name}], "reporter": {"name": name}}
    assert found("De dader is onbekend en heeft geen achternaam, verder n.v.t. in het buitenlands verkeer.", own) == []


def test_r_leak_03_the_own_record_is_read_as_plainly_as_the_text() -> None:
    own = {"subjects": [{"family_name": "Femn\u200bke\u00a0Zwaantjes", "phone": "٠٦ ٠٠٠٠ ٤٤٢٢", "bsn": "９９９９０００４３"}]}
    assert found("femnke belde met 06 0000 44 22 over 999900043", own) == [
        ("NAME", "femnke"),
        ("PHONE", "06 0000 44 22"),
        ("BSN", "999900043"),
    ]
