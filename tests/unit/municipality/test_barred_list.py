"""R-LINK-07: what a municipality has on its own list links nothing, and a list that is wrong is refused by line."""

from datetime import date
from pathlib import Path

import pytest
from refusing import refused

from signal_exchange.municipality.publishing.barred_values import read_barred
from signal_exchange.words import sentence
from signal_exchange_demo.region.generating import generate_region

LISTED = """type,value
PHONE,+31770001234
ADDRESS_PC,5999ZZ|12|A
ADDRESS_PC,5999ZZ|14|
ADDRESS_BAG,0983200000123456
PLATE,NL:GX123B
IBAN,NL91ABNA0417164300
KVK,90000020
"""


def listed(folder: Path, text: str) -> Path:
    (folder / "barred.csv").write_text(text, encoding="utf-8")
    return folder / "barred.csv"


def test_r_link_07_a_list_holds_types_and_normalised_values(tmp_path: Path) -> None:
    found = read_barred(listed(tmp_path, LISTED))
    assert len(found) == 7
    assert {("PHONE", "+31770001234"), ("ADDRESS_PC", "5999ZZ|14|")} <= found
    assert read_barred(None) == frozenset()


@pytest.mark.parametrize(
    "line",
    ["PHONE,077-0001234", "PHONE", "PLATE,GX123B", "ADDRESS_PC,5999ZZ|12", "BSN,999990019", "NAME_DOB,meer|anna|19990714", ""],
)
def test_r_link_07_a_wrong_line_is_named_by_number_and_never_shown(line: str, tmp_path: Path) -> None:
    with refused("regel 9") as told:
        read_barred(listed(tmp_path, LISTED + line + "\n"))
    assert "077" not in sentence(told.value)


@pytest.mark.parametrize("text", ["", "kind,value\nPHONE,+31770001234\n"])
def test_a_list_without_its_columns_is_refused(text: str, tmp_path: Path) -> None:
    with refused("kolommen"):
        read_barred(listed(tmp_path, text))


def test_a_list_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with refused("niet te lezen"):
        read_barred(tmp_path / "missing.csv")
    (tmp_path / "latin.csv").write_bytes(b"type,value\nPHONE,\xe9\n")
    with refused("niet te lezen"):
        read_barred(tmp_path / "latin.csv")


def test_the_list_of_a_region_is_a_list_that_municipalities_can_have(tmp_path: Path) -> None:
    barred = generate_region(3, 2000, date(2026, 11, 20)).barred
    text = "type,value\n" + "".join(f"{kind},{value}\n" for kind, value in barred)
    assert read_barred(listed(tmp_path, text)) == set(barred) != set()
