"""Files as officers have them, by the ordinary command: what is read, and what is refused in which words."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from municipal_files import Run, csv_of, written
from nodes import VENLO, ObedientBroker, Town, example
from trying import examples
from typer.testing import Result

from signal_exchange.municipality import commands

FILES = Path(__file__).resolve().parents[2] / "data" / "files"
OUTCOMES = ("published", "new_version", "unchanged", "refused", "not_read")


def copied(name: str, folder: Path) -> Path:
    """Copy a file, beside which its reject file may stand."""
    path = folder / name
    path.write_bytes((FILES / name).read_bytes())
    return path


def told(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    assert found["rows"] == sum(found[name] for name in OUTCOMES), "every row is accounted for"
    return found


def counts(found: dict[str, Any]) -> tuple[int, ...]:
    return tuple(found[name] for name in OUTCOMES)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a1_sep_line.csv", (3, 0, 0, 0, 0)),
        ("a2_tab.csv", (3, 0, 0, 0, 0)),
        ("a3_title_row.csv", (3, 0, 0, 0, 0)),
        ("a7_column_twice.csv", (0, 0, 0, 0, 3)),
        ("b1_unclosed_quote.csv", (49, 0, 0, 1, 0)),
        ("c1_extra_empty_cell.csv", (3, 0, 0, 0, 0)),
        ("c2_windows1252.csv", (3, 0, 0, 0, 0)),
        ("d1_excel_dates.csv", (2, 0, 0, 2, 0)),
        ("d2_waar_onwaar.csv", (2, 0, 0, 0, 0)),
        ("e1_same_reference_two_people.csv", (2, 0, 0, 1, 0)),
        ("f1_formula_cells.csv", (1, 0, 0, 0, 0)),
        ("k2_workbook.xlsx", (0, 0, 0, 0, 0)),
        ("k3_empty.csv", (0, 0, 0, 0, 0)),
    ],
)
def test_every_row_of_a_file_is_accounted_for(name: str, expected: tuple[int, ...], tmp_path: Path, run: Run) -> None:
    result = run("publish", copied(name, tmp_path), "--municipality", VENLO, "--json")
    found = told(result)
    assert counts(found) == expected
    assert result.exit_code == (0 if expected[3:] == (0, 0) and expected[0] else 2)
    again = told(run("publish", tmp_path / name, "--json"))
    assert counts(again) == (0, 0, expected[0], *expected[3:]), "publishing it again publishes nothing"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a7_column_twice.csv", ["De kolom sector staat twee keer in de kop", "De 3 rijen zijn niet gelezen", "3 niet gelezen"]),
        ("b1_unclosed_quote.csv", ["rij 4: geweigerd", "aanhalingsteken", "49 gepubliceerd"]),
        ("d1_excel_dates.csv", ["rij 4", "subject1.birth_date", "volgnummer", "rij 5", "consent.recorded_on", "twee cijfers"]),
        ("e1_same_reference_two_people.csv", ["rij 4: geweigerd", "dezelfde verwijzing", "ook in rij 2"]),
        ("k2_workbook.xlsx", ["werkmap", "CSV"]),
        ("k3_empty.csv", ["Het bestand is leeg"]),
    ],
)
def test_what_is_refused_is_told_by_row_column_and_cause(name: str, words: list[str], tmp_path: Path, run: Run) -> None:
    output = run("publish", copied(name, tmp_path)).output
    assert [word for word in words if word not in output] == []


def test_the_first_of_two_persons_under_one_reference_stays(tmp_path: Path, run: Run, broker: ObedientBroker) -> None:
    run("publish", copied("e1_same_reference_two_people.csv", tmp_path))
    assert len(broker.records("SignalPublished")) == 2
    assert {each["signal"]["version"] for each in broker.records("SignalPublished")} == {1}


def test_a_guarded_reference_can_be_traced(tmp_path: Path, run: Run) -> None:
    run("publish", copied("f1_formula_cells.csv", tmp_path))
    assert run("trace", "F1-0001").exit_code == 0


def test_texts_inside_the_reject_file_can_be_mended_and_the_file_published(tmp_path: Path, run: Run) -> None:
    file = copied("d1_excel_dates.csv", tmp_path)
    first = told(run("publish", file, "--json"))
    rejects = Path(first["rejects"])
    text = rejects.read_text(encoding="utf-8")
    header, *rows = csv.reader(io.StringIO(text), delimiter=";")
    original = (FILES / file.name).read_text(encoding="utf-8").splitlines()
    assert header == ["geweigerd", *original[0].split(";")]
    assert [";".join(row[1:]) for row in rows] == original[3:]
    assert ["volgnummer" in rows[0][0], "twee cijfers" in rows[1][0]] == [True, True]
    rejects.write_text(text.replace("37324", "2002-03-09").replace("17/11/26", "17-11-2026"), encoding="utf-8")
    second = told(run("publish", rejects, "--json"))
    assert counts(second) == (2, 0, 0, 0, 0)
    assert not rejects.exists(), "nothing is refused any more"
    assert [path.name for path in tmp_path.iterdir() if "reject" in path.name] == []


def test_the_old_reject_file_goes_when_the_source_was_mended(tmp_path: Path, run: Run) -> None:
    file = copied("d1_excel_dates.csv", tmp_path)
    rejects = Path(told(run("publish", file, "--json"))["rejects"])
    assert rejects.exists()
    file.write_bytes(file.read_bytes().replace(b"37324", b"9-3-2002").replace(b"17/11/26", b"17-11-2026"))
    assert counts(told(run("publish", file, "--json"))) == (2, 0, 2, 0, 0)
    assert not rejects.exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize(("delimiter", "first"), [(";", ""), (",", ""), ("\t", ""), ("^", "sep=^\r\n")])
def test_a_reject_file_keeps_header_separator_and_encoding(
    encoding: str,
    delimiter: str,
    first: str,
    tmp_path: Path,
    run: Run,
) -> None:
    good, bad = example(local_ref="A-1"), example(local_ref="A-2", sector="CRI_THEFT", narrative='Zoë zei: "nee";\nen ging^weg.')
    text = first + csv_of(good, bad, delimiter=delimiter)
    file = tmp_path / "lijst.csv"
    file.write_bytes(text.encode(encoding))
    rejects = Path(told(run("publish", file, "--json"))["rejects"])
    kept = rejects.read_bytes().decode("utf-8" if encoding == "utf-8" else encoding)
    header, row = text.removeprefix(first).split("\r\n")[0], text[text.index("A-2") :]
    assert kept.startswith(first + f"geweigerd{delimiter}{header}\r\n")
    assert kept.endswith(delimiter + row)
    rejects.write_bytes(kept.replace("CRI_THEFT", "SEX_HOME_HOTEL").encode(encoding))
    assert counts(told(run("publish", rejects, "--json"))) == (1, 0, 0, 0, 0)


def test_what_is_refused_again_stays_in_the_reject_file_with_its_new_reason(tmp_path: Path, run: Run) -> None:
    file = copied("d1_excel_dates.csv", tmp_path)
    rejects = Path(told(run("publish", file, "--json"))["rejects"])
    rejects.write_text(rejects.read_text(encoding="utf-8").replace("37324", "2002-03-09"), encoding="utf-8")
    second = told(run("publish", rejects, "--json"))
    assert counts(second) == (1, 0, 0, 1, 0)
    assert Path(second["rejects"]) == rejects
    (header, row) = csv.reader(io.StringIO(rejects.read_text(encoding="utf-8")), delimiter=";")
    assert header.count("geweigerd") == 1
    assert row[0].startswith("rij 3: consent.recorded_on")
    assert row[1] == "D1-0004"


def test_mended_json_inside_the_reject_file_can_be_published_too(tmp_path: Path, run: Run) -> None:
    file = written(tmp_path / "a.jsonl", example(local_ref="A-1"), example(local_ref="A-2", sector="CRI_THEFT", narrative="Zoë"))
    rejects = Path(told(run("publish", file, "--json"))["rejects"])
    rejects.write_text(rejects.read_text(encoding="utf-8").replace("CRI_THEFT", "SEX_HOME_HOTEL"), encoding="utf-8")
    assert counts(told(run("publish", rejects, "--json"))) == (1, 0, 0, 0, 0)
    assert not rejects.exists()


def changed_files(folder: Path) -> tuple[Path, Path]:
    before = written(folder / "a.jsonl", example(local_ref="A-1"), example(local_ref="A-2"))
    after = written(
        folder / "b.jsonl", example(local_ref="A-1", urgency="REGULAR"), example(local_ref="A-2"), example(local_ref="A-3")
    )
    return before, after


def test_without_a_terminal_a_change_is_left_alone_and_listed_by_its_fields(tmp_path: Path, run: Run, town: Town) -> None:
    before, after = changed_files(tmp_path)
    run("publish", before)
    result = run("publish", after)
    assert result.exit_code == 2
    assert "regel 1: gelaten zoals het was" in result.output
    assert "urgency" in result.output
    assert "1 gepubliceerd, 0 nieuwe versie, 1 ongewijzigd, 1 geweigerd, 0 niet gelezen" in result.output
    assert "--yes" in result.output
    assert {row.version for row in town.waiting()} == {1}
    found = told(run("publish", after, "--yes", "--json"))
    assert counts(found) == (0, 1, 2, 0, 0)
    assert not (tmp_path / "b.jsonl.rejects.jsonl").exists()


@pytest.mark.parametrize(("answer", "expected"), [(True, (1, 1, 1, 0, 0)), (False, (1, 0, 1, 1, 0))])
def test_at_a_terminal_a_change_is_asked_about_by_its_fields(
    answer: bool,  # noqa: FBT001 - parametrized
    expected: tuple[int, ...],
    tmp_path: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, after = changed_files(tmp_path)
    run("publish", before)
    asked: list[str] = []

    def confirm(question: str, **_: object) -> bool:
        asked.append(question)
        return answer

    monkeypatch.setattr(commands, "_is_at_a_terminal", lambda _file: True)
    monkeypatch.setattr(typer, "confirm", confirm)
    output = run("publish", after).output
    assert len(asked) == 1
    assert "regel 1" in asked[0]
    assert "urgency" in asked[0]
    assert "REGULAR" not in asked[0]
    words = "{} gepubliceerd, {} nieuwe versie, {} ongewijzigd, {} geweigerd, {} niet gelezen".format(*expected)
    assert words in output


CELLS = st.one_of(
    st.sampled_from(
        ["A-1", "A-2", "A-3", "", '"', '""', '"x', "x;y", "=1", "a\nb", "é", "13-11-2026", "37324", "ja", "\x00", ";;;"]
    ),
    st.text(max_size=6),
)


def text_of_officers(rows: list[list[str]], good: int, top: str) -> str:
    lines = csv_of(*(example(local_ref=f"G-{number}") for number in range(good)), delimiter=";").splitlines()
    return top + "\r\n".join([*lines, *(";".join(row) for row in rows)])


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.builds(
        text_of_officers,
        st.lists(st.lists(CELLS, max_size=6), max_size=12),
        st.integers(0, 3),
        st.sampled_from(["", "sep=;\n", "Titel;;\n\n", "\ufeff"]),
    ),
    encoding=st.sampled_from(["utf-8", "cp1252", "utf-16"]),
)
def test_in_any_file_every_row_is_accounted_for(text: str, encoding: str, tmp_path: Path, run: Run) -> None:
    file = tmp_path / "lijst.csv"
    file.write_bytes(text.encode(encoding, "replace"))
    found = told(run("publish", file, "--json"))
    assert len(found["results"]) == found["rows"] - found["not_read"]
    assert len({each["line"] for each in found["results"]}) == len(found["results"])
    if not found["unreadable"]:
        rejects = [each for each in found["results"] if each["outcome"] == "REFUSED"]
        assert Path(str(found["rejects"])).exists() == bool(rejects)
    again = told(run("publish", file, "--json"))
    assert (again["published"], again["new_version"]) == (0, 0)
