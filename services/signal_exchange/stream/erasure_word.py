"""The word on which an erasure rests: the municipality's own signed SignalErased, carried along byte for byte (R-RET-03).

Whoever destroys something checks it itself: no service, and nobody who holds a service's password, can say it in the place of the
municipality (docs/decisions/0023).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from signal_exchange.contracts.cloud_events import Headers, signature_headers
from signal_exchange.contracts.codec import decode_as
from signal_exchange.contracts.faults import UndecodableError
from signal_exchange.contracts.records import SIGNAL_ERASED, SignalErased, SignedWord
from signal_exchange.privacy.register import Register
from signal_exchange.stream.messages import Incoming

UNPROVEN: Final = "ERASURE_UNPROVEN"
"""Why an order to erase is parked when it does not carry the word of the signal's municipality."""
WORD_HEADER: Final = "erasure-word"
"""Header of a tombstone that carries the signed value; `signature` and `signing-key` are as on the topic `signals`."""


def word_of(erased: Incoming) -> SignedWord:
    """Return the word that a SignalErased is, whose signature was verified."""
    key_id = erased.headers["signing-key"].decode()
    return SignedWord(value=erased.value or b"", signature=erased.headers["signature"], key_id=key_id)


def headers_of(word: SignedWord | None) -> Headers:
    """Return the headers by which a tombstone carries a word."""
    if word is None:
        return []
    return [(WORD_HEADER, word["value"]), *signature_headers(word["signature"], word["key_id"])]


def word_in(headers: Mapping[str, bytes]) -> SignedWord | None:
    """Return the word that a tombstone carries, if it does."""
    value, signature, key_id = (headers.get(name) for name in (WORD_HEADER, "signature", "signing-key"))
    if value is None or signature is None or key_id is None:
        return None
    return SignedWord(value=value, signature=signature, key_id=key_id.decode("utf-8", "replace"))


def fault_of(word: SignedWord | None, *, signal_id: str, municipality: str, register: Register) -> str | None:
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
    said = said_in(word)
    fits = said is not None and (said["signal_id"], said["municipality"]) == (signal_id, municipality)
    return None if fits else "word.value R-RET-03"


def said_in(word: SignedWord) -> SignalErased | None:
    """Return the content of a word, unchecked; None when it says nothing about an erasure."""
    try:
        return decode_as(word["value"], SIGNAL_ERASED)
    except UndecodableError:
        return None
