"""May old and new readers and writers of a record meet? Checked with avro both ways, plus what avro does not look at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import avro.compatibility
import avro.schema

from signal_exchange.contracts.releasing import changed_releases
from signal_exchange.contracts.schemas import NAMESPACE, self_contained
from signal_exchange.reference.folders import schemas_folder

Schema = Any
"""A schema as JSON."""
LOGICAL = ("logicalType", "precision", "scale")


def problems_between(reader: Schema, writer: Schema) -> list[str]:
    """Return why a reader cannot read what a writer wrote; empty when it can. Both are self-contained."""
    checker = avro.compatibility.ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]  # avro's constructor has no types
    answer = checker.get_compatibility(_avro(reader), _avro(writer))
    found = [] if answer.compatibility is avro.compatibility.SchemaCompatibilityType.compatible else sorted(answer.messages)
    return [*found, *_logical_problems(reader, writer, "")]


def problems_of(schema: Schema) -> list[str]:
    """Return the faults of a schema by itself: a field without doc, or an array whose items may take no byte."""
    return list(_own_problems(schema, "", {}))


def check_all() -> list[str]:
    """Return every problem of today's schemas and their readers, and of today's against released ones, both ways."""
    current = _load("*.avsc")
    problems = [f"{name}: {problem}" for name, schema in current.items() for problem in problems_of(schema)]
    problems += list(changed_releases(schemas_folder()))
    for name, writer in (*current.items(), *_released()):
        problems += _reader_problems(name, writer, "" if writer is current.get(name) else " (released)")
    for name, released in ((name, released) for name, released in _released() if name in current):
        problems += [f"{name} (released): {each}" for each in problems_between(current[name], released)]
        problems += [f"{name} (to released readers): {each}" for each in problems_between(released, current[name])]
    return problems


def _released() -> Iterator[tuple[str, Schema]]:
    for file in sorted(schemas_folder().glob("released/**/*.avsc")):
        schema = self_contained(json.loads(file.read_text(encoding="utf-8")))
        yield schema["name"].rpartition(".")[2], schema


def _reader_problems(name: str, writer: Schema, written: str) -> Iterator[str]:
    """Yield why a view cannot read what is written today or was written by a release."""
    for file, view in _views():
        if view["name"].rpartition(".")[2] == name:
            for problem in problems_between(view, writer):
                yield f"readers/{file}{written}: {problem}"


def _views() -> Iterator[tuple[str, Schema]]:
    for file in sorted(schemas_folder().glob("readers/*.avsc")):
        for view in json.loads(file.read_text(encoding="utf-8")):
            yield file.name, self_contained(view)


def _load(pattern: str) -> dict[str, Schema]:
    files = sorted(schemas_folder().glob(pattern))
    return {file.stem: self_contained(json.loads(file.read_text(encoding="utf-8"))) for file in files}


def _avro(schema: Schema) -> avro.schema.Schema:
    return avro.schema.parse(json.dumps(schema))


def _logical_problems(reader: Schema, writer: Schema, path: str) -> Iterator[str]:
    reader, writer = _without_null(reader), _without_null(writer)
    if _logic(reader) != _logic(writer):
        yield f"{path}: logical types differ"
    if not (isinstance(reader, dict) and isinstance(writer, dict)):
        return
    if reader.get("type") == writer.get("type") == "record":
        written = {field["name"]: field["type"] for field in writer["fields"]}
        for field in reader["fields"]:
            if field["name"] in written:
                yield from _logical_problems(field["type"], written[field["name"]], f"{path}/{field['name']}")
    elif "items" in reader and "items" in writer:
        yield from _logical_problems(reader["items"], writer["items"], f"{path}[]")


def _logic(schema: Schema) -> tuple[object, ...]:
    return tuple(schema.get(name) for name in LOGICAL) if isinstance(schema, dict) else (None,) * len(LOGICAL)


def _without_null(schema: Schema) -> Schema:
    if isinstance(schema, list):
        others = [branch for branch in schema if branch != "null"]
        return others[0] if len(others) == 1 else schema
    return schema


def _own_problems(schema: Schema, path: str, named: dict[str, Schema]) -> Iterator[str]:
    if isinstance(schema, list):
        for branch in schema:
            yield from _own_problems(branch, path, named)
    elif isinstance(schema, dict):
        yield from _complex_problems(schema, path, named)


def _complex_problems(schema: dict[str, Any], path: str, named: dict[str, Schema]) -> Iterator[str]:
    if "name" in schema:
        named[f"{schema.get('namespace', NAMESPACE)}.{schema['name']}"] = schema
        if schema.get("namespace", NAMESPACE) != NAMESPACE:
            yield f"{path}: not in the namespace {NAMESPACE}"
    for field in schema.get("fields", ()):
        here = f"{path}/{field['name']}"
        if not field.get("doc"):
            yield f"{here}: no doc"
        yield from _own_problems(field["type"], here, named)
    if "items" in schema:
        yield from _own_problems(schema["items"], f"{path}[]", named)
        if _may_take_no_byte(schema["items"], named):
            yield f"{path}: items may take no byte"


def _may_take_no_byte(items: Schema, named: dict[str, Schema]) -> bool:
    # An array of such items could claim any length with a few bytes.
    if isinstance(items, str):
        return items == "null" or (items in named and _may_take_no_byte(named[items], named))
    if isinstance(items, list):
        return False  # a union begins with the number of its branch
    if items["type"] == "record":
        return all(_may_take_no_byte(field["type"], named) for field in items["fields"])
    return (items["type"], items.get("size")) in (("null", None), ("fixed", 0))
