"""Names as link keys: folded letters for an exact key, a skeleton of sounds for a soft one (R-LINK, NAME_DOB)."""

from __future__ import annotations

import re
import unicodedata

PREFIXES = frozenset({
    "van", "de", "der", "den", "ten", "ter", "te", "het", "t", "s", "in", "op", "von", "zu", "zur", "du", "des", "da", "dos",
    "das", "do", "del", "della", "di", "la", "le", "el", "al", "ben", "bin", "ibn",
})  # fmt: skip
"""The closed list of name prefixes that a surname loses."""

_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i"})
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


def name_words(text: str) -> list[str]:
    """Return the a-z words that count: of the first part between hyphens or slashes that is not only prefixes.

    Prefixes go, wherever they stand, unless nothing would be left.
    """
    parts = [re.findall(r"[a-z]+", fold(part)) for part in re.split(r"[-/]", text)]
    words = next((part for part in parts if set(part) - PREFIXES), parts[0])
    return [word for word in words if word not in PREFIXES] or words


def surname_key(text: str) -> str:
    """Return a surname as one word, ij written as y; empty when nothing is left.

    >>> surname_key("van der Meer"), surname_key("de Wijs"), surname_key("El-Hachmi")
    ('meer', 'wys', 'hachmi')
    """
    return "".join(name_words(text)).replace("ij", "y")


def given_name_key(text: str) -> str:
    """Return the first given name, ij written as y; empty when nothing is left.

    >>> given_name_key("anna maria"), given_name_key("IJsbrand")
    ('anna', 'ysbrand')
    """
    return "".join(name_words(text)[:1]).replace("ij", "y")


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
