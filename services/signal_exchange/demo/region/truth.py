"""The truth of a region: who is who, which signals belong together, and where values leak."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from itertools import combinations

from signal_exchange.demo.region.keys import (
    Keys,
    account_key,
    bsn_key,
    company_key,
    name_keys,
    phone_key,
    place_keys,
    plate_key,
)
from signal_exchange.demo.region.model import Leak, Mention, Record, SignalKey, TrueLink, TruePerson, Truth
from signal_exchange.demo.region.people import Person
from signal_exchange.demo.region.records import Built

PERSON_KEYS = frozenset({"BSN", "NAME_DOB", "NAME_DOB_SOFT"})
Shared = dict[str, list[tuple[SignalKey, Keys]]]


def truth_of(built: Mapping[SignalKey, Built], people: Mapping[str, Person], today: date) -> Truth:
    """Work out the truth from what each record was made of."""
    links = _links(built)
    return Truth(
        persons=_persons(built, people, today),
        mentions=tuple(Mention(key, ref, person) for key, one in built.items() for ref, person in one.persons),
        links=links,
        clusters=clusters(link for link in links if link.key_types),
        leaks=tuple(Leak(key, *span) for key, one in built.items() for span in one.leaks),
    )


def _persons(built: Mapping[SignalKey, Built], people: Mapping[str, Person], today: date) -> tuple[TruePerson, ...]:
    seen: dict[str, list[str]] = defaultdict(list)
    for one in built.values():
        for _, person_id in one.persons:
            seen[person_id].append(_week(one.record["received_at"]))
    found = ((people[person_id], weeks) for person_id, weeks in sorted(seen.items()))
    return tuple(TruePerson(one.person_id, one.form, one.is_minor(today), min(weeks), max(weeks)) for one, weeks in found)


def _week(moment: str) -> str:
    year, week, _ = datetime.fromisoformat(moment).date().isocalendar()
    return f"{year}-W{week:02d}"


def _links(built: Mapping[SignalKey, Built]) -> tuple[TrueLink, ...]:
    """Link every two signals with purpose LINKING that truly share a person or a thing (R-LINK-01)."""
    persons: Shared = defaultdict(list)
    things: Shared = defaultdict(list)
    for key, one in built.items():
        if all(entry["purpose"] != "LINKING" for entry in one.record["exchanges"]):
            continue
        for ref, person_id in one.persons:
            persons[person_id].append((key, subject_keys(one.record, ref)))
        for thing_id, name, index in one.things:
            things[thing_id].append((key, thing_keys(one.record, name, index)))
    same = _pairs(persons)
    context = _pairs(things)
    for pair, types in same.items():
        if types - PERSON_KEYS:
            context.setdefault(pair, set()).update(types - PERSON_KEYS)
    person_links = [TrueLink(*pair, "SAME_PERSON", tuple(sorted(types & PERSON_KEYS))) for pair, types in same.items()]
    context_links = [TrueLink(*pair, "SHARED_CONTEXT", tuple(sorted(types))) for pair, types in context.items()]
    return tuple(sorted([*person_links, *context_links], key=lambda link: (link.first, link.second, link.kind)))


def _pairs(shared: Shared) -> dict[tuple[SignalKey, SignalKey], set[str]]:
    found: dict[tuple[SignalKey, SignalKey], set[str]] = {}
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


def clusters(links: Iterable[TrueLink]) -> tuple[tuple[SignalKey, ...], ...]:
    """Give the connected components of links, each and all in order; signals without a link form none."""
    neighbours: dict[SignalKey, set[SignalKey]] = defaultdict(set)
    for link in links:
        neighbours[link.first].add(link.second)
        neighbours[link.second].add(link.first)
    found, seen = [], set[SignalKey]()
    for start in sorted(neighbours):
        if start not in seen:
            component = _reach(start, neighbours)
            seen |= component
            found.append(tuple(sorted(component)))
    return tuple(found)


def _reach(start: SignalKey, neighbours: Mapping[SignalKey, set[SignalKey]]) -> set[SignalKey]:
    reached, to_visit = {start}, [start]
    while to_visit:
        new = neighbours[to_visit.pop()] - reached
        reached |= new
        to_visit += sorted(new)
    return reached
