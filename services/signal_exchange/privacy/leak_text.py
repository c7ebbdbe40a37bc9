"""A text as the leak guard reads it: odd spaces, dashes and digits made plain, with the way back to every place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from signal_exchange.privacy.plain import plain_char

_ODD = re.compile("[^\x20-\x5f\x61-\x7e\u00c0-\u024f]|  ")
"""Anything but printable ASCII without the backtick and the Latin letters, which are plain as they are; and blanks in a row."""


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
        """Return the plain form of a text: what cannot be seen and loose accents go, blanks in a row are one."""
        if not _ODD.search(original):
            return cls(original)
        kept = list(_kept(original))
        return cls("".join(char for _, char in kept), [place for place, _ in kept])

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Return the place in the original of a span of the plain text."""
        if self._places is None:
            return start, end
        return self._places[start], self._places[end - 1] + 1


def _kept(original: str) -> Iterator[tuple[int, str]]:
    """Give each character of the plain text with its place in the original."""
    before = ""
    for place, char in enumerate(original):
        read = "" if unicodedata.category(char) in {"Mn", "Me"} else plain_char(char)
        if read and not (read == before == " "):
            yield place, read
            before = read
