"""Ids that only their owner can make again."""

from __future__ import annotations

import uuid

import pytest

from signal_exchange.privacy.keys import UnusableKeyError
from signal_exchange.privacy.sealing import SealingKeyRing, SealingPrivateKey
from signal_exchange.privacy.secret_ids import KEY_BYTES, SecretIds

FIRST, LATER = (SealingPrivateKey.generate(f"linking-{number}", "linking") for number in (1, 2))


def test_an_id_is_the_same_each_time_and_another_one_under_another_key_for_another_kind_and_for_other_texts() -> None:
    ids, others = SecretIds(b"x" * KEY_BYTES), SecretIds(b"y" * KEY_BYTES)
    made = ids.uuid("person", "ab", "c")
    assert made == ids.uuid("person", "ab", "c")
    assert len({made, others.uuid("person", "ab", "c"), ids.uuid("fact", "ab", "c"), ids.uuid("person", "a", "bc")}) == 4


def test_an_id_looks_like_a_random_one() -> None:
    assert uuid.UUID(SecretIds(b"x" * KEY_BYTES).uuid("person", "a")).version == 4


def test_a_key_that_is_added_later_changes_no_id() -> None:
    before, after = (SealingKeyRing(keys).derived("linking", "ids", length=KEY_BYTES) for keys in ([FIRST], [FIRST, LATER]))
    assert before == after
    assert before not in (LATER.derived("ids", length=KEY_BYTES), FIRST.derived("another use", length=KEY_BYTES))


def test_without_a_key_of_the_group_there_is_no_id() -> None:
    with pytest.raises(UnusableKeyError):
        SealingKeyRing([FIRST]).derived("table", "ids", length=KEY_BYTES)
