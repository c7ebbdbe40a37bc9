"""The request to a keeper: an epoch and 16 points, or every error of it at once."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from signal_exchange.privacy.evaluating import POINT_BYTES, POINTS, InvalidPointsError, points_of
from signal_exchange.privacy.keeper_client import UNKNOWN_EPOCH_CODE

_POINT = re.compile(rf"[0-9a-fA-F]{{{2 * POINT_BYTES}}}")
_FIELDS = frozenset({"epoch", "punten"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One error in a request: a JSON pointer, and a code whose text says what to do. It never repeats what was sent."""

    pointer: str
    code: str


NO_JSON = Fault("", "JSON_INVALID")
EPOCH_MISSING = Fault("/epoch", "EPOCH_MISSING")
EPOCH_UNKNOWN = Fault("/epoch", UNKNOWN_EPOCH_CODE)
POINTS_MISSING = Fault("/punten", "POINTS_MISSING")
FIELD_UNKNOWN = Fault("", "FIELD_UNKNOWN")


@dataclass(frozen=True, slots=True)
class Request:
    """A request as read: the epoch (empty when missing), the points one after the other, and every fault."""

    epoch: str
    points: bytes
    faults: tuple[Fault, ...]


def read_request(body: bytes) -> Request:
    """Return the request in a body, with all its faults at once."""
    fields = _object(body)
    if fields is None:
        return Request("", b"", (NO_JSON,))
    epoch, points = fields.get("epoch"), fields.get("punten")
    epoch = epoch if isinstance(epoch, str) else ""
    faults = [*([FIELD_UNKNOWN] if set(fields) - _FIELDS else []), *([] if epoch else [EPOCH_MISSING])]
    read = b"".join(_bytes(point) for point in points) if isinstance(points, list) else b""
    return Request(epoch, read, (*faults, *_faults_of_points(points)))


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def _faults_of_points(points: object) -> tuple[Fault, ...]:
    if not isinstance(points, list) or len(points) != POINTS:
        return (POINTS_MISSING,)
    unreadable = {position for position, point in enumerate(points) if not _bytes(point)}
    # A zero in the place of what cannot be read is no point either, so that one look finds every fault.
    filled = b"".join(_bytes(point) or bytes(POINT_BYTES) for point in points)
    return tuple(Fault(f"/punten/{position}", "POINT_INVALID") for position in sorted(unreadable | _no_points(filled)))


def _no_points(points: bytes) -> set[int]:
    try:
        points_of(points)
    except InvalidPointsError as error:
        return set(error.positions)
    return set()


def _bytes(point: object) -> bytes:
    return bytes.fromhex(point) if isinstance(point, str) and _POINT.fullmatch(point) else b""
