"""Text as every reader of it takes it: hard blanks, other dashes and apostrophes, digits of other scripts made plain.

The leak guard and the link values read with the same eyes, so that what the one takes for a number the other does too.
"""

from __future__ import annotations

import re
import unicodedata

_APOSTROPHES = dict.fromkeys("\u2018\u2019\u201b\u02bc\u02b9\u2032\u00b4`", "'")
_SLASHES = dict.fromkeys("\u2044\u2215\u29f8", "/")
_SIGNS = {**_APOSTROPHES, **_SLASHES, "\u2212": "-", "\u00ad": ""}
_BY_CATEGORY = {"Pd": "-", "Cf": "", "Cc": " ", "Zs": " ", "Zl": " ", "Zp": " "}
_BLANKS = re.compile(" {2,}")


def plain_char(char: str) -> str:
    """Return one character as it is read: itself, its plain form, or nothing when it cannot be seen."""
    if char.isascii() and char.isprintable():
        return _SIGNS.get(char, char)
    if char in _SIGNS:
        return _SIGNS[char]
    if "\uff01" <= char <= "\uff5e":  # the full-width form of a printable ASCII sign
        return _SIGNS.get(chr(ord(char) - 0xFEE0), chr(ord(char) - 0xFEE0))
    category = unicodedata.category(char)
    return str(unicodedata.digit(char)) if category == "Nd" else _BY_CATEGORY.get(category, char)


def plain(text: str) -> str:
    r"""Return a value as it is read, in NFC, with single blanks and none at its ends.

    >>> plain("\u00a006\u2011\u0661\u0662 ")
    '06-12'
    """
    is_plain = text.isascii() and text.isprintable() and "`" not in text
    read = text if is_plain else "".join(map(plain_char, unicodedata.normalize("NFC", text)))
    return _BLANKS.sub(" ", read).strip(" ")
