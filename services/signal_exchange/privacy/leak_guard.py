"""The leak guard: what in a text could tell who it is about (R-LEAK). It runs inside, before anything is published.

It is deterministic, knows no network, and fails closed: no answer means no publishing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from signal_exchange.privacy.leak_names import find_names, find_own_words, words_of
from signal_exchange.privacy.leak_numbers import find_numbers
from signal_exchange.privacy.leak_own_numbers import find_own_numbers
from signal_exchange.privacy.leak_text import Found, PlainText

GUARD_VERSION = "1.0.0"


class GuardUnavailableError(Exception):
    """The leak guard gave no answer, so that the text may not leave (R-LEAK-01). It never says about which text."""

    def __init__(self) -> None:
        super().__init__("The leak guard gave no answer.")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A place in a text, from `start` up to `end`, and the type of what stands there; never what stands there."""

    start: int
    end: int
    type: str


def check_text(text: str, own_record: Mapping[str, Any] | None = None) -> tuple[Finding, ...]:
    """Return everything in the text that could identify somebody, in the order of the text.

    Words and numbers of `own_record`, the municipal record the text belongs to, are searched first (R-LEAK-03): that catches
    names that no list holds.

    Raises:
        GuardUnavailableError: any internal error, so that an error never lets a text pass.
    """
    try:
        plain = PlainText.of(text)
        found = _merged(list(_found(plain.text, own_record or {})))
        return tuple(sorted(Finding(*plain.original_span(each.start, each.end), each.type) for each in found))
    except Exception:  # noqa: BLE001 - whatever goes wrong here, the text may not leave
        raise GuardUnavailableError from None


def _found(text: str, record: Mapping[str, Any]) -> Iterator[Found]:
    words = words_of(text)
    yield from find_own_words(words, record)
    yield from find_own_numbers(text, record)
    yield from find_numbers(text)
    yield from find_names(words)


def _merged(found: Sequence[Found]) -> list[Found]:
    """Join findings of one type that overlap, and leave out names inside an address for mail or on the web."""
    joined: list[Found] = []
    for each in sorted(found, key=lambda one: (one.type, one.start, one.end)):
        last = joined[-1] if joined else None
        if last and last.type == each.type and each.start < last.end:
            joined[-1] = Found(last.type, last.start, max(last.end, each.end))
        else:
            joined.append(each)
    links = [each for each in joined if each.type in {"EMAIL", "URL"}]
    return [each for each in joined if each.type != "NAME" or not any(_inside(each, link) for link in links)]


def _inside(inner: Found, outer: Found) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end
