from __future__ import annotations

import io
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodes import example, read_lines
from refusing import refused

from signal_exchange.municipality.publishing.decoding import MAX_LINE_CHARACTERS, MAX_TEXT_CHARACTERS
from signal_exchange.municipality.publishing.importing import Line
from signal_exchange.municipality.publishing.unreadable import UnreadableFileError
from signal_exchange.words import sentence


def read(content: str | bytes, *, is_csv: bool = False) -> list[Line]:
    return list(read_lines(io.BytesIO(content.encode() if isinstance(content, str) else content), is_csv=is_csv))


def causes(lines: list[Line]) -> list[tuple[int, str, str, str]]:
    return [(line.number, each.field, each.rule, each.cause) for line in lines for each in line.faults]


def test_every_line_of_json_lines_is_one_record_and_empty_lines_are_none() -> None:
    found = read('\n{"a": 1}\n\n{"b": 2}\n')
    assert [(line.number, line.record, line.unit) for line in found] == [(2, {"a": 1}, "unit.line"), (4, {"b": 2}, "unit.line")]


def test_a_first_line_that_is_no_record_costs_itself_only() -> None:
    found = read('# uit het zaaksysteem\n{"a": 1}\n{"b": 2}\n')
    assert [line.record for line in found] == [None, {"a": 1}, {"b": 2}]
    assert causes(found) == [(1, "record", "R-VAL-22", "NO_JSON")]


def test_commas_between_lines_are_no_part_of_the_records() -> None:
    assert [line.record for line in read('{"a": 1},\n{"b": 2},\n')] == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize("indent", [1, 2, None])
def test_a_record_is_one_record_however_it_is_printed(indent: int | None) -> None:
    (line,) = read(json.dumps(example(), indent=indent))
    assert line.record == example()
    assert line.number == 1


def test_records_that_are_printed_over_several_lines_are_each_read() -> None:
    records = [example(local_ref="A-1"), example(local_ref="A-2")]
    for between in ("\n", ",\n", ""):
        found = read(between.join(json.dumps(record, indent=2) for record in records))
        assert [(line.number, line.record, line.unit) for line in found] == [
            (1, records[0], "unit.record"),
            (2, records[1], "unit.record"),
        ]


def test_a_record_whose_first_field_stands_on_the_first_line_is_read() -> None:
    assert read('{"a": 1,\n "b": 2}\n')[0].record == {"a": 1, "b": 2}


@pytest.mark.parametrize("indent", [None, 1])
def test_a_json_list_gives_its_records_by_place(indent: int | None) -> None:
    found = read(json.dumps([{"a": 1}, 2], indent=indent))
    assert [(line.number, line.record, line.unit) for line in found] == [(1, {"a": 1}, "unit.record"), (2, 2, "unit.record")]


def test_a_list_on_one_long_line_is_read() -> None:
    records = [example(local_ref=f"A-{number}") for number in range(200)]
    text = json.dumps(records)
    assert len(text) > MAX_LINE_CHARACTERS
    assert [line.record for line in read(text)] == records


@pytest.mark.parametrize("content", ["", "\n \n", "\ufeff", " \t\r\n", "\x1a"])
@pytest.mark.parametrize("is_csv", [True, False])
def test_an_empty_file_is_said_to_be_empty(content: str, is_csv: bool) -> None:  # noqa: FBT001 - parametrized
    with refused("leeg") as told:
        read(content, is_csv=is_csv)
    assert isinstance(told.value, UnreadableFileError)
    assert told.value.rows == 0


def test_a_list_without_a_record_is_said_to_be_one() -> None:
    with refused("zonder één record"):
        read("[]")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize("is_document", [True, False])
def test_json_is_read_in_every_usual_encoding(encoding: str, is_document: bool) -> None:  # noqa: FBT001 - parametrized
    records = [{"a": "Müller, André – “x” €"}, {"b": "É"}]
    text = json.dumps(records, indent=1, ensure_ascii=False)
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\r\n" for record in records)
    found = read((text if is_document else lines).encode(encoding))
    assert [line.record for line in found] == records


@pytest.mark.parametrize(
    ("broken", "cause"),
    [
        ('{"a": 1', "NO_JSON"),
        ("{'a': 1}", "NO_JSON"),
        ('{"a": NaN}', "NO_JSON"),
        ('{"a": 1, "a": 2}', "FIELD_TWICE"),
        ('{"a": "\\ud800"}', "NO_JSON"),
        ("[" * 100_000, "NO_JSON"),
        ('{"a": ' + "9" * 5000 + "}", "NO_JSON"),
        ('{"a": "\x00"}', "NO_JSON"),
        (b'{"a": "\x8d"}', "ENCODING"),
        (b'{"a": "\x82t\x82"}', "ENCODING"),
        (b'{"a": "\xc3\xa9 and \xe9"}', "ENCODING"),
    ],
    ids=["cut", "quotes", "nan", "twice", "half", "deep", "number", "nul", "no letter", "of DOS", "two encodings"],
)
def test_r_val_22_a_line_that_cannot_be_read_is_refused_with_its_cause_and_the_others_are_read(
    broken: str | bytes, cause: str
) -> None:
    bad = broken if isinstance(broken, bytes) else broken.encode()
    found = read(b'{"a": 0}\n' + bad + b'\n{"a": 2}\n')
    assert [line.record for line in found] == [{"a": 0}, None, {"a": 2}]
    assert causes(found) == [(2, "record", "R-VAL-22", cause)]
    assert "\ufffd" not in found[1].original


def test_r_val_15_a_line_without_end_is_refused_and_the_next_is_read() -> None:
    found = read(b'{"a": 0}\n' + b"x" * (MAX_TEXT_CHARACTERS + 10) + b'\n{"a": 2}\n')
    assert [line.record for line in found] == [{"a": 0}, None, {"a": 2}]
    assert [each[:3] for each in causes(found)] == [(2, "record", "R-VAL-15")]


def test_a_document_that_is_too_large_is_refused_as_a_whole() -> None:
    with refused("JSON Lines"):
        read(b"[\n" + b"1," * (MAX_TEXT_CHARACTERS // 2) + b"\n1]\n")


@pytest.mark.parametrize(
    ("text", "seen", "rows"),
    [
        ('[\n{"a": 1},\n{"b": }\n]', "regel 3, bij teken", 2),
        ('[{"a": {"b": "}"}}, {"c": 1', "regel 1, bij teken", 2),
        ('[{"a": 1, "a": 2}, {"b": 1}]', "twee keer", 2),
        ("[" * 100_000, "geen JSON", 0),
        ('[{"a": "\\ud800"}]', "geen JSON", 1),
    ],
)
def test_a_broken_document_says_where_and_how_many_records_were_not_read(text: str, seen: str, rows: int) -> None:
    with refused(seen) as told:
        read(text)
    assert isinstance(told.value, UnreadableFileError)
    assert told.value.rows == rows


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        (b"PK\x03\x04" + b"\x00" * 30, "werkmap"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 30, "oude werkmap"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
        (b"{\\rtf1\\ansi", "RTF"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"\x89PNG\r\n\x1a\n", "afbeelding"),
        (b"\r\n<html><table><tr>", "webpagina of XML"),
        (b"SQLite format 3\x00" + bytes(range(32)) * 4, "geen tekst"),
    ],
)
@pytest.mark.parametrize("is_csv", [True, False])
def test_a_file_that_is_no_text_is_refused_in_one_sentence(content: bytes, seen: str, is_csv: bool) -> None:  # noqa: FBT001
    with refused(seen) as told:
        read(content, is_csv=is_csv)
    assert "CSV" in sentence(told.value)
    assert "\n" not in sentence(told.value)


@given(st.binary(max_size=2000), st.booleans())
def test_whatever_the_input_is_only_the_file_is_refused(content: bytes, is_csv: bool) -> None:  # noqa: FBT001 - drawn
    with suppress(UnreadableFileError):
        lines = read(content, is_csv=is_csv)
        assert lines
        for line in lines:
            assert line.faults or line.record is not None or line.original.strip() == "null"


def test_lines_that_end_as_on_an_old_mac_are_lines() -> None:
    assert [line.record for line in read(b'{"a": 1}\r{"b": 2}\r')] == [{"a": 1}, {"b": 2}]


def test_a_line_of_a_reject_file_is_the_record_that_stands_in_it() -> None:
    line = json.dumps({"line": 7, "errors": [{"field": "sector"}], "original": '{"local_ref": "A-1"}'})
    assert [(each.number, each.record) for each in read(line)] == [(1, {"local_ref": "A-1"})]
    broken = json.dumps({"line": 7, "errors": [], "original": '{"local_ref": '})
    assert causes(read(broken)) == [(1, "record", "R-VAL-22", "NO_JSON")]
