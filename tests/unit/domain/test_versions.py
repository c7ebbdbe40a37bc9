import json
from datetime import date
from hashlib import sha256
from typing import Any

import pytest
from domain_cases import coded
from hypothesis import given
from hypothesis import strategies as st

from signal_exchange.domain.signals.versions import KnownVersion, content_hash, judge_version

Signal = dict[str, Any]

hashes = st.sampled_from(["a", "b", "c"])


def verdict(last: KnownVersion | None, version: int, supersedes: int | None, found: str = "new") -> str:
    return judge_version(last, version=version, supersedes=supersedes, content_hash=found).name


@pytest.mark.parametrize(
    ("last", "version", "supersedes", "found", "expected"),
    [
        (None, 1, None, "a", "NEW"),
        (None, 1, 0, "a", "CONFLICT"),
        (None, 2, 1, "a", "CONFLICT"),
        (KnownVersion(1, "a"), 1, None, "a", "REPEAT"),
        (KnownVersion(1, "a"), 1, None, "b", "CONFLICT"),
        (KnownVersion(1, "a"), 2, 1, "b", "NEW"),
        (KnownVersion(1, "a"), 2, None, "b", "CONFLICT"),
        (KnownVersion(1, "a"), 3, 2, "b", "CONFLICT"),
        (KnownVersion(2, "b", earlier={1: "a"}), 1, None, "a", "REPEAT"),
        (KnownVersion(2, "b", earlier={1: "a"}), 1, None, "b", "CONFLICT"),
        (KnownVersion(2, "b"), 1, None, "a", "CONFLICT"),
        (KnownVersion(3, "e", erased=True), 4, 3, "f", "ENDED"),
        (KnownVersion(3, "e", erased=True), 3, 2, "e", "REPEAT"),
        (KnownVersion(3, "e", erased=True), 3, 2, "f", "ENDED"),
    ],
)
def test_r_val_16_a_version_is_new_a_repeat_or_a_conflict(
    last: KnownVersion | None, version: int, supersedes: int | None, found: str, expected: str
) -> None:
    assert verdict(last, version, supersedes, found) == expected


def test_r_val_21_a_version_after_a_parked_one_is_taken_and_the_gap_is_flagged() -> None:
    parked = KnownVersion(2, "b", parked=True)
    assert verdict(parked, 3, 2) == "NEW_AFTER_GAP"
    assert verdict(parked, 2, 1, "b") == "REPEAT"
    assert verdict(parked, 2, 1, "other") == "CONFLICT"


@given(st.lists(st.tuples(st.integers(1, 4), hashes), max_size=20))
def test_r_val_16_each_version_is_taken_once_in_order_however_often_it_is_sent(sent: list[tuple[int, str]]) -> None:
    last: KnownVersion | None = None
    taken: dict[int, str] = {}
    for version, found in sent:
        judged = verdict(last, version, version - 1 or None, found)
        assert (judged == "REPEAT") == (taken.get(version) == found)
        if judged == "NEW":
            last = KnownVersion(version, found, earlier=dict(taken))
            taken[version] = found
    assert list(taken) == list(range(1, len(taken) + 1))


def test_r_val_16_the_hash_does_not_depend_on_the_order_of_fields() -> None:
    signal = coded("01_sexual")
    turned = json.loads(json.dumps(signal, sort_keys=True))
    assert list(turned) != list(signal)
    assert content_hash(turned) == content_hash(signal)
    assert content_hash(signal | {"sector": "SEX_CLUB"}) != content_hash(signal)


def test_r_val_16_the_hash_is_sha_256_of_compact_sorted_utf_8_json() -> None:
    value = {"b": "é", "a": [1, None, True], "sealed": b"\x00\xff", "day": date(2026, 11, 20)}
    text = '{"a":[1,null,true],"b":"é","day":"2026-11-20","sealed":"AP8="}'
    assert content_hash(value) == sha256(text.encode()).hexdigest()


def test_a_value_that_json_does_not_know_has_no_hash() -> None:
    with pytest.raises(TypeError, match="only JSON"):
        content_hash({"at": {1, 2}})
