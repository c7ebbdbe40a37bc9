"""Asks one keeper to evaluate blinded values over HTTP, and says why when there is no answer to rely on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any

import httpx2

from signal_exchange.privacy.blinding import Blinded, WrongProofError
from signal_exchange.privacy.evaluating import ANSWER_BYTES, POINT_BYTES, PROOF_BYTES

PATH = "/v1/evaluaties"
UNKNOWN_EPOCH_CODE = "EPOCH_UNKNOWN"
_LONGEST_ANSWER_BYTES = 16_384


class Reason(StrEnum):
    """Reason for having no tokens now. The signal goes without them, with `tokens_pending`."""

    TIMEOUT = "KEEPER_TIMEOUT"
    UNREACHABLE = "KEEPER_UNREACHABLE"
    FAILED = "KEEPER_FAILED"
    REFUSED = "KEEPER_REFUSED"
    QUOTA = "KEEPER_QUOTA"
    UNKNOWN_EPOCH = "UNKNOWN_EPOCH"
    WRONG_PROOF = "WRONG_PROOF"


@dataclass(frozen=True, slots=True)
class NoTokens:
    """Reason for a record without tokens, the keeper that gave it, and the seconds after which a quota lets in again."""

    reason: Reason
    keeper: str
    retry_after_seconds: int | None = None


class KeeperClient:
    """One keeper as this municipality sees it: its address, our bearer token, and its pinned public key per epoch."""

    def __init__(self, name: str, url: str, *, bearer: str, public_keys: Mapping[str, bytes], http: httpx2.Client) -> None:
        self.name = name
        self._url = url.rstrip("/") + PATH
        self._headers = {
            "Authorization": f"Bearer {bearer}",
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
        }
        self._public_keys = public_keys
        self._http = http

    def evaluate(self, epoch: str, inputs: Sequence[bytes]) -> list[bytes] | NoTokens:
        """Return the keeper's output for each of 1 to 16 inputs, verified against its pinned key, or why there is none."""
        if epoch not in self._public_keys:
            return NoTokens(Reason.UNKNOWN_EPOCH, self.name)
        blinded = Blinded.of(inputs)
        try:
            status, headers, body = self._post(_request(epoch, blinded.request))
        except httpx2.TimeoutException:
            return NoTokens(Reason.TIMEOUT, self.name)
        except httpx2.HTTPError:
            return NoTokens(Reason.UNREACHABLE, self.name)
        if status != HTTPStatus.OK:
            return self._refusal(status, headers, body)
        return self._outputs(blinded, epoch, body)

    def _post(self, content: bytes) -> tuple[int, httpx2.Headers, bytes]:
        with self._http.stream("POST", self._url, content=content, headers=self._headers) as response:
            return response.status_code, response.headers, _limited(response)

    def _refusal(self, status: int, headers: httpx2.Headers, body: bytes) -> NoTokens:
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return NoTokens(Reason.QUOTA, self.name, _seconds(headers.get("Retry-After", "")))
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return NoTokens(Reason.FAILED, self.name)
        unknown_epoch = status == HTTPStatus.BAD_REQUEST and UNKNOWN_EPOCH_CODE.encode() in body
        return NoTokens(Reason.UNKNOWN_EPOCH if unknown_epoch else Reason.REFUSED, self.name)

    def _outputs(self, blinded: Blinded, epoch: str, body: bytes) -> list[bytes] | NoTokens:
        try:
            return blinded.finish(_answer(body, epoch), self._public_keys[epoch])
        except WrongProofError:
            return NoTokens(Reason.WRONG_PROOF, self.name)


def _request(epoch: str, points: bytes) -> bytes:
    each = [points[start : start + POINT_BYTES].hex() for start in range(0, len(points), POINT_BYTES)]
    return json.dumps({"epoch": epoch, "punten": each}).encode()


def _limited(response: httpx2.Response) -> bytes:
    body = b""
    for piece in response.iter_bytes():
        body += piece
        if len(body) > _LONGEST_ANSWER_BYTES:
            return b""
    return body


def _answer(body: bytes, epoch: str) -> bytes:
    try:
        fields: Any = json.loads(body)
        proof, points = bytes.fromhex(fields["bewijs"]), [bytes.fromhex(point) for point in fields["punten"]]
        same_epoch = fields["epoch"] == epoch
    except (KeyError, TypeError, ValueError):
        raise WrongProofError from None
    answer = proof + b"".join(points)
    if not same_epoch or len(proof) != PROOF_BYTES or len(answer) != ANSWER_BYTES:
        raise WrongProofError
    return answer


def _seconds(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None
