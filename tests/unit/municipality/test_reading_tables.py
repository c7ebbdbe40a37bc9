from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from municipal_files import csv_of
from nodes import EXAMPLES, NOW, example, read_lines
from refusing import refused

from signal_exchange.municipality.node import rulebook
from signal_exchange.municipality.publishing.checking import Checked, check
from signal_exchange.municipality.publishing.csv_format import COLUMNS
from signal_exchange.municipality.publishing.importing import Line
from signal_exchange.municipality.publishing.preparing import completed
from signal_exchange.municipality.publishing.submissions import Submission
from signal_exchange.municipality.publishing.unreadable import UnreadableFileError
from signal_exchange.privacy.vault import VaultKey
from signal_exchange.words import sentence


def read(content: str | bytes) -> list[Line]:
    return list(read_lines(io.BytesIO(content.encode() if isinstance(content, str) else content), is_csv=True))


def causes(lines: list[Line]) -> list[tuple[int, str, str, str]]:
    return [(line.number, line.named(each.field), each.rule, each.cause) for line in lines for each in line.faults]


def records(lines: list[Line]) -> list[Any]:
    return [line.record for line in lines]


def values(line: Line, *names: str) -> list[Any]:
    assert isinstance(line.record, dict)
    return [line.record[name] for name in names]


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_record_that_goes_through_csv_is_the_same_record(name: str, delimiter: str) -> None:
    record = example(name)
    (line,) = read(csv_of(record, delimiter=delimiter))
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
    submission = Submission.of(line, checked, VaultKey.from_bytes(b"k" * 32))
    return Leaving(completed(submission), checked.summary, submission.content)


TOWN = "GM0983"
HEADER = "local_ref;municipality;sector;summary"


@pytest.mark.parametrize(
    "first",
    ["sep=;", "SEP=;", '"sep=;"', "sep=;;;;", "sep=,", "sep=\\t", "\ufeffsep=;"],
)
def test_a_line_that_names_the_separator_is_no_row(first: str) -> None:
    (line,) = read(f"{first}\r\n{HEADER}\r\nA-1;{TOWN};x;y\r\n")
    assert line.number == 2, "a spreadsheet does not show that line"
    assert values(line, "local_ref", "summary") == ["A-1", "y"]


@pytest.mark.parametrize(
    ("named", "mark"), [("\\t", "\t"), ("\t", "\t"), ("tab", "\t"), ("^", "^"), ("~", "~"), ("|", "|"), (":", ":")]
)
def test_a_separator_that_is_named_divides_the_cells(named: str, mark: str) -> None:
    text = f"sep={named}\n{HEADER}\nA-1;{TOWN};x;y\n".replace(";", mark)
    assert values(read(text)[0], "local_ref", "summary") == ["A-1", "y"]


def test_titles_and_blank_rows_above_the_header_are_no_rows() -> None:
    (line,) = read(f"Signalen november 2026;;;\n\n;;;\nGemaakt op 30-11-2026\n{HEADER}\nA-1;{TOWN};x;y\n")
    assert (line.number, values(line, "local_ref")) == (6, ["A-1"])


@pytest.mark.parametrize(
    "header",
    [
        "LOCAL_REF;Municipality;Subject1.Birth_Date",
        " local_ref ; municipality;subject1.birth_date ",
        "local_ref\u00a0;\u00a0municipality;subject1.birth_date",
        "Local Ref;municipality;Subject 1.birth date",
        "local-ref;municipality;subject1 . birth_date",
        "\ufefflocal_ref;municipality;subject1.birth_date",
        '"local_ref";"municipality";"subject1.birth_date"',
        '"=""local_ref""";municipality;\'subject1.birth_date',
    ],
)
def test_case_and_blanks_of_the_header_do_not_matter(header: str) -> None:
    (line,) = read(f"{header}\nA-1;{TOWN};9-3-2002\n")
    assert not line.faults
    assert values(line, "local_ref", "municipality", "subjects") == ["A-1", TOWN, [{"birth_date": "2002-03-09"}]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_usual_encoding_and_line_end_is_read(encoding: str, end: str) -> None:
    text = end.join([HEADER, f"A-1;{TOWN};x;Müller – Ça va, “André” €", f"A-2;{TOWN};x;É", ""])
    found = read(text.encode(encoding))
    assert [(line.number, *values(line, "summary")) for line in found] == [(2, "Müller – Ça va, “André” €"), (3, "É")]


def test_one_row_of_windows_1252_among_others_is_read() -> None:
    found = read("local_ref;summary\nA-1;Zoë\n".encode() + "A-2;Müller\n".encode("cp1252") + b"A-3;x\n")
    assert [values(line, "summary") for line in found] == [["Zoë"], ["Müller"], ["x"]]


@pytest.mark.parametrize("bad", [b"M\x81ller", b"Andr\x82", b"\x8e", b"Zo\xc3\xab M\xfcller", b"a\xd7b"])
def test_r_val_22_a_row_of_another_encoding_is_refused_with_that_word_and_the_others_are_read(bad: bytes) -> None:
    found = read(b"local_ref;summary\nA-1;x\nA-2;" + bad + b"\nA-3;x\n")
    assert causes(found) == [(3, "record", "R-VAL-22", "ENCODING")]
    assert [line.number for line in found] == [2, 3, 4]


def test_extra_empty_cells_are_none_and_filled_ones_are_refused() -> None:
    found = read("local_ref;summary\nA-1;x;\nA-2;x;;; ;\nA-3;x;;y\nA-4\n")
    assert causes(found) == [(4, "record", "R-VAL-22", "CELLS")]
    assert [line.record["local_ref"] for line in found if isinstance(line.record, dict)] == ["A-1", "A-2", "A-4"]


def test_a_row_of_guards_around_nothing_is_blank() -> None:
    found = read('local_ref;summary\nA-1;x\n"=""""";""\n\';=\nA-2;x\n')
    assert [(line.number, *values(line, "local_ref")) for line in found] == [(2, "A-1"), (5, "A-2")]


def test_rows_are_numbered_as_a_spreadsheet_shows_them() -> None:
    found = read('local_ref,narrative\nA-1,"two\nlines"\n\n,\nA-2,x\n')
    assert [(line.number, line.original.strip()) for line in found] == [(2, 'A-1,"two\nlines"'), (5, "A-2,x")]


WIDE = tuple(name for name in COLUMNS if not name.startswith(("subject3", "subject4", "place3", "place4")))


def wide_rows(count: int) -> list[str]:
    text = csv_of(*(example(local_ref=f"A-{number}") for number in range(count)), delimiter=";", columns=WIDE)
    return text.splitlines(keepends=True)


@pytest.mark.parametrize("count", [3, 50, 400])
@pytest.mark.parametrize("column", ["local_ref", "narrative", "subject1.family_name", WIDE[-1]])
def test_r_val_22_a_quote_that_never_closes_costs_its_own_row_only(count: int, column: str) -> None:
    header, *rows = wide_rows(count)
    place = WIDE.index(column)
    cells = rows[1].split(";")
    cells[place] = '"' + cells[place]
    rows[1] = ";".join(cells)
    found = read("".join([header, *rows]))
    assert causes(found) == [(3, "record", "R-VAL-22", "QUOTE")]
    assert len(found) == count
    assert [line.number for line in found] == list(range(2, count + 2))


@pytest.mark.parametrize("second", [2, 3, 7])
@pytest.mark.parametrize("closing", ['"{}', '{}"', '"{}"', '""'])
def test_r_val_22_a_quote_that_another_row_closes_swallows_nothing_in_silence(second: int, closing: str) -> None:
    header, *rows = wide_rows(10)
    for place, form in ((1, '"{}'), (second, closing)):
        cells = rows[place].split(";")
        cells[5] = form.format(cells[5])
        rows[place] = ";".join(cells)
    found = read("".join([header, *rows]))
    assert len(found) == 10, "every row is there, read or refused"
    assert next(line.number for line in found if line.faults and line.record is None) == 3
    assert [values(line, "local_ref") for line in found if line.number not in (3, second + 2)] == [
        [f"A-{number}"] for number in range(10) if number not in (1, second)
    ]


def test_a_text_of_many_lines_with_commas_in_it_is_one_cell() -> None:
    text = "\n".join(["Ze zei dat zij, haar zus, en de man, die ze kende, samen waren, en dat het, zo, ging."] * 12)
    (line,) = read(csv_of(example(narrative=text)))
    assert values(line, "narrative") == [text]


def test_many_quotes_that_do_not_close_take_no_more_than_their_own_rows() -> None:
    header, *rows = wide_rows(2_000)
    found = read("".join([header, *('"' + row for row in rows)]))
    assert {cause for *_, cause in causes(found)} == {"QUOTE"}
    assert len(found) == 2_000


def test_r_val_22_a_quote_in_the_wrong_place_is_refused() -> None:
    found = read('local_ref,summary\nA-1,x\nA-2,"a"b\nA-3,5" pijp\n')
    assert causes(found) == [(3, "record", "R-VAL-22", "QUOTE")]
    assert values(found[2], "summary") == ['5" pijp']


def test_r_val_15_a_row_that_is_too_long_is_refused_and_the_next_is_read() -> None:
    found = read("local_ref,summary\nA-1," + "x" * 300_000 + "\nA-2,x\n")
    assert [each[:3] for each in causes(found)] == [(2, "record", "R-VAL-15")]
    assert [line.number for line in found] == [2, 3]


@pytest.mark.parametrize("bad", ["a\x00b", "a\x07b", "a\ufffdb", "\x1b[31m"])
def test_r_val_22_a_control_character_or_a_lost_one_is_told_by_its_column(bad: str) -> None:
    header, row = wide_rows(1)
    cells = row.split(";")
    cells[WIDE.index("subject2.sex")] = "F"
    cells[WIDE.index("subject1.family_name")] = bad
    (line,) = read(header + ";".join(cells))
    found = check(line, rulebook(TOWN), NOW.date())
    assert isinstance(found, tuple)
    assert [(line.named(each.field), each.cause) for each in found] == [("subject1.family_name", "CONTROL")]


def test_guards_of_a_spreadsheet_are_taken_off() -> None:
    header = "local_ref;subject1.phone;subject1.family_name;place1.street;summary\n"
    (line,) = read(header + '"=""A-1""";\'0612345678;\'t Veld;\'s-Gravenweg;="geen ""nee"" gezegd"\n')
    assert values(line, "local_ref", "summary") == ["A-1", 'geen "nee" gezegd']
    assert values(line, "subjects", "places") == [
        [{"phone": "0612345678", "family_name": "'t Veld"}],
        [{"street": "'s-Gravenweg"}],
    ]


@pytest.mark.parametrize("formula", ["=A1&B1", "=1+1", "='a'&'b'", "=HYPERLINK(B2)", "=cmd|x"])
def test_r_val_22_a_formula_is_refused_by_its_column(formula: str) -> None:
    found = read(f"local_ref;subject1.phone\nA-1;{formula}\n")
    assert causes(found) == [(2, "subject1.phone", "R-VAL-22", "FORMULA")]


def test_r_val_17_a_filled_cell_under_an_unknown_column_is_told_by_its_name() -> None:
    filled, empty = read("local_ref,subject5.role,Jan Jansen,\nA-1,VICTIM,x,y\nA-2,,,\n")
    told = [("subject5.role", "R-VAL-17"), ("kolom C", "R-VAL-17"), ("kolom D", "R-VAL-17")]
    assert [each[1:3] for each in causes([filled])] == told
    assert not empty.faults


def test_a_column_far_to_the_right_has_the_letters_of_a_spreadsheet() -> None:
    (line,) = read("local_ref" + ";" * 29 + "Jan Jansen\nA-1" + ";" * 29 + "x\n")
    assert [each[1] for each in causes([line])] == ["kolom AD"]


def test_r_val_22_the_header_of_a_file_that_was_put_behind_another_is_told_as_such() -> None:
    found = read(f"{HEADER}\nA-1;{TOWN};x;y\n\ufeff{HEADER.upper()}\nA-2;{TOWN};x;y\n")
    assert causes(found) == [(3, "record", "R-VAL-22", "HEADER_AGAIN")]
    assert [line.number for line in found] == [2, 3, 4]


def test_blanks_before_a_quote_and_quotes_of_another_kind_are_no_part_of_a_cell() -> None:
    (line,) = read(f'\'local_ref\'; "municipality";summary\n\'A-1\'; "{TOWN}"; "x; y"\n')
    assert values(line, "local_ref", "municipality", "summary") == ["A-1", TOWN, "x; y"]


def test_a_moment_that_is_none_is_told_by_its_own_column() -> None:
    header, row = wide_rows(1)
    cells = row.split(";")
    cells[WIDE.index("emergency_advised_at")] = "46343,59"
    (line,) = read(header + ";".join(cells))
    found = check(line, rulebook(TOWN), NOW.date())
    assert isinstance(found, tuple)
    assert [(line.named(each.field), each.cause) for each in found] == [("emergency_advised_at", "MOMENT_FORM")]


def test_a_column_twice_refuses_the_file_and_counts_its_rows() -> None:
    with refused("kolom sector staat twee keer") as told:
        read('local_ref;sector;Sector \nA-1;x;y\nA-2;"x\ny";z\n\nA-3;x;x\n')
    assert isinstance(told.value, UnreadableFileError)
    assert told.value.rows == 3
    assert "De 3 rijen zijn niet gelezen." in sentence(told.value)


def test_a_file_without_a_header_that_we_know_says_what_was_seen_and_repeats_nothing() -> None:
    with refused("gescheiden door puntkomma's") as told:
        read("Jan Jansen;1999-07-14\nPiet;x\nKlaas;y\n")
    assert isinstance(told.value, UnreadableFileError)
    assert told.value.rows == 2
    assert "local_ref" in sentence(told.value)
    assert "Jan" not in sentence(told.value)


def test_a_quote_in_the_header_that_does_not_close_is_named() -> None:
    with refused("aanhalingsteken") as told:
        read(f'"{HEADER}\nA-1;{TOWN};x;y\n')
    assert isinstance(told.value, UnreadableFileError)
    assert told.value.rows == 1


def test_a_header_without_a_row_is_said_so() -> None:
    for text in (HEADER, f"{HEADER}\n", f"{HEADER}\n\n;;;\n"):
        with refused("geen enkele rij"):
            read(text)


def test_a_cell_of_the_wrong_type_stays_for_the_rules_to_refuse() -> None:
    (line,) = read("local_ref,corroborated,estimated_victims,police_data\nA-1,maybe,many,JA\n")
    assert values(line, "corroborated", "estimated_victims", "police_data") == ["maybe", "many", True]


@pytest.mark.parametrize("cell", ["RECRUIT|HOUSE", "RECRUIT, HOUSE", "RECRUIT;HOUSE", '"RECRUIT\nHOUSE"'])
def test_codes_in_one_cell_are_divided_as_people_divide_them(cell: str) -> None:
    text = f"local_ref\tacts\tnarrative\tsummary\nA-1\t{cell}\tx\ty\n"
    assert values(read(text)[0], "acts") == [["RECRUIT", "HOUSE"]]


def test_a_row_that_skips_a_number_has_no_empty_person_and_keeps_the_names_of_its_columns() -> None:
    (line,) = read("local_ref,subject1.role,subject2.role,subject3.birth_date\nA-1,,VICTIM,x\n")
    assert values(line, "subjects") == [[{"role": "VICTIM"}, {"birth_date": "x"}]]
    assert line.named("subjects[1].birth_date") == "subject3.birth_date"


@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("subjects[0].birth_date", "subject1.birth_date"),
        ("exchanges[2]", "exchange3.purpose"),
        ("exchanges", "exchange1.purpose"),
        ("acts[1]", "acts"),
        ("forms.secondary[0]", "forms.secondary"),
        ("observed", "observed.from"),
        ("observed.to", "observed.to"),
        ("sector", "sector"),
        ("record", "record"),
        ("?", "?"),
    ],
)
def test_an_error_names_the_column_of_the_file(field: str, column: str) -> None:
    (line,) = read("local_ref\nA-1\n")
    assert line.named(field) == column


@given(st.lists(st.lists(st.text(max_size=12), max_size=6), max_size=6), st.sampled_from(",;\t|"))
def test_whatever_a_row_holds_only_the_file_is_refused(rows: list[list[str]], delimiter: str) -> None:
    text = io.StringIO()
    header = ["local_ref", "forms.primary", "reporter.name", "subject1.ref", "estimated_victims"]
    csv.writer(text, delimiter=delimiter).writerows([header, *rows])
    with suppress(UnreadableFileError):
        read(text.getvalue().encode(errors="surrogatepass"))


PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=8).filter(str.strip)


@given(
    st.lists(st.tuples(PLAIN, PLAIN), min_size=1, max_size=8),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_every_row_that_a_spreadsheet_writes_is_one_line(
    rows: list[tuple[str, str]], delimiter: str, encoding: str, end: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    writer.writerows([("local_ref", "municipality", "summary"), *(("x", a, b) for a, b in rows)])
    found = read(text.getvalue().encode(encoding))
    assert [line.number for line in found] == list(range(2, len(rows) + 2))
    assert not [line for line in found if line.record is None]
