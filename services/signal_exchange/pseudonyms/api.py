"""The keeper's API: blinded points in, evaluated points and a proof out (POST /v1/evaluaties), public keys (GET /v1/sleutels)."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from signal_exchange.domain.ids import MunicipalityCode
from signal_exchange.privacy.evaluating import POINT_BYTES, POINTS, PROOF_BYTES, EpochKey
from signal_exchange.pseudonyms.keeper import Keeper, QuotaUsedUp
from signal_exchange.pseudonyms.requests import EPOCH_UNKNOWN, Fault, read_request
from signal_exchange.runtime.faults import StoreUnavailable
from signal_exchange.runtime.http_border import Border, bearer_in
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
        refused=_refused,
        open_paths=frozenset({KEYS, READY, "/openapi.json"}),
        longest={EVALUATIONS: LONGEST_BODY_BYTES},
    )

    @app.post(EVALUATIONS, openapi_extra=_BODY, responses=_EVALUATED)
    async def evaluate(request: Request) -> Response:
        """Evaluate exactly 16 blinded points for a municipality."""
        municipality = keeper.municipality(bearer_in(request.headers))
        if municipality is None:  # its token was taken away meanwhile
            return _refused(HTTPStatus.UNAUTHORIZED)
        try:
            return await run_in_threadpool(_answer, keeper, municipality, await request.body())
        except StoreUnavailable:
            return _problem(HTTPStatus.SERVICE_UNAVAILABLE, "De teller is niet bereikbaar; probeer het later opnieuw.")

    @app.get(KEYS, responses=_KEYS)
    def keys() -> dict[str, list[dict[str, str]]]:
        """Return every public key; a client trusts only the keys of the participants' register."""
        return {"sleutels": [_published(held.key, held.first_day.isoformat(), held.last_day.isoformat()) for held in keeper.keys]}

    @app.get(READY, include_in_schema=False)
    def ready() -> Response:
        """Say whether this keeper evaluates now."""
        return _health(_works(keeper))

    describe(app)
    return app


def _works(keeper: Keeper) -> bool:
    try:
        return keeper.works()
    except StoreUnavailable:
        return False


def _health(good: bool) -> Response:  # noqa: FBT001 - the verdict itself
    status = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
    return JSONResponse({"status": "pass" if good else "fail"}, status_code=status, media_type="application/health+json")


def _answer(keeper: Keeper, municipality: MunicipalityCode, body: bytes) -> Response:
    request = read_request(body)
    key = keeper.key(request.epoch)
    faults = (*request.faults, *([EPOCH_UNKNOWN] if request.epoch and key is None else []))
    if faults or key is None:
        keeper.refuse(municipality)
        return _problem(HTTPStatus.BAD_REQUEST, "De aanvraag is onjuist.", faults=faults)
    answer = keeper.evaluate(municipality, key, request.points)
    if isinstance(answer, QuotaUsedUp):
        wait = {"Retry-After": str(answer.retry_after_seconds)}
        return _problem(HTTPStatus.TOO_MANY_REQUESTS, "Het quotum van deze gemeente is op.", headers=wait)
    log("points_evaluated", municipality=municipality, count=POINTS)
    return JSONResponse(_evaluation(key.epoch, answer))


def _evaluation(epoch: str, answer: bytes) -> dict[str, Any]:
    starts = range(PROOF_BYTES, len(answer), POINT_BYTES)
    points = [answer[start : start + POINT_BYTES].hex() for start in starts]
    return {"epoch": epoch, "bewijs": answer[:PROOF_BYTES].hex(), "punten": points}


def _published(key: EpochKey, first_day: str, last_day: str) -> dict[str, str]:
    return {"epoch": key.epoch, "publieke_sleutel": key.public_key.hex(), "van": first_day, "tot_en_met": last_day}


def _refused(status: HTTPStatus) -> JSONResponse:
    if status is HTTPStatus.UNAUTHORIZED:
        return _problem(status, "Onbekend bearer-token.", headers={"WWW-Authenticate": "Bearer"})
    return _problem(status, "De body is te groot.")


def _problem(
    status: HTTPStatus, title: str, *, faults: Sequence[Fault] = (), headers: dict[str, str] | None = None
) -> JSONResponse:
    log("request_refused", status=status.value, reason=faults[0].code if faults else status.name)
    content: dict[str, Any] = {"type": "about:blank", "title": title, "status": status.value}
    if faults:
        content["errors"] = [_error(fault) for fault in faults]
    return JSONResponse(content, status_code=status, headers=headers, media_type="application/problem+json")


def _error(fault: Fault) -> dict[str, Any]:
    return {"in": "body", "location": {"pointer": f"#{fault.pointer}"}, "code": fault.code, "detail": fault.detail}
