"""Data that fit a schema, for hypothesis: any of them must survive the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

Schema = Any
"""A self-contained schema as JSON."""
MOMENTS = st.integers(0, 4_102_444_800_000).map(
    lambda milliseconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
)
PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "string": st.text(max_size=20),
    "bytes": st.binary(max_size=40),
}


def data_of(schema: Schema) -> st.SearchStrategy[Any]:
    """Return what strategy makes any datum of this schema."""
    return _data(schema, {})


def _data(schema: Schema, named: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    if isinstance(schema, list):
        return st.one_of([_data(branch, named) for branch in schema])
    if isinstance(schema, str):
        return PRIMITIVES[schema] if schema in PRIMITIVES else named[schema]
    if "logicalType" in schema:
        return MOMENTS
    return _complex(schema, named) if schema["type"] in ("record", "array", "enum") else PRIMITIVES[schema["type"]]


def _complex(schema: Schema, named: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    made = _made(schema, named)
    if "name" in schema:
        named[f"{schema.get('namespace', 'nl.mensenhandelsignalen')}.{schema['name']}"] = made
    return made


def _made(schema: Schema, named: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    if schema["type"] == "record":
        return st.fixed_dictionaries({field["name"]: _data(field["type"], named) for field in schema["fields"]})
    if schema["type"] == "array":
        return st.lists(_data(schema["items"], named), max_size=3)
    return st.sampled_from(schema["symbols"])
