"""Routing's work on one batch: verify, judge number and version, and hand what is new to the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import groupby
from typing import Any, cast

from signal_exchange.contracts.signed import SIGNED, content_of
from signal_exchange.domain.signals import CodedSignal
from signal_exchange.domain.times import is_credible, local_day
from signal_exchange.domain.validation import dead_letter_reason, validate
from signal_exchange.domain.versions import VersionVerdict, content_hash, judge_erasure, judge_version
from signal_exchange.routing import statements
from signal_exchange.routing.desk import Desk
from signal_exchange.routing.erasing import Saga
from signal_exchange.routing.erasures import ErasureStore
from signal_exchange.routing.running import Rulebook, Run
from signal_exchange.routing.senders import SENDER_HELD, SenderGate
from signal_exchange.routing.store import RoutingStore, UsedNumber
from signal_exchange.routing.verifying import Verified, verify
from signal_exchange.routing.wrapping import faults_of_parts
from signal_exchange.runtime import clock
from signal_exchange.stream.erasing import keys_of
from signal_exchange.stream.messages import Attribution, Incoming, Message, Unreadable
from signal_exchange.stream.outcomes import SealTo
from signal_exchange.stream.setting_aside import NO_SEALING_KEY
from signal_exchange.stream.work import Work

A_DAY = timedelta(days=1)
RESCREENS_AT_ONCE = 500
FLOOD_RECORDS = 200
UNKNOWN_ERASURES = 100
"""R-RET-03: of signals that nobody here ever saw a municipality erases no more than this beside the others of a day."""
UNSEEN_NUMBERS = 100_000
"""R-FLOW-01: how far a checkpoint may run ahead of the highest number of its run that came in: further is no backlog."""


@dataclass(frozen=True, slots=True)
class RoutingHandler:
    """Handles batches of signed records and of outcomes."""

    rulebook: Rulebook
    seal_to: SealTo
    flood_records: int = FLOOD_RECORDS

    def __call__(self, messages: Sequence[Message], work: Work) -> None:
        """Take each record in order; the desk is read once and written once."""
        judged = [self._verified(message) for message in messages]
        desk = Desk(RoutingStore(work.connection), _ids(judged), _numbers(judged))
        run = Run(self.rulebook, self.seal_to, desk, work)
        senders = SenderGate(
            work.connection, {each.municipality for each in judged if isinstance(each, Verified)}, self.flood_records
        )
        for links, together in groupby(judged, key=_is_membership):
            if links:
                run.linked([each for each in together if isinstance(each, Message)])
            else:
                for each in together:
                    self._let_in(each, run, senders)
        senders.save()
        desk.save()

    def bury(self, gone: Sequence[Incoming], work: Work) -> None:
        """Forget the clusters of signals whose membership is gone; linking told before that they left theirs."""
        RoutingStore(work.connection).forget_memberships(keys_of(gone, "links"))

    def attribute(self, message: Message, work: Work) -> Attribution | None:
        """Say whose number a record has at which routing fails, and remember that it is parked: a retry begins there."""
        verified = self._verified(message)
        if not (isinstance(verified, Verified) and verified.has_number):
            return None
        store, number = RoutingStore(work.connection), _number(verified)
        used = store.numbers([number]).get(number)
        if used is not None and not (used.verdict == "parked" and _is_the_same(verified, used)):
            return None
        store.put([], [_used(verified, "parked", used)])
        return Attribution(*number, verified.signal_id, verified.version)

    def saga(self, work: Work) -> Saga:
        """Return the erasures, to be brought further in a transaction."""
        return Saga(ErasureStore(work.connection), self.rulebook.calendar, self.seal_to, work)

    def look_again(self, now: datetime, work: Work) -> int:
        """Judge the signals whose re-screen is due, and return how many those were (R-ROUTE-08); some remain when many are."""
        store = RoutingStore(work.connection)
        due = store.due_for_rescreen(now, RESCREENS_AT_ONCE, self._unreachable())
        desk = Desk(store, due, ())
        run = Run(self.rulebook, self.seal_to, desk, work)
        for signal_id in due:
            run.rescreened(signal_id)
        desk.save()
        return len(due)

    def _unreachable(self) -> list[str]:
        """Return the municipalities that the register has no key of, so that nothing can be told to them."""
        register = self.rulebook.register
        codes = (str(member.code) for member in register.municipalities)
        return [code for code in codes if not register.has_sealing_key(f"gm:{code}", clock.now())]

    def _verified(self, message: Message) -> Verified | Unreadable | Message:
        return verify(message, self.rulebook.register) if message.record in SIGNED else message

    def _let_in(self, judged: Verified | Unreadable | Message, run: Run, senders: SenderGate) -> None:
        """Take a record, unless its sender floods: then it is set aside, and its number is accounted for."""
        if not isinstance(judged, Verified) or judged.message.incoming.attempt or run.work.replays:
            self._take(judged, run)
        elif _is_new(judged, run.desk) and senders.holds(judged.municipality, judged.message.appended_at):
            _set_aside(judged, run)
        else:
            before = run.work.bad
            self._take(judged, run)
            senders.count(judged.municipality, judged.message.appended_at, parked=run.work.bad > before)

    def _take(self, judged: Verified | Unreadable | Message, run: Run) -> None:
        if isinstance(judged, Unreadable):
            run.work.park(judged)
        elif isinstance(judged, Message):
            run.heard(judged)
        elif judged.refused is not None and not judged.has_number:
            run.work.park(Unreadable(judged.message.incoming, *judged.refused))
        elif judged.message.record == "Checkpoint":
            self._take_checkpoint(judged, run)
        else:
            self._take_numbered(judged, run)

    def _take_checkpoint(self, verified: Verified, run: Run) -> None:
        """Tell how far a municipality numbered, unless it names more than it can have sent (R-FLOW-01)."""
        seen = run.desk.highest_number(verified.municipality, verified.publisher_run)
        reason, errors = self._faults_of_any(verified)
        if reason is None and verified.message.fields["highest"] > seen + UNSEEN_NUMBERS:
            reason, errors = "CONTENT_INVALID", ("highest R-FLOW-01",)
        if reason is not None:
            run.work.park(Unreadable(verified.message.incoming, reason, errors))
        else:
            _tell_checkpoint(verified, run.work)

    def _take_numbered(self, verified: Verified, run: Run) -> None:
        used = run.desk.number(_number(verified))
        if used is not None and not _is_tried_again(verified, used) and not _was_never_begun(verified, used, run.desk):
            _take_used_number(verified, used, run.work)
        elif verified.sequence < 1:
            run.work.park(Unreadable(verified.message.incoming, "VERSION_CONFLICT", ("envelope.sequence R-FLOW-01",)))
        else:
            self._judge(verified, run)

    def _judge(self, verified: Verified, run: Run) -> None:
        if verified.refused is not None:
            _park_number(verified, *verified.refused, run)
            return
        if verified.message.record in statements.PLACES:
            self._take_statement(verified, run)
            return
        reason, errors = self._faults(verified, run.desk)
        if reason is not None:
            _park(verified, reason, errors, run)
            return
        verdict = _version_verdict(verified, run.desk)
        if _came_too_late(verified, run.desk):
            _use(verified, "superseded", run.desk)
            tell_received(verified, "superseded", run.work)
        elif verdict in (VersionVerdict.CONFLICT, VersionVerdict.ENDED):
            _park(verified, "VERSION_CONFLICT", ("version R-VAL-16",), run)
        elif verdict is VersionVerdict.REPEAT:
            _use(verified, "repeat", run.desk)
            tell_received(verified, "repeat", run.work)
        else:
            _route(verified, run)

    def _take_statement(self, verified: Verified, run: Run) -> None:
        reason, errors = self._faults_of_any(verified)
        if reason is None:
            day = local_day(verified.message.fields["envelope"]["time"])
            reason, errors = statements.faults_of(verified, run.desk, self.rulebook.codes, day)
        if reason is not None:
            _park_number(verified, reason, errors, run)
            return
        verdict = statements.PLACES[verified.message.record]
        _use(verified, verdict, run.desk)
        (run.renewed if verdict == "renewed" else run.answered)(verified)
        tell_received(verified, verdict, run.work)

    def _faults_of_any(self, verified: Verified) -> tuple[str | None, tuple[str, ...]]:
        message = verified.message
        if not is_credible(message.fields["envelope"]["time"], message.appended_at, self.rulebook.policy):
            return "CONTENT_INVALID", ("envelope.time R-VAL-01",)
        if len(message.incoming.value or b"") > self.rulebook.policy.message_max_bytes:
            return "TOO_LARGE", ("message R-VAL-15",)
        return None, ()

    def _faults(self, verified: Verified, desk: Desk) -> tuple[str | None, tuple[str, ...]]:
        reason, errors = self._faults_of_any(verified)
        if reason is not None:
            return reason, errors
        if verified.message.record == "SignalErased":
            return ("CONTENT_INVALID", ("signal_id R-RET-03",)) if _erases_too_many(verified, desk) else (None, ())
        if not self.rulebook.register.has_sealing_key(f"gm:{verified.municipality}", clock.now()):
            return NO_SEALING_KEY, ("municipality R-VAL-02",)  # nobody could tell it what became of its signal
        if verified.message.record == "SignalWithdrawn":
            return self._withdrawal_faults(verified)
        return self._signal_faults(verified)

    def _signal_faults(self, verified: Verified) -> tuple[str | None, tuple[str, ...]]:
        signal, sealed = _without_empty_guard(verified.message.fields["signal"]), verified.message.fields["sealed"]
        violations = validate(
            signal,
            day=local_day(verified.message.fields["envelope"]["time"]),
            sender=verified.municipality,
            members=self.rulebook.members,
            codes=self.rulebook.codes,
            policy=self.rulebook.policy,
        )
        if violations:
            errors = tuple(f"{violation.field} {violation.rule}" for violation in violations)
            return dead_letter_reason(violations, self.rulebook.codes), errors
        wrong = faults_of_parts(cast("CodedSignal", signal), sealed)
        return ("CONTENT_INVALID" if wrong else None), wrong

    def _withdrawal_faults(self, verified: Verified) -> tuple[str | None, tuple[str, ...]]:
        day = local_day(verified.message.fields["envelope"]["time"])
        known = self.rulebook.codes.valid("withdrawal_reason", verified.message.fields["reason"], day)
        return (None, ()) if known else ("UNKNOWN_CODE", ("reason R-VAL-03",))


def _is_membership(judged: Verified | Unreadable | Message) -> bool:
    return isinstance(judged, Message) and judged.record == "ClusterMembership"


def signal_id_of(message: Message) -> str:
    """Return the signal that a record is about."""
    fields = message.fields["signal"] if message.record == "SignalPublished" else message.fields
    return str(fields["signal_id"])


def version_of(message: Message) -> int:
    """Return the version that a record is about."""
    fields = message.fields["signal"] if message.record == "SignalPublished" else message.fields
    return int(fields["version"])


def forget_parked(parked: Mapping[str, Any], work: Work) -> None:
    """Remember that the number of a parked record was discarded by a person: the same bytes again hear so."""
    if parked["attributed"]:
        store = RoutingStore(work.connection)
        number = (parked["municipality"], parked["publisher_run"], parked["sequence"])
        found = [used for used in store.numbers([number]).values() if used.verdict == "parked"]
        store.put([], [replace(used, revision=used.revision + 1, verdict="discarded") for used in found])


def _is_new(verified: Verified, desk: Desk) -> bool:
    return verified.has_number and desk.number(_number(verified)) is None


def _set_aside(verified: Verified, run: Run) -> None:
    whole = verified.refused is None and verified.message.record not in statements.PLACES
    (_park if whole else _park_number)(verified, SENDER_HELD, (), run)


def _is_tried_again(verified: Verified, used: UsedNumber) -> bool:
    """Say whether this is the very record that was parked under its number, and a person asked to try it again."""
    return verified.message.incoming.attempt > 0 and used.verdict == "parked" and _is_the_same(verified, used)


def _was_never_begun(verified: Verified, used: UsedNumber, desk: Desk) -> bool:
    """Say whether only the trace knew of this erasure, so that a rebuild left it out until its word comes again."""
    unknown = used.verdict == "erased" and not desk.is_erased(signal_id_of(verified.message))
    return unknown and verified.message.record == "SignalErased" and _is_the_same(verified, used)


def _came_too_late(verified: Verified, desk: Desk) -> bool:
    """Say whether this parked version is tried again after a newer one was accepted: there is nothing left to do."""
    message = verified.message
    stored = desk.signal(signal_id_of(message))
    newer = stored is not None and stored.version > version_of(message) and stored.municipality == verified.municipality
    return newer and _was_parked(message, desk)


def _was_parked(message: Message, desk: Desk) -> bool:
    tried = message.incoming.attempt > 0
    return tried and desk.has_parked(signal_id_of(message), version_of(message), content_hash_of(message))


def _erases_too_many(verified: Verified, desk: Desk) -> bool:
    """Say whether a municipality erases more unknown signals in a day than it can mean to; a person can let it be tried again."""
    message, signal_id = verified.message, signal_id_of(verified.message)
    known = desk.signal(signal_id) is not None or desk.is_erased(signal_id) or message.incoming.attempt > 0
    return not known and desk.erased_since(verified.municipality, message.appended_at - A_DAY) >= UNKNOWN_ERASURES


def _ids(judged: Iterable[Verified | Unreadable | Message]) -> set[str]:
    told = (signal_id_of(each) for each in judged if isinstance(each, Message))
    sent = (each.signal_id for each in judged if isinstance(each, Verified))
    return {each for each in (*told, *sent) if each is not None}


def _numbers(judged: Iterable[Verified | Unreadable | Message]) -> set[tuple[str, str, int]]:
    return {_number(each) for each in judged if isinstance(each, Verified) and each.has_number}


def _number(verified: Verified) -> tuple[str, str, int]:
    return verified.municipality, verified.publisher_run, verified.sequence


def _without_empty_guard(signal: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in signal.items() if not (name == "guard" and value is None)}


def _version_verdict(verified: Verified, desk: Desk) -> VersionVerdict:
    message = verified.message
    stored = desk.signal(signal_id_of(message))
    if stored is not None and stored.municipality != verified.municipality:
        return VersionVerdict.CONFLICT
    if message.record == "SignalErased":
        return judge_erasure(desk.known_version(signal_id_of(message)), version=version_of(message))
    if message.record == "SignalWithdrawn" and (stored is None or stored.state != "ROUTED"):
        return VersionVerdict.CONFLICT
    version = version_of(message)
    supersedes = version - 1 if message.record == "SignalWithdrawn" else message.fields["signal"]["supersedes"]
    known = desk.known_version(signal_id_of(message), but=version if _was_parked(message, desk) else None)
    return judge_version(known, version=version, supersedes=supersedes, content_hash=content_hash_of(message))


def content_hash_of(message: Message) -> str:
    """Return the hash by which the same content is known again, under another number too (R-VAL-16)."""
    return content_hash(content_of(message.fields))


def _take_used_number(verified: Verified, used: UsedNumber, work: Work) -> None:
    if _is_the_same(verified, used):
        # The same bytes again, by a resend or a redelivery: say once more what became of them, so that the sender can rest.
        tell_received(verified, used.verdict, work)
    else:
        work.park(Unreadable(verified.message.incoming, "VERSION_CONFLICT", ("envelope.sequence R-FLOW-01",)))


def _route(verified: Verified, run: Run) -> None:
    message = verified.message
    verdict, act = _ACTS[message.record]
    _supersede(verified, run)
    _use(verified, verdict, run.desk)
    run.desk.saw(signal_id_of(message), verified.municipality, version_of(message), content_hash_of(message), parked=False)
    act(run, verified)
    tell_received(verified, verdict, run.work)


_ACTS: Mapping[str, tuple[str, Callable[[Run, Verified], None]]] = {
    "SignalPublished": ("routed", Run.published),
    "SignalWithdrawn": ("withdrawn", Run.withdrawn),
    "SignalErased": ("erased", Run.erased),
}
"""Place in the ledger and work of each record that is accepted."""


def _supersede(verified: Verified, run: Run) -> None:
    accepted = run.desk.accepted_of(signal_id_of(verified.message))
    if accepted is None:
        return
    number = (accepted["municipality"], accepted["publisher_run"], accepted["sequence"])
    before = run.desk.number(number) or run.desk.load_number(number)
    if before is not None and before.verdict == "routed":
        run.superseded(before, verified.message.appended_at)


def _use(verified: Verified, verdict: str, desk: Desk) -> None:
    desk.use(_used(verified, verdict, desk.number(_number(verified))))


def _used(verified: Verified, verdict: str, before: UsedNumber | None) -> UsedNumber:
    signal_id, version, revision = verified.signal_id or "", verified.version or 0, before.revision + 1 if before else 1
    return UsedNumber(*_number(verified), revision, signal_id, version, value_hash(verified), verdict)


def _is_the_same(verified: Verified, used: UsedNumber) -> bool:
    """Say whether a record is the one that has used its number before.

    After a rebuild the bytes of what came over seven days ago are not known any more: then signal and version decide.
    """
    about = (verified.signal_id or "", verified.version or 0)
    return used.value_hash == value_hash(verified) or (not used.value_hash and about == (used.signal_id, used.version))


def value_hash(verified: Verified) -> bytes:
    """Return the hash by which the same bytes are known again."""
    return sha256(verified.message.incoming.value or b"").digest()


def _park(verified: Verified, reason: str, errors: tuple[str, ...], run: Run) -> None:
    message = verified.message
    signal_id, version = signal_id_of(message), version_of(message)
    run.desk.saw(signal_id, verified.municipality, version, content_hash_of(message), parked=True)
    _park_number(verified, reason, errors, run)


def _park_number(verified: Verified, reason: str, errors: tuple[str, ...], run: Run) -> None:
    attribution = Attribution(*_number(verified), verified.signal_id, verified.version)
    _use(verified, "parked", run.desk)
    incoming = verified.message.incoming
    if verified.signal_id is not None and run.desk.is_erased(verified.signal_id):
        incoming = without_content(incoming)
    run.work.park(Unreadable(incoming, reason, errors, attribution))


def without_content(incoming: Incoming) -> Incoming:
    """Return a record as it is kept when its signal was erased: only where it stood; a person can do no more than drop it."""
    return replace(incoming, value=None, headers={})


def tell_received(verified: Verified, verdict: str, work: Work) -> None:
    """Tell the trace what became of a number: the municipality may then let go of its copy."""
    entry = {"publisher_run": verified.publisher_run, "sequence": verified.sequence, "municipality": verified.municipality}
    signal = {"signal_id": verified.signal_id, "version": verified.version}
    key = verified.signal_id or verified.publisher_run
    work.trace("RECEIVED", at=verified.message.appended_at, key=key, verdict=verdict, **entry, **signal)


def _tell_checkpoint(verified: Verified, work: Work) -> None:
    message = verified.message
    entry = {
        "publisher_run": verified.publisher_run,
        "municipality": verified.municipality,
        "sequence": message.fields["highest"],
    }
    work.trace("CHECKPOINT", at=message.appended_at, key=verified.publisher_run, **entry)
