"""The rebuild of routing's store, without judging anything again: from `accepted`, the parked records, and its own trace.

The trace says what became of each number; the log of `signals`, as far as it goes back, gives the hashes by which the same
record is known again. Of what is older signal and version decide. For erasures see `rebuilding_erasures`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, bindparam, update

from signal_exchange.contracts.codec import decode_as
from signal_exchange.contracts.records import ACCEPTED_SIGNAL, ClusterMembership, ParkedRecord, RebuildTraceFact
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.privacy.register import Register
from signal_exchange.recovery.rebuilding import Plan
from signal_exchange.routing.accepted import rescreen_at
from signal_exchange.routing.composition import consumer_spec, rulebook
from signal_exchange.routing.erasing import KIND
from signal_exchange.routing.erasures import ErasureStore
from signal_exchange.routing.numbers import content_hash_of, value_hash
from signal_exchange.routing.rebuilding_erasures import is_own_word, leave_nothing_of_erased, put_begun, put_told, put_words
from signal_exchange.routing.service import SERVICE
from signal_exchange.routing.side_records import PLACES as SIDE_RECORDS
from signal_exchange.routing.store import Membership, Number, RoutingStore, StoredSignal, UsedNumber
from signal_exchange.routing.tables import NUMBERS, SIGNALS
from signal_exchange.routing.verifying import Verified, is_signed, verify
from signal_exchange.runtime.database import add_once, row_of
from signal_exchange.runtime.settings import RoutingSettings, loaded
from signal_exchange.stream.consumer import ConsumerSpec, read_as
from signal_exchange.stream.erasing import RECEIPT
from signal_exchange.stream.identity import Identity, load_identity
from signal_exchange.stream.messages import Incoming, Message
from signal_exchange.stream.parking import CannotRetryError, ParkedStore, Unseal, opened_record
from signal_exchange.stream.views import AcceptedSignalMessage, RebuildTraceFactMessage, RoutingOutcomeMessage, RoutingReads
from signal_exchange.stream.work import Work

OWN = ("accepted", "signal-trace")
SOURCES = ("links", "outcomes", "signals")
UNKNOWN = ""
"""Stands for a hash that nothing gives back."""
SEEN = {"parked": True, "routed": False, "withdrawn": False}
"""The verdicts that say whether a version was parked."""


@dataclass(frozen=True, slots=True)
class Rebuilding:
    """The work of a rebuild on the records of each topic."""

    register: Register
    calendar: WorkingCalendar
    opened: Unseal = field(repr=False)

    def take(self, messages: Sequence[RoutingReads | RebuildTraceFactMessage], work: Work) -> None:
        """Write what the records of one topic give back."""
        store = RoutingStore(work.connection)
        store.put([self._signal(each) for each in messages if each.record == "AcceptedSignal"], [])
        store.put_memberships([_membership(each.fields) for each in messages if each.record == "ClusterMembership"])
        erasures = ErasureStore(work.connection)
        _put_outcomes([each for each in messages if each.record == "Outcome"], erasures, self.register)
        facts = [each.fields for each in messages if each.record == "TraceFact" and _accounts(each.fields)]
        _take_facts(facts, store, work.connection)
        put_begun(facts, erasures)
        judged = (verify(each, self.register) for each in messages if each.record != "TraceFact" and is_signed(each))
        numbered = [each for each in judged if isinstance(each, Verified) and each.has_number]
        _recognise(numbered, store, work.connection)
        put_words([each for each in numbered if each.refused is None], erasures)

    def finish(self, connection: Connection) -> None:
        """Give back the hashes that the log of signals does not have any more, and that something else has."""
        store, kept = RoutingStore(connection), ParkedStore(connection)
        records = (self._record(each) for each in kept.all("PARKED") if each["attributed"])
        messages = (read_as(each, SERVICE) for each in records if each is not None)
        judged = (verify(each, self.register) for each in messages if isinstance(each, Message) and is_signed(each))
        _recognise([each for each in judged if isinstance(each, Verified)], store, connection)
        store.put_seen([_with_accepted_hash(each) for each in store.all_signals()])
        leave_nothing_of_erased(store, ErasureStore(connection))

    def _record(self, parked: ParkedRecord) -> Incoming | None:
        try:
            return opened_record(parked, self.opened)
        except CannotRetryError:
            return None

    def _signal(self, message: AcceptedSignalMessage) -> StoredSignal:
        fields, due = message.fields, rescreen_at(message.fields, self.calendar)
        return StoredSignal(
            signal_id=fields["signal_id"],
            revision=fields["revision"],
            municipality=fields["municipality"],
            state=fields["state"],
            version=fields["version"],
            seen="{}",
            accepted=message.incoming.value,
            rescreen_at=due,
        )


def _membership(fields: ClusterMembership) -> Membership:
    return Membership(fields["signal_id"], fields["revision"], fields["cluster_id"])


def _put_outcomes(messages: Sequence[RoutingOutcomeMessage], erasures: ErasureStore, register: Register) -> None:
    """Give back what these say of erasures, and the keys of the others but not of signals whose last ones are known gone."""
    put_told(messages, erasures, register)
    told = [each.fields for each in messages]
    ended = {each.signal_id for each in erasures.erasures(each["signal_id"] for each in told).values() if each.certified_at}
    wanted = [each for each in told if each["kind"] not in (KIND, RECEIPT) and each["signal_id"] not in ended]
    erasures.add_outcomes([(f"{each['signal_id']}/{each['outcome_id']}", each["signal_id"]) for each in wanted])


def _accounts(fields: RebuildTraceFact) -> bool:
    return fields["service"] == SERVICE and fields["stage"] in ("RECEIVED", "PARKED") and fields["sequence"] is not None


def _take_facts(facts: Sequence[RebuildTraceFact], store: RoutingStore, connection: Connection) -> None:
    """Give each number its last verdict, and each signal the versions that were seen of it."""
    numbers = store.numbers(map(_number, facts)) if facts else {}
    signals = store.signals(each["signal_id"] for each in facts if each["signal_id"])
    for fact in facts:
        number, verdict, signal_id, version = _number(fact), fact["verdict"] or "", fact["signal_id"], fact["version"]
        before = numbers.get(number) or UsedNumber(*number, 0, signal_id or "", version or 0, b"", "")
        if before.verdict == verdict:
            continue
        numbers[number] = replace(before, revision=before.revision + 1, verdict=verdict)
        if signal_id and version is not None:
            known = signals.get(signal_id) or _only_parked(signal_id, number[0])
            signals[signal_id] = _saw(known, number[0], version, verdict)
    store.put([], list(numbers.values()))
    add_once(connection, SIGNALS, [row_of(each) for each in signals.values() if each.accepted is None])
    store.put_seen(signals.values())


def _only_parked(signal_id: str, municipality: str) -> StoredSignal:
    return StoredSignal(signal_id, 0, municipality, "PARKED", 0, "{}", None)


def _saw(stored: StoredSignal, municipality: str, version: int, verdict: str) -> StoredSignal:
    seen, named, parked = json.loads(stored.seen), str(version), SEEN.get(verdict)
    if parked is None or municipality != stored.municipality or seen.get(named, [UNKNOWN, True]) != [UNKNOWN, True]:
        return stored
    later = version > stored.version and named not in seen
    return replace(stored, revision=stored.revision + later, seen=json.dumps({**seen, named: [UNKNOWN, parked]}))


def _recognise(verified: Sequence[Verified], store: RoutingStore, connection: Connection) -> None:
    """Give numbers and versions the hashes of the very records that used them first."""
    numbers = store.numbers((each.municipality, each.publisher_run, each.sequence) for each in verified)
    signals = store.signals(each.signal_id for each in verified if each.signal_id)
    found: dict[Number, UsedNumber] = {}
    for each in verified:
        message, number = each.message, (each.municipality, each.publisher_run, each.sequence)
        signal_id, version = each.signal_id or "", each.version or 0
        used = numbers.get(number)
        if used is not None and not used.value_hash and (used.signal_id, used.version) == (signal_id, version):
            numbers[number] = found[number] = replace(used, value_hash=value_hash(each))
            if signal_id in signals and used.verdict != "repeat" and message.record not in SIDE_RECORDS:
                signals[signal_id] = _with_hash(signals[signal_id], version, content_hash_of(message))
    _put_hashes(found.values(), connection)
    store.put_seen(signals.values())


def _with_hash(stored: StoredSignal, version: int, digest: str) -> StoredSignal:
    seen = json.loads(stored.seen)
    before, parked = seen.get(str(version), (None, False))
    return replace(stored, seen=json.dumps({**seen, str(version): [digest, parked]})) if before == UNKNOWN else stored


def _with_accepted_hash(stored: StoredSignal) -> StoredSignal:
    if stored.accepted is None or stored.state != "ROUTED" or f'["{UNKNOWN}", ' not in stored.seen:
        return stored
    return _with_hash(stored, stored.version, decode_as(stored.accepted, ACCEPTED_SIGNAL)["content_hash"].hex())


def _number(fact: RebuildTraceFact) -> Number:
    return fact["municipality"] or "", fact["publisher_run"] or "", fact["sequence"] or 0


def _put_hashes(numbers: Iterable[UsedNumber], connection: Connection) -> None:
    names = ("municipality", "publisher_run", "sequence")
    statement = update(NUMBERS).where(*(NUMBERS.c[name] == bindparam(f"of_{name}") for name in names))
    rows = [{"value_hash": each.value_hash, **{f"of_{name}": getattr(each, name) for name in names}} for each in numbers]
    if rows:
        connection.execute(statement, rows)


def held_back(connection: Connection) -> set[str]:
    """Return the parked ids of what blames nobody: it used no number, and perhaps nobody can read it."""
    kept = ParkedStore(connection)
    return {each["parked_id"] for each in kept.all("PARKED", "DISCARDED") if not each["attributed"]}


def plan() -> Plan:
    """Return the plan of routing's rebuild."""
    settings = loaded(RoutingSettings)
    spec = consumer_spec(settings)
    return plan_of(spec, load_identity(settings, settings.keys_file, spec.database))


def plan_of(spec: ConsumerSpec, identity: Identity) -> Plan:
    """Return the rebuild plan of a routing with this identity."""
    rules = rulebook(identity.register)
    work = Rebuilding(rules.register, rules.calendar, identity.opened)
    return Plan(
        spec,
        take=work.take,
        sources=SOURCES,
        own=OWN,
        among={"outcomes": is_own_word},
        finish=work.finish,
        held_back=held_back,
        views={"signal-trace": "rebuild"},
        handled_again=False,
    )
