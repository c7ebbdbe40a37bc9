"""Which victims are one person and what the figures count of them (R-STAT-01, R-STAT-02), and how clusters keep their ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_exchange.domain.figures.persons import Victim, age_class, yearly_facts
from signal_exchange.domain.links.clusters import clusters, names_of

START = datetime(2026, 11, 18, 9, tzinfo=UTC)
VENLO, WEERT, ROERMOND = "GM0983", "GM0988", "GM0957"


def victim(number: int, municipality: str, day: str = "2026-11-18", **changed: str) -> Victim:
    told = {"form": "LABOUR", "age_class": "UNKNOWN", **changed}
    return Victim(f"s{number}/s1", f"s{number}", START + timedelta(hours=number), municipality, day, **told)


# The worked example: s5 has no person, s6 is withdrawn, so neither mentions a victim that counts.
WORKED = [victim(1, VENLO), victim(2, WEERT), victim(3, VENLO), victim(4, VENLO)]
P1, P2 = ("s1/s1", "s2/s1"), ("s3/s1", "s4/s1")


def persons(victims: Sequence[Victim], *links: tuple[str, str]) -> Counter[str]:
    of = {each.key: each for each in victims}
    groups = clusters(of, links)
    return Counter(fact.municipality for group in groups for fact in yearly_facts(of[key] for key in group))


@pytest.mark.parametrize(
    ("links", "region", "venlo", "weert"), [((), 4, 3, 1), ((P1,), 3, 3, 0), ((P1, P2), 2, 2, 0), ((P2,), 3, 2, 1)]
)
def test_r_stat_01_persons_are_counted_in_the_area_of_their_first_report(
    links: tuple[tuple[str, str], ...], region: int, venlo: int, weert: int
) -> None:
    found = persons(WORKED, *links)
    assert (found.total(), found[VENLO], found[WEERT], found[ROERMOND]) == (region, venlo, weert, 0)


def test_r_stat_01_a_person_seen_in_two_years_counts_in_both_each_by_its_first_report() -> None:
    seen = [victim(3, WEERT, "2027-02-01", form="SEXUAL"), victim(1, VENLO, "2026-12-30"), victim(2, ROERMOND, "2027-01-04")]
    assert [(fact.year, fact.municipality, fact.form) for fact in yearly_facts(seen)] == [
        (2026, VENLO, "LABOUR"),
        (2027, ROERMOND, "LABOUR"),
    ]


@pytest.mark.parametrize(
    ("band", "shown"),
    [
        *((band, "MINOR") for band in ("AGE_0_11", "AGE_12_15", "AGE_16_17")),
        ("AGE_18_22", "AGE_18_22"),
        *((band, "AGE_23_PLUS") for band in ("AGE_23_29", "AGE_30_44", "AGE_45_64", "AGE_65_PLUS")),
        *((band, "UNKNOWN") for band in ("AGE_UNKNOWN_MAYBE_MINOR", "AGE_UNKNOWN_ADULT")),
    ],
)
def test_r_stat_02_an_unknown_age_is_unknown_also_of_an_adult(band: str, shown: str) -> None:
    assert age_class(band) == shown


@given(st.permutations(range(1, 7)))
def test_the_fact_of_a_person_does_not_depend_on_the_order_of_the_reports(order: list[int]) -> None:
    places = (VENLO, WEERT, ROERMOND)
    made = [victim(number, places[number % 3], f"202{6 + number % 2}-11-18") for number in range(1, 7)]
    assert yearly_facts(made[number - 1] for number in order) == yearly_facts(made)


def names(parts: list[str], named: dict[str, str]) -> dict[str, str]:
    minted = (f"G-new{number}" for number in count(1))
    appended = {member: START + timedelta(hours="abcdef".index(member)) for member in "abcdef"}
    found = names_of(map(frozenset, parts), named, appended, lambda _part: next(minted))
    return {"".join(sorted(part)): name for part, name in found.items()}


def test_r_agenda_03_a_cluster_id_is_minted_at_the_first_link_and_a_lone_signal_has_none() -> None:
    assert names(["ab", "c"], {}) == {"ab": "G-new1"}


def test_r_agenda_03_after_a_split_the_part_with_the_oldest_signal_keeps_the_id() -> None:
    named = dict.fromkeys("abc", "G-1")
    assert names(["ab", "c", "d"], named) == {"ab": "G-1"}
    assert names(["a", "bc"], named) == {"a": "G-1", "bc": "G-new1"}


def test_when_clusters_become_one_the_id_of_the_oldest_signal_that_brings_one_stays() -> None:
    assert names(["abcd"], {"b": "G-2", "c": "G-2", "d": "G-1"}) == {"abcd": "G-2"}
    assert names(["abc"], {"b": "G-2", "c": "G-2", "f": "G-9"}) == {"abc": "G-2"}
