from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from broken_records import BROKEN, Broken, broken_file
from nodes import EXAMPLES, NOW, VENLO, a_town, example, read_lines

from signal_exchange.municipality.node import rulebook
from signal_exchange.municipality.publishing.checking import Checked, check
from signal_exchange.municipality.publishing.field_faults import FieldFault
from signal_exchange.municipality.publishing.importing import Line
from signal_exchange.municipality.publishing.submissions import Outcome
from signal_exchange.municipality.sending.outbox import OUTBOX
from signal_exchange.municipality.store import SIGNALS
from signal_exchange.privacy.leak_guard import Finding

BROKEN_FILE = Path(__file__).resolve().parents[2] / "data" / "broken_50.jsonl"


def refused(record: object, code: str = VENLO) -> tuple[FieldFault, ...]:
    found = check(Line(1, "", record), rulebook(code), NOW.date())
    return () if isinstance(found, Checked) else found


def test_the_file_of_fifty_broken_records_is_what_the_function_makes() -> None:
    assert len(BROKEN) == 50
    assert BROKEN_FILE.read_text(encoding="utf-8") == broken_file()


def test_a_file_of_fifty_broken_records_gives_fifty_refusals_and_publishes_nothing(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    with BROKEN_FILE.open("rb") as stream:
        results = list(town.publisher().publish(read_lines(stream)))
    assert [result.line.number for result in results] == list(range(1, 51))
    assert {result.outcome for result in results} == {Outcome.REFUSED}
    assert town.rows(SIGNALS) == []
    assert town.rows(OUTBOX) == []


@pytest.mark.parametrize("broken", BROKEN, ids=[broken.name for broken in BROKEN])
def test_one_defect_is_told_by_its_field_and_rule_and_nothing_else_is(broken: Broken) -> None:
    found = refused(json.loads(broken.line))
    assert {(refusal.field, refusal.rule) for refusal in found} == {(broken.field, broken.rule)}


def test_all_defects_of_a_record_are_told_together() -> None:
    record = example(urgency="SOON", summary="Bel 06-00001234.", eye_colour="blue")
    del record["local_ref"]
    told = {(refusal.field, refusal.rule) for refusal in refused(record)}
    assert told == {("urgency", "R-VAL-03"), ("summary", "R-LEAK-02"), ("eye_colour", "R-VAL-17"), ("local_ref", "R-VAL-01")}


def test_r_val_22_a_wrong_type_is_told_alone() -> None:
    assert [refusal.rule for refusal in refused(example(corroborated="yes", sector="CRI_THEFT"))] == ["R-VAL-22"]


@pytest.mark.parametrize("nothing", [None, 3, "text", [], True])
def test_r_val_22_what_is_no_record_is_refused(nothing: object) -> None:
    assert [(each.field, each.rule) for each in refused(nothing)] == [("record", "R-VAL-22")]


def test_r_val_02_a_municipality_that_is_not_yet_a_member_publishes_nothing() -> None:
    assert [(each.field, each.rule) for each in refused(example(municipality="GM0907"), code="GM0907")] == [
        ("municipality", "R-VAL-02")
    ]


def test_refs_must_tell_the_persons_apart() -> None:
    record = example()
    record["subjects"][1]["ref"] = "s1"
    assert [(each.field, each.rule) for each in refused(record)] == [("subjects[1].ref", "R-VAL-22")]


@pytest.mark.parametrize("name", EXAMPLES)
def test_r_leak_01_a_guard_that_does_not_answer_lets_nothing_out(name: str, tmp_path: Path) -> None:
    def broken_guard(_text: str, _record: Mapping[str, Any]) -> Iterable[Finding]:
        raise RuntimeError("Tess Proefjes")

    code = example(name)["municipality"]
    town = a_town(tmp_path, code)
    town.rules = replace(rulebook(code), find_leaks=broken_guard)
    (result,) = town.publish(example(name))
    assert [(each.field, each.rule) for each in result.faults] == [("summary", "R-LEAK-01")]
    assert town.rows(OUTBOX) == []


def test_r_leak_02_a_release_reference_is_looked_at_too() -> None:
    record = example()
    record["exchanges"][0]["release_ref"] = "vrijgave via Ioana Testescu"
    found = refused(record)
    assert {(each.field, each.rule, each.found) for each in found} == {("exchanges[0].release_ref", "R-LEAK-02", "NAME")}


def test_a_refusal_names_the_type_that_was_found_and_never_the_value() -> None:
    (refusal,) = refused(example(summary="Bel 06-00001234."))
    assert refusal.to_mapping() == {"field": "summary", "rule": "R-LEAK-02", "code": "V13_GUARD", "found": "PHONE"}


def test_r_val_09_an_anonymous_tip_without_urgency_starts_at_monitor() -> None:
    record = example("06_anonymous_tip", municipality=VENLO)
    del record["urgency"]
    found = check(Line(1, "", record), rulebook(VENLO), NOW.date())
    assert isinstance(found, Checked)
    assert found.coded["urgency"] == "MONITOR"
