"""Detectors of names in a text: words of the own record first, then titles, known given names and what introduces a name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from signal_exchange.privacy.leak_text import Found
from signal_exchange.privacy.names import PAIR_ENDS, PAIR_STARTS, PREFIXES, SHORT_PREFIXES, fold
from signal_exchange.privacy.placeholders import is_placeholder
from signal_exchange.privacy.plain import plain

_WORD = re.compile(r"[^\W\d_]+")
_LEAST_LETTERS = 3
_TITLES = frozenset({
    "mevrouw", "meneer", "mijnheer", "heer", "heren", "dames", "mejuffrouw", "juffrouw", "juf", "familie", "gezin", "echtpaar",
    "weduwe", "frau", "herr", "madame", "monsieur", "mrs", "miss",
})  # fmt: skip
_PERSONS = frozenset({"mevr", "mvr", "mw", "dhr", "hr", "mej", "fam", "wed"})
_SHORT_TITLES = _PERSONS | {"dr", "drs", "mr", "ing", "ir", "prof"}
_LOWER_AFTER = _PERSONS | {"mevrouw", "meneer", "mijnheer", "heer", "heren", "mejuffrouw", "juffrouw", "familie"}
"""Titles after which a name may stand in small letters."""
_ALSO_WORDS = frozenset({"hr", "ing"})
"""Titles that are something else when they are written in capitals without a point: HR, ING."""
_INTRODUCES = frozenset({
    "genaamd", "heet", "heette", "heten", "alias", "bijgenaamd", "voornaam", "achternaam", "bijnaam", "roepnaam", "ene", "naam",
})  # fmt: skip
_BETWEEN = frozenset({"is", "was"})
_FIRMS = frozenset({"bv", "nv", "cv", "vof"})
# These prefixes are ordinary words too, before a place: "familie in Polen".
_PLACE_WORDS = frozenset({
    "in", "op", "te", "s", "het", "aan", "bij", "uit", "uijt", "over", "onder", "voor", "tot", "am", "im", "auf", "aus", "dem",
})  # fmt: skip
_NAME_PREFIXES = PREFIXES - _PLACE_WORDS
_AFTER_PLACE_WORD = frozenset({"de", "den", "der", "het", "t"})
_SURE_PREFIXES = SHORT_PREFIXES | {
    "der", "den", "ten", "ter", "t", "vant", "uijt", "el", "bin", "ibn", "di", "da", "dos", "del", "dell", "della", "dei",
    "degli", "du", "von", "vom", "zu", "zum", "zur", "la", "las", "le", "les",
}  # fmt: skip
"""What stands before surnames only, so that a word in small letters behind it is one too."""
_SURNAME_STARTS = (("van", "der"), ("van", "den"), ("von", "der"), ("de", "la"))
_GLUED_STARTS = frozenset({"vd", "vdr", "vdn", "vden", "vder"})
_AFTER_INITIAL = frozenset({".", ". "})
_JOINS = frozenset({" ", "-", "'", " '"}) | _AFTER_INITIAL
_AFTER_SHORT = frozenset({"/", " / ", "./", ".'", ". '"}) | _JOINS
_BREAKS = frozenset({".", "/", "./", ".'"})
"""What stands between the two halves of a prefix that is written short."""
_VERB = re.compile("[a-z]{2,}(?:de|te|t)")
"""How a Dutch verb ends that says what somebody did or does."""
_MOST_WORDS = 8
"""A name is read over this many words at most, so that no text takes long."""


@dataclass(frozen=True, slots=True)
class Lists:
    """Given names, those of them that are Dutch words too, and words that are no names or no verbs; all folded.

    `not_names` are capitalised, `after_titles` stand in small letters behind a title, and `surnames` look like other words.
    """

    given: frozenset[str]
    ambiguous: frozenset[str]
    not_names: frozenset[str]
    after_titles: frozenset[str]
    surnames: frozenset[str]


@cache
def load_lists() -> Lists:
    """Return the lists of the package, read once."""
    names = _words_of("given_names.txt")
    given = frozenset(fold(name.rstrip("*")) for name in names)
    ambiguous = frozenset(fold(name.rstrip("*")) for name in names if name.endswith("*"))
    not_names, after, surnames = (
        frozenset(map(fold, _words_of(name))) for name in ("not_names.txt", "after_titles.txt", "surnames.txt")
    )
    return Lists(given, ambiguous, PREFIXES | not_names, PREFIXES | after, surnames)


def _words_of(name: str) -> list[str]:
    lines = (files("signal_exchange.privacy") / "data" / name).read_text(encoding="utf-8").splitlines()
    return [word for line in lines if not line.startswith("#") for word in line.split()]


class Word(NamedTuple):
    """A word of the text, what stands between it and the next, and what it is."""

    start: int
    end: int
    folded: str
    gap: str
    capital: bool
    shouted: bool


def words_of(text: str) -> list[Word]:
    """Return the words of a text, of letters only."""
    spans = [match.span() for match in _WORD.finditer(text)]
    nexts = [*(start for start, _ in spans), len(text)][1:]
    return [
        Word(start, end, fold(text[start:end]), text[end:following], text[start].isupper(), text[start:end].isupper())
        for (start, end), following in zip(spans, nexts, strict=True)
    ]


def find_names(words: Sequence[Word]) -> Iterator[Found]:
    """Give every name that a title, a known given name, initials, a prefix or an introducing word points at."""
    reader = _Reader(words, load_lists())
    at = 0
    while at < len(words):
        first, last = reader.name_at(at) or (at, None)
        if last is not None:
            yield Found("NAME", words[first].start, words[last].end)
        at = at + 1 if last is None else last + 1


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads names off a list of words; a span is the index of its first and of its last word."""

    words: Sequence[Word]
    lists: Lists

    def name_at(self, at: int) -> tuple[int, int] | None:
        word = self.words[at]
        if self._is_title(at):
            return self._from(at, self._titled_end(at))
        if word.folded in _INTRODUCES:
            return self._introduced(at)
        if self._starts_surname(at):
            return self._with_word_before(at, self._name_end(at))
        if self._is_initial(at) and not (at and self._is_initial(at - 1)):
            return self._from(at, self._name_end(self._after(self._is_initial, at)))
        return self._given_name(at)

    def _is_title(self, at: int) -> bool:
        word = self.words[at]
        if word.folded in _ALSO_WORDS and word.shouted and not word.gap.startswith("."):
            return False
        return (word.folded in _TITLES and word.gap == " ") or (word.folded in _SHORT_TITLES and self._joined(at))

    def _titled_end(self, title: int) -> int | None:
        """Return the last word of the name behind a title, in capitals or not."""
        first = self._after(self._is_initial, title + 1)
        end = self._name_end(first, titled=True)
        return self._small_end(title) if end is None and self.words[title].folded in _LOWER_AFTER else end

    def _small_end(self, title: int) -> int | None:
        """Return the last word of a name in small letters: initials, prefixes, and a word that is no ordinary one."""
        first = at = self._after(self._is_small_initial, title + 1)
        while at < len(self.words) and self._is_prefix(at, titled=True) and self._leads_to_next(at):
            at += 1
        if at >= len(self.words) or self.words[at].capital:
            return None
        prefixes = [word.folded for word in self.words[first:at]]
        return at if self._is_small_name(self.words[at].folded, prefixes) else None

    def _is_small_initial(self, at: int) -> bool:
        word = self.words[at]
        return word.end - word.start == 1 and word.gap in _AFTER_INITIAL and not self._is_short_prefix(at)

    def _is_small_name(self, folded: str, prefixes: Sequence[str]) -> bool:
        listed = folded in self.lists.after_titles or folded in _TITLES
        if (folded in self.lists.surnames and (prefixes or not listed)) or not _SURE_PREFIXES.isdisjoint(prefixes):
            return True
        return not (prefixes or listed or _VERB.fullmatch(folded) or len(folded) < _LEAST_LETTERS)

    def _given_name(self, at: int) -> tuple[int, int] | None:
        word = self.words[at]
        if not word.capital or word.folded not in self.lists.given:
            return None
        end = self._name_end(at + 1) if self._joined(at) and word.gap != ". " else None
        if end is None and word.folded in self.lists.ambiguous:
            return None
        return at, end if end is not None else at

    def _introduced(self, at: int) -> tuple[int, int] | None:
        first = at + 1
        while first < len(self.words) and self.words[first].folded in _BETWEEN:
            first += 1
        gap = self.words[first - 1].gap
        gap_is_near = len(gap) <= 2 and "]" not in gap  # noqa: PLR2004 - a space, or a colon and a space, and no [naam]
        return self._from(first, self._name_end(first)) if gap_is_near else None

    def _name_end(self, first: int, *, titled: bool = False) -> int | None:
        """Return the last word of the name that starts here: prefixes, and at least one capitalised word."""
        end = None
        for at in range(first, min(len(self.words), first + _MOST_WORDS)):
            if self._can_be_name(at):
                end = at
            elif not self._is_prefix(at, titled=titled):
                break
            if not self._leads_to_next(at):
                break
        return end

    def _leads_to_next(self, at: int) -> bool:
        """Say whether a name can go on with the next word; behind a point only after a prefix that is written short."""
        gap = self.words[at].gap
        return gap in _AFTER_SHORT if self._is_short_prefix(at) else gap in _JOINS - _AFTER_INITIAL

    def _is_prefix(self, at: int, *, titled: bool) -> bool:
        """Say whether a word stands before a surname; behind a title `in de` and `op het` too, elsewhere only `in 't`."""
        folded = self.words[at].folded
        if folded in _NAME_PREFIXES or self._is_short_prefix(at):
            return True
        following = self.words[at + 1].folded if at + 1 < len(self.words) else ""
        before = self.words[at - 1].folded if at else ""
        behind = _AFTER_PLACE_WORD if titled else frozenset({"t"})
        return folded in _PLACE_WORDS and (following in behind or (titled and folded in behind and before in _PLACE_WORDS))

    def _is_short_prefix(self, at: int) -> bool:
        word = self.words[at]
        if word.capital and word.end - word.start > 1:
            return False
        if word.folded in SHORT_PREFIXES:
            return True
        following = self.words[at + 1].folded if at + 1 < len(self.words) else ""
        before = self.words[at - 1] if at else word
        starts = word.folded in PAIR_STARTS and following in PAIR_ENDS and word.gap.strip() in _BREAKS
        return starts or (word.folded in PAIR_ENDS and before.folded in PAIR_STARTS and before.gap.strip() in _BREAKS)

    def _can_be_name(self, at: int) -> bool:
        word = self.words[at]
        return word.capital and word.end - word.start > 1 and word.folded not in self.lists.not_names

    def _after(self, is_initial: Callable[[int], bool], at: int) -> int:
        following = range(at, min(len(self.words), at + _MOST_WORDS))
        return next((each for each in following if not is_initial(each)), at)

    def _is_initial(self, at: int) -> bool:
        word = self.words[at]
        return word.capital and word.end - word.start == 1 and word.gap in _AFTER_INITIAL

    def _starts_surname(self, at: int) -> bool:
        word, pair = self.words[at], tuple(word.folded for word in self.words[at : at + 2])
        if word.folded in _GLUED_STARTS or (word.folded == "v" and self._is_short_prefix(at) and word.gap != " "):
            return not word.capital
        return pair in _SURNAME_STARTS and word.gap == " "

    def _with_word_before(self, at: int, end: int | None) -> tuple[int, int] | None:
        before = at - 1
        joins = before >= 0 and self.words[before].gap == " " and self._can_be_name(before)
        return self._from(before if joins else at, end)

    def _joined(self, at: int) -> bool:
        return self.words[at].gap in _JOINS

    def _from(self, first: int, end: int | None) -> tuple[int, int] | None:
        initials = "".join(word.folded for word in self.words[first : first + 3] if word.end - word.start == 1)
        return None if end is None or initials in _FIRMS else (first, end)


def find_own_words(words: Sequence[Word], record: Mapping[str, Any]) -> Iterator[Found]:
    """Give the places in a text with names, streets or the reporter of its own record (R-LEAK-03): NAME, of streets ADDRESS.

    A word of at least three letters that is no prefix counts by itself, also with a genitive s; shorter ones and prefixes of
    the same names count beside it, so that `Bo van der Meer` is found whole. A word for unknown is nobody's name.
    """
    names = [*_texts(record, "subjects", ("family_name", "given_names")), *_reporter(record)]
    for kind, texts in (("NAME", names), ("ADDRESS", _texts(record, "places", ("street",)))):
        own = {_echo_key(fold(word)) for text in texts for word in _WORD.findall(text)}
        strong = frozenset(key for key in own if len(key) >= _LEAST_LETTERS and key not in PREFIXES)
        if strong:
            yield from (Found(kind, run[0].start, run[-1].end) for run in _runs(words, strong, own))


def _runs(words: Sequence[Word], strong: AbstractSet[str], own: AbstractSet[str]) -> Iterator[list[Word]]:
    """Give each run of neighbouring own words that holds at least one strong word."""
    runs: list[list[Word]] = [[]]
    for word in words:
        if _echo_key(word.folded) in own or _is_strong(word, strong):
            runs[-1].append(word)
        if runs[-1] and (runs[-1][-1] is not word or not _leads_on(word)):
            runs.append([])
    return (run for run in runs if any(_is_strong(word, strong) for word in run))


def _leads_on(word: Word) -> bool:
    return word.gap in {" ", "-"} or (word.gap in _AFTER_INITIAL and len(word.folded) == 1)


def _is_strong(word: Word, strong: AbstractSet[str]) -> bool:
    key = _echo_key(word.folded)
    return key in strong or key.removesuffix("s") in strong


def _echo_key(folded: str) -> str:
    return folded.replace("ij", "y")


def _texts(record: Mapping[str, Any], name: str, fields: Sequence[str]) -> list[str]:
    texts = [str(item[field]) for item in record.get(name) or () for field in fields if item.get(field)]
    return [plain(text) for text in texts if not is_placeholder(text)]


def _reporter(record: Mapping[str, Any]) -> list[str]:
    reporter = record.get("reporter") or {}
    name = str(reporter.get("name") or "")
    return [] if is_placeholder(name) else [plain(name)]
