"""Which mentions of victims are one person, and the facts about that person for the figures (R-STAT-01)."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, time

from sqlalchemy import Connection, delete, or_, select

from signal_exchange.contracts.records import LinkSubject
from signal_exchange.domain.figures.persons import VICTIM, PersonFact, Victim, yearly_facts
from signal_exchange.domain.links.clusters import clusters
from signal_exchange.domain.links.sharing import SAME_PERSON
from signal_exchange.domain.times import at
from signal_exchange.linking.records import ERASED, WITHDRAWN, Link, Signal, next_revision
from signal_exchange.linking.store import LinkingStore
from signal_exchange.linking.tables import FACTS, MENTIONS
from signal_exchange.privacy.secret_ids import SecretIds
from signal_exchange.runtime.database import put_newer, values_of


@dataclass(frozen=True, slots=True)
class Mention:
    """One mention of a victim and the person it is. Of an erased signal only `counts_as` is left."""

    key: str
    person_id: str
    signal_id: str | None
    counts_as: Mapping[str, str]
    revision: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Fact:
    """The fact about a person in a year for the figures, under an id that is random to them."""

    observation_id: str
    person_id: str
    year: int
    municipality: str
    publish_day: str
    form: str
    age_class: str
    counted: bool
    revision: int = field(default=1, compare=False)


class Persons:
    """The persons in one open transaction, at one moment.

    A person is named by the oldest mention that stands. So the ids follow from what is known now, and not from the order in which
    it came: a linking that was restored gives them again, and nobody is counted twice.
    """

    def __init__(self, connection: Connection, store: LinkingStore, ids: SecretIds, now: datetime) -> None:
        self._connection, self._store = connection, store
        self._ids, self._now = ids, now

    def changed(self, signal_ids: Collection[str]) -> list[Fact]:
        """Work out anew who the victims of these signals are, keep it, and return the facts that changed."""
        around, links = self._around(signal_ids)
        signals = self._store.signals(around)
        standing = list(_victims(signals.values()))
        mentions = self._mentions(around, [self._name(each) for each in standing])
        before = {each.person_id for each in mentions}
        mentions = self._without_erased(mentions, signals)
        victims = {victim.key: victim for victim in (*standing, *map(_anonymous, _kept(mentions)))}
        person_of = self._person_of(victims, links, mentions)
        self._put_mentions(victims, person_of, mentions)
        return self._put_facts({*before, *person_of.values()}, victims, person_of)

    def _around(self, signal_ids: Collection[str]) -> tuple[set[str], list[Link]]:
        """Return every signal that confirmed links, or a person they shared, lead to."""
        found, links = set[str](), dict[str, Link]()
        to_visit = set(signal_ids)
        while to_visit:
            found |= to_visit
            near = [link for link in self._store.links_of(to_visit).values() if link.confirmed and link.kind == SAME_PERSON]
            links |= {link.link_id: link for link in near}
            shared = {each.signal_id for each in self._mentions(to_visit) if each.signal_id}
            to_visit = ({signal_id for link in near for signal_id in link.pair} | shared) - found
        return found, list(links.values())

    def _mentions(self, signal_ids: Collection[str], person_ids: Collection[str] = ()) -> list[Mention]:
        """Return every mention of the persons of these signals, and of these persons: an erased signal may have left one."""
        own = select(MENTIONS.c.person_id).where(MENTIONS.c.signal_id.in_(signal_ids))
        of_person = or_(MENTIONS.c.person_id.in_(own), MENTIONS.c.person_id.in_(person_ids))
        return values_of(Mention, self._connection, select(MENTIONS).where(or_(of_person, MENTIONS.c.signal_id.in_(signal_ids))))

    def _without_erased(self, mentions: list[Mention], signals: Mapping[str, Signal]) -> list[Mention]:
        """Cut the mentions of erased signals loose: what was counted stays counted, and leads to no signal."""
        there = {signal_id for signal_id, signal in signals.items() if signal.status != ERASED}
        erased = [each for each in mentions if each.signal_id and each.signal_id not in there]
        self._connection.execute(delete(MENTIONS).where(MENTIONS.c.key.in_([each.key for each in erased])))
        left = [replace(each, key=str(uuid.uuid4()), signal_id=None) for each in erased]
        put_newer(self._connection, MENTIONS, [asdict(each) for each in left], guard="revision")
        return [*(each for each in mentions if each not in erased), *left]

    def _person_of(self, victims: Mapping[str, Victim], links: Iterable[Link], mentions: Iterable[Mention]) -> dict[str, str]:
        known = {each.key: each.person_id for each in mentions if each.key in victims}
        joined = [(f"{link.signal_a}/{one}", f"{link.signal_b}/{other}") for link in links for one, other in link.refs]
        parts = clusters(victims, (*joined, *_loose(victims, known)))
        named = {part: self._name_of([victims[key] for key in part], known) for part in parts}
        return {key: name for part, name in named.items() for key in part}

    def _name_of(self, mentions: Collection[Victim], known: Mapping[str, str]) -> str:
        """Name a person; one of whom only erased signals told keeps the id under which that person counts."""
        standing = [each for each in mentions if not _is_left(each)]
        if not standing:
            return known[min(each.key for each in mentions)]
        return self._name(min(standing, key=lambda each: (each.appended_at, each.key)))

    def _name(self, first: Victim) -> str:
        return self._ids.uuid("person", first.key)

    def _put_mentions(self, victims: Mapping[str, Victim], person_of: Mapping[str, str], mentions: Iterable[Mention]) -> None:
        known = {each.key: each for each in mentions}
        gone = [key for key in known if key not in victims]
        self._connection.execute(delete(MENTIONS).where(MENTIONS.c.key.in_(gone)))
        rows = [_kept_as(victims[key], person_id, known.get(key)) for key, person_id in person_of.items()]
        put_newer(self._connection, MENTIONS, [asdict(each) for each in rows if each != known.get(each.key)], guard="revision")

    def _put_facts(self, person_ids: Collection[str], victims: Mapping[str, Victim], person_of: Mapping[str, str]) -> list[Fact]:
        stored = values_of(Fact, self._connection, select(FACTS).where(FACTS.c.person_id.in_(person_ids)))
        known = {(fact.person_id, fact.year): fact for fact in stored}
        persons: dict[str, list[Victim]] = defaultdict(list)
        for key, person_id in person_of.items():
            persons[person_id].append(victims[key])
        now = {(each, fact.year): fact for each, own in persons.items() for fact in yearly_facts(own)}
        told = [self._fact(person_id, fact, known.get((person_id, year))) for (person_id, year), fact in now.items()]
        gone = [fact for key, fact in known.items() if key not in now]
        told += [replace(fact, counted=False, revision=next_revision(fact.revision, self._now)) for fact in gone]
        changed = [fact for fact in told if fact != known.get((fact.person_id, fact.year))]
        put_newer(self._connection, FACTS, [asdict(each) for each in changed], guard="revision")
        return changed

    def _fact(self, person_id: str, fact: PersonFact, known: Fact | None) -> Fact:
        return Fact(
            known.observation_id if known else self._ids.uuid("observation", person_id, str(fact.year)),
            person_id,
            fact.year,
            fact.municipality,
            fact.publish_day,
            fact.form,
            fact.age_class,
            counted=True,
            revision=next_revision(known.revision if known else 0, self._now),
        )


def _kept(mentions: Iterable[Mention]) -> list[Mention]:
    return [each for each in mentions if each.signal_id is None]


def _victims(signals: Iterable[Signal]) -> Iterable[Victim]:
    for signal in signals:
        if signal.status not in (WITHDRAWN, ERASED):
            for subject in signal.subjects:
                if subject["role"] == VICTIM:
                    yield _victim(signal, subject)


def _victim(signal: Signal, subject: LinkSubject) -> Victim:
    key, form = f"{signal.signal_id}/{subject['ref']}", signal.form or ""
    return Victim(key, signal.signal_id, signal.appended_at, signal.municipality, signal.publish_day, form, subject["age_class"])


def _anonymous(mention: Mention) -> Victim:
    """Return the mention of an erased signal: it came at the start of its day, which is all that is kept of the moment."""
    facts = mention.counts_as
    day: datetime = at(date.fromisoformat(facts["publish_day"]), time())
    return Victim(mention.key, mention.key, day, **facts)


def _kept_as(victim: Victim, person_id: str, known: Mention | None) -> Mention:
    facts = {name: getattr(victim, name) for name in ("municipality", "publish_day", "form", "age_class")}
    signal_id = None if _is_left(victim) else victim.signal_id
    return Mention(victim.key, person_id, signal_id, facts, known.revision + 1 if known else 1)


def _is_left(victim: Victim) -> bool:
    """Say whether this is what is left of a mention in an erased signal."""
    return victim.signal_id == victim.key


def _loose(victims: Mapping[str, Victim], known: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Tie what is left of an erased signal to the oldest mention of its person: it has no link of its own any more."""
    oldest: dict[str, str] = {}
    for key in sorted(known, key=lambda each: (_is_left(victims[each]), victims[each].appended_at, each)):
        yield oldest.setdefault(known[key], key), key if _is_left(victims[key]) else oldest[known[key]]
