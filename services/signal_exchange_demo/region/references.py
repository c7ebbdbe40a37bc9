"""The references of municipalities for their own records, as VEN-2026-00311."""

from collections import Counter
from functools import cache
from typing import Final

from signal_exchange.domain.ids import MunicipalityCode
from signal_exchange.reference.loading import load_members

_PREFIXES: Final = {"GM0984": "VRY", "GM1669": "ROD"}
"""Two names begin like another one's."""


@cache
def _prefix(municipality: str) -> str:
    name = load_members().by_code[MunicipalityCode(municipality)].name
    return _PREFIXES.get(municipality, name[:3].upper())


def reference(municipality: str, year: int, number: int) -> str:
    """Write a municipality's own reference."""
    return f"{_prefix(municipality)}-{year}-{number:05d}"


class References:
    """Numbers the records of each municipality in the order in which they come."""

    def __init__(self) -> None:
        self._last = Counter[str]()

    def next(self, municipality: str, year: int) -> str:
        """Give the next reference of a municipality."""
        self._last[municipality] += 1
        return reference(municipality, year, self._last[municipality])
