"""The word on which an erasure rests: the municipality's own signed SignalErased, carried along byte for byte (R-RET-03).

Whoever destroys something checks it itself: no service, and nobody who holds a service's password, can say it in the place of the
municipality (docs/decisions/0023).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from signal_exchange.contracts.codec import decode
from signal_exchange.contracts.faults import Undecodable
from signal_exchange.privacy.register import Register
from signal_exchange.stream.messages import Incoming

UNPROVEN: Final = "ERASURE_UNPROVEN"
"""Why an order to erase is parked when it does not carry the word of the signal's municipality."""
READER: Final = "erasure"
Word = Mapping[str, Any]
"""A SignedWord, as fields: `value`, `signature` and `key_id`."""


def word_of(erased: Incoming) -> Word:
    """Return the word that a SignalErased is, whose signature was verified."""
    return {"value": erased.value, "signature": erased.headers["signature"], "key_id": erased.headers["signing-key"].decode()}


def fault_of(word: Word | None, *, signal_id: str, municipality: str, register: Register) -> str | None:
    """Return why a word is not that of this municipality to erase this very signal, as field and rule; None when it is.

    Every key counts that the register ever gave to the municipality, also one that ended and when it has left: what was erased
    once must be erased again from every back-up.
    """
    if word is None:
        return "word R-RET-03"
    key = register.key_ever_given(municipality, word["key_id"])
    if key is None:
        return "word.key_id R-RET-03"
    if not key.verify(word["value"], word["signature"]):
        return "word.signature R-RET-03"
    said = _said(word["value"])
    fits = said is not None and (said["signal_id"], said["municipality"]) == (signal_id, municipality)
    return None if fits else "word.value R-RET-03"


def _said(value: bytes) -> Mapping[str, Any] | None:
    try:
        return decode(value, READER).fields
    except Undecodable:
        return None
