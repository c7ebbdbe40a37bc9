"""Old and new readers and writers: avro looks both ways, and we look at what avro does not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastavro.schema
import pytest
from typer.testing import CliRunner

from signal_exchange.cli import schema_commands as commands
from signal_exchange.cli.schema_commands import app
from signal_exchange.contracts import compatibility, schemas
from signal_exchange.contracts.compatibility import check_all, problems_between, problems_of
from signal_exchange.contracts.releasing import release as freeze
from signal_exchange.contracts.releasing import write_sums
from signal_exchange.contracts.schemas import current_schemas
from signal_exchange.reference.folders import schemas_folder

MOMENT = {"type": "long", "logicalType": "timestamp-millis"}


def record(*fields: dict[str, Any], name: str = "Thing", **more: str) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields), **more}


def field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "doc": "Invented.", **more}


def test_todays_schemas_and_readers_fit_each_other() -> None:
    assert check_all() == []


def test_a_field_with_a_default_may_be_added_and_left_out_again() -> None:
    old, new = record(field("a", "string")), record(field("a", "string"), field("b", "string", default=""))
    assert problems_between(new, old) == []
    assert problems_between(old, new) == []


def test_a_field_without_default_that_the_writer_does_not_have_is_a_problem() -> None:
    assert problems_between(record(field("a", "string"), field("b", "string")), record(field("a", "string")))


@pytest.mark.parametrize(
    ("reader", "writer"),
    [
        pytest.param("int", "long", id="narrower number"),
        pytest.param("bytes", "long", id="another kind"),
        pytest.param("string", ["null", "string"], id="no longer empty"),
        pytest.param(
            {"type": "enum", "name": "E", "symbols": ["A"]},
            {"type": "enum", "name": "E", "symbols": ["A", "B"]},
            id="code unknown",
        ),
    ],
)
def test_a_type_that_the_reader_cannot_take_is_a_problem(reader: Any, writer: Any) -> None:
    assert problems_between(record(field("a", reader)), record(field("a", writer)))
    assert problems_between(record(field("a", writer)), record(field("a", writer))) == []


@pytest.mark.parametrize(
    ("reader", "writer", "path"),
    [
        pytest.param(record(field("at", MOMENT)), record(field("at", "long")), "/at", id="moment of a number"),
        pytest.param(record(field("at", "long")), record(field("at", MOMENT)), "/at", id="number of a moment"),
        pytest.param(
            record(field("at", MOMENT)),
            record(field("at", {**MOMENT, "logicalType": "timestamp-micros"})),
            "/at",
            id="other unit",
        ),
        pytest.param(record(field("at", ["null", MOMENT])), record(field("at", ["null", "long"])), "/at", id="or empty"),
        pytest.param(
            record(field("all", {"type": "array", "items": MOMENT})),
            record(field("all", {"type": "array", "items": {"type": "long"}})),
            "/all[]",
            id="in a list",
        ),
        pytest.param(
            record(field("in", record(field("at", MOMENT), name="Inner"))),
            record(field("in", record(field("at", {"type": "long"}), name="Inner"))),
            "/in/at",
            id="in a record",
        ),
        pytest.param(
            record(field("n", {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2})),
            record(field("n", {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 3})),
            "/n",
            id="other scale",
        ),
    ],
)
def test_a_changed_logical_type_is_found_though_avro_lets_it_pass(reader: Any, writer: Any, path: str) -> None:
    assert problems_between(reader, writer) == [f"{path}: logical types differ"]
    assert problems_between(writer, reader) == [f"{path}: logical types differ"]
    assert problems_between(reader, reader) == []


def test_a_union_of_several_types_is_compared_by_avro_alone() -> None:
    several = record(field("a", ["null", "string", "long"]))
    assert problems_between(several, several) == []


def test_a_field_that_only_the_reader_has_is_not_compared() -> None:
    assert problems_between(record(field("a", "string"), field("at", MOMENT, default=0)), record(field("a", "string"))) == []


def test_every_field_must_have_a_doc() -> None:
    bare = {"name": "a", "type": "string"}
    assert problems_of(record(bare)) == ["/a: no doc"]
    assert problems_of(record(field("in", ["null", record(bare, name="Inner")]))) == ["/in/a: no doc"]
    assert problems_of(record(field("all", {"type": "array", "items": record(bare, name="Inner")}))) == ["/all[]/a: no doc"]
    assert problems_of(record({**bare, "doc": ""})) == ["/a: no doc"]


EMPTY = record(name="Empty")


@pytest.mark.parametrize(
    "items",
    [
        pytest.param("null", id="null"),
        pytest.param({"type": "null"}, id="null written out"),
        pytest.param(EMPTY, id="record without fields"),
        pytest.param(record(field("in", EMPTY), name="Outer"), id="record of such records"),
        pytest.param({"type": "fixed", "name": "F", "size": 0}, id="fixed of size 0"),
    ],
)
def test_no_array_item_may_take_no_byte(items: Any) -> None:
    assert "/all: items may take no byte" in problems_of(record(field("all", {"type": "array", "items": items})))


def test_an_item_that_takes_no_byte_is_found_behind_its_name_too() -> None:
    named = "nl.mensenhandelsignalen.Empty"
    schema = record(field("one", EMPTY), field("all", {"type": "array", "items": named}))
    assert problems_of(schema) == ["/all: items may take no byte"]


@pytest.mark.parametrize(
    "items",
    [
        "string",
        ["null", "string"],
        {"type": "fixed", "name": "F", "size": 1},
        record(field("a", "string"), name="Inner"),
        {"type": "long"},
    ],
)
def test_an_array_of_items_that_take_a_byte_is_well(items: Any) -> None:
    assert problems_of(record(field("all", {"type": "array", "items": items}))) == []


def test_a_type_in_another_namespace_is_a_problem() -> None:
    assert problems_of(record(field("a", "string"), namespace="org.example")) == [
        ": not in the namespace nl.mensenhandelsignalen"
    ]


@pytest.fixture
def own_schemas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a copy of the schemas that a test may change."""
    folder = tmp_path / "schemas"
    shutil.copytree(schemas_folder(), folder)
    for module in (compatibility, schemas, commands):
        monkeypatch.setattr(module, "schemas_folder", lambda: folder)
    return folder


def release(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    schema = json.loads((folder / "Checkpoint.avsc").read_text(encoding="utf-8"))
    change(schema)
    (folder / "released" / "0.0.0-old").mkdir(parents=True, exist_ok=True)
    (folder / "released" / "0.0.0-old" / "Checkpoint.avsc").write_text(json.dumps(schema), encoding="utf-8")
    write_sums(folder / "released" / "0.0.0-old")


def test_a_released_schema_that_todays_reader_cannot_read_is_a_problem(own_schemas: Path) -> None:
    release(own_schemas, lambda schema: schema["fields"].pop())
    assert any(problem.startswith("Checkpoint (released):") for problem in check_all())


def test_a_record_that_a_released_reader_cannot_read_is_a_problem(own_schemas: Path) -> None:
    release(own_schemas, lambda schema: schema["fields"].append(field("gone", "string")))
    assert any(problem.startswith("Checkpoint (to released readers):") for problem in check_all())


def test_a_released_schema_of_today_is_no_problem(own_schemas: Path) -> None:
    release(own_schemas, lambda _: None)
    assert check_all() == []


def test_a_view_that_cannot_read_what_a_release_wrote_is_a_problem(own_schemas: Path) -> None:
    release(own_schemas, lambda schema: schema["fields"].pop())
    assert "readers/routing.avsc (released)" in {problem.partition(":")[0] for problem in check_all()}


def test_a_released_record_that_nobody_writes_any_more_must_still_be_read(own_schemas: Path) -> None:
    for name in ("Checkpoint", "Outcome"):
        assert freeze(own_schemas, f"of-{name.lower()}")
        (own_schemas / f"{name}.avsc").rename(own_schemas / f"{name}.gone")
    assert not [problem for problem in check_all() if problem.startswith("Checkpoint")]


def test_a_release_is_a_copy_of_every_record_complete_in_itself(own_schemas: Path) -> None:
    assert freeze(own_schemas, "0.0.0-test") == sorted(current_schemas())
    for name, schema in current_schemas().items():
        frozen = json.loads((own_schemas / "released" / "0.0.0-test" / f"{name}.avsc").read_text(encoding="utf-8"))
        parsed: Any = fastavro.schema.parse_schema(frozen, named_schemas={})
        assert schemas.fingerprint(parsed) == schema.header[2:]
    assert check_all() == []


@pytest.mark.parametrize("harm", ["changed", "gone", "more", "without sums"])
def test_a_release_never_changes(own_schemas: Path, harm: str) -> None:
    freeze(own_schemas, "0.0.0-test")
    frozen = own_schemas / "released" / "0.0.0-test"
    file = frozen / "Checkpoint.avsc"
    if harm == "changed":
        file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    elif harm == "gone":
        file.unlink()
    elif harm == "more":
        shutil.copy(file, frozen / "Another.avsc")
    else:
        (frozen / "SHA256SUMS").unlink()
    assert any(problem.endswith("changed since its release, which is for good") for problem in check_all())


def test_the_command_freezes_once_and_only_what_fits(own_schemas: Path) -> None:
    again, bad = (CliRunner().invoke(app, ["release", name, "--json"]) for name in ("0.0.0-test", "../1"))
    assert json.loads(again.stdout)["release"] == "0.0.0-test"
    assert bad.exit_code == 2
    assert CliRunner().invoke(app, ["release", "0.0.0-test"]).exit_code == 2
    (own_schemas / "released" / "0.0.0-test" / "Outcome.avsc").unlink()
    refused = CliRunner().invoke(app, ["release", "0.0.1-test"])
    assert (refused.exit_code, (own_schemas / "released" / "0.0.1-test").exists()) == (1, False)


def test_a_readers_view_of_what_nobody_writes_is_a_problem(own_schemas: Path) -> None:
    view = record(field("invented", "string"), name="Checkpoint", namespace="nl.mensenhandelsignalen")
    (own_schemas / "readers" / "statistics.avsc").write_text(json.dumps([view]), encoding="utf-8")
    assert any(problem.startswith("readers/statistics.avsc:") for problem in check_all())


def test_the_command_says_that_all_is_well_with_exit_code_0() -> None:
    result = CliRunner().invoke(app, ["check"])
    assert (result.exit_code, result.stdout) == (0, "All schemas fit each other.\n")


def test_the_command_tells_each_problem_with_exit_code_1(own_schemas: Path) -> None:
    release(own_schemas, lambda schema: schema["fields"].pop())
    plain, machine = (CliRunner().invoke(app, ["check", *options]) for options in ([], ["--json"]))
    assert (plain.exit_code, machine.exit_code) == (1, 1)
    assert plain.stdout.splitlines() == json.loads(machine.stdout)["problems"]


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_the_command_lists_every_record_with_its_header(options: list[str]) -> None:
    result = CliRunner().invoke(app, ["list", *options])
    assert result.exit_code == 0
    for name, schema in current_schemas().items():
        assert name in result.stdout
        assert schema.header.hex() in result.stdout
