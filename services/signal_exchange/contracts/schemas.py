"""The Avro schemas of schemas/, parsed once and known by fingerprint.

Types shared by records stand in schemas/types, records in schemas/, what a service reads in schemas/readers, and released
versions, which never change again, in schemas/released.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import fastavro.schema

from signal_exchange.reference.folders import schemas_folder

NAMESPACE = "nl.mensenhandelsignalen"
SINGLE_OBJECT_MARK = b"\xc3\x01"

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class WriterSchema:
    """A schema that bytes may be written with: its record name, parsed form and single-object header (10 bytes)."""

    record: str
    parsed: Schema
    header: bytes


def fingerprint(parsed: Schema) -> bytes:
    """Return the CRC-64-AVRO fingerprint of a parsed schema, little endian, as single-object encoding wants it."""
    canonical = fastavro.schema.to_parsing_canonical_form(parsed)
    return bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))


@cache
def _raw(folder: Path) -> dict[str, Schema]:
    files = (*folder.glob("types/*.avsc"), *folder.glob("*.avsc"))
    loaded = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    return {f"{NAMESPACE}.{schema['name']}": schema for schema in loaded}


def self_contained(schema: object, folder: Path | None = None) -> Any:  # noqa: ANN401 - JSON in, JSON out
    """Return a schema in which each named type is written out at its first use, so that it stands on its own."""
    return _expand(schema, _raw(folder or schemas_folder()), set())


def _expand(schema: object, raw: dict[str, Schema], seen: set[str]) -> Any:  # noqa: ANN401 - JSON in, JSON out
    if isinstance(schema, str):
        return schema if schema in seen or schema not in raw else _expand(raw[schema], raw, seen)
    if isinstance(schema, list):
        return [_expand(branch, raw, seen) for branch in schema]
    return _expand_complex(dict(cast("Schema", schema)), raw, seen)


def _expand_complex(schema: Schema, raw: dict[str, Schema], seen: set[str]) -> Schema:
    if "name" in schema and schema["type"] in ("record", "enum", "fixed"):
        seen.add(f"{schema.get('namespace', NAMESPACE)}.{schema['name']}")
    if schema["type"] == "record":
        schema["fields"] = [{**field, "type": _expand(field["type"], raw, seen)} for field in schema["fields"]]
    elif schema["type"] == "array":
        schema["items"] = _expand(schema["items"], raw, seen)
    return schema


def _parse(schema: object) -> Schema:
    return cast("Schema", fastavro.schema.parse_schema(cast("Schema", schema), named_schemas={}))


def _writer(schema: object) -> WriterSchema:
    parsed = _parse(self_contained(schema))
    return WriterSchema(parsed["name"].rpartition(".")[2], parsed, SINGLE_OBJECT_MARK + fingerprint(parsed))


@cache
def current_schemas() -> dict[str, WriterSchema]:
    """Return the schema that each record is written with today, by record name, as SignalPublished."""
    files = sorted(schemas_folder().glob("*.avsc"))
    return {file.stem: _writer(json.loads(file.read_text(encoding="utf-8"))) for file in files}


@cache
def writer_schemas() -> dict[bytes, WriterSchema]:
    """Return every schema that may be met on a topic, current and released, by single-object header."""
    released = (json.loads(file.read_text(encoding="utf-8")) for file in sorted(schemas_folder().glob("released/**/*.avsc")))
    known = (*map(_writer, released), *current_schemas().values())
    return {schema.header: schema for schema in known}


@cache
def reader_schemas(service: str) -> dict[str, Schema]:
    """Return the view that a service has of each record it reads, by record name (need-to-know at decode)."""
    union = json.loads((schemas_folder() / "readers" / f"{service}.avsc").read_text(encoding="utf-8"))
    views = (_parse(self_contained(schema)) for schema in union)
    return {view["name"].rpartition(".")[2]: view for view in views}
