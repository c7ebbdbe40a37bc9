"""A forger with a municipality's own credentials: sends what validation inside would have stopped, to see it parked."""

from __future__ import annotations

import copy
import secrets
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from kafka import KafkaProducer  # type: ignore[import-untyped]  # ships no types

from signal_exchange.contracts import cloud_events
from signal_exchange.contracts.codec import decode
from signal_exchange.municipality.sending.envelopes import Signed, Signer
from signal_exchange.privacy.sealing import TOKEN_BYTES, LinkToken, SealingPublicKey, encode_tokens
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.runtime import clock
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange_demo.region.model import Forgery

SEND_SECONDS = 30
OVERSIZE_BYTES = 70_000
EXPIRED_EPOCH = "2022H1"


@dataclass(frozen=True, slots=True)
class Sent:
    """A record of the stream as a municipality sent it, to forge from."""

    key: str
    value: bytes = field(repr=False)
    headers: cloud_events.Headers = field(repr=False)


@dataclass(slots=True)
class Forger:
    """Forges under one municipality's key and connection, in publisher runs of its own."""

    key: SigningKey
    connection: KafkaConnection = field(repr=False)
    linking: SealingPublicKey
    run: str = field(default_factory=lambda: str(uuid.uuid4()))
    sequence: int = 0

    def forge(self, forgeries: Iterable[tuple[Forgery, Sent, SigningKey]], at: datetime) -> list[str]:
        """Send forgeries, each from the record it is based on and under the given key, and a checkpoint.

        Returns the id of the signal under which each went, in order.
        """
        letters = [self._letter(forgery, base, key, at) for forgery, base, key in forgeries]
        with_checkpoint = [*letters, self._checkpoint(at)]
        producer = KafkaProducer(acks="all", enable_idempotence=True, **self.connection.for_kafka_python())
        try:
            for future in [
                producer.send(
                    "signals", value=each.value, key=each.key.encode(), headers=each.headers, timestamp_ms=clock.stamp()
                )
                for each in with_checkpoint
            ]:
                future.get(SEND_SECONDS)
        finally:
            producer.close()
        return [letter.key for letter in letters]

    def _letter(self, forgery: Forgery, base: Sent, key: SigningKey, at: datetime) -> Sent:
        if forgery.kind == "duplicate_resend":
            return base
        fields = self._changed(base, forgery)
        signed, moment = self._signed(forgery, fields, key, at - timedelta(days=forgery.days_old))
        signal = fields["signal"]
        event_id = f"{signal['signal_id']}.{signal['version']}"
        headers = _signer(key).headers(
            "SignalPublished", signed, event_id=event_id, at=moment, traceparent=cloud_events.new_traceparent()
        )
        return Sent(signal["signal_id"], signed.value, headers)

    def _signed(self, forgery: Forgery, fields: Mapping[str, Any], key: SigningKey, moment: datetime) -> tuple[Signed, datetime]:
        if not forgery.unattributed and key.key_id == self.key.key_id:
            self.sequence += 1
        signed = _signer(key).sign("SignalPublished", fields, at=moment, run=self.run, sequence=max(1, self.sequence))
        if forgery.kind == "wrong_signature":
            signed = Signed(signed.value, bytes(64), signed.key_id)
        return signed, moment

    def _changed(self, base: Sent, forgery: Forgery) -> dict[str, Any]:
        fields = copy.deepcopy(decode(base.value, "routing").fields)
        fields.pop("envelope")
        if forgery.is_new_signal:
            fields["signal"] |= {"signal_id": str(uuid.uuid4()), "version": 1, "supersedes": None}
        for path, value in forgery.changes:
            _set(fields["signal"], path.split("."), value)
        if forgery.kind == "oversized":
            fields["sealed"][0]["ciphertext"] = bytes(OVERSIZE_BYTES)
        if forgery.kind == "expired_epoch":
            others = [part for part in fields["sealed"] if part["group"] != self.linking.group]
            fields["sealed"] = [*others, self._old_tokens(f"{fields['signal']['signal_id']}.1")]
        return fields

    def _old_tokens(self, bound_to: str) -> dict[str, object]:
        tokens = [LinkToken("object:0", "PLATE", EXPIRED_EPOCH, secrets.token_bytes(TOKEN_BYTES))]
        ciphertext = self.linking.encrypt(encode_tokens(tokens), bound_to=bound_to)
        return {"group": self.linking.group, "key_id": self.linking.key_id, "ciphertext": ciphertext}

    def _checkpoint(self, at: datetime) -> Sent:
        fields = {"municipality": self.key.key_id.partition("-")[0].upper(), "highest": self.sequence}
        signed = _signer(self.key).sign("Checkpoint", fields, at=at, run=self.run, sequence=0)
        event_id = f"{self.run}.{self.sequence}"
        headers = _signer(self.key).headers(
            "Checkpoint", signed, event_id=event_id, at=at, traceparent=cloud_events.new_traceparent()
        )
        return Sent(self.run, signed.value, headers)


def _signer(key: SigningKey) -> Signer:
    return Signer(key, cloud_events.source_of(cloud_events.REGION_OIN, "vervalser"))


def _set(fields: dict[str, Any], path: list[str], value: object) -> None:
    for name in path[:-1]:
        fields = fields[name]
    fields[path[-1]] = value
