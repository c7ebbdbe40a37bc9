"""The sender of a record and its right to send, judged on the signed bytes at the broker's append time, before anything else.

Then comes the border: what a proven sender's record says must be something that every service can hold (R-VAL-22).
"""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import TypeIs

from signal_exchange.contracts.border import INT_MOST, LONG_MOST, breaches
from signal_exchange.contracts.signed import SIGNED
from signal_exchange.domain.ids import is_signal_id, is_uuid
from signal_exchange.privacy.register import Register
from signal_exchange.routing.wrapping import is_of_its_type
from signal_exchange.stream import views
from signal_exchange.stream.messages import Attribution, Unreadable

VersionMessage = views.SignalPublishedMessage | views.SignalWithdrawnMessage | views.SignalErasedMessage
"""A message that a municipality numbers as a version of its signal."""
NumberedMessage = VersionMessage | views.MunicipalAnswerMessage | views.TokensRenewedMessage
"""A signed message that has a number of its sender's."""
SignedMessage = NumberedMessage | views.CheckpointMessage
"""A message that a municipality signed."""
Fault = tuple[str, tuple[str, ...]]
"""Why a record is parked: a code of dead_letter_reason.csv, and field and rule of each error."""
ToldMessage = views.RoutingOutcomeMessage | views.AcceptedSignalMessage | views.ClusterMembershipMessage
"""A message of a service."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A record whose sender is certain. Of a Checkpoint `sequence` is 0.

    `refused` is why it is parked under its sender's number and not looked at further: reason, and field and rule of each error.
    """

    message: SignedMessage
    municipality: str
    publisher_run: str
    sequence: int
    refused: Fault | None = None

    @property
    def signal_id(self) -> str | None:
        """Return the signal that it is about; None when what it names is no signal id."""
        if self.message.record == "Checkpoint":
            return None
        named = signal_id_of(self.message)
        return named if is_signal_id(named) else None

    @property
    def version(self) -> int | None:
        """Return the version that it is about; None when what it names is none."""
        if self.message.record == "Checkpoint":
            return None
        named = version_of(self.message)
        return named if 0 <= named <= INT_MOST else None

    @property
    def attribution(self) -> Attribution:
        """Return whose number this is, and of which version of which signal."""
        return Attribution(self.municipality, self.publisher_run, self.sequence, self.signal_id, self.version)

    @property
    def has_number(self) -> bool:
        """Say whether it has a number of its sender's that the ledger can hold (R-FLOW-01)."""
        return self.message.record != "Checkpoint" and is_uuid(self.publisher_run) and 0 < self.sequence <= LONG_MOST


def is_signed(message: views.RoutingReads) -> TypeIs[SignedMessage]:
    """Say whether a record is one that a municipality signs."""
    return message.record in SIGNED


Judged = Verified | Unreadable | ToldMessage
"""A record once it is known who sent it, or that nobody can be blamed for it."""


def is_version(message: SignedMessage) -> TypeIs[VersionMessage]:
    """Say whether a record is a version of its signal, and no record beside it."""
    return message.record in {"SignalPublished", "SignalWithdrawn", "SignalErased"}


def verify(message: SignedMessage, register: Register) -> Verified | Unreadable:
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


def _refused(message: SignedMessage) -> Fault | None:
    if faults := breaches(message.record, message.fields, message.appended_at):
        return "SCHEMA_INVALID", faults
    if message.incoming.key_text != _expected_key(message):
        return "SENDER_NOT_ALLOWED", ("key R-VAL-23",)
    if not is_of_its_type(message.record, message.fields["envelope"]):
        return "CONTENT_INVALID", ("envelope.event_type R-VAL-23",)
    return None


def signal_id_of(message: NumberedMessage | ToldMessage) -> str:
    """Return the signal that a record is about."""
    return message.fields["signal"]["signal_id"] if message.record == "SignalPublished" else message.fields["signal_id"]


def version_of(message: NumberedMessage) -> int:
    """Return the version that a record is about."""
    return message.fields["signal"]["version"] if message.record == "SignalPublished" else message.fields["version"]


def _municipality(message: SignedMessage) -> str:
    return message.fields["signal"]["municipality"] if message.record == "SignalPublished" else message.fields["municipality"]


def _expected_key(message: SignedMessage) -> str:
    return message.fields["envelope"]["publisher_run"] if message.record == "Checkpoint" else signal_id_of(message)
