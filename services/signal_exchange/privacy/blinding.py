"""A municipality's side of the link tokens: it blinds its values, and checks and unblinds a keeper's answer (RFC 9497)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from voprf.ristretto import Client, PublicKey, VerifiableBatchOutput

from signal_exchange.privacy.evaluating import POINTS

_PADDING_BYTES = 32


class WrongProofError(Exception):
    """The answer does not prove that the keeper used its pinned key. No output of it may be used."""

    def __init__(self) -> None:
        super().__init__("The keeper's proof does not fit its pinned key.")


@dataclass(frozen=True, slots=True)
class Blinded:
    """Values blinded for one request to one keeper, padded to 16 points so that a keeper cannot count."""

    request: bytes = field(repr=False)
    _values: int = field(repr=False)
    _clients: tuple[Client, ...] = field(repr=False)

    @classmethod
    def of(cls, inputs: Sequence[bytes]) -> Self:
        """Blind 1 to 16 inputs with fresh randomness; blind again for every keeper.

        The points that pad a request are of random values. More than 16 inputs is a ValueError.
        """
        if not 0 < len(inputs) <= POINTS:
            raise ValueError(f"A request holds 1 to {POINTS} values.")
        padding = [os.urandom(_PADDING_BYTES) for _ in range(POINTS - len(inputs))]
        clients, points = zip(*(Client.blind(value) for value in [*inputs, *padding]), strict=True)
        return cls(b"".join(point.serialize() for point in points), len(inputs), clients)

    def finish(self, answer: bytes, public_key: bytes) -> list[bytes]:
        """Return the keeper's output, of 64 bytes, for each input.

        Raises:
            WrongProofError: the answer is cut, changed, or made with another key than this one.
        """
        try:
            output, key = VerifiableBatchOutput.deserialize(answer), PublicKey.deserialize(public_key)
            return Client.finalize_batch(self._clients, output, key)[: self._values]
        except ValueError:
            raise WrongProofError from None
        except BaseException as error:
            # The library panics on a wrong proof, and a panic is no Exception.
            if type(error).__name__ != "PanicException":
                raise
            raise WrongProofError from None
