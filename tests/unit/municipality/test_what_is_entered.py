"""What is told of values that link nothing (R-LINK-08), and what is refused or asked where it is entered (R-VAL-24, R-VAL-25)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from municipal_files import Run, csv_of, written
from nodes import Town, example

from signal_exchange.municipality import commands
from signal_exchange.municipality.printing import result_line
from signal_exchange.municipality.publishing.submissions import Outcome

FILES = Path(__file__).resolve().parents[2] / "data" / "files"


def of_victim(**changes: object) -> dict[str, Any]:
    return example(subjects=[{**example()["subjects"][0], **changes}])


def odd(**changes: object) -> dict[str, Any]:
    """Return a record in which a parent consents for somebody of forty; no exchange of it rests on that consent."""
    record = of_victim(birth_date="1986-05-04") | {"consent": {"status": "NOT_ASKED", "given_by": "PARENT_GUARDIAN"}}
    entries = [{**each, "legal_basis": "PUBLIC_TASK"} for each in record["exchanges"] if each["legal_basis"] == "CONSENT"]
    others = [each for each in record["exchanges"] if each["legal_basis"] != "CONSENT"]
    return record | {"exchanges": [*entries, *others]} | changes


def test_r_link_08_a_value_that_links_nothing_is_told_and_holds_nothing_up(town: Town) -> None:
    record = of_victim(bsn="123456789", phone="0612345678 / 0687654321", family_name="onbekend (elders)")
    (result,) = town.publish(record | {"plates": [{"plate": "ABC-123", "country": "NL"}]})
    assert result.outcome is Outcome.PUBLISHED
    assert [(each.field, each.code) for each in result.warnings] == [
        ("subjects[0].bsn", "BSN_ELEVEN_TEST"),
        ("subjects[0].family_name", "PLACEHOLDER"),
        ("subjects[0].phone", "SEVERAL"),
        ("plates[0].plate", "PLATE_SERIES"),
    ]
    told = result_line(result)
    assert "let op: subjects[0].bsn: koppelt niet: dit BSN voldoet niet aan de elfproef" in told
    shown = told + json.dumps(result.to_mapping())
    assert not any(value in shown for value in ("123456789", "0612345678", "ABC-123", "(elders)"))


def test_r_link_08_a_plate_that_is_unknown_links_no_strangers(town: Town) -> None:
    town.publish(*(example(local_ref=f"H-{number}", plates=[{"plate": "onbekend", "country": "PL"}]) for number in (1, 2)))
    assert "PLATE" not in {value.type for asked in town.keepers.asked for record in asked for value in record}


def test_r_link_08_a_warning_names_the_column_of_the_file_and_the_row(tmp_path: Path, run: Run) -> None:
    file = tmp_path / "a.csv"
    file.write_text(csv_of(of_victim(phone="770001234")), encoding="utf-8")
    result = run("publish", file)
    assert (result.exit_code, "let op: subject1.phone: koppelt niet: geen telefoonnummer" in result.output) == (0, True)
    assert "Van 1 signalen koppelt een gegeven niet" in result.output


def test_r_link_08_json_holds_the_warnings_and_how_many_records_have_one(tmp_path: Path, run: Run) -> None:
    file = written(tmp_path / "a.jsonl", of_victim(phone="geen"), example(local_ref="A-2"))
    found = json.loads(run("publish", file, "--json").stdout)
    assert found["unlinked"] == 1
    assert found["results"][0]["warnings"] == [
        {"field": "subjects[0].phone", "code": "PLACEHOLDER", "text": "koppelt niet: hier staat dat iets onbekend is"}
    ]
    assert found["results"][1]["warnings"] == []


@pytest.mark.parametrize(
    ("changes", "field", "window"),
    [
        ({"estimated_victims": -2}, "estimated_victims", "van 0 t/m 1000"),
        ({"received_at": "2000-11-17T14:10:00+01:00"}, "received_at", "van 10 jaar geleden t/m vandaag"),
        ({"received_at": "2106-11-17T14:10:00+01:00"}, "received_at", "van 10 jaar geleden t/m vandaag"),
        (of_victim(birth_date="1011-05-04"), "subjects[0].birth_date", "leeftijd van 0 t/m 110 jaar op de dag van publiceren"),
    ],
)
def test_r_val_24_what_cannot_be_is_refused_with_field_rule_and_window(
    town: Town, changes: dict[str, Any], field: str, window: str
) -> None:
    (result,) = town.publish({**example(), **changes})
    assert [(each.field, each.rule, each.words) for each in result.faults] == [(field, "R-VAL-24", window)]
    assert f"{field} R-VAL-24 (kan niet: {window})" in result_line(result)
    assert town.waiting() == []


def test_r_val_25_a_contradiction_is_left_alone_and_listed_and_the_others_go(tmp_path: Path, run: Run, town: Town) -> None:
    file = written(tmp_path / "a.jsonl", odd(local_ref="A-1"), example(local_ref="A-2"))
    result = run("publish", file)
    assert result.exit_code == 2
    assert (
        "regel 1: nog niet gepubliceerd: subjects[0].birth_date R-VAL-25 (spreekt elkaar tegen: een ouder of voogd"
        in result.output
    )
    assert "1986" not in result.output
    assert "1 signalen wachten op bevestiging" in result.output
    assert len(town.waiting()) == 1
    found = json.loads(run("publish", file, "--yes", "--json").stdout)
    assert (found["published"], found["unchanged"], found["refused"]) == (1, 1, 0)


def test_r_val_25_what_was_confirmed_and_did_not_change_is_not_asked_again(tmp_path: Path, run: Run) -> None:
    file = written(tmp_path / "a.jsonl", odd())
    assert run("publish", file, "--yes").exit_code == 0
    again = run("publish", file)
    assert (again.exit_code, "1 ongewijzigd" in again.output) == (0, True)


@pytest.mark.parametrize("answer", [True, False])
def test_r_val_25_at_a_terminal_a_contradiction_is_a_question(
    answer: bool,  # noqa: FBT001 - parametrized
    tmp_path: Path,
    run: Run,
    town: Town,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def confirm(question: str, **_: object) -> bool:
        asked.append(question)
        return answer

    monkeypatch.setattr(commands, "_is_at_a_terminal", lambda _file: True)
    monkeypatch.setattr("typer.confirm", confirm)
    result = run("publish", written(tmp_path / "a.jsonl", odd()))
    assert [question.endswith("is meerderjarig). Toch publiceren?") for question in asked] == [True]
    assert (result.exit_code, len(town.waiting())) == ((0, 1) if answer else (2, 0))


def test_r_val_25_a_change_that_contradicts_itself_tells_both(town: Town) -> None:
    town.publish(example())
    (result,) = town.publish(odd(), changes=False)
    told = result_line(result)
    assert result.asks
    assert "gelaten zoals het was" in told
    assert "R-VAL-25" in told
    assert "subjects[0].birth_date" in told
    assert "verandert" in told


def test_r_val_25_a_record_that_is_refused_is_not_asked_about(town: Town) -> None:
    (result,) = town.publish(odd(urgency="SOON"), changes=False)
    assert {each.rule for each in result.faults} == {"R-VAL-03"}
    assert not result.asks


def published(name: str, run: Run, folder: Path) -> dict[str, Any]:
    path = folder / name
    path.write_bytes((FILES / name).read_bytes())
    found: dict[str, Any] = json.loads(run("publish", path, "--json").stdout)
    return found


def errors_in(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(each["field"], each["rule"], each.get("found", "")) for row in found["results"] for each in row["errors"]]


@pytest.mark.parametrize(
    ("name", "field"),
    [("g1_birth_year_1011.jsonl", "subjects[0].birth_date"), ("g3_negative_victims.jsonl", "estimated_victims")],
)
def test_r_val_24_a_file_with_an_impossible_value_is_refused(name: str, field: str, run: Run, tmp_path: Path) -> None:
    found = published(name, run, tmp_path)
    assert (found["published"], errors_in(found)) == (0, [(field, "R-VAL-24", "")])


def test_r_leak_each_name_and_number_as_officers_write_it_is_refused_with_its_type(run: Run, tmp_path: Path) -> None:
    found = published("i1_names_and_numbers_in_summary.jsonl", run, tmp_path)
    kinds = ["NAME", "NAME", "NAME", "BSN", "NAME", "POSTCODE"]
    assert errors_in(found) == [("summary", "R-LEAK-02", kind) for kind in kinds]


def test_r_link_08_plates_that_are_unknown_are_told_and_a_country_is_one_whatever_it_is_called(run: Run, tmp_path: Path) -> None:
    unknown = published("h1_plate_onbekend.jsonl", run, tmp_path)
    warned = [[(each["field"], each["code"]) for each in row["warnings"]] for row in unknown["results"]]
    assert warned == [[("plates[0].plate", "PLACEHOLDER")]] * 2
    named = published("h3_plate_country_words.jsonl", run, tmp_path)
    assert [row["warnings"] for row in named["results"]] == [[], []]


def test_r_val_24_a_count_below_zero_in_a_table_is_refused_with_its_window(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(csv_of(example(estimated_victims=-2)), encoding="utf-8")
    assert errors_in(json.loads(run("publish", file, "--json").stdout)) == [("estimated_victims", "R-VAL-24", "")]
