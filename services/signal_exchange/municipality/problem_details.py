"""Refusals of the REST API as problem details (RFC 9457), all errors of a request together, and never a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from signal_exchange import words
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.municipality.publishing.field_faults import NOT_A_RECORD, RECORD, UNKNOWN_REASON, FieldFault
from signal_exchange.runtime.faults import WorldUnavailableError
from signal_exchange.runtime.http_border import problem
from signal_exchange.words import sentence


class ProblemError(Exception):
    """A request that is refused: status, one Dutch sentence, and the errors that were found."""

    def __init__(self, status: HTTPStatus, title: str, faults: Sequence[FieldFault] = ()) -> None:
        super().__init__(title)
        self.status, self.title, self.faults = status, title, faults


def answer_with_problems(app: FastAPI) -> None:
    """Let every refusal of an application, the framework's own too, be a problem."""
    app.add_exception_handler(ProblemError, _of_problem)
    app.add_exception_handler(RefusedError, _of_refused)
    app.add_exception_handler(RequestValidationError, _of_body)
    app.add_exception_handler(WorldUnavailableError, _of_world)
    app.add_exception_handler(HTTPException, _of_framework)


async def _of_problem(_request: Request, fault: Exception) -> Response:
    assert isinstance(fault, ProblemError)  # noqa: S101 - registered for this type
    return _answer(fault.status, fault.title, fault.faults)


async def _of_refused(_request: Request, fault: Exception) -> Response:
    assert isinstance(fault, RefusedError)  # noqa: S101 - registered for this type
    if fault.code == "WITHDRAWAL_REASON_UNKNOWN":
        return _answer(HTTPStatus.BAD_REQUEST, sentence(fault), [UNKNOWN_REASON])
    return _answer(HTTPStatus.NOT_FOUND, sentence(fault))


async def _of_body(_request: Request, fault: Exception) -> Response:
    assert isinstance(fault, RequestValidationError)  # noqa: S101 - registered for this type
    names = sorted({str(error["loc"][-1]) if error["type"] != "extra_forbidden" else RECORD for error in fault.errors()})
    wrong = [FieldFault(name, NOT_A_RECORD.rule, NOT_A_RECORD.code) for name in names]
    return _answer(HTTPStatus.BAD_REQUEST, words.text("http.wrong"), wrong)


async def _of_world(_request: Request, _fault: Exception) -> Response:
    return _answer(HTTPStatus.SERVICE_UNAVAILABLE, words.text("http.store_silent"), headers={"Retry-After": "5"})


async def _of_framework(_request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)  # noqa: S101 - registered for this type
    status = HTTPStatus(fault.status_code)
    titles = {HTTPStatus.NOT_FOUND: "http.no_resource", HTTPStatus.METHOD_NOT_ALLOWED: "http.no_method"}
    return _answer(status, words.text(titles.get(status, "http.wrong")), headers=dict(fault.headers or {}))


def _answer(
    status: HTTPStatus, title: str, faults: Sequence[FieldFault] = (), headers: Mapping[str, str] | None = None
) -> Response:
    return problem(status, title, [fault.to_mapping() for fault in faults], headers)
