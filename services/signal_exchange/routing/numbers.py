"""The number of a record in its sender's run: what used it first, and what becomes of it (R-FLOW-01)."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from signal_exchange.contracts.records import ParkedRecord
from signal_exchange.contracts.signed import content_of
from signal_exchange.domain.signals.versions import content_hash
from signal_exchange.routing.batch_state import BatchState
from signal_exchange.routing.store import Number, RoutingStore, UsedNumber
from signal_exchange.routing.verifying import (
    Fault,
    NumberedMessage,
    SignedMessage,
    Verified,
    VersionMessage,
    signal_id_of,
    version_of,
)
from signal_exchange.stream.messages import Incoming, Unreadable
from signal_exchange.stream.work import Work


def number_of(verified: Verified) -> Number:
    """Return the number of a record: municipality, run, and number in the run."""
    return verified.municipality, verified.publisher_run, verified.sequence


def used_number(verified: Verified, verdict: str, before: UsedNumber | None) -> UsedNumber:
    """Return the number of a record as it is kept, with its place in the ledger."""
    signal_id, version, revision = verified.signal_id or "", verified.version or 0, before.revision + 1 if before else 1
    return UsedNumber(*number_of(verified), revision, signal_id, version, value_hash(verified), verdict)


def use(verified: Verified, verdict: str, batch: BatchState) -> None:
    """Give the number of a record its place in the ledger."""
    batch.use(used_number(verified, verdict, batch.number(number_of(verified))))


def is_new(verified: Verified, batch: BatchState) -> bool:
    """Say whether nothing used this number before."""
    return verified.has_number and batch.number(number_of(verified)) is None


def is_the_same(verified: Verified, used: UsedNumber) -> bool:
    """Say whether a record is the one that has used its number before.

    After a rebuild the bytes of what came over seven days ago are not known any more: then signal and version decide.
    """
    about = (verified.signal_id or "", verified.version or 0)
    return used.value_hash == value_hash(verified) or (not used.value_hash and about == (used.signal_id, used.version))


def is_tried_again(verified: Verified, used: UsedNumber) -> bool:
    """Say whether this is the very record that was parked under its number, and a person asked to try it again."""
    return verified.message.incoming.attempt > 0 and used.verdict == "parked" and is_the_same(verified, used)


def was_never_begun(verified: Verified, message: NumberedMessage, used: UsedNumber, batch: BatchState) -> bool:
    """Say whether only the trace knew of this erasure, so that a rebuild left it out until its word comes again."""
    unknown = used.verdict == "erased" and not batch.is_erased(signal_id_of(message))
    return unknown and message.record == "SignalErased" and is_the_same(verified, used)


def content_hash_of(message: SignedMessage) -> str:
    """Return the hash by which the same content is known again, under another number too (R-VAL-16)."""
    return content_hash(content_of(message.fields))


def value_hash(verified: Verified) -> bytes:
    """Return the hash by which the same bytes are known again."""
    return sha256(verified.message.incoming.value or b"").digest()


def park_version(verified: Verified, message: VersionMessage, fault: Fault, batch: BatchState, work: Work) -> None:
    """Park a version of a signal under its number, and remember that it was seen: the next one must be higher (R-VAL-21)."""
    signal_id, version = signal_id_of(message), version_of(message)
    batch.saw(signal_id, verified.municipality, version, content_hash_of(message), parked=True)
    park_number(verified, fault, batch, work)


def park_number(verified: Verified, fault: Fault, batch: BatchState, work: Work) -> None:
    """Park a record under its number."""
    use(verified, "parked", batch)
    incoming = verified.message.incoming
    if verified.signal_id is not None and batch.is_erased(verified.signal_id):
        incoming = without_content(incoming)
    work.park(Unreadable(incoming, *fault, verified.attribution))


def without_content(incoming: Incoming) -> Incoming:
    """Return a record as it is kept when its signal was erased: only where it stood; a person can do no more than drop it."""
    return replace(incoming, value=None, headers={})


def answer_used_number(verified: Verified, used: UsedNumber, work: Work) -> None:
    """Report once more what became of a record that comes again, so that its sender can rest; park another under its number."""
    if is_the_same(verified, used):
        report_received(verified, used.verdict, work)
    else:
        work.park(Unreadable(verified.message.incoming, "VERSION_CONFLICT", ("envelope.sequence R-FLOW-01",)))


def report_received(verified: Verified, verdict: str, work: Work) -> None:
    """Trace what became of a number: the municipality may then let go of its copy."""
    key = verified.signal_id or verified.publisher_run
    work.trace_number("RECEIVED", verified.attribution, at=verified.message.appended_at, key=key, verdict=verdict)


def forget_parked(parked: ParkedRecord, work: Work) -> None:
    """Remember that a person discarded the record of this number: the same bytes again are answered so."""
    municipality, run, sequence = parked["municipality"], parked["publisher_run"], parked["sequence"]
    if parked["attributed"] and municipality is not None and run is not None and sequence is not None:
        store, number = RoutingStore(work.connection), (municipality, run, sequence)
        found = [used for used in store.numbers([number]).values() if used.verdict == "parked"]
        store.put([], [replace(used, revision=used.revision + 1, verdict="discarded") for used in found])
