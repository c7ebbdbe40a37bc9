"""The table of the fields of a signal beside the schemas, the code lists and what every audience gets."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from domain_cases import EXAMPLES, coded

from signal_exchange.domain.destinations import DESTINATIONS
from signal_exchange.domain.rules import pruning
from signal_exchange.domain.rules.pruning import prune
from signal_exchange.domain.signals import fields
from signal_exchange.domain.signals.fields import DELIVERED, DELIVERED_SUBJECT, SIGNAL, SUBJECT, Audience, Field, Kind, Need
from signal_exchange.reference.folders import schemas_folder
from signal_exchange.reference.loading import load_code_lists


def rows_of(*path: str, rows: tuple[Field, ...] = SIGNAL) -> tuple[Field, ...]:
    """Give the fields that travel at the end of a way through the table."""
    if path:
        return rows_of(*path[1:], rows=next(each.parts for each in rows if each.name == path[0]))
    return fields.coded(rows)


ON_THE_WIRE = {
    "CodedSignal": rows_of(),
    "ObservedWeeks": rows_of("observed_weeks"),
    "Forms": rows_of("forms"),
    "Subject": rows_of("subjects"),
    "Place": rows_of("places"),
    "Consent": rows_of("consent"),
    "Exchange": rows_of("exchanges"),
    "Guard": rows_of("guard"),
    "GuardOverride": rows_of("guard", "overrides"),
}
DELIVERIES = {"DeliveredSignal": DELIVERED, "DeliveredSubject": DELIVERED_SUBJECT}
MADE = {"urgency", "minor", "legal_basis", "partnership"}
"""What a delivery says of its own, and no copy of a field."""
KINDS = {Kind.FLAG: "boolean", Kind.COUNT: "int", Kind.CODES: "array", Kind.GROUP: "nl.", Kind.ROWS: "array"}


def types_of(schema: str) -> dict[str, Any]:
    """Give the fields of a schema of schemas/types with their types."""
    file = schemas_folder() / "types" / f"{schema}.avsc"
    return {each["name"]: each["type"] for each in json.loads(file.read_text(encoding="utf-8"))["fields"]}


def kind_in(avro: Any) -> str:
    known = next(each for each in avro if each != "null") if isinstance(avro, list) else avro
    return known["type"] if isinstance(known, dict) else str(known)


@pytest.mark.parametrize(("schema", "rows"), [*ON_THE_WIRE.items(), *DELIVERIES.items()])
def test_r_val_17_the_table_and_the_schemas_have_the_same_fields_of_the_same_kinds(schema: str, rows: tuple[Field, ...]) -> None:
    found = types_of(schema)
    assert list(found) == [each.name for each in rows]
    for each in rows:
        assert kind_in(found[each.name]).startswith(KINDS.get(each.kind, "string")), each.name


@pytest.mark.parametrize("schema", ON_THE_WIRE)
def test_r_val_22_a_field_may_be_null_where_its_schema_says_so(schema: str) -> None:
    nullable = {name for name, avro in types_of(schema).items() if isinstance(avro, list)}
    assert nullable == {each.name for each in ON_THE_WIRE[schema] if each.need in {Need.NULLABLE, Need.NOT_NULL}}


def test_r_val_03_every_code_list_that_the_table_names_exists() -> None:
    rows = [*SIGNAL, *(part for each in SIGNAL for part in each.parts)]
    assert {each.codes for each in rows if each.codes} <= set(load_code_lists().lists)
    assert all(bool(each.codes) == (each.kind in {Kind.CODE, Kind.CODES}) for each in rows)


def test_an_audience_is_a_form_that_its_destination_can_take() -> None:
    assert {each.value for each in Audience} == {(form, each.code) for each in DESTINATIONS for form in each.forms}


@pytest.mark.parametrize("audience", Audience)
@pytest.mark.parametrize("name", EXAMPLES)
def test_r_route_07_a_delivery_holds_the_fields_that_its_audience_sees(name: str, audience: Audience) -> None:
    signal = {**coded(name), "forms": {"primary": "SEXUAL", "secondary": ["LABOUR"]}}
    pruned: Any = prune(signal, *audience.value)
    assert set(pruned) - MADE == {each.name for each in SIGNAL if audience in each.seen_by} - MADE
    for group in (each for each in fields.coded(SIGNAL) if each.kind is Kind.GROUP and audience in each.seen_by):
        filled = {part for part, value in signal[group.name].items() if value}
        seen = {part.name for part in group.parts if audience in part.seen_by}
        assert {part for part, value in pruned[group.name].items() if value} == seen & filled


@pytest.mark.parametrize("audience", Audience)
@pytest.mark.parametrize("minor", [True, False])
def test_r_route_13_of_a_person_an_audience_gets_what_its_row_says(audience: Audience, *, minor: bool) -> None:
    names = [each.name for each in ON_THE_WIRE["Subject"]]
    person = {**dict.fromkeys(names), **coded("05_minor")["subjects"][0], "is_minor": minor}
    pruned: Any = prune({**coded("05_minor"), "subjects": [person]}, *audience.value)
    own = audience in fields.FULL and minor == (audience is Audience.YOUTH)
    seen = {each.name for each in SUBJECT if audience in (each.seen_by if own else each.of_others)}
    assert all(set(subject) == seen for subject in pruned.get("subjects", ()))


def test_r_route_13_a_field_of_care_only_reaches_no_other_audience(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Field("language", Kind.TEXT, seen_by=fields.CARE_ONLY)
    table = [replace(each, parts=(*each.parts, row)) if each.name == "places" else each for each in SIGNAL]
    monkeypatch.setattr(pruning, "SIGNAL", (*table, row))
    monkeypatch.setattr(pruning, "_SIGHTS", {each.value: pruning._Sight.of(each) for each in Audience})
    signal = {**coded("01_sexual"), "language": "x", "places": [{"kind": "DWELLING", "language": "x"}]}
    for audience in Audience:
        pruned: Any = prune(signal, *audience.value)
        assert ("language" in pruned) == (audience in fields.CARE_ONLY)
        assert all(("language" in place) == (audience in fields.CARE_ONLY) for place in pruned.get("places", ()))
