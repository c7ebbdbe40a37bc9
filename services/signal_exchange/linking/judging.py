"""Finds the links that a change touches and judges each anew, from the tokens, the answers and the moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from signal_exchange.domain import link_states
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.link_states import Answer, Facts, LinkState
from signal_exchange.domain.linking import (
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
from signal_exchange.linking.records import ERASED, Holding, Link, Signal, Value
from signal_exchange.linking.store import LinkingStore

KINDS = (SAME_PERSON, SHARED_CONTEXT)


@dataclass(frozen=True, slots=True)
class Carried:
    """A value as one signal carries it now: since when, and by which of its parts."""

    since: datetime
    carriers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges links in one open transaction, at one moment."""

    store: LinkingStore
    calendar: WorkingCalendar
    now: datetime
    _holders: dict[Value, list[Holder]] = field(default_factory=dict)

    def pairs_of(self, holdings: Iterable[Holding]) -> set[Pair]:
        """Return the pairs that these tokens propose, and those whose place under the cap they may have changed."""
        owners: dict[Value, set[str]] = defaultdict(set)
        for holding in holdings:
            owners[holding.value].add(holding.signal_id)
        pairs: set[Pair] = set()
        for value, new in owners.items():
            around = {holder.signal_id for holder in self._first(value)}
            pairs |= {pair_of(one, other) for one in new & around for other in around - {one}}
            if new & around and self._grew(value, len(new & around)):
                pairs |= {link.pair for link in self.store.links_of(around).values() if {*link.pair} <= around}
        return pairs

    def _grew(self, value: Value, added: int) -> bool:
        """Say whether a value changed its class of frequency, so that every link through it is told anew."""
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
        carried = _carried(signals, self.store.holdings(signals))
        answers = self.store.answers(identity for _, _, identity in wanted)
        before = self.store.links(identity for _, _, identity in wanted)
        for pair, kind, identity in wanted:
            if {*pair} <= signals.keys():
                case = _Case(kind, signals[pair[0]], signals[pair[1]], answers.get(identity, []), before.get(identity))
                after = self._link(identity, case, carried)
                if after is not None and after != case.before:
                    yield case.before, replace(after, revision=case.before.revision + 1 if case.before else 1)

    def _link(self, identity: str, case: _Case, carried: Mapping[str, Mapping[Value, Carried]]) -> Link | None:
        if case.erased:
            return _erased(case)
        shared = self._shared(case, carried)
        if case.before is None and not shared:
            return None
        evidence = self._evidence(shared, carried, case) if shared else _remembered(case)
        facts = case.facts(evidence)
        state = link_states.judge(facts, case.answers, self.calendar, self.now)
        return _told(identity, case, evidence, state, facts)

    def _shared(self, case: _Case, carried: Mapping[str, Mapping[Value, Carried]]) -> list[Value]:
        one, other = carried[case.a.signal_id], carried[case.b.signal_id]
        both = [value for value in one.keys() & other.keys() if kind_of(value.type) == case.kind]
        pair = {case.a.signal_id, case.b.signal_id}
        # What people decided about stays, however frequent the value became (R-LINK-03).
        return both if case.answers else [value for value in both if pair <= self._proposing(value)]

    def _proposing(self, value: Value) -> frozenset[str]:
        return proposing(self._first(value), cap_of(value.type, self.calendar.policy))

    def _evidence(self, shared: list[Value], carried: Mapping[str, Mapping[Value, Carried]], case: _Case) -> _Evidence:
        one, other = carried[case.a.signal_id], carried[case.b.signal_id]
        types: dict[str, datetime] = {}
        for value in shared:
            since = max(one[value].since, other[value].since)
            types[value.type] = min(since, types.get(value.type, since))
        refs = {pair for value in shared for pair in _ref_pairs(one[value], other[value])}
        last = max(last_day_of(value.epoch, self.calendar.policy) for value in shared)
        return _Evidence(types, tuple(sorted(refs)), last, self._frequency(shared))

    def _frequency(self, shared: list[Value]) -> str:
        counts = {value: len(self._first(value)) for value in shared}
        common = any(count > cap_of(value.type, self.calendar.policy) for value, count in counts.items())
        return frequency_class(counts.values(), common=common)


@dataclass(frozen=True, slots=True)
class _Evidence:
    types: Mapping[str, datetime]
    refs: tuple[tuple[str, str], ...]
    last_day: date | None
    frequency: str


@dataclass(frozen=True, slots=True)
class _Case:
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


def _carried(signals: Mapping[str, Signal], holdings: Mapping[str, list[Holding]]) -> dict[str, dict[Value, Carried]]:
    return {signal_id: _of_one(signal, holdings.get(signal_id, [])) for signal_id, signal in signals.items()}


def _of_one(signal: Signal, holdings: list[Holding]) -> dict[Value, Carried]:
    found: dict[Value, list[Holding]] = defaultdict(list)
    for holding in holdings:
        found[holding.value].append(holding)
    now = {value: [each.carrier for each in all_ if each.version == signal.version] for value, all_ in found.items()}
    return {value: Carried(min(each.since for each in found[value]), tuple(sorted(at))) for value, at in now.items() if at}


def _ref_pairs(one: Carried, other: Carried) -> Iterator[tuple[str, str]]:
    for mine in one.carriers:
        for theirs in other.carriers:
            if mine.startswith("subject:") and theirs.startswith("subject:"):
                yield mine.removeprefix("subject:"), theirs.removeprefix("subject:")


def _remembered(case: _Case) -> _Evidence:
    """Give what both shared in the same versions, when their tokens are gone by age; nothing after a new version."""
    before = case.before
    if before is None or not before.refs_stand(case.a.version, case.b.version):
        return _Evidence({}, (), None, "2")
    types = dict.fromkeys(before.key_types, before.found_at)
    return _Evidence(types, before.refs, date.fromisoformat(before.last_day), before.frequency)


def _erased(case: _Case) -> Link | None:
    if case.before is None:
        return None
    gone = {"key_types": (), "refs": (), "frequency": "2", "evidence_gone": False, "compared": (), "awaits": ()}
    return replace(case.before, **gone, state=ERASED, answer_by=None, overdue=False, released_at=None)  # type: ignore[arg-type]  # empty tuples


def _told(identity: str, case: _Case, evidence: _Evidence, state: LinkState, facts: Facts) -> Link:
    before = case.before
    found = min(evidence.types.values()) if evidence.types or before is None else before.found_at
    last_day = evidence.last_day.isoformat() if evidence.last_day else before.last_day if before else ""
    versions = (case.a.version, case.b.version) if evidence.types or before is None else before.versions
    return Link(
        identity,
        case.kind,
        case.a.signal_id,
        case.b.signal_id,
        versions,
        facts.across,
        tuple(sorted(evidence.types)),
        evidence.refs,
        evidence.frequency,
        state.state,
        state.evidence_gone,
        found,
        last_day,
        state.released_at,
        tuple(sorted(state.compared)),
        tuple(sorted(state.awaits)),
        state.answer_by,
        state.overdue,
        state.changed_at or found,
    )
