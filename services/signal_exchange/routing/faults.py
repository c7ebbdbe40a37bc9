"""The fault for which a verified record must be parked: its reason, and field and rule of each error; None when it is right."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from signal_exchange.contracts.records import SignalPublished, SignalWithdrawn
from signal_exchange.domain.signals.coded_types import CodedSignal
from signal_exchange.domain.signals.validation import validate
from signal_exchange.domain.signals.violations import dead_letter_reason
from signal_exchange.domain.times import is_credible, local_day
from signal_exchange.routing.batch_state import BatchState
from signal_exchange.routing.effects import Rulebook
from signal_exchange.routing.verifying import Fault, Verified, VersionMessage
from signal_exchange.routing.wrapping import faults_of_parts
from signal_exchange.runtime import clock
from signal_exchange.stream.setting_aside import NO_SEALING_KEY
from signal_exchange.stream.views import SignalErasedMessage

A_DAY = timedelta(days=1)
UNKNOWN_ERASURES = 100
"""R-RET-03: of signals that nobody here ever saw a municipality erases no more than this beside the others of a day."""
UNSEEN_NUMBERS = 100_000
"""R-FLOW-01: how far a checkpoint may run ahead of the highest number of its run that came in: further is no backlog."""


def fault_of_any(verified: Verified, rulebook: Rulebook) -> Fault | None:
    """Judge what is asked of every record: its moment and its size."""
    message = verified.message
    if not is_credible(message.fields["envelope"]["time"], message.appended_at, rulebook.policy):
        return "CONTENT_INVALID", ("envelope.time R-VAL-01",)
    if len(message.incoming.value or b"") > rulebook.policy.message_max_bytes:
        return "TOO_LARGE", ("message R-VAL-15",)
    return None


def fault_of_checkpoint(verified: Verified, highest: int, batch: BatchState, rulebook: Rulebook) -> Fault | None:
    """Judge a checkpoint: its sender cannot have sent many more than came in (R-FLOW-01)."""
    seen = batch.highest_number(verified.municipality, verified.publisher_run)
    too_far = ("CONTENT_INVALID", ("highest R-FLOW-01",)) if highest > seen + UNSEEN_NUMBERS else None
    return fault_of_any(verified, rulebook) or too_far


def fault_of_version(verified: Verified, message: VersionMessage, batch: BatchState, rulebook: Rulebook) -> Fault | None:
    """Judge a version of a signal, a withdrawal or an erasure by its content."""
    if fault := fault_of_any(verified, rulebook):
        return fault
    if message.record == "SignalErased":
        return ("CONTENT_INVALID", ("signal_id R-RET-03",)) if _erases_too_many(verified, message, batch) else None
    if not rulebook.register.has_sealing_key(f"gm:{verified.municipality}", clock.now()):
        return NO_SEALING_KEY, ("municipality R-VAL-02",)  # nobody could tell it what became of its signal
    if message.record == "SignalWithdrawn":
        return _fault_of_withdrawal(message.fields, rulebook)
    return _fault_of_signal(message.fields, verified.municipality, rulebook)


def _fault_of_signal(fields: SignalPublished, sender: str, rulebook: Rulebook) -> Fault | None:
    signal, day = _without_empty_guard(fields["signal"]), local_day(fields["envelope"]["time"])
    members, codes, policy = rulebook.members, rulebook.codes, rulebook.policy
    violations = validate(signal, day=day, sender=sender, members=members, codes=codes, policy=policy)
    if violations:
        errors = tuple(f"{violation.field} {violation.rule}" for violation in violations)
        return dead_letter_reason(violations, codes), errors
    wrong = faults_of_parts(cast("CodedSignal", signal), fields["sealed"])
    return ("CONTENT_INVALID", wrong) if wrong else None


def _fault_of_withdrawal(fields: SignalWithdrawn, rulebook: Rulebook) -> Fault | None:
    known = rulebook.codes.valid("withdrawal_reason", fields["reason"], local_day(fields["envelope"]["time"]))
    return None if known else ("UNKNOWN_CODE", ("reason R-VAL-03",))


def _erases_too_many(verified: Verified, message: SignalErasedMessage, batch: BatchState) -> bool:
    """Say whether a municipality erases more unknown signals in a day than it can mean to; a person can let it be tried again."""
    signal_id = message.fields["signal_id"]
    known = batch.signal(signal_id) is not None or batch.is_erased(signal_id) or message.incoming.attempt > 0
    return not known and batch.erased_since(verified.municipality, message.appended_at - A_DAY) >= UNKNOWN_ERASURES


def _without_empty_guard(signal: CodedSignal) -> dict[str, object]:
    return {name: value for name, value in signal.items() if not (name == "guard" and value is None)}
