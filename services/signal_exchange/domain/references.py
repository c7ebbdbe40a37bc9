"""References that people read out and write down: a letter, five random signs, and a sign that shows a slip of the pen.

A number that counts would tell how much there is and in which order. The signs are Crockford's base32, which has no I, L, O or U.
The last sign is a polynomial over GF(32): it differs after one wrong sign, or two neighbours that changed places.
"""

import re
from typing import Final

REPORT: Final = "M"
"""What begins the reference of a report."""
SIGNAL: Final = "S"
"""What begins the reference of a signal that was made here."""
BITS: Final = 25
"""How much of a reference is random."""
_SIGNS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ: Final = str.maketrans("OIL", "011")
_FORM: Final = re.compile(f"[{_SIGNS}]{{7}}")
_SIGN_BITS: Final = 5
_POLYNOMIAL: Final = 0b100101


def reference(prefix: str, number: int) -> str:
    """Give the reference of a random number of BITS bits, as S-7K4Q-M2."""
    signs = "".join(_SIGNS[number >> shift & 31] for shift in range(BITS - _SIGN_BITS, -1, -_SIGN_BITS))
    whole = signs + _check(prefix + signs)
    return f"{prefix}-{whole[:4]}-{whole[4:]}"


def read_reference(prefix: str, text: str) -> str | None:
    """Give a reference as it is written, however somebody typed it; None where it is none of this prefix."""
    signs = re.sub(r"[\s-]", "", text.upper()).translate(_READ)
    if not _FORM.fullmatch(signs) or signs[0] != prefix or _check(signs[:-1]) != signs[-1]:
        return None
    return f"{prefix}-{signs[1:5]}-{signs[5:]}"


def _check(signs: str) -> str:
    value = 0
    for sign in signs:
        value = _times_x(value ^ _SIGNS.index(sign))
    return _SIGNS[value]


def _times_x(value: int) -> int:
    doubled = value << 1
    return doubled ^ _POLYNOMIAL if doubled >> _SIGN_BITS else doubled
