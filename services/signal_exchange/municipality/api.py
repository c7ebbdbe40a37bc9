"""The REST API of a municipality's node: its own systems deliver signals, and ask where they are.

POST /v1/signalen takes one record or a list, GET /v1/signalen/{reference} tells what became of one, and /v1/openapi.json
describes both. Nothing that was sent is ever repeated in an error.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from signal_exchange.municipality.cases import Outcome, Result
from signal_exchange.municipality.importing import Line, parsed
from signal_exchange.municipality.problems import Problem, answer_with_problems
from signal_exchange.municipality.refusals import NOT_A_RECORD

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

Publish = Callable[[Iterable[Line]], Iterator[Result]]
Trace = Callable[[str], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Api:
    """What the API does its work with. Without a token it refuses everybody."""

    publish: Publish
    trace: Trace
    token: str | None


def create_app(api: Api) -> FastAPI:
    """Return the web application of a node."""
    app = FastAPI(title="Signaalpunt", version="1", docs_url=None, redoc_url=None, openapi_url="/v1/openapi.json")
    answer_with_problems(app)
    known = [Depends(_require_token(api.token))]

    @app.post("/v1/signalen", dependencies=known, openapi_extra=_BODY, response_class=JSONResponse, status_code=207)
    async def publish(request: Request) -> JSONResponse:
        """Publish one record or a list of records; the answer has a result for each, in the same order.

        One record that is refused is a bad request, with all its errors; in a list it is one result among the others.
        """
        lines, alone = _lines(await _limited_body(request))
        results = await run_in_threadpool(lambda: list(api.publish(lines)))
        if alone and results[0].refusals:
            raise Problem(HTTPStatus.BAD_REQUEST, "Het signaal is niet gepubliceerd.", results[0].refusals)
        body = {"results": [{"status": _STATUS[result.outcome].value, **result.to_mapping()} for result in results]}
        return JSONResponse(body, status_code=HTTPStatus.MULTI_STATUS)

    @app.get("/v1/signalen/{reference:path}", dependencies=known)
    def trace(reference: str) -> JSONResponse:
        """Tell where a signal is, which rule sent it there and what came back, by its id or its own reference."""
        return JSONResponse(dict(api.trace(reference)))

    return app


def _require_token(token: str | None) -> Callable[..., None]:
    def check(given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> None:
        known = token is not None and given is not None and hmac.compare_digest(given.credentials.encode(), token.encode())
        if not known:
            raise Problem(HTTPStatus.UNAUTHORIZED, "Onbekend bearer-token.")

    return check


async def _limited_body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST_BODY_BYTES:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "De aanvraag is te groot.")
    return bytes(body)


def _lines(body: bytes) -> tuple[list[Line], bool]:
    """Return the records of a request, and whether it was one record and no list."""
    try:
        value = parsed(body)
    except ValueError:
        raise Problem(HTTPStatus.BAD_REQUEST, "De aanvraag is geen JSON.", [NOT_A_RECORD]) from None
    records = value if isinstance(value, list) else [value]
    if len(records) > MOST_RECORDS:
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Een aanvraag bevat ten hoogste {MOST_RECORDS} signalen.")
    return [Line(place, "", record) for place, record in enumerate(records, start=1)], not isinstance(value, list)
