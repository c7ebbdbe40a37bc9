"""The keeper's API: blinded points in, evaluated points and a proof out (POST /v1/evaluaties), public keys (GET /v1/sleutels)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from signal_exchange import words
from signal_exchange.domain.ids import MunicipalityCode
from signal_exchange.privacy.evaluating import POINT_BYTES, POINTS, PROOF_BYTES
from signal_exchange.pseudonyms.keeper import Keeper, QuotaUsedUp
from signal_exchange.pseudonyms.keys import HeldKey
from signal_exchange.pseudonyms.requests import EPOCH_UNKNOWN, Fault, read_request
from signal_exchange.runtime.faults import StoreUnavailableError
from signal_exchange.runtime.http_border import Border, bearer_in, problem, unknown_bearer
from signal_exchange.runtime.logs import log
from signal_exchange.runtime.openapi import TEXT, Schema, a_list, an_object, answers, describe, refusals

EVALUATIONS, KEYS, READY = "/v1/evaluaties", "/v1/sleutels", "/health/ready"
LONGEST_BODY_BYTES = 4096
_POINTS: Schema = {**a_list(TEXT), "minItems": POINTS, "maxItems": POINTS}
_BODY = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": an_object({"epoch": TEXT, "punten": _POINTS})}}}
}
_ERROR = an_object({"in": TEXT, "location": an_object({"pointer": TEXT}), "code": TEXT, "detail": TEXT})
_EVALUATED = {
    **answers(
        HTTPStatus.OK, "The evaluated points, and the proof.", an_object({"epoch": TEXT, "bewijs": TEXT, "punten": _POINTS})
    ),
    **refusals(
        _ERROR,
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
}
_KEY = an_object({"epoch": TEXT, "publieke_sleutel": TEXT, "van": TEXT, "tot_en_met": TEXT})
_KEYS = {
    **answers(HTTPStatus.OK, "Every public key.", an_object({"sleutels": a_list(_KEY)})),
    **refusals(_ERROR, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
}


def create_app(keeper: Keeper) -> FastAPI:
    """Return the web application of a keeper."""
    app = FastAPI(title="Sleutelbewaarder", version="1", docs_url=None, redoc_url=None)
    app.add_middleware(
        Border,
        knows=lambda bearer: keeper.municipality(bearer) is not None,
        too_large="http.body_too_large",
        open_paths=frozenset({KEYS, READY, "/openapi.json"}),
        longest={EVALUATIONS: LONGEST_BODY_BYTES},
    )

    @app.post(EVALUATIONS, openapi_extra=_BODY, responses=_EVALUATED)
    async def evaluate(request: Request) -> Response:
        """Evaluate exactly 16 blinded points for a municipality."""
        municipality = keeper.municipality(bearer_in(request.headers))
        if municipality is None:  # its token was taken away meanwhile
            return unknown_bearer()
        try:
            return await run_in_threadpool(_answer, keeper, municipality, await request.body())
        except StoreUnavailableError:
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, words.text("http.counter_silent"))

    @app.get(KEYS, responses=_KEYS)
    def keys() -> dict[str, list[dict[str, str]]]:
        """Return every public key; a client trusts only the keys of the participants' register."""
        return {"sleutels": [*map(_published, keeper.keys)]}

    @app.get(READY, include_in_schema=False)
    def ready() -> Response:
        """Say whether this keeper evaluates now."""
        try:
            works = keeper.works()
        except StoreUnavailableError:
            works = False
        status = HTTPStatus.OK if works else HTTPStatus.SERVICE_UNAVAILABLE
        return JSONResponse({"status": "pass" if works else "fail"}, status, media_type="application/health+json")

    describe(app)
    return app


def _answer(keeper: Keeper, municipality: MunicipalityCode, body: bytes) -> Response:
    request = read_request(body)
    key = keeper.key(request.epoch)
    faults = (*request.faults, *([EPOCH_UNKNOWN] if request.epoch and key is None else []))
    if faults or key is None:
        keeper.refuse(municipality)
        return problem(HTTPStatus.BAD_REQUEST, words.text("http.wrong"), [_error(fault) for fault in faults])
    answer = keeper.evaluate(municipality, key, request.points)
    if isinstance(answer, QuotaUsedUp):
        wait = {"Retry-After": str(answer.retry_after_seconds)}
        return problem(HTTPStatus.TOO_MANY_REQUESTS, words.text("http.quota_used_up"), headers=wait)
    log("points_evaluated", municipality=municipality, count=POINTS)
    return JSONResponse(_evaluation(key.epoch, answer))


def _evaluation(epoch: str, answer: bytes) -> dict[str, Any]:
    starts = range(PROOF_BYTES, len(answer), POINT_BYTES)
    points = [answer[start : start + POINT_BYTES].hex() for start in starts]
    return {"epoch": epoch, "bewijs": answer[:PROOF_BYTES].hex(), "punten": points}


def _published(held: HeldKey) -> dict[str, str]:
    days = {"van": held.first_day.isoformat(), "tot_en_met": held.last_day.isoformat()}
    return {"epoch": held.key.epoch, "publieke_sleutel": held.key.public_key.hex(), **days}


def _error(fault: Fault) -> dict[str, Any]:
    return {"in": "body", "location": {"pointer": f"#{fault.pointer}"}, "code": fault.code, "detail": words.text(fault.code)}
