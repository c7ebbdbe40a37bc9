"""The figures that a region truly gives (R-STAT-01 to R-STAT-04), unsuppressed and unrounded."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Any, Final

from signal_exchange_demo.region.keys import Keys
from signal_exchange_demo.region.model import Built
from signal_exchange_demo.region.plan import Plan
from signal_exchange_demo.region.truth import PERSON_KEYS, may_link, subject_keys

REPORTS, PERSONS, FORMS, AGES = "I01_REPORTS", "I02_PERSONS", "I03_FORM", "I04_AGE"
ALL: Final = "TOTAL"
REGION: Final = "REGION"
FIRST_BLOCK_YEAR: Final = 2026
"""The fixed blocks of three years are 2026-2028, 2029-2031 and so on, and likewise before."""
_AGE_CLASSES: Final = {
    **dict.fromkeys(("AGE_0_11", "AGE_12_15", "AGE_16_17"), "MINOR"),
    "AGE_18_22": "AGE_18_22",
    **dict.fromkeys(("AGE_23_29", "AGE_30_44", "AGE_45_64", "AGE_65_PLUS"), "AGE_23_PLUS"),
}
Row = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Counted:
    """A signal that counts: its first publish day, and its coded data in the latest version."""

    built: Built
    data: Mapping[str, Any]


class Figures:
    """Adds up the figures of one part of a region after another."""

    def __init__(self, plan: Plan) -> None:
        self._subregions = {str(member.code): member.subregion for member in plan.members}
        self._values = Counter[Row]()

    def add(self, counted: Sequence[Counted]) -> None:
        """Add signals that were accepted and not withdrawn; erased ones count too."""
        for one in counted:
            form, day, area = one.data["forms"]["primary"], one.built.day, one.built.event.municipality
            self._add(REPORTS, day, area, (form, ALL))
        for first in _persons(counted):
            signal, ref = first
            age = next(each["age_band"] for each in signal.data["subjects"] if each["ref"] == ref)
            form, day, area = signal.data["forms"]["primary"], signal.built.day, signal.built.event.municipality
            self._add(PERSONS, day, area, (ALL,))
            self._add(FORMS, day, area, (form,))
            self._values[AGES, f"{day.year}", REGION, _AGE_CLASSES.get(age, "UNKNOWN")] += 1

    def _add(self, indicator: str, day: date, municipality: str, classes: Sequence[str]) -> None:
        """Count at the levels of R-STAT-04: quarter by region, year by subregion and region, block by municipality."""
        quarter, year = f"{day.year}-Q{(day.month + 2) // 3}", f"{day.year}"
        for each in classes:
            self._values[indicator, quarter, REGION, each] += 1
            self._values[indicator, year, REGION, each] += 1
            self._values[indicator, year, self._subregions[municipality], each] += 1
        if ALL in classes:
            self._values[indicator, _block(day.year), municipality, ALL] += 1

    def rows(self) -> Iterator[tuple[str, str, str, str, int]]:
        """Give indicator, period, area, class and value, in order; what is not there is 0."""
        for key, value in sorted(self._values.items()):
            yield *key, value


def _block(year: int) -> str:
    start = FIRST_BLOCK_YEAR + (year - FIRST_BLOCK_YEAR) // 3 * 3
    return f"{start}-{start + 2}"


Mentioned = tuple[Counted, str]


def _persons(counted: Sequence[Counted]) -> Iterator[Mentioned]:
    """Give the first report of each person in each calendar year.

    A person is what the exchange can know: mentions of a victim that share a value which links persons, once every such link is
    confirmed that is true.
    """
    mentions: dict[str, list[tuple[Counted, str, Keys]]] = defaultdict(list)
    for one in counted:
        persons = dict(one.built.persons)
        for subject in one.data["subjects"]:
            if subject["role"] == "VICTIM":
                ref = subject["ref"]
                mentions[persons.get(ref, f"{one.built.signal_id}.{ref}")].append((one, ref, _person_keys(one.built, ref)))
    for same in mentions.values():
        for group in _joined(same):
            yield from _first_of_each_year(group)


def _person_keys(built: Built, ref: str) -> Keys:
    if not may_link(built.record):
        return frozenset()
    return frozenset(key for key in subject_keys(built.record, ref) if key[0] in PERSON_KEYS)


def _joined(mentions: Sequence[tuple[Counted, str, Keys]]) -> list[list[Mentioned]]:
    """Join mentions that share a value, directly or through others."""
    group_of = list(range(len(mentions)))
    for one, other in combinations(range(len(mentions)), 2):
        if mentions[one][2] & mentions[other][2]:
            kept, gone = group_of[one], group_of[other]
            group_of = [kept if group == gone else group for group in group_of]
    groups: dict[int, list[Mentioned]] = defaultdict(list)
    for group, (signal, ref, _) in zip(group_of, mentions, strict=True):
        groups[group].append((signal, ref))
    return list(groups.values())


def _first_of_each_year(group: Sequence[Mentioned]) -> Iterator[Mentioned]:
    seen: set[int] = set()
    for signal, ref in sorted(group, key=lambda each: (each[0].built.event.received, each[0].built.signal_id)):
        if signal.built.day.year not in seen:
            seen.add(signal.built.day.year)
            yield signal, ref
