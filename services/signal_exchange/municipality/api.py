"""The REST API of a municipality's node: its own systems deliver signals, and ask where they are.

POST /v1/signalen takes one record or a list, GET /v1/signalen/{reference} tells what became of one. GET /v1/vragen lists the
questions about links; POST /v1/vragen/{number}/inzage opens one and POST /v1/vragen/{number}/antwoord answers it, both with the
officer's name; POST /v1/koppelsleutels/vernieuwing makes link tokens. /v1/openapi.json describes all. Nothing that was sent
is ever repeated in an error.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Final, Literal

from fastapi import Depends, FastAPI, Request, params
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from signal_exchange import words
from signal_exchange.domain.people import Person
from signal_exchange.municipality import api_answers
from signal_exchange.municipality.actions import MunicipalityActions
from signal_exchange.municipality.inbox.questions import WORDS
from signal_exchange.municipality.problem_details import ProblemError, answer_with_problems
from signal_exchange.municipality.publishing.field_faults import unreadable
from signal_exchange.municipality.publishing.importing import RECORD, Line
from signal_exchange.municipality.publishing.json_records import NotJsonError, parsed
from signal_exchange.municipality.publishing.submissions import Outcome, Result
from signal_exchange.municipality.publishing.written_values import understood
from signal_exchange.runtime.http_border import Border
from signal_exchange.runtime.openapi import describe

SIGNALS: Final = "/v1/signalen"
DESCRIPTION: Final = "/v1/openapi.json"
LONGEST_BODY_BYTES: Final = 8_388_608
MOST_RECORDS: Final = 1_000
_STATUS: Final = {
    Outcome.PUBLISHED: HTTPStatus.CREATED,
    Outcome.NEW_VERSION: HTTPStatus.CREATED,
    Outcome.UNCHANGED: HTTPStatus.OK,
    Outcome.REFUSED: HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""What HTTP would say of one record alone."""
_RECORD: Final = {"type": "object", "description": "A municipal record; its fields are those of the examples in the package."}
_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"oneOf": [_RECORD, {"type": "array", "items": _RECORD, "maxItems": MOST_RECORDS}]}}
        },
    },
}
_BEARER: Final = HTTPBearer(auto_error=False, scheme_name="bearer")


class Withdrawal(BaseModel):
    """Why a signal is withdrawn: a code of withdrawal_reason."""

    model_config = ConfigDict(extra="forbid")
    reason: str


class Erasure(BaseModel):
    """Who erases a signal, and the word that it is meant: there is no way back."""

    model_config = ConfigDict(extra="forbid")
    by: str = Field(min_length=1)
    confirmed: Literal[True]


class Opening(BaseModel):
    """Who opens a question about a link."""

    model_config = ConfigDict(extra="forbid")
    by: str = Field(min_length=1)


class Answer(BaseModel):
    """Who answers a question about a link, and what."""

    model_config = ConfigDict(extra="forbid")
    by: str = Field(min_length=1)
    answer: Literal["confirm", "compare", "deny", "undo"]


def create_app(actions: MunicipalityActions, token: str | None) -> FastAPI:
    """Return the web application of a node; without a token it refuses everybody."""
    app = FastAPI(title="Signaalpunt", version="1", docs_url=None, redoc_url=None, openapi_url=DESCRIPTION)
    answer_with_problems(app)
    app.add_middleware(
        Border,
        knows=_knows(token),
        open_paths=frozenset({DESCRIPTION}),
        longest={SIGNALS: LONGEST_BODY_BYTES},
    )
    known = [Depends(_BEARER)]  # says so in the description; the border has looked already

    @app.post(SIGNALS, dependencies=known, openapi_extra=_BODY, status_code=207, responses=api_answers.PUBLISHED)
    async def publish(request: Request, *, confirmed: bool = False) -> JSONResponse:
        """Publish one record or a list of records; the answer has a result for each, in the same order.

        One record that is refused is a bad request, with all its errors; in a list it is one result among the others. A record
        that would change a signal, or contradicts itself, is a conflict that names the fields; with `?confirmed=true` it goes.
        """
        lines, alone = _lines(await request.body())
        results = await run_in_threadpool(lambda: list(actions.publish(lines, changes=confirmed)))
        if alone and results[0].faults:
            status = HTTPStatus.CONFLICT if results[0].asks else HTTPStatus.BAD_REQUEST
            raise ProblemError(status, words.text("http.not_published"), results[0].faults)
        body = {"results": [{"status": _status_of(result).value, **result.to_mapping()} for result in results]}
        return JSONResponse(body, status_code=HTTPStatus.MULTI_STATUS)

    @app.post("/v1/signalen/{reference:path}/intrekking", dependencies=known, responses=api_answers.WITHDRAWN)
    def withdraw(reference: str, wanted: Withdrawal) -> JSONResponse:
        """Withdraw a signal, by its id or its own reference; twice is once."""
        return JSONResponse(asdict(actions.withdraw(reference, wanted.reason)))

    @app.post("/v1/signalen/{reference:path}/vernietiging", dependencies=known, status_code=202, responses=api_answers.ERASED)
    def erase(reference: str, wanted: Erasure) -> JSONResponse:
        """Erase a signal for good, here and at every receiver; the certificate follows under /v1/vernietigingen/{signal_id}."""
        return JSONResponse(jsonable_encoder(actions.erase(reference, Person(wanted.by))), status_code=HTTPStatus.ACCEPTED)

    @app.get("/v1/vernietigingen/{signal_id}", dependencies=known, responses=api_answers.CERTIFICATE)
    def certificate(signal_id: str) -> JSONResponse:
        """Tell how far an erasure is, with the certificate once the exchange gave it."""
        return JSONResponse(jsonable_encoder(actions.certificate(signal_id)))

    _serve_links(app, actions, known)

    @app.get("/v1/signalen/{reference:path}", dependencies=known, responses=api_answers.TRACED)
    def trace(reference: str) -> JSONResponse:
        """Tell where a signal is, which rule sent it there and what came back, by its id or its own reference."""
        return JSONResponse(actions.trace(reference))

    describe(app)
    return app


def _serve_links(app: FastAPI, actions: MunicipalityActions, known: Sequence[params.Depends]) -> None:
    """Serve what an attention officer does about links: questions, answers, and link tokens anew."""

    @app.get("/v1/vragen", dependencies=known, responses=api_answers.QUESTIONS)
    def questions() -> JSONResponse:
        """List the questions about links by number, signal and state, and never what they say."""
        return JSONResponse(jsonable_encoder(actions.questions()))

    @app.post("/v1/vragen/{number}/inzage", dependencies=known, responses=api_answers.OPENED)
    def show(number: str, wanted: Opening) -> JSONResponse:
        """Open one question for an officer, which is recorded and counted."""
        return JSONResponse(jsonable_encoder(actions.open_question(number, Person(wanted.by))))

    @app.post("/v1/vragen/{number}/antwoord", dependencies=known, status_code=201, responses=api_answers.ANSWERED)
    def answer(number: str, given: Answer) -> JSONResponse:
        """Answer one question: confirm, compare, deny or undo. Twice is once."""
        answered = actions.answer(number, WORDS[given.answer], Person(given.by))
        return JSONResponse(asdict(answered), status_code=HTTPStatus.OK if answered.already else HTTPStatus.CREATED)

    @app.post("/v1/koppelsleutels/vernieuwing", dependencies=known, responses=api_answers.RENEWED)
    def renew() -> JSONResponse:
        """Make the link tokens that are pending or of an earlier epoch; the node does so by itself as well."""
        return JSONResponse(asdict(actions.renew_tokens()))


def _status_of(result: Result) -> HTTPStatus:
    return HTTPStatus.CONFLICT if result.asks else _STATUS[result.outcome]


def _knows(token: str | None) -> Callable[[str], bool]:
    return lambda given: token is not None and hmac.compare_digest(given.encode(), token.encode())


def _lines(body: bytes) -> tuple[list[Line], bool]:
    """Return the records of a request, and whether it was one record and no list."""
    try:
        value = parsed(body)
    except NotJsonError as fault:
        raise ProblemError(HTTPStatus.BAD_REQUEST, words.text("http.no_json"), [unreadable(fault.cause)]) from None
    records = value if isinstance(value, list) else [value]
    if len(records) > MOST_RECORDS:
        raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, words.text("http.too_many", most=MOST_RECORDS))
    lines = [Line(place, "", understood(record), unit=RECORD) for place, record in enumerate(records, start=1)]
    return lines, not isinstance(value, list)
