"""Who sent a record, and may they: judged on the signed bytes at the broker's append time, before anything else.

Then comes the border: what a proven sender's record says must be something that every service can hold (R-VAL-22).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from signal_exchange.contracts.border import INT_MOST, LONG_MOST, breaches
from signal_exchange.domain.ids import is_signal_id, is_uuid
from signal_exchange.privacy.register import Register
from signal_exchange.routing.wrapping import is_of_its_type
from signal_exchange.stream.messages import Message, Unreadable


@dataclass(frozen=True, slots=True)
class Verified:
    """A record whose sender is certain. Of a Checkpoint `sequence` is 0.

    `refused` is why it is parked under its sender's number and not looked at further: reason, and field and rule of each error.
    """

    message: Message
    municipality: str
    publisher_run: str
    sequence: int
    refused: tuple[str, tuple[str, ...]] | None = None

    @property
    def signal_id(self) -> str | None:
        """Return the signal that it is about; None when what it names is no signal id."""
        named = _about(self.message).get("signal_id")
        return str(named) if is_signal_id(named) else None

    @property
    def version(self) -> int | None:
        """Return the version that it is about; None when what it names is none."""
        named = int(_about(self.message).get("version", -1))
        return named if 0 <= named <= INT_MOST else None

    @property
    def has_number(self) -> bool:
        """Say whether it has a number of its sender's that the ledger can hold (R-FLOW-01)."""
        return self.message.record != "Checkpoint" and is_uuid(self.publisher_run) and 0 < self.sequence <= LONG_MOST


def verify(message: Message, register: Register) -> Verified | Unreadable:
    """Return the record with its sender, or why it must be parked without blaming anybody.

    The header and the signed value must name the same key; the key must have been valid at the append time; the record's
    municipality must be the key's. From there on its sender answers for it: everything in it must be able to pass the border, and
    the record's key must be the signed id (of a Checkpoint: the run).
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
    return Verified(message, owner, envelope["publisher_run"], envelope["sequence"], _refused(message))


def _refused(message: Message) -> tuple[str, tuple[str, ...]] | None:
    if faults := breaches(message.record, message.fields, message.appended_at):
        return "SCHEMA_INVALID", faults
    if message.incoming.key_text != _expected_key(message):
        return "SENDER_NOT_ALLOWED", ("key R-VAL-23",)
    return None if is_of_its_type(message) else ("CONTENT_INVALID", ("envelope.event_type R-VAL-23",))


def _about(message: Message) -> dict[str, Any]:
    fields: dict[str, Any] = message.fields
    return fields["signal"] if message.record == "SignalPublished" else fields


def _municipality(message: Message) -> str:
    return str(_about(message)["municipality"])


def _expected_key(message: Message) -> str:
    run = message.fields["envelope"]["publisher_run"]
    return str(run if message.record == "Checkpoint" else _about(message)["signal_id"])
