"""A text as the leak guard reads it: odd spaces, dashes and digits made plain, with the way back to every place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

_SPACES = str.maketrans(dict.fromkeys("\t\n\r\x0b\x0c\xa0\u2007\u2009\u200a\u202f\u3000", " "))
_ODD = re.compile("[^\x00-\x7f\u00c0-\u024f]")
"""Anything but ASCII and the Latin letters, which are plain as they are."""
_INVISIBLE = frozenset("\xad\u200b\u200c\u200d\u2060\ufeff")


class Found(NamedTuple):
    """A finding in the plain text, with its type (a code of leak_type.csv)."""

    type: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class PlainText:
    """The plain text and, for each of its characters, its place in the original; None when every place is the same."""

    text: str = field(repr=False)
    _places: Sequence[int] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, original: str) -> PlainText:
        """Return the plain form of a text: invisible characters and loose accents go, the rest keeps its order."""
        spaced = original.translate(_SPACES)
        if not _ODD.search(spaced):
            return cls(spaced)
        kept = [(place, _plain(char)) for place, char in enumerate(spaced) if not _goes(char)]
        return cls("".join(char for _, char in kept), [place for place, _ in kept])

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Return where a span of the plain text stands in the original."""
        if self._places is None:
            return start, end
        return self._places[start], self._places[end - 1] + 1


def _goes(char: str) -> bool:
    return char in _INVISIBLE or unicodedata.combining(char) != 0


def _plain(char: str) -> str:
    if char.isascii() or char.isalpha():
        return char
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.digit(char))
    return {"Pd": "-", "Zs": " "}.get(category, char)
