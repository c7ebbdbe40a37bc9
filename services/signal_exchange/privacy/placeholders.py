"""Words that stand where nothing is known. They are no values: two persons who are both `onbekend` are not one (R-LINK-07)."""

from __future__ import annotations

import re

from signal_exchange.privacy.names import fold
from signal_exchange.privacy.plain import plain

_ANYWHERE = re.compile(
    r"\b(?:onbek\w*|unknown|unkown|unbekannt\w*|inconnue?|anoniem\w*|weet (?:ik |het )?niet|(?:niet|not) (?:\w+ )?(?:bekend|known"
    r"|gevraagd|genoemd|opgegeven|doorgegeven|ingevuld|beschikbaar|duidelijk|achterhalen|van toepassing|applicable))\b"
)
"""Says so wherever it stands: `kenteken onbekend`, `onbekend (buitenlands)`, `onbekend 2`."""
_FIRST = frozenset({
    "geen", "niets", "niks", "niemand", "naamloos", "anonymous", "blanco", "vertrouwelijk", "nvt", "nnb", "ntb", "tbd", "nihil",
    "leeg", "idem", "zie", "diverse", "diversen", "meerdere", "wisselend", "geheim", "afgeschermd", "weigert", "geweigerd",
})  # fmt: skip
"""Says so as the first word of a value without digits: `geen telefoon`; the family Van Geen keeps its name."""
_ALONE = frozenset({
    "na", "nb", "nn", "nvt", "nnb", "ntb", "null", "nil", "none", "empty", "leeg", "todo", "unk", "asdf", "qwerty",
})  # fmt: skip
"""Says so when nothing else stands there."""
_TEST = re.compile(r"test(?:persoon|naam|er|en)?[0-9]*")
_CROSSES = re.compile("x+")
_ASIDE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")


def is_placeholder(text: str) -> bool:
    """Say whether a filled field says that nothing is known; an empty one is none.

    >>> [is_placeholder(text) for text in ("n.v.t.", "onbekend (buitenlands)", "--", "Testescu", "van Geen")]
    [True, True, True, False, False]
    """
    read = fold(plain(text))
    if not read:
        return False
    if not any(char.isalnum() for char in read):
        return True
    words, left = _words(read), _words(_ASIDE.sub(" ", read))
    return bool(_ANYWHERE.search(" ".join(words))) or _says_nothing(left or words)


def _says_nothing(words: list[str]) -> bool:
    if _TEST.fullmatch(words[0]) or all(word in _ALONE or _CROSSES.fullmatch(word) for word in words):
        return True
    return words[0] in _FIRST and not any(char.isdigit() for word in words for char in word)


def _words(read: str) -> list[str]:
    """Return the words, letters that stand alone joined: `n.v.t.` and `n v t` are one word."""
    words: list[str] = []
    alone = False
    for word in re.findall(r"[^\W_]+", read):
        joins = alone and len(word) == 1
        words[-1:] = [words[-1] + word] if joins else [*words[-1:], word]
        alone = len(word) == 1
    return words
