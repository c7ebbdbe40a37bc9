"""The answers of an API in its OpenAPI description: a schema for each, and a problem for each refusal (RFC 9457).

The framework by itself would describe a 422 that is never given, and no refusal that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

PROBLEM_TYPE: Final = "application/problem+json"
Schema = Mapping[str, Any]
Responses = dict[int | str, dict[str, Any]]
_MEANINGS: Final = {
    HTTPStatus.BAD_REQUEST: "The request is wrong; `errors` names everything that is, and repeats no value.",
    HTTPStatus.UNAUTHORIZED: "There is no bearer token, or it is unknown.",
    HTTPStatus.NOT_FOUND: "There is no such thing here, or it does not allow this now; the title says which.",
    HTTPStatus.CONFLICT: "It changes what is known, and nobody confirmed that; `errors` names the fields.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The request is too large.",
    HTTPStatus.TOO_MANY_REQUESTS: "The quota is used up; Retry-After says when there is one again.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The store does not answer; the same request may be tried again later.",
}


def an_object(
    required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None, *, open_ended: bool = False
) -> Schema:
    """Return the schema of an object with these fields, and no other unless it is open-ended."""
    properties = {**required, **(optional or {})}
    return {"type": "object", "required": sorted(required), "properties": properties, "additionalProperties": open_ended}


def a_list(of: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": of}


def or_null(schema: Schema) -> Schema:
    """Return the schema of a value that may be missing."""
    return {"anyOf": [schema, {"type": "null"}]}


TEXT: Final[Schema] = {"type": "string"}
NUMBER: Final[Schema] = {"type": "integer"}
FLAG: Final[Schema] = {"type": "boolean"}
MOMENT: Final[Schema] = {"type": "string", "format": "date-time"}


def answers(status: HTTPStatus, meaning: str, schema: Schema) -> Responses:
    """Return the description of a good answer."""
    return {status.value: {"description": meaning, "content": {"application/json": {"schema": schema}}}}


def refusals(error: Schema, *statuses: HTTPStatus) -> Responses:
    """Return the descriptions of refusals: each a problem, whose `errors` are of this schema."""
    problem = an_object({"type": TEXT, "title": TEXT, "status": NUMBER}, {"errors": a_list(error)})
    return {each.value: {"description": _MEANINGS[each], "content": {PROBLEM_TYPE: {"schema": problem}}} for each in statuses}


def describe(app: FastAPI) -> None:
    """Let an application describe no answer that it never gives."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = get_openapi(title=app.title, version=app.version, routes=app.routes)
            for operations in found["paths"].values():
                for operation in operations.values():
                    operation["responses"].pop("422", None)
            schemas = found.get("components", {}).get("schemas", {})
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
            app.openapi_schema = found
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]  # as FastAPI's own documentation has it
