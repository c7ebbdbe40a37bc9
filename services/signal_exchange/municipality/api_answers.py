"""The answers of the REST API of a node, as its OpenAPI description has it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from signal_exchange.municipality.publishing.submissions import Outcome
from signal_exchange.runtime.openapi import (
    FLAG,
    MOMENT,
    NUMBER,
    TEXT,
    Responses,
    Schema,
    a_list,
    an_object,
    answers,
    or_null,
    refusals,
)

_ERROR: Final[Schema] = {
    **an_object({"field": TEXT, "rule": TEXT, "code": TEXT}),
    "additionalProperties": TEXT,
    "description": "Field, rule and code of validation_error; what else it says depends on the code, and is never a value.",
}
_WARNING: Final = an_object({"field": TEXT, "code": TEXT, "text": TEXT})
_RESULT: Final = an_object({
    "line": NUMBER,
    "status": {"type": "integer", "description": "What HTTP would say of this record alone."},
    "outcome": {"type": "string", "enum": [each.value for each in Outcome]},
    "signal_id": or_null(TEXT),
    "version": or_null(NUMBER),
    "warnings": a_list(_WARNING),
    "errors": a_list(_ERROR),
})  # fmt: skip
_ANYTHING: Final[Schema] = {"type": "object", "additionalProperties": True}
_ERASED: Final = {"signal_id": TEXT, "version": NUMBER, "erased_at": MOMENT, "who": TEXT, "left": FLAG}
_QUESTION: Final = {
    "number": TEXT,
    "question_id": TEXT,
    "signal_id": TEXT,
    "version": NUMBER,
    "state": TEXT,
    "asked_at": MOMENT,
    "answer": or_null(TEXT),
    "answered_at": or_null(MOMENT),
}
_READS: Final = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_WRITES: Final = (*_READS, HTTPStatus.BAD_REQUEST)


def _read(status: HTTPStatus, meaning: str, schema: Schema) -> Responses:
    return {**answers(status, meaning, schema), **refusals(_ERROR, *_READS)}


def _written(status: HTTPStatus, meaning: str, schema: Schema) -> Responses:
    return {**answers(status, meaning, schema), **refusals(_ERROR, *_WRITES)}


PUBLISHED: Final = {
    **_written(HTTPStatus.MULTI_STATUS, "A result for each record, in the same order.", an_object({"results": a_list(_RESULT)})),
    **refusals(_ERROR, HTTPStatus.CONFLICT),
}
WITHDRAWN: Final = _written(
    HTTPStatus.OK, "The signal is withdrawn.", an_object({"signal_id": TEXT, "version": NUMBER, "already": FLAG})
)
ERASED: Final = _written(
    HTTPStatus.ACCEPTED,
    "The signal is erased here, and on its way to every receiver.",
    an_object(_ERASED),
)
CERTIFICATE: Final = _read(
    HTTPStatus.OK,
    "How far the erasure is.",
    an_object(
        {
            **_ERASED,
            "state": TEXT,
            "receipts": {"type": "object", "additionalProperties": TEXT},
            "certificate": or_null(_ANYTHING),
        }
    ),
)
TRACED: Final = _read(
    HTTPStatus.OK,
    "Where the signal is: what waits to be sent, what was received, each step, and what came back.",
    an_object(
        {
            "signal_id": TEXT,
            "version": NUMBER,
            "state": TEXT,
            "recorded_at": MOMENT,
            "changed_at": MOMENT,
            "waiting": a_list(_ANYTHING),
            "received": a_list(_ANYTHING),
            "steps": a_list(_ANYTHING),
            "outcomes": a_list(_ANYTHING),
        }
    ),
)
QUESTIONS: Final = _read(HTTPStatus.OK, "The questions about links.", a_list(an_object(_QUESTION)))
OPENED: Final = _written(HTTPStatus.OK, "The question, with what it says.", an_object(_QUESTION, open_ended=True))
_ANSWER: Final = an_object({"number": TEXT, "signal_id": TEXT, "kind": TEXT, "already": FLAG})
ANSWERED: Final = {
    **_written(HTTPStatus.CREATED, "The answer is recorded and goes to the exchange.", _ANSWER),
    **answers(HTTPStatus.OK, "It was answered so before.", _ANSWER),
}
RENEWED: Final = _written(
    HTTPStatus.OK, "How many signals got new link tokens.", an_object({"count": NUMBER, "waits": or_null(TEXT)})
)
