"""A keeper's side of the link tokens: it evaluates blinded points and proves that it used its published key (RFC 9497).

The suite is ristretto255-SHA512 in verifiable mode. A point says nothing about the value behind it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from voprf.ristretto import BlindedInput, Evaluator

from signal_exchange.privacy.keys import bytes_of_hex, text_of

POINTS, POINT_BYTES, PROOF_BYTES, SEED_BYTES = 16, 32, 64, 32
REQUEST_BYTES, ANSWER_BYTES = POINTS * POINT_BYTES, PROOF_BYTES + POINTS * POINT_BYTES


class InvalidPointsError(ValueError):
    """A request that is not 16 points of the group. `positions` are the wrong ones; empty when the number is wrong."""

    def __init__(self, positions: tuple[int, ...] = ()) -> None:
        super().__init__(f"A request holds {POINTS} valid points.")
        self.positions = positions


@dataclass(frozen=True, slots=True)
class EpochKey:
    """A keeper's private key of one epoch: RFC 9497 DeriveKeyPair of a random seed, with the epoch as key info."""

    epoch: str
    seed: bytes = field(repr=False)
    _evaluator: Evaluator = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_evaluator", Evaluator.from_seed(self.seed, self.epoch.encode()))

    @classmethod
    def generate(cls, epoch: str) -> Self:
        """Return a new key for an epoch such as 2026H2."""
        return cls(epoch, os.urandom(SEED_BYTES))

    @classmethod
    def from_mapping(cls, fields: Mapping[str, str]) -> Self:
        """Return the key that `to_mapping` wrote.

        Raises:
            UnusableKeyError: a field is missing or is no seed.
        """
        return cls(text_of(fields, "epoch"), bytes_of_hex(fields, "seed", length=SEED_BYTES))

    def to_mapping(self) -> dict[str, str]:
        """Return the key as JSON-safe fields. Whoever holds those of both keepers can try out values."""
        return {"epoch": self.epoch, "seed": self.seed.hex()}

    @property
    def public_key(self) -> bytes:
        """Return the public key, of 32 bytes, that the register pins."""
        return self._evaluator.public_key.serialize()

    def evaluate(self, request: bytes) -> bytes:
        """Return the proof (64 bytes) and the 16 evaluated points (32 bytes each) for 16 blinded points.

        Raises:
            InvalidPointsError: another number of points, or points that are not of the group; all positions together.
        """
        return self._evaluator.evaluate_batch(points_of(request)).serialize()


def points_of(request: bytes) -> list[BlindedInput]:
    """Return the points of a request.

    Raises:
        InvalidPointsError: see `EpochKey.evaluate`.
    """
    if len(request) != REQUEST_BYTES:
        raise InvalidPointsError
    read = [_point(request[start : start + POINT_BYTES]) for start in range(0, REQUEST_BYTES, POINT_BYTES)]
    points = [point for point in read if point is not None]
    if len(points) != POINTS:
        raise InvalidPointsError(tuple(position for position, point in enumerate(read) if point is None))
    return points


def _point(data: bytes) -> BlindedInput | None:
    try:
        return BlindedInput.deserialize(data)
    except ValueError:
        return None
