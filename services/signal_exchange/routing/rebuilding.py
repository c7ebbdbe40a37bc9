"""How routing's store comes back, without judging anything again: from `accepted`, what was parked, and its own trace.

The trace says what became of each number; the log of `signals`, as far as it goes back, gives the hashes by which the same
record is known again. Of what is older signal and version decide. For erasures see `rebuilding_erasures`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, bindparam, update

from signal_exchange.contracts.codec import decode
from signal_exchange.contracts.signed import SIGNED
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.privacy.register import Register
from signal_exchange.routing.composition import SERVICE, consumer_spec, rulebook
from signal_exchange.routing.erasing import KIND
from signal_exchange.routing.erasures import ErasureStore
from signal_exchange.routing.handler import content_hash_of, value_hash
from signal_exchange.routing.rebuilding_erasures import (
    is_own_word,
    leave_nothing_of_erased,
    put_begun,
    put_told,
    put_words,
)
from signal_exchange.routing.running import rescreen_at
from signal_exchange.routing.statements import PLACES as STATEMENTS
from signal_exchange.routing.store import Membership, Number, RoutingStore, StoredSignal, UsedNumber
from signal_exchange.routing.tables import NUMBERS, SIGNALS, TABLES
from signal_exchange.routing.verifying import Verified, verify
from signal_exchange.runtime.database import add_once
from signal_exchange.runtime.settings import RoutingSettings, loaded
from signal_exchange.stream.consumer import read_as
from signal_exchange.stream.erasing import RECEIPT
from signal_exchange.stream.identity import Identity, load_identity
from signal_exchange.stream.messages import Incoming, Message
from signal_exchange.stream.outbox import kept_table
from signal_exchange.stream.parking import CannotRetry, Kept, opened_record
from signal_exchange.stream.rebuilding import Plan
from signal_exchange.stream.service import ConsumerSpec
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
    opened: Callable[[Mapping[str, object], str], bytes] = field(repr=False)

    def take(self, messages: Sequence[Message], work: Work) -> None:
        """Write what the records of one topic give back."""
        store = RoutingStore(work.connection)
        store.put([self._signal(each) for each in messages if each.record == "AcceptedSignal"], [])
        store.put_memberships([_membership(each.fields) for each in messages if each.record == "ClusterMembership"])
        erasures = ErasureStore(work.connection)
        _put_outcomes([each for each in messages if each.record == "Outcome"], erasures, self.register)
        facts = [each.fields for each in messages if each.record == "TraceFact" and _accounts(each.fields)]
        _take_facts(facts, store, work.connection)
        put_begun(facts, erasures)
        judged = (verify(each, self.register) for each in messages if each.record in SIGNED)
        numbered = [each for each in judged if isinstance(each, Verified) and each.has_number]
        _recognise(numbered, store, work.connection)
        put_words([each for each in numbered if each.refused is None], erasures)

    def finish(self, connection: Connection) -> None:
        """Give back the hashes that the log of signals does not have any more, and that something else has."""
        store, kept = RoutingStore(connection), Kept(connection, kept_table(TABLES))
        records = (self._record(each) for each in kept.all("PARKED") if each["attributed"])
        messages = (read_as(each, SERVICE) for each in records if each is not None)
        judged = (verify(each, self.register) for each in messages if isinstance(each, Message))
        _recognise([each for each in judged if isinstance(each, Verified)], store, connection)
        store.put_seen([_with_accepted_hash(each) for each in store.all_signals()])
        leave_nothing_of_erased(store, ErasureStore(connection))

    def _record(self, parked: Mapping[str, Any]) -> Incoming | None:
        try:
            return opened_record(parked, self.opened)
        except CannotRetry:
            return None

    def _signal(self, message: Message) -> StoredSignal:
        names = ("signal_id", "revision", "municipality", "state", "version")
        own = {name: message.fields[name] for name in names}
        due = rescreen_at(message.fields, self.calendar)
        return StoredSignal(**own, seen="{}", accepted=message.incoming.value, rescreen_at=due)


def _membership(fields: Mapping[str, Any]) -> Membership:
    return Membership(fields["signal_id"], fields["revision"], fields["cluster_id"])


def _put_outcomes(messages: Sequence[Message], erasures: ErasureStore, register: Register) -> None:
    """Give back what these say of erasures, and the keys of the others but not of signals whose last ones are known gone."""
    put_told(messages, erasures, register)
    told = [each.fields for each in messages]
    ended = {each.signal_id for each in erasures.erasures(each["signal_id"] for each in told).values() if each.certified_at}
    wanted = [each for each in told if each["kind"] not in (KIND, RECEIPT) and each["signal_id"] not in ended]
    erasures.add_outcomes([(f"{each['signal_id']}/{each['outcome_id']}", each["signal_id"]) for each in wanted])


def _accounts(fields: Mapping[str, Any]) -> bool:
    return fields["service"] == SERVICE and fields["stage"] in ("RECEIVED", "PARKED") and fields["sequence"] is not None


def _take_facts(facts: Sequence[Mapping[str, Any]], store: RoutingStore, connection: Connection) -> None:
    """Give each number its last verdict, and each signal the versions that were seen of it."""
    numbers = store.numbers(map(_number, facts)) if facts else {}
    signals = store.signals(each["signal_id"] for each in facts if each["signal_id"])
    for fact in facts:
        number, verdict = _number(fact), fact["verdict"]
        before = numbers.get(number) or UsedNumber(*number, 0, fact["signal_id"] or "", fact["version"] or 0, b"", "")
        if before.verdict == verdict:
            continue
        numbers[number] = replace(before, revision=before.revision + 1, verdict=verdict)
        if fact["signal_id"] and fact["version"] is not None:
            known = signals.get(fact["signal_id"]) or _only_parked(fact)
            signals[fact["signal_id"]] = _saw(known, fact)
    store.put([], list(numbers.values()))
    add_once(connection, SIGNALS, [_row(each) for each in signals.values() if each.accepted is None])
    store.put_seen(signals.values())


def _only_parked(fact: Mapping[str, Any]) -> StoredSignal:
    return StoredSignal(fact["signal_id"], 0, fact["municipality"], "PARKED", 0, "{}", None)


def _saw(stored: StoredSignal, fact: Mapping[str, Any]) -> StoredSignal:
    seen, version = json.loads(stored.seen), str(fact["version"])
    parked = SEEN.get(fact["verdict"])
    if parked is None or fact["municipality"] != stored.municipality or seen.get(version, [UNKNOWN, True]) != [UNKNOWN, True]:
        return stored
    later = fact["version"] > stored.version and version not in seen
    return replace(stored, revision=stored.revision + later, seen=json.dumps({**seen, version: [UNKNOWN, parked]}))


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
            if signal_id in signals and used.verdict != "repeat" and message.record not in STATEMENTS:
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
    return _with_hash(stored, stored.version, decode(stored.accepted, SERVICE).fields["content_hash"].hex())


def _number(fact: Mapping[str, Any]) -> Number:
    return fact["municipality"], fact["publisher_run"], fact["sequence"]


def _put_hashes(numbers: Iterable[UsedNumber], connection: Connection) -> None:
    names = ("municipality", "publisher_run", "sequence")
    statement = update(NUMBERS).where(*(NUMBERS.c[name] == bindparam(f"of_{name}") for name in names))
    rows = [{"value_hash": each.value_hash, **{f"of_{name}": getattr(each, name) for name in names}} for each in numbers]
    if rows:
        connection.execute(statement, rows)


def _row(stored: StoredSignal) -> dict[str, Any]:
    return {name: getattr(stored, name) for name in StoredSignal.__dataclass_fields__}


def held_back(connection: Connection) -> set[str]:
    """Return the parked ids of what blames nobody: it used no number, and perhaps nobody can read it."""
    kept = Kept(connection, kept_table(TABLES))
    return {each["parked_id"] for each in kept.all("PARKED", "DISCARDED") if not each["attributed"]}


def plan() -> Plan:
    """Return how routing is rebuilt."""
    settings = loaded(RoutingSettings)
    spec = consumer_spec(settings)
    return plan_of(spec, load_identity(settings, settings.keys_file, spec.database))


def plan_of(spec: ConsumerSpec, identity: Identity) -> Plan:
    """Return how a routing with this identity is rebuilt."""
    rules = rulebook(identity.register)
    work = Rebuilding(rules.register, rules.calendar, identity.opened)
    return Plan.of(
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
