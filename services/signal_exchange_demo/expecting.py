"""The expectations of the demo by its own input: the lines that are refused, and the signals that share a value (R-LINK)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

from signal_exchange_demo.region.keys import Keys
from signal_exchange_demo.region.model import Arrival, Region
from signal_exchange_demo.region.truth import PERSON_KEYS, may_link, subject_keys, thing_keys

Record = Mapping[str, Any]
CAPS = {"NAME_DOB_SOFT": 8, "KVK": 15, "ADDRESS_PC": 20, "ADDRESS_BAG": 20}
CAP = 10
"""In how many signals a value may occur and still propose links (R-LINK-03)."""
NO_TOKEN = frozenset({"BSN"})
"""Types that make no token as long as no lawful basis is recorded (decision 0005)."""
THINGS = ("places", "plates", "companies", "accounts")
Place = tuple[str, int]
"""A file and a line of it, from 1."""


def expected_refusals(region: Region, files: Mapping[str, Sequence[Arrival]]) -> dict[Place, tuple[str, str, str] | None]:
    """Return each line that must be refused, with field, rule and code; None where the whole municipality may not publish yet."""
    bad = {each.key: (each.field, each.rule, each.code) for each in region.bad_records}
    lines = ((name, number, arrival) for name, arrivals in files.items() for number, arrival in enumerate(arrivals, start=1))
    return {(name, number): bad.get(arrival.key) for name, number, arrival in lines if arrival.kind in ("bad", "refused")}


def expected_links(records: Mapping[str, Record], barred: Iterable[tuple[str, str]]) -> dict[tuple[str, str, str], set[str]]:
    """Return the types of value that each two signals share, by their ids and the kind of link.

    `records` are the latest ones of each signal, in the order in which their first versions were appended.
    """
    holders: dict[tuple[str, str], list[str]] = defaultdict(list)
    for signal_id, record in records.items():
        for value in _values(record) - set(barred) if may_link(dict(record)) else ():
            holders[value].append(signal_id)
    found: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for (kind, _), ids in holders.items():
        for one, other in combinations(sorted(ids[: CAPS.get(kind, CAP)]), 2):
            found[one, other, "SAME_PERSON" if kind in PERSON_KEYS else "SHARED_CONTEXT"].add(kind)
    return dict(found)


def _values(record: Record) -> Keys:
    own = dict(record)
    subjects = (subject_keys(own, each["ref"]) for each in own["subjects"])
    things = (thing_keys(own, name, index) for name in THINGS for index in range(len(own.get(name) or ())))
    return frozenset(each for each in frozenset().union(*subjects, *things) if each[0] not in NO_TOKEN)
