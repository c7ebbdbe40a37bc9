"""References of what people read out: random, readable, and a slip of the pen shows."""

from __future__ import annotations

import random

import pytest

from signal_exchange.domain.references import BITS, SIGNAL, read_reference, reference

DRAWN = [random.Random(1).getrandbits(BITS) for _ in range(3)] + [0, 2**BITS - 1]  # noqa: S311 - a test's own
SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@pytest.mark.parametrize("number", DRAWN)
def test_a_reference_is_read_as_it_was_written(number: int) -> None:
    made = reference(SIGNAL, number)
    assert read_reference(SIGNAL, made) == made
    assert read_reference(SIGNAL, made.lower().replace("-", " ").replace("0", "o").replace("1", "l")) == made


def test_numbers_that_follow_each_other_give_all_different_references() -> None:
    assert len({reference(SIGNAL, number) for number in range(2_000)}) == 2_000


@pytest.mark.parametrize("number", DRAWN)
def test_one_wrong_sign_shows(number: int) -> None:
    made = reference(SIGNAL, number)
    for at, sign in enumerate(made):
        others = [made[:at] + other + made[at + 1 :] for other in SIGNS if sign not in {"-", other}]
        assert [each for each in others if read_reference(SIGNAL, each)] == []


@pytest.mark.parametrize("number", DRAWN)
def test_two_neighbours_that_changed_places_show(number: int) -> None:
    signs = reference(SIGNAL, number).replace("-", "")
    swapped = [signs[:at] + signs[at + 1] + signs[at] + signs[at + 2 :] for at in range(1, len(signs) - 1)]
    assert [each for each in swapped if each != signs and read_reference(SIGNAL, each)] == []


@pytest.mark.parametrize("text", ["", "S-", "M-7K4Q-M2", "S-7K4Q-M2-X", "7K4Q-M2", "S-7K4U-M2", "../../x"])
def test_anything_else_is_no_reference(text: str) -> None:
    assert read_reference(SIGNAL, text) is None
