"""Names as link keys: folded letters for an exact key, a skeleton of sounds for a soft one (R-LINK, NAME_DOB)."""

from __future__ import annotations

import re
import unicodedata

from signal_exchange.privacy.plain import plain

PREFIXES = frozenset({
    "van", "vant", "de", "der", "den", "ten", "ter", "te", "het", "t", "s", "in", "int", "op", "opt", "aan", "bij", "uit", "uijt",
    "over", "onder", "voor", "tot", "von", "vom", "zu", "zum", "zur", "am", "im", "auf", "aus", "dem", "du", "des", "da", "dos",
    "das", "do", "del", "dell", "della", "dei", "degli", "di", "la", "las", "le", "les", "lo", "los", "el", "al", "ben", "bin",
    "ibn",
})  # fmt: skip
"""The closed list of name prefixes that a surname loses; the leak guard reads names with the same list."""

SHORT_PREFIXES = frozenset({"v", "d", "l", "vd", "vdr", "vdn", "vden", "vder", "vh", "vt", "vande", "vanden", "vander"})
"""Prefixes as people write them short or in one, each by itself: `v.` and `d.`, `d'` and `l'`, `vd` and `vander`."""
PAIR_STARTS = frozenset({"v", "a", "o", "i", "u", "b", "t"})
PAIR_ENDS = frozenset({"d", "de", "den", "der", "dr", "dn", "h", "het", "t", "n"})
"""The two halves of a prefix written short with a point or a slash: `v.d.`, `o.d.`, `a/d`, `v/h`."""

_LETTERS = str.maketrans({
    "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "ð": "d", "þ": "th", "ħ": "h", "ŧ": "t", "ŋ": "ng",
    "ə": "e",
})  # fmt: skip


def _one_of(words: frozenset[str]) -> str:
    return "|".join(sorted(words, reverse=True))


_PAIR = re.compile(rf"(?<![a-z])(?:{_one_of(PAIR_STARTS)}) ?[./] ?'?(?:{_one_of(PAIR_ENDS)})(?![a-z])[.]?")
_SHORT = re.compile(rf"(?<![a-z])(?:{_one_of(SHORT_PREFIXES)})(?![a-z])[.]?")
_OTHER_LETTER = re.compile("[^\\W_a-z\u02b0-\u02ff]")
"""A letter that no step writes in a-z, or a digit; marks such as the ayn of a transcription say nothing and do not count."""
_SOUNDS = (
    ("sch", "sg"), ("ch", "g"), ("ph", "f"), ("th", "t"), ("dt", "t"), ("ck", "k"), ("qu", "kw"),
    ("x", "ks"), ("c", "k"), ("z", "s"), ("v", "f"), ("w", "f"),
)  # fmt: skip


def fold(text: str) -> str:
    """Return the text in lower case, without accents, with letters such as ß and ł written in plain letters."""
    lower = text.lower()
    if lower.isascii():
        return lower
    spelled = lower.translate(_LETTERS)
    return "".join(char for char in unicodedata.normalize("NFKD", spelled) if not unicodedata.combining(char))


def surname_key(text: str) -> str:
    """Return a surname as one word, ij written as y; empty when nothing is left, or a letter is not of a-z.

    >>> surname_key("van der Meer"), surname_key("v/d Meer"), surname_key("de Wijs"), surname_key("El-Hachmi")
    ('meer', 'meer', 'wys', 'hachmi')
    """
    unabbreviated = _SHORT.sub(" ", _PAIR.sub(" ", fold(plain(text))))
    return "".join(_name_words(unabbreviated)).replace("ij", "y")


def given_name_key(text: str) -> str:
    """Return the first given name, ij written as y; empty when nothing is left, or a letter is not of a-z.

    >>> given_name_key("anna maria"), given_name_key("IJsbrand")
    ('anna', 'ysbrand')
    """
    return "".join(_name_words(fold(plain(text)))[:1]).replace("ij", "y")


def _name_words(folded: str) -> list[str]:
    """Return the a-z words that count: of the first part between hyphens or slashes that is not only prefixes.

    Prefixes go, wherever they stand, unless nothing would be left.
    """
    if _OTHER_LETTER.search(folded):  # without it, two names would become one
        return []
    parts = [words for part in re.split(r"[-/]", folded) if (words := re.findall(r"[a-z]+", part))]
    words = next((part for part in parts if set(part) - PREFIXES), parts[0] if parts else [])
    return [word for word in words if word not in PREFIXES] or words


def sound_key(surname: str) -> str:
    """Return the skeleton of sounds of a surname key.

    >>> sound_key("muller"), sound_key("kowalczyk"), sound_key("schmidt")
    ('mlr', 'kflksk', 'sgmt')
    """
    sounds = surname
    for spelling, sound in _SOUNDS:
        sounds = sounds.replace(spelling, sound)
    sounds = _collapsed(re.sub(r"d$", "t", sounds))
    return _collapsed(sounds[:1] + re.sub(r"[aeiouy]", "", sounds[1:]))


def _collapsed(text: str) -> str:
    return re.sub(r"(.)\1+", r"\1", text)
