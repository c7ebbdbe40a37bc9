from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes import EXAMPLES, NOW, example
from signal_exchange.municipality.cases import Candidate
from signal_exchange.municipality.checking import Checked, check
from signal_exchange.municipality.csv_format import COLUMNS
from signal_exchange.municipality.importing import MAX_DOCUMENT_BYTES, MAX_LINE_BYTES, Line, read_lines
from signal_exchange.municipality.node import rulebook
from signal_exchange.municipality.preparing import Draft, completed
from signal_exchange.privacy.vault import VaultKey


def read(content: str | bytes, *, is_csv: bool = False) -> list[Line]:
    return list(read_lines(io.BytesIO(content.encode() if isinstance(content, str) else content), is_csv=is_csv))


def rules(lines: list[Line]) -> list[tuple[int, str, str]]:
    return [(line.number, refusal.field, refusal.rule) for line in lines for refusal in line.refusals]


def test_every_line_of_json_lines_is_one_record_and_empty_lines_are_none() -> None:
    found = read('\n{"a": 1}\n\n{"b": 2}\n')
    assert [(line.number, line.record) for line in found] == [(2, {"a": 1}), (4, {"b": 2})]


def test_a_pretty_printed_record_is_one_record() -> None:
    (line,) = read(json.dumps(example(), indent=1))
    assert line.record == example()
    assert line.number == 1


def test_a_json_list_gives_its_records_by_place() -> None:
    found = read(json.dumps([{"a": 1}, 2], indent=1))
    assert [(line.number, line.record) for line in found] == [(1, {"a": 1}), (2, 2)]


def test_an_empty_input_gives_nothing() -> None:
    assert read("") == []
    assert read("\n \n") == []
    assert read("", is_csv=True) == []


def test_a_byte_order_mark_is_no_part_of_the_record() -> None:
    assert read(b'\xef\xbb\xbf{"a": 1}\n')[0].record == {"a": 1}


@pytest.mark.parametrize(
    "broken",
    [
        '{"a": 1',
        "{'a': 1}",
        '{"a": NaN}',
        '{"a": 1, "a": 2}',
        '{"a": "\\ud800"}',
        "[" * 100_000,
        '{"a": ' + "9" * 5000 + "}",
        b'{"a": "\xff"}',
    ],
    ids=["cut", "quotes", "nan", "twice", "half a character", "too deep", "number too long", "no utf-8"],
)
def test_a_line_that_is_no_json_is_refused_and_the_others_are_read(broken: str | bytes) -> None:
    bad = broken if isinstance(broken, bytes) else broken.encode()
    found = read(b'{"a": 0}\n' + bad + b'\n{"a": 2}\n')
    assert [line.record for line in found] == [{"a": 0}, None, {"a": 2}]
    assert rules(found) == [(2, "record", "R-VAL-22")]


def test_r_val_15_a_line_without_end_is_refused_and_the_next_is_read() -> None:
    found = read(b'{"a": 0}\n' + b"x" * (3 * MAX_LINE_BYTES) + b'\n{"a": 2}\n')
    assert [line.record for line in found] == [{"a": 0}, None, {"a": 2}]
    assert rules(found) == [(2, "record", "R-VAL-15")]


def test_r_val_15_a_document_without_end_is_refused() -> None:
    class Endless(io.RawIOBase):
        left = MAX_DOCUMENT_BYTES // 100_000 + 5

        def readline(self, _size: int | None = -1, /) -> bytes:
            self.left -= 1
            return b"[\n" if self.left > MAX_DOCUMENT_BYTES // 100_000 + 2 else b"1," * 50_000 + b"\n"

    assert rules(list(read_lines(Endless()))) == [(1, "record", "R-VAL-15")]  # type: ignore[arg-type]  # a stream of bytes


def test_a_broken_document_is_one_refusal_that_keeps_what_was_written() -> None:
    (line,) = read('[\n{"a": 1},\n{"b": }\n]')
    assert line.refusals
    assert line.original == '[\n{"a": 1},\n{"b": }\n]'


@given(st.binary(max_size=2000), st.booleans())
def test_whatever_the_input_is_nothing_is_raised(content: bytes, is_csv: bool) -> None:  # noqa: FBT001 - drawn
    for line in read(content, is_csv=is_csv):
        assert line.refusals or line.record is not None or line.original.strip() == "null"


@given(st.lists(st.lists(st.text(max_size=12), max_size=6), max_size=6))
def test_whatever_a_row_holds_nothing_is_raised(rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([["local_ref", "forms", "reporter.name", "subject1.ref", "estimated_victims"], *rows])
    read(text.getvalue().encode(errors="surrogatepass"), is_csv=True)


def csv_of(*records: Mapping[str, Any], delimiter: str = ",") -> str:
    """Write records as CSV, as a municipality's own system would: empty where a record says nothing."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(row_of(record) for record in records)
    return text.getvalue()


def row_of(record: Mapping[str, Any]) -> dict[str, str]:
    return {column: cell(value_at(record, column)) for column in COLUMNS}


def value_at(record: Mapping[str, Any], column: str) -> Any:
    name, _, part = column.partition(".")
    prefix = name.rstrip("0123456789")
    if prefix == name:
        value = record.get(name)
        return (value or {}).get(part) if part else value
    rows = record[prefix + "s"]
    index = int(name.removeprefix(prefix)) - 1
    return rows[index].get(part) if index < len(rows) else None


def cell(value: Any) -> str:
    if isinstance(value, list):
        return "|".join(value)
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_record_that_goes_through_csv_is_the_same_record(name: str, delimiter: str) -> None:
    record = example(name)
    (line,) = read(csv_of(record, delimiter=delimiter), is_csv=True)
    there, back = leaving(Line(1, "", record)), leaving(line)
    assert back.coded == there.coded
    assert back.summary == there.summary
    assert back.content == there.content, "so that publishing it again as CSV publishes nothing"


@dataclass(frozen=True)
class Leaving:
    coded: Mapping[str, Any]
    summary: str | None
    content: bytes


def leaving(line: Line) -> Leaving:
    assert isinstance(line.record, dict)
    checked = check(line, rulebook(line.record["municipality"]), NOW.date())
    assert isinstance(checked, Checked), checked
    content = Candidate.of(line, checked, VaultKey.from_bytes(b"k" * 32)).content
    return Leaving(completed(Draft(checked, "", 1, b"")), checked.summary, content)


def test_rows_are_told_by_the_line_on_which_they_begin() -> None:
    found = read('local_ref,narrative\nA-1,"two\nlines"\n\nA-2,x\n', is_csv=True)
    assert [(line.number, line.original) for line in found] == [(2, 'A-1,"two\nlines"'), (5, "A-2,x")]


@pytest.mark.parametrize(
    ("row", "number"),
    [("A-2,x,too much", 3), ('A-2,"a"b', 3), (b"A-2,\xff", 3)],
    ids=["a cell too many", "a broken quote", "no utf-8"],
)
def test_a_broken_row_is_refused_and_the_others_are_read(row: str | bytes, number: int) -> None:
    bad = row if isinstance(row, bytes) else row.encode()
    found = read(b"local_ref,summary\nA-1,x\n" + bad + b"\nA-3,x\n", is_csv=True)
    assert rules(found) == [(number, "record", "R-VAL-22")]
    assert [line.record["local_ref"] for line in found if isinstance(line.record, dict)] == ["A-1", "A-3"]


def test_r_val_17_a_filled_cell_under_an_unknown_column_is_told_by_its_name() -> None:
    filled, empty = read("local_ref,subject5.role,Jan Jansen\nA-1,VICTIM,x\nA-2,,\n", is_csv=True)
    assert rules([filled]) == [(2, "subject5.role", "R-VAL-17"), (2, "?", "R-VAL-17")]
    assert not empty.refusals


@pytest.mark.parametrize(
    "header", ["local_ref,local_ref", "foo,bar", "local_ref\rA-1"], ids=["twice", "unknown", "old line ends"]
)
def test_a_header_that_cannot_be_right_is_refused_as_a_whole(header: str) -> None:
    assert rules(read(f"{header}\nA-1,A-1\n", is_csv=True)) == [(1, "record", "R-VAL-22")]


def test_a_cell_of_the_wrong_type_stays_for_the_rules_to_refuse() -> None:
    (line,) = read("local_ref,corroborated,estimated_victims,police_data\nA-1,maybe,many,JA\n", is_csv=True)
    assert isinstance(line.record, dict)
    assert (line.record["corroborated"], line.record["estimated_victims"], line.record["police_data"]) == ("maybe", "many", True)


def test_a_row_that_skips_a_number_has_no_empty_person() -> None:
    (line,) = read("local_ref,subject1.role,subject2.role\nA-1,,VICTIM\n", is_csv=True)
    assert isinstance(line.record, dict)
    assert line.record["subjects"] == [{"role": "VICTIM"}]
