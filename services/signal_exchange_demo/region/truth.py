"""The truth of a region: who is who, which signals belong together, and where values leak."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import combinations

from signal_exchange_demo.region.keys import (
    Keys,
    account_key,
    bsn_key,
    company_key,
    name_keys,
    phone_key,
    place_keys,
    plate_key,
)
from signal_exchange_demo.region.model import Built, Leak, Mention, Record, TrueLink, TruePerson, Truth
from signal_exchange_demo.region.people import Person

PERSON_KEYS = frozenset({"BSN", "NAME_DOB", "NAME_DOB_SOFT"})
Shared = dict[str, list[tuple[str, Keys]]]


def truth_of(built: Sequence[Built], people: Mapping[str, Person]) -> Truth:
    """Work out the truth from what each record was made of."""
    links = _links(built)
    return Truth(
        persons=_persons(built, people),
        mentions=tuple(Mention(one.signal_id, ref, person) for one in built for ref, person in one.persons),
        links=links,
        clusters=clusters(link for link in links if link.key_types),
        leaks=tuple(Leak(one.signal_id, *span) for one in built for span in one.leaks),
    )


def _persons(built: Sequence[Built], people: Mapping[str, Person]) -> tuple[TruePerson, ...]:
    """Give everybody who is mentioned; minor is who was so at the first publishing."""
    seen: dict[str, list[Built]] = defaultdict(list)
    for one in built:
        for _, person_id in one.persons:
            seen[person_id].append(one)
    return tuple(_person(people[person_id], mentions) for person_id, mentions in sorted(seen.items()))


def _person(person: Person, mentions: Sequence[Built]) -> TruePerson:
    weeks = [_week(one.record["received_at"]) for one in mentions]
    is_minor = person.is_minor(min(one.day for one in mentions))
    return TruePerson(person.person_id, person.form, is_minor, min(weeks), max(weeks))


def _week(moment: str) -> str:
    year, week, _ = datetime.fromisoformat(moment).date().isocalendar()
    return f"{year}-W{week:02d}"


def _links(built: Sequence[Built]) -> tuple[TrueLink, ...]:
    """Link every two signals with purpose LINKING that truly share a person or a thing (R-LINK-01)."""
    persons: Shared = defaultdict(list)
    things: Shared = defaultdict(list)
    for one in built:
        if not may_link(one.record):
            continue
        for ref, person_id in one.persons:
            persons[person_id].append((one.signal_id, subject_keys(one.record, ref)))
        for thing_id, name, index in one.things:
            things[thing_id].append((one.signal_id, thing_keys(one.record, name, index)))
    same = _pairs(persons)
    context = _pairs(things)
    for pair, types in same.items():
        if types - PERSON_KEYS:
            context.setdefault(pair, set()).update(types - PERSON_KEYS)
    person_links = [TrueLink(*pair, "SAME_PERSON", tuple(sorted(types & PERSON_KEYS))) for pair, types in same.items()]
    context_links = [TrueLink(*pair, "SHARED_CONTEXT", tuple(sorted(types))) for pair, types in context.items()]
    return tuple(sorted([*person_links, *context_links], key=lambda link: (link.first, link.second, link.kind)))


def may_link(record: Record) -> bool:
    """Say whether a signal has purpose LINKING (R-LINK-01)."""
    return any(entry["purpose"] == "LINKING" for entry in record["exchanges"])


def _pairs(shared: Shared) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for holders in shared.values():
        for (key, values), (other, other_values) in combinations(sorted(holders, key=lambda holder: holder[0]), 2):
            if key != other:
                found.setdefault((key, other), set()).update(kind for kind, _ in values & other_values)
    return found


def subject_keys(record: Record, ref: str) -> Keys:
    """Give the link values of one subject of a record."""
    subject = next(one for one in record["subjects"] if one["ref"] == ref)
    named = name_keys(subject["family_name"], subject["given_names"], subject["birth_date"])
    return named | bsn_key(subject["bsn"]) | phone_key(subject["phone"])


def thing_keys(record: Record, name: str, index: int) -> Keys:
    """Give the link values of one place, plate, company or account of a record."""
    thing = record[name][index]
    if name == "places":
        return place_keys(thing)
    if name == "plates":
        return plate_key(thing["plate"], thing["country"])
    return company_key(thing) if name == "companies" else account_key(thing)


def clusters(links: Iterable[TrueLink]) -> tuple[tuple[str, ...], ...]:
    """Give the connected components of links, each and all in order; signals without a link form none."""
    neighbours: dict[str, set[str]] = defaultdict(set)
    for link in links:
        neighbours[link.first].add(link.second)
        neighbours[link.second].add(link.first)
    found, seen = [], set[str]()
    for start in sorted(neighbours):
        if start not in seen:
            component = _reach(start, neighbours)
            seen |= component
            found.append(tuple(sorted(component)))
    return tuple(found)


def _reach(start: str, neighbours: Mapping[str, set[str]]) -> set[str]:
    reached, to_visit = {start}, [start]
    while to_visit:
        new = neighbours[to_visit.pop()] - reached
        reached |= new
        to_visit += sorted(new)
    return reached
