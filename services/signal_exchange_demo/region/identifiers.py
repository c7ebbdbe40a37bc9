"""Numbers that look right and belong to nobody: each kind comes from a range that is set aside for tests."""

from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Final

BSN_RANGE: Final = range(999_900_000, 1_000_000_000)
PERSON_PHONES: Final = range(1, 9000)
PHONE_COUNTRIES: Final = ("48", "40", "49")
_PLATE_LETTERS: Final = "BDFGHJKLNPRSTVXZ"


def passes_eleven_test(number: str) -> bool:
    """Say whether nine digits pass the eleven test of a BSN (weights 9 to 2, then -1)."""
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    return sum(weight * int(digit) for weight, digit in zip(weights, number, strict=True)) % 11 == 0


@cache
def _valid_bsns() -> tuple[str, ...]:
    return tuple(str(number) for number in BSN_RANGE if passes_eleven_test(str(number)))


class Numbers:
    """Hands out each number once; None when a range is used up, which only a very large region does."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._bsns = iter(rng.sample(_valid_bsns(), len(_valid_bsns())))
        self._phones = iter(rng.sample(PERSON_PHONES, len(PERSON_PHONES)))
        self._companies = iter(rng.sample(range(10_000), 10_000))
        self._plates = self._all_plates()
        self._foreign = 0
        self._accounts = 0

    def bsn(self) -> str | None:
        """Give a BSN of 9999xxxxx that passes the eleven test."""
        return next(self._bsns, None)

    def phone(self, group: str) -> str | None:
        """Give a phone number: 06-0000xxxx for Dutch people, else +4x 000 and six digits."""
        if group == "NL":
            number = next(self._phones, None)
            return None if number is None else f"06-0000{number:04d}"
        self._foreign += 1
        digits = f"{self._foreign * 7919 % 1_000_000:06d}"
        return f"+{self._rng.choice(PHONE_COUNTRIES)} 000 {digits[:3]} {digits[3:]}"

    def company(self) -> str | None:
        """Give a KvK number of 9000xxxx."""
        number = next(self._companies, None)
        return None if number is None else f"9000{number:04d}"

    def plate(self) -> str | None:
        """Give a plate 99-TSX-9, which fits series 7."""
        return next(self._plates, None)

    def account(self) -> str:
        """Give an account at the bank TEST that does not exist, with a right check number."""
        self._accounts += 1
        account = f"{self._accounts * 7_654_321 % 10_000_000_000:010d}"
        as_digits = "".join(str(int(letter, 36)) for letter in f"TEST{account}NL00")
        return f"NL{98 - int(as_digits) % 97:02d} TEST {account[:4]} {account[4:8]} {account[8:]}"

    def _all_plates(self) -> Iterator[str]:
        letters = self._rng.sample(_PLATE_LETTERS, len(_PLATE_LETTERS))
        numbers = self._rng.sample(range(100, 1000), 900)
        for letter in letters:
            for number in numbers:
                yield f"{number // 10:02d}-TS{letter}-{number % 10}"
