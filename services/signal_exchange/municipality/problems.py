"""Refusals of the REST API as problem details (RFC 9457), all errors of a request together, and never a value."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from signal_exchange.municipality.refusals import NOT_A_RECORD, RECORD, UNKNOWN_REASON, Refusal
from signal_exchange.municipality.withdrawing import UnknownReason
from signal_exchange.runtime import logs
from signal_exchange.runtime.faults import Refused, WorldUnavailable

MEDIA_TYPE: Final = "application/problem+json"


class Problem(Exception):  # noqa: N818 - says what the answer is
    """A request that is refused: status, one Dutch sentence, and the errors that were found."""

    def __init__(self, status: HTTPStatus, title: str, refusals: Sequence[Refusal] = ()) -> None:
        super().__init__(title)
        self.status, self.title, self.refusals = status, title, refusals


def answer_with_problems(app: FastAPI) -> None:
    """Let every refusal of an application, the framework's own too, be a problem."""
    app.add_exception_handler(Problem, _of_problem)
    app.add_exception_handler(UnknownReason, _of_reason)
    app.add_exception_handler(Refused, _of_refused)
    app.add_exception_handler(RequestValidationError, _of_body)
    app.add_exception_handler(WorldUnavailable, _of_world)
    app.add_exception_handler(HTTPException, _of_framework)


def as_answer(problem: Problem) -> JSONResponse:
    """Return a problem as the answer to a request."""
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == HTTPStatus.UNAUTHORIZED else None
    return _answer(problem.status, problem.title, problem.refusals, headers)


async def _of_problem(_request: Request, fault: Exception) -> JSONResponse:
    assert isinstance(fault, Problem)  # noqa: S101 - registered for this type
    return as_answer(fault)


async def _of_refused(_request: Request, fault: Exception) -> JSONResponse:
    return _answer(HTTPStatus.NOT_FOUND, str(fault))


async def _of_reason(_request: Request, fault: Exception) -> JSONResponse:
    return _answer(HTTPStatus.BAD_REQUEST, str(fault), [UNKNOWN_REASON])


async def _of_body(_request: Request, fault: Exception) -> JSONResponse:
    assert isinstance(fault, RequestValidationError)  # noqa: S101 - registered for this type
    names = sorted({str(error["loc"][-1]) if error["type"] != "extra_forbidden" else RECORD for error in fault.errors()})
    wrong = [Refusal(name, NOT_A_RECORD.rule, NOT_A_RECORD.code) for name in names]
    return _answer(HTTPStatus.BAD_REQUEST, "De aanvraag is onjuist.", wrong)


async def _of_world(_request: Request, _fault: Exception) -> JSONResponse:
    return _answer(
        HTTPStatus.SERVICE_UNAVAILABLE, "De opslag antwoordt niet; probeer het later opnieuw.", headers={"Retry-After": "5"}
    )


async def _of_framework(_request: Request, fault: Exception) -> JSONResponse:
    assert isinstance(fault, HTTPException)  # noqa: S101 - registered for this type
    status = HTTPStatus(fault.status_code)
    titles = {HTTPStatus.NOT_FOUND: "Deze bron bestaat niet.", HTTPStatus.METHOD_NOT_ALLOWED: "Deze methode bestaat hier niet."}
    return _answer(status, titles.get(status, "De aanvraag is onjuist."), headers=dict(fault.headers or {}))


def _answer(
    status: HTTPStatus, title: str, refusals: Sequence[Refusal] = (), headers: dict[str, str] | None = None
) -> JSONResponse:
    logs.log("request_refused", status=status.value, reason=refusals[0].code if refusals else status.name)
    content: dict[str, Any] = {"type": "about:blank", "title": title, "status": status.value}
    if refusals:
        content["errors"] = [refusal.to_mapping() for refusal in refusals]
    return JSONResponse(content, status_code=status, headers=headers, media_type=MEDIA_TYPE)
