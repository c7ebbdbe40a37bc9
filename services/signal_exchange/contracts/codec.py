"""Avro single-object encoding: C3 01, the schema's fingerprint, the body. Errors never hold a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, cast

from fastavro import schemaless_reader, schemaless_writer

from signal_exchange.contracts.faults import CannotEncodeError, UndecodableError
from signal_exchange.contracts.record_names import Fields, RecordName
from signal_exchange.contracts.schemas import SINGLE_OBJECT_MARK, WriterSchema, current_schemas, reader_schemas, writer_schemas

HEADER_BYTES = 10
MAX_RECORD_BYTES = 65_536
"""R-VAL-15: the largest record that a municipality may send; routing parks a larger one under its sender's number."""
MAX_READ_BYTES = 4 * MAX_RECORD_BYTES
"""What is larger is not even decoded."""
MAX_ITEMS = 1_000
"""The longest array in a record; every item takes at least one byte, so that a count cannot claim memory by itself."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A record as its reader may see it: the record's name and its fields."""

    record: str
    fields: dict[str, Any] = field(repr=False)


def encode(record: str, fields: Mapping[str, object]) -> bytes:
    """Encode fields as the current version of a record.

    Raises:
        CannotEncodeError: a field is missing, unknown or of another type.
    """
    schema = current_schemas()[record]
    out = BytesIO()
    out.write(schema.header)
    try:
        schemaless_writer(out, schema.parsed, dict(fields), strict_allow_default=True)
    except Exception:  # noqa: BLE001 - the writer's errors hold the value that does not fit
        raise CannotEncodeError(record) from None
    return out.getvalue()


def decode(value: bytes | None, reader: str) -> Decoded:
    """Decode a record into the view that the service `reader` has of it.

    Raises:
        UndecodableError: with a closed reason; whatever the bytes are, nothing else is raised.
    """
    body = _checked(value)
    schema = _written(body)
    view = reader_schemas(reader).get(schema.record)
    if view is None:
        raise UndecodableError("unexpected_record")
    return Decoded(schema.record, _read(body, schema.parsed, view))


def decode_as(value: bytes | None, record: RecordName[Fields]) -> Fields:
    """Decode a whole record of a known name: one that a service wrote itself, or that stands inside another.

    Raises:
        UndecodableError: see `decode`; also when it is another record.
    """
    decoded = decode_whole(value)
    if decoded.record != record:
        raise UndecodableError("unexpected_record")
    return cast("Fields", decoded.fields)


def decode_whole(value: bytes | None) -> Decoded:
    """Decode a record with every field that was written: for tools and tests that stand outside the services.

    Raises:
        UndecodableError: see `decode`.
    """
    body = _checked(value)
    schema = _written(body)
    return Decoded(schema.record, _read(body, schema.parsed, schema.parsed))


def _written(body: bytes) -> WriterSchema:
    schema = writer_schemas().get(body[:HEADER_BYTES])
    if schema is None:
        raise UndecodableError("unknown_fingerprint" if body.startswith(SINGLE_OBJECT_MARK) else "no_single_object_header")
    return schema


def _checked(value: bytes | None) -> bytes:
    if value is None:
        raise UndecodableError("tombstone")
    if not value:
        raise UndecodableError("empty")
    if len(value) > MAX_READ_BYTES:
        raise UndecodableError("too_large")
    return value


def _read(body: bytes, written: dict[str, Any], view: dict[str, Any]) -> dict[str, Any]:
    stream = BytesIO(body)
    stream.seek(HEADER_BYTES)
    try:
        fields = cast("dict[str, Any]", schemaless_reader(stream, written, view))
    except Exception:  # noqa: BLE001 - a decoder's errors are many and hold values; the message is at fault
        raise UndecodableError("broken_body") from None
    if stream.tell() != len(body):
        raise UndecodableError("trailing_bytes")
    if _longest(fields) > MAX_ITEMS:
        raise UndecodableError("oversized_collection")
    return fields


def _longest(value: object) -> int:
    if isinstance(value, dict):
        return max(map(_longest, value.values()), default=0)
    if isinstance(value, list):
        return max(len(value), max(map(_longest, value), default=0))
    return 0
