"""The schemas: known by fingerprint before the first record comes, complete in themselves, and never guessed."""

from __future__ import annotations

import json
from pathlib import Path

import fastavro.schema
import pytest

import signal_exchange
from signal_exchange.contracts import schemas
from signal_exchange.contracts.schemas import (
    NAMESPACE,
    SINGLE_OBJECT_MARK,
    current_schemas,
    fingerprint,
    reader_schemas,
    self_contained,
    writer_schemas,
)
from signal_exchange.contracts.topics import catalogue
from signal_exchange.reference import folders
from signal_exchange.reference.folders import schemas_folder

READERS = sorted(file.stem for file in schemas_folder().glob("readers/*.avsc"))


@pytest.fixture
def own_schemas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty folder of schemas, which nothing has read yet."""
    monkeypatch.setattr(schemas, "schemas_folder", lambda: tmp_path)
    for cached in (current_schemas, writer_schemas, reader_schemas):
        monkeypatch.setattr(schemas, cached.__name__, cached.__wrapped__)
    return tmp_path


def test_every_record_of_the_catalogue_has_a_schema_and_every_schema_a_topic() -> None:
    carried = {record for topic in catalogue(["GM0983"]).topics for record in topic.records}
    assert set(current_schemas()) == carried


def test_every_schema_that_may_be_met_is_known_by_its_header() -> None:
    known = writer_schemas()
    for name, schema in current_schemas().items():
        assert known[schema.header].record == name
        assert schema.header == SINGLE_OBJECT_MARK + fingerprint(schema.parsed)
    assert all(len(header) == 10 for header in known)


def test_no_two_records_have_the_same_header() -> None:
    assert len({schema.header for schema in current_schemas().values()}) == len(current_schemas())


def test_the_fingerprint_of_a_known_schema_is_that_of_the_avro_specification() -> None:
    assert fingerprint(fastavro.schema.parse_schema({"type": "int"})).hex() == "8f5c393f1ad57572"  # type: ignore[arg-type]  # a primitive is no mapping


def test_a_released_schema_is_still_known_when_todays_has_changed(own_schemas: Path) -> None:
    old = {"type": "record", "name": "Thing", "namespace": NAMESPACE, "fields": [{"name": "a", "type": "string"}]}
    new = {**old, "fields": [*old["fields"], {"name": "b", "type": "string", "default": ""}]}
    (own_schemas / "released" / "2026-01").mkdir(parents=True)
    (own_schemas / "Thing.avsc").write_text(json.dumps(new), encoding="utf-8")
    (own_schemas / "released" / "2026-01" / "Thing.avsc").write_text(json.dumps(old), encoding="utf-8")
    assert [schema.record for schema in schemas.writer_schemas().values()] == ["Thing", "Thing"]
    assert len({len(schema.parsed["fields"]) for schema in schemas.writer_schemas().values()}) == 2


def test_a_type_is_written_out_at_its_first_use_and_named_after_that(own_schemas: Path) -> None:
    inner = {"type": "record", "name": "Inner", "fields": [{"name": "a", "type": "string"}]}
    (own_schemas / "types").mkdir()
    (own_schemas / "types" / "Inner.avsc").write_text(json.dumps(inner), encoding="utf-8")
    name = f"{NAMESPACE}.Inner"
    fields = [{"name": "one", "type": name}, {"name": "all", "type": {"type": "array", "items": ["null", name]}}]
    whole = self_contained({"type": "record", "name": "Outer", "namespace": NAMESPACE, "fields": fields}, own_schemas)
    assert [field["type"] for field in whole["fields"]] == [inner, {"type": "array", "items": ["null", name]}]
    assert fastavro.schema.parse_schema(whole, named_schemas={})


@pytest.mark.parametrize("reader", READERS)
def test_a_view_holds_no_field_that_its_record_does_not_have(reader: str) -> None:
    for record, view in reader_schemas(reader).items():
        written = {field["name"] for field in current_schemas()[record].parsed["fields"]}
        assert {field["name"] for field in view["fields"]} <= written


def test_only_linking_and_the_recipients_hold_sealed_parts_of_their_own() -> None:
    assert "sealed" not in {field["name"] for field in reader_schemas("statistics")["Observation"]["fields"]}
    assert "record" not in {field["name"] for field in reader_schemas("oversight")["ParkedRecord"]["fields"]}


def test_an_installed_package_has_its_schemas_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "site-packages" / "signal_exchange"
    monkeypatch.setattr(folders, "__file__", str(installed / "reference" / "folders.py"))
    assert schemas_folder() == tmp_path / "schemas"
    (installed / "schemas").mkdir(parents=True)
    assert schemas_folder() == installed / "schemas"


def test_a_checkout_has_its_schemas_at_its_root() -> None:
    assert schemas_folder() == Path(signal_exchange.__file__).parents[2] / "schemas"
