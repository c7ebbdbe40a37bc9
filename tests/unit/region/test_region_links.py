"""The true links: shared persons and things, keys that agree after noise, and connected clusters."""

import json
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from signal_exchange_demo.region.generating import generate_region
from signal_exchange_demo.region.keys import account_key, bsn_key, company_key, name_keys, phone_key, place_keys, plate_key
from signal_exchange_demo.region.model import Region, TrueLink
from signal_exchange_demo.region.truth import clusters

CHECKS = json.loads((Path(__file__).parents[2] / "data" / "check_values.json").read_text(encoding="utf-8"))
NORMALISED = CHECKS["normalise"]
TODAY = date(2026, 11, 20)


@pytest.fixture(scope="module")
def region() -> Region:
    return generate_region(11, 2000, TODAY)


def values(keys: frozenset[tuple[str, str]]) -> list[str]:
    return [value for _, value in sorted(keys)]


@pytest.mark.parametrize(("parts", "hard", "soft", "barred"), NORMALISED["NAME_DOB"])
def test_r_link_02_names(parts: list[str], hard: str, soft: str, barred: object) -> None:
    assert values(name_keys(*parts)) == ([] if barred else [hard, soft])


@pytest.mark.parametrize(("text", "expected", "barred"), NORMALISED["PHONE"])
def test_r_link_02_phones(text: str, expected: str, barred: object) -> None:
    assert values(phone_key(text)) == ([] if barred else [expected])


@pytest.mark.parametrize(("text", "country", "expected", "barred"), NORMALISED["PLATE"])
def test_r_link_02_plates(text: str, country: str, expected: str, barred: object) -> None:
    assert values(plate_key(text, country)) == ([] if barred else [expected])


@pytest.mark.parametrize(("text", "expected", "barred"), NORMALISED["KVK"])
def test_r_link_02_companies(text: str, expected: str, barred: object) -> None:
    assert values(company_key(text)) == ([] if barred else [expected])


@pytest.mark.parametrize(("text", "expected"), NORMALISED["IBAN"])
def test_r_link_02_accounts(text: str, expected: str | None) -> None:
    assert values(account_key(text)) == ([] if expected is None else [expected])


@pytest.mark.parametrize(("parts", "expected"), NORMALISED["ADDRESS_PC"])
def test_r_link_02_addresses(parts: list[str], expected: str | None) -> None:
    place: dict[str, Any] = dict(zip(("postcode", "number", "addition"), parts, strict=True), bag_id=None)
    assert values(place_keys(place)) == ([] if expected is None else [expected])


@pytest.mark.parametrize(("bag", "expected"), NORMALISED["ADDRESS_BAG"])
def test_r_link_02_bag_ids(bag: str, expected: str | None) -> None:
    place: dict[str, Any] = {"postcode": None, "number": None, "addition": None, "bag_id": bag}
    assert values(place_keys(place)) == ([] if expected is None else [expected])


@pytest.mark.parametrize(("text", "passes"), CHECKS["bsn_eleven_test"])
def test_r_link_02_bsns(text: str, passes: object) -> None:
    barred = text in {"123456782", "000000000"}
    assert bool(bsn_key(text)) is (bool(passes) and not barred)


def test_same_person_links_are_all_pairs_of_signals_that_mention_one_person(region: Region) -> None:
    mentioned = defaultdict(set)
    for mention in region.truth.mentions:
        mentioned[mention.signal_id].add(mention.person_id)
    same = [link for link in region.truth.links if link.kind == "SAME_PERSON"]
    assert same
    assert all(mentioned[link.first] & mentioned[link.second] for link in same)
    assert all(set(link.key_types) <= {"BSN", "NAME_DOB", "NAME_DOB_SOFT"} for link in same)


def test_noise_hides_some_pairs_but_not_most(region: Region) -> None:
    same = [link for link in region.truth.links if link.kind == "SAME_PERSON"]
    found = sum(bool(link.key_types) for link in same) / len(same)
    assert 0.4 <= found <= 0.9


def test_r_link_01_only_signals_with_linking_take_part(region: Region) -> None:
    without = {
        arrival.signal_id
        for arrival in region.good
        if arrival.kind == "new" and all(entry["purpose"] != "LINKING" for entry in arrival.record["exchanges"])
    }
    assert without
    assert not without & {key for link in region.truth.links for key in (link.first, link.second)}


def test_some_clusters_cross_municipalities(region: Region) -> None:
    keys = region.keys
    assert any(len({keys[signal_id].municipality for signal_id in cluster}) > 1 for cluster in region.truth.clusters)


def test_places_that_everybody_touches_are_no_true_links(region: Region) -> None:
    assert max(len(cluster) for cluster in region.truth.clusters) < 30


def test_clusters_are_the_connected_components() -> None:
    a, b, c, d, e = "abcde"
    links = [TrueLink(c, d, "SHARED_CONTEXT", ("PLATE",)), TrueLink(a, b, "SAME_PERSON", ("BSN",))]
    assert clusters(links) == ((a, b), (c, d))
    assert clusters([*links, TrueLink(b, c, "SHARED_CONTEXT", ("KVK",))]) == ((a, b, c, d),)
    assert e not in {key for cluster in clusters(links) for key in cluster}
