"""The signed value: what the sender says of itself around a signal, encoded and signed once, and the headers beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from signal_exchange.contracts import cloud_events
from signal_exchange.contracts.codec import encode
from signal_exchange.contracts.records import Envelope
from signal_exchange.privacy.signing import SigningKey

TOPIC: Final = "signals"
_PLACEHOLDER_RUN: Final = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class Signed:
    """A value with its signature: sent as it is, and again the same when the exchange does not confirm it."""

    value: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    key_id: str


@dataclass(frozen=True, slots=True)
class Signer:
    """Completes and signs what a municipality sends. `source` is its CloudEvents source."""

    key: SigningKey
    source: str

    def sign(self, record: str, fields: Mapping[str, object], *, at: datetime, run: str, sequence: int) -> Signed:
        """Return the record under this number, encoded and signed."""
        value = encode(record, {"envelope": _envelope(record, at, run, sequence, self.key.key_id), **fields})
        return Signed(value, self.key.sign(value), self.key.key_id)

    def headers(self, record: str, signed: Signed, *, event_id: str, at: datetime, traceparent: str) -> cloud_events.Headers:
        """Return the CloudEvents headers with the signature."""
        plain = cloud_events.headers(record, event_id=event_id, at=at, source=self.source, traceparent=traceparent)
        return [*plain, *cloud_events.signature_headers(signed.signature, signed.key_id)]


def with_placeholder(record: str, fields: Mapping[str, object]) -> bytes:
    """Return the record encoded before it has a number, to know that it fits.

    Raises:
        CannotEncodeError: it does not fit its schema.
    """
    return encode(record, {"envelope": _envelope(record, datetime.fromtimestamp(0, UTC), _PLACEHOLDER_RUN, 0, ""), **fields})


def _envelope(record: str, at: datetime, run: str, sequence: int, key_id: str) -> Envelope:
    event_type = cloud_events.EVENT_TYPES[record]
    return Envelope(event_type=event_type, time=at, publisher_run=run, sequence=sequence, key_id=key_id)
