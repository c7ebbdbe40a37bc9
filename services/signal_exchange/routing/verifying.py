"""Who sent a record, and may they: judged on the signed bytes at the broker's append time, before anything else."""

from __future__ import annotations

from dataclasses import dataclass

from signal_exchange.privacy.register import Register
from signal_exchange.stream.messages import Message, Unreadable

SIGNED_RECORDS = frozenset(
    {"SignalPublished", "SignalWithdrawn", "SignalErased", "MunicipalAnswer", "TokensRenewed", "Checkpoint"}
)


@dataclass(frozen=True, slots=True)
class Verified:
    """A record whose sender is certain. Of a Checkpoint `sequence` is 0."""

    message: Message
    municipality: str
    publisher_run: str
    sequence: int


def verify(message: Message, register: Register) -> Verified | Unreadable:
    """Return the record with its sender, or why it must be parked without blaming anybody.

    The header and the signed value must name the same key; the key must have been valid at the append time; the record's
    municipality must be the key's; the record's key must be the signed id (of a Checkpoint: the run).
    """
    envelope = message.fields["envelope"]
    found = register.signing_key(envelope["key_id"], message.appended_at)
    if found is None:
        return Unreadable(message.incoming, "SENDER_NOT_ALLOWED", ("signing-key R-VAL-02",))
    owner, key = found
    headers = message.incoming.headers
    signed = headers.get("signing-key", b"") == envelope["key_id"].encode()
    if not (signed and key.verify(message.incoming.value or b"", headers.get("signature", b""))):
        return Unreadable(message.incoming, "SIGNATURE_INVALID", ("signature",))
    if _municipality(message) != owner:
        return Unreadable(message.incoming, "SENDER_NOT_ALLOWED", ("municipality R-VAL-02",))
    if message.incoming.key_text != _expected_key(message):
        return Unreadable(message.incoming, "SENDER_NOT_ALLOWED", ("key",))
    return Verified(message, owner, envelope["publisher_run"], envelope["sequence"])


def _municipality(message: Message) -> str:
    fields = message.fields["signal"] if message.record == "SignalPublished" else message.fields
    return str(fields["municipality"])


def _expected_key(message: Message) -> str:
    if message.record == "Checkpoint":
        return str(message.fields["envelope"]["publisher_run"])
    fields = message.fields["signal"] if message.record == "SignalPublished" else message.fields
    return str(fields["signal_id"])
