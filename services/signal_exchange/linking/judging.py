"""Finds the links that a change touches and judges each anew, from the tokens, the answers and the moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.links import states as link_states
from signal_exchange.domain.links.sharing import (
    SAME_PERSON,
    SHARED_CONTEXT,
    Holder,
    Pair,
    cap_of,
    frequency_class,
    kind_of,
    last_day_of,
    link_id,
    pair_of,
    proposing,
)
from signal_exchange.domain.links.states import Answer, Facts, LinkState
from signal_exchange.linking.records import ERASED, Link, Signal, TokenUse, Value, next_revision
from signal_exchange.linking.store import LinkingStore

KINDS = (SAME_PERSON, SHARED_CONTEXT)


@dataclass(frozen=True, slots=True)
class Carried:
    """A value of one signal: since when, last in which version, and by which parts of the present one, if any."""

    since: datetime
    version: int
    carriers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges links in one open transaction, at one moment."""

    store: LinkingStore
    calendar: WorkingCalendar
    now: datetime
    _holders: dict[Value, list[Holder]] = field(default_factory=dict)

    def pairs_of(self, token_uses: Iterable[TokenUse]) -> set[Pair]:
        """Return the pairs that these tokens propose, and those whose place under the cap they may have changed."""
        owners: dict[Value, set[str]] = defaultdict(set)
        for use in token_uses:
            owners[use.value].add(use.signal_id)
        pairs: set[Pair] = set()
        for value, new in owners.items():
            around = {holder.signal_id for holder in self._first(value)}
            pairs |= {pair_of(one, other) for one in new & around for other in around - {one}}
            if new & around and self._grew(value, len(new & around)):
                pairs |= {link.pair for link in self.store.links_of(around).values() if {*link.pair} <= around}
        return pairs

    def _grew(self, value: Value, added: int) -> bool:
        """Say whether a value changed its class of frequency, so that every link through it is published anew."""
        count = len(self._first(value))
        return self._class(value, count) != self._class(value, count - added) or count > cap_of(value.type, self.calendar.policy)

    def _class(self, value: Value, count: int) -> str:
        return frequency_class([count], common=count > cap_of(value.type, self.calendar.policy))

    def _first(self, value: Value) -> list[Holder]:
        if value not in self._holders:
            self._holders[value] = self.store.holders(value, cap_of(value.type, self.calendar.policy) + 1)
        return self._holders[value]

    def judged(self, pairs: Iterable[Pair]) -> Iterator[tuple[Link | None, Link]]:
        """Return each link of these pairs that is new or changed: as it was, or None, and as it is."""
        wanted = [(pair, kind, link_id(pair, kind)) for pair in sorted(set(pairs)) for kind in KINDS]
        signals = self.store.signals(signal for pair, _, _ in wanted for signal in pair)
        carried = _carried(signals, self.store.token_uses(signals))
        answers = self.store.answers(identity for _, _, identity in wanted)
        before = self.store.links(identity for _, _, identity in wanted)
        for pair, kind, identity in wanted:
            if {*pair} <= signals.keys():
                case = _LinkCase(kind, signals[pair[0]], signals[pair[1]], answers.get(identity, []), before.get(identity))
                after = self._link(identity, case, carried)
                if after is not None and after != case.before:
                    told = case.before.revision if case.before else 0
                    yield case.before, replace(after, revision=next_revision(told, self.now))

    def _link(self, identity: str, case: _LinkCase, carried: Mapping[str, Mapping[Value, Carried]]) -> Link | None:
        if case.erased:
            return _erased(case)
        shared = self._shared(case, carried)
        if shared:
            evidence = self._evidence(shared, carried, case)
        elif case.before is not None:
            evidence = _remembered(case.before, (case.a.version, case.b.version))
        else:
            return None
        facts = case.facts(evidence)
        state = link_states.judge(facts, case.answers, self.calendar, self.now)
        return _told(identity, case, evidence, state, facts)

    def _shared(self, case: _LinkCase, carried: Mapping[str, Mapping[Value, Carried]]) -> list[Value]:
        one, other = carried[case.a.signal_id], carried[case.b.signal_id]
        both = [value for value in one.keys() & other.keys() if kind_of(value.type) == case.kind]
        pair = {case.a.signal_id, case.b.signal_id}
        # What people decided about stays, however frequent the value became (R-LINK-03).
        return both if case.answers else [value for value in both if pair <= self._proposing(value)]

    def _proposing(self, value: Value) -> frozenset[str]:
        return proposing(self._first(value), cap_of(value.type, self.calendar.policy))

    def _evidence(self, shared: list[Value], carried: Mapping[str, Mapping[Value, Carried]], case: _LinkCase) -> _Evidence:
        one, other = carried[case.a.signal_id], carried[case.b.signal_id]
        since = {value: max(one[value].since, other[value].since) for value in shared}
        now = [value for value in shared if one[value].carriers and other[value].carriers]
        types: dict[str, datetime] = {}
        for value in now:
            types[value.type] = min(since[value], types.get(value.type, since[value]))
        return _Evidence(
            types,
            tuple(sorted({pair for value in now for pair in _ref_pairs(one[value], other[value])})),
            max(last_day_of(value.epoch, self.calendar.policy) for value in now or shared),
            self._frequency(now),
            min(since.values()),
            (max(one[value].version for value in shared), max(other[value].version for value in shared)),
        )

    def _frequency(self, shared: list[Value]) -> str:
        counts = {value: len(self._first(value)) for value in shared}
        common = any(count > cap_of(value.type, self.calendar.policy) for value, count in counts.items())
        return frequency_class(counts.values(), common=common)


@dataclass(frozen=True, slots=True)
class _Evidence:
    types: Mapping[str, datetime]
    refs: tuple[tuple[str, str], ...]
    last_day: date
    frequency: str
    found_at: datetime
    versions: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _LinkCase:
    kind: str
    a: Signal
    b: Signal
    answers: list[Answer]
    before: Link | None

    @property
    def erased(self) -> bool:
        return ERASED in (self.a.status, self.b.status)

    def facts(self, evidence: _Evidence) -> Facts:
        closed = [moment for moment in (self.a.closed_at, self.b.closed_at) if moment is not None]
        places = frozenset({self.a.municipality, self.b.municipality})
        return Facts(self.kind, places, evidence.types, min(closed, default=None), evidence.last_day)


def _carried(signals: Mapping[str, Signal], token_uses: Mapping[str, list[TokenUse]]) -> dict[str, dict[Value, Carried]]:
    return {signal_id: _of_one(signal, token_uses.get(signal_id, [])) for signal_id, signal in signals.items()}


def _of_one(signal: Signal, token_uses: list[TokenUse]) -> dict[Value, Carried]:
    found: dict[Value, list[TokenUse]] = defaultdict(list)
    for use in token_uses:
        found[use.value].append(use)
    return {value: _carried_value(signal, own) for value, own in found.items()}


def _carried_value(signal: Signal, own: list[TokenUse]) -> Carried:
    carriers = sorted({each.carrier for each in own if each.version == signal.version})
    return Carried(min(each.since for each in own), max(each.version for each in own), tuple(carriers))


def _ref_pairs(one: Carried, other: Carried) -> Iterator[tuple[str, str]]:
    for mine in one.carriers:
        for theirs in other.carriers:
            if mine.startswith("subject:") and theirs.startswith("subject:"):
                yield mine.removeprefix("subject:"), theirs.removeprefix("subject:")


def _remembered(before: Link, versions: tuple[int, int]) -> _Evidence:
    """Give the evidence that both shared when their tokens are gone by age: it stands until a new version of one of them."""
    stands = versions == before.versions
    types = dict.fromkeys(before.key_types, before.found_at) if stands else {}
    last_day = date.fromisoformat(before.last_day)
    return _Evidence(types, before.refs if stands else (), last_day, before.frequency, before.found_at, before.versions)


def _erased(case: _LinkCase) -> Link | None:
    if case.before is None:
        return None
    gone = {"key_types": (), "refs": (), "frequency": "2", "evidence_gone": False, "compared": (), "awaits": ()}
    return replace(case.before, **gone, state=ERASED, answer_by=None, overdue=False, released_at=None)  # type: ignore[arg-type]  # empty tuples


def _told(identity: str, case: _LinkCase, evidence: _Evidence, state: LinkState, facts: Facts) -> Link:
    return Link(
        identity,
        case.kind,
        case.a.signal_id,
        case.b.signal_id,
        evidence.versions,
        facts.across,
        tuple(sorted(evidence.types)),
        evidence.refs,
        evidence.frequency,
        state.state,
        state.evidence_gone,
        evidence.found_at,
        evidence.last_day.isoformat(),
        state.released_at,
        tuple(sorted(state.compared)),
        tuple(sorted(state.awaits)),
        state.answer_by,
        state.overdue,
        state.changed_at or evidence.found_at,
    )
