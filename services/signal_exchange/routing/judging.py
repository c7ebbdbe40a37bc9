"""The judgement on each verified record: parked, answered or handed to the rules, with its place in the ledger (R-FLOW-01)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from signal_exchange.domain.signals.versions import VersionVerdict, judge_erasure, judge_version
from signal_exchange.routing import numbers, side_records
from signal_exchange.routing.batch_state import BatchState
from signal_exchange.routing.effects import Rulebook, SignalRouter
from signal_exchange.routing.faults import fault_of_any, fault_of_checkpoint, fault_of_version
from signal_exchange.routing.senders import SENDER_HELD, SenderGate
from signal_exchange.routing.verifying import (
    Judged,
    NumberedMessage,
    Verified,
    VersionMessage,
    is_version,
    signal_id_of,
    version_of,
)
from signal_exchange.stream.messages import Unreadable
from signal_exchange.stream.views import CheckpointMessage
from signal_exchange.stream.work import Work

PLACES: Final = {"SignalPublished": "routed", "SignalWithdrawn": "withdrawn", "SignalErased": "erased"}
"""Place in the ledger of each record that is accepted as a version of its signal."""


@dataclass(frozen=True, slots=True)
class RecordJudge:
    """Judges the records of one batch, one after the other."""

    rulebook: Rulebook
    router: SignalRouter
    senders: SenderGate

    @property
    def batch(self) -> BatchState:
        """Return the signals and numbers of the batch, as they are so far."""
        return self.router.batch

    @property
    def work(self) -> Work:
        """Return the effects of the batch."""
        return self.router.work

    def take(self, judged: Judged) -> None:
        """Take a record, unless its sender floods: then it is set aside, and its number is accounted for."""
        if not isinstance(judged, Verified) or judged.message.incoming.attempt or self.work.replays:
            self._accept(judged)
        elif numbers.is_new(judged, self.batch) and self.senders.holds(judged.municipality, judged.message.appended_at):
            self._set_aside(judged)
        else:
            before = self.work.bad
            self._accept(judged)
            self.senders.count(judged.municipality, judged.message.appended_at, parked=self.work.bad > before)

    def _set_aside(self, verified: Verified) -> None:
        message = verified.message
        if verified.refused is None and is_version(message):
            numbers.park_version(verified, message, (SENDER_HELD, ()), self.batch, self.work)
        else:
            numbers.park_number(verified, (SENDER_HELD, ()), self.batch, self.work)

    def _accept(self, judged: Judged) -> None:
        if isinstance(judged, Unreadable):
            self.work.park(judged)
        elif not isinstance(judged, Verified):
            if judged.record == "Outcome":
                self.router.on_outcome(judged)
        elif judged.refused is not None and not judged.has_number:
            self.work.park(Unreadable(judged.message.incoming, *judged.refused))
        elif judged.message.record == "Checkpoint":
            self._accept_checkpoint(judged, judged.message)
        else:
            self._accept_numbered(judged, judged.message)

    def _accept_checkpoint(self, verified: Verified, message: CheckpointMessage) -> None:
        """Trace how far a municipality numbered, unless it names more than it can have sent."""
        highest, run = message.fields["highest"], verified.publisher_run
        if fault := fault_of_checkpoint(verified, highest, self.batch, self.rulebook):
            self.work.park(Unreadable(message.incoming, *fault))
        else:
            at, sender = message.appended_at, verified.municipality
            self.work.trace("CHECKPOINT", at=at, key=run, publisher_run=run, municipality=sender, sequence=highest)

    def _accept_numbered(self, verified: Verified, message: NumberedMessage) -> None:
        used = self.batch.number(numbers.number_of(verified))
        begins = (
            used is None or numbers.is_tried_again(verified, used) or numbers.was_never_begun(verified, message, used, self.batch)
        )
        if used is not None and not begins:
            numbers.answer_used_number(verified, used, self.work)
        elif verified.sequence < 1:
            self.work.park(Unreadable(message.incoming, "VERSION_CONFLICT", ("envelope.sequence R-FLOW-01",)))
        elif verified.refused is not None:
            numbers.park_number(verified, verified.refused, self.batch, self.work)
        elif is_version(message):
            self._judge_version(verified, message)
        else:
            self._judge_side_record(verified, message)

    def _judge_side_record(self, verified: Verified, message: side_records.SideMessage) -> None:
        sender, batch, codes = verified.municipality, self.batch, self.rulebook.codes
        if fault := fault_of_any(verified, self.rulebook) or side_records.fault_of(message, sender, batch, codes):
            numbers.park_number(verified, fault, batch, self.work)
            return
        verdict = side_records.PLACES[message.record]
        numbers.use(verified, verdict, batch)
        if message.record == "TokensRenewed":
            self.router.renewed(message.fields, message.appended_at)
        else:
            self.router.answered(message.fields, message.appended_at)
        numbers.report_received(verified, verdict, self.work)

    def _judge_version(self, verified: Verified, message: VersionMessage) -> None:
        if fault := fault_of_version(verified, message, self.batch, self.rulebook):
            numbers.park_version(verified, message, fault, self.batch, self.work)
            return
        verdict = _version_verdict(verified, message, self.batch)
        if _came_too_late(verified, message, self.batch):
            self._finish(verified, "superseded")
        elif verdict in (VersionVerdict.CONFLICT, VersionVerdict.ENDED):
            numbers.park_version(verified, message, ("VERSION_CONFLICT", ("version R-VAL-16",)), self.batch, self.work)
        elif verdict is VersionVerdict.REPEAT:
            self._finish(verified, "repeat")
        else:
            self._route(verified, message)

    def _finish(self, verified: Verified, verdict: str) -> None:
        """Give a number its place when there is nothing more to do."""
        numbers.use(verified, verdict, self.batch)
        numbers.report_received(verified, verdict, self.work)

    def _route(self, verified: Verified, message: VersionMessage) -> None:
        self._supersede(message)
        verdict = PLACES[message.record]
        numbers.use(verified, verdict, self.batch)
        signal_id, version = signal_id_of(message), version_of(message)
        self.batch.saw(signal_id, verified.municipality, version, numbers.content_hash_of(message), parked=False)
        match message.record:
            case "SignalPublished":
                self.router.published(verified, message.fields)
            case "SignalWithdrawn":
                self.router.withdrawn(verified, message.fields)
            case "SignalErased":
                self.router.erased(verified, message.fields)
        numbers.report_received(verified, verdict, self.work)

    def _supersede(self, message: VersionMessage) -> None:
        accepted = self.batch.accepted_of(signal_id_of(message))
        if accepted is None:
            return
        number = (accepted["municipality"], accepted["publisher_run"], accepted["sequence"])
        before = self.batch.number(number) or self.batch.load_number(number)
        if before is not None and before.verdict == "routed":
            self.router.superseded(before, message.appended_at)


def _version_verdict(verified: Verified, message: VersionMessage, batch: BatchState) -> VersionVerdict:
    signal_id, version = signal_id_of(message), version_of(message)
    stored = batch.signal(signal_id)
    if stored is not None and stored.municipality != verified.municipality:
        return VersionVerdict.CONFLICT
    if message.record == "SignalErased":
        return judge_erasure(batch.known_version(signal_id), version=version)
    if message.record == "SignalWithdrawn" and (stored is None or stored.state != "ROUTED"):
        return VersionVerdict.CONFLICT
    supersedes = message.fields["signal"]["supersedes"] if message.record == "SignalPublished" else version - 1
    known = batch.known_version(signal_id, but=version if _was_parked(message, batch) else None)
    return judge_version(known, version=version, supersedes=supersedes, content_hash=numbers.content_hash_of(message))


def _came_too_late(verified: Verified, message: VersionMessage, batch: BatchState) -> bool:
    """Say whether this parked version is tried again after a newer one was accepted: there is nothing left to do."""
    stored = batch.signal(signal_id_of(message))
    newer = stored is not None and stored.version > version_of(message) and stored.municipality == verified.municipality
    return newer and _was_parked(message, batch)


def _was_parked(message: VersionMessage, batch: BatchState) -> bool:
    tried = message.incoming.attempt > 0
    return tried and batch.has_parked(signal_id_of(message), version_of(message), numbers.content_hash_of(message))
