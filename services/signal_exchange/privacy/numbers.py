"""Numbers that identify: which digits can be a BSN, an IBAN or a Dutch licence plate. Nothing here looks anything up."""

from __future__ import annotations

import re
from collections.abc import Mapping

BSN_DIGITS, BSN_SHORT_DIGITS = 9, 8
_BSN_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
SERIES = (
    "LL9999", "9999LL", "99LL99", "LL99LL", "LLLL99", "99LLLL", "99LLL9",
    "9LLL99", "LL999L", "L999LL", "LLL99L", "L99LLL", "9LL999", "999LL9",
)  # fmt: skip
"""Series 1 to 14 of Dutch plates without their hyphens: L a letter, 9 a digit. No two are alike."""

IBAN_LENGTHS: Mapping[str, int] = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BY": 28, "CH": 21, "CY": 28,
    "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23,
    "GL": 18, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
    "LB": 28, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MT": 31, "NL": 18,
    "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SD": 18, "SE": 24, "SI": 19,
    "SK": 24, "SM": 27, "SO": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "XK": 20,
}  # fmt: skip
"""Length of an IBAN per country, of the registry that ISO 13616 names."""


def passes_eleven_test(digits: str) -> bool:
    """Say whether nine digits fit the weights 9 to 2 and -1 modulo 11, and are not all zero."""
    total = sum(weight * int(digit) for weight, digit in zip(_BSN_WEIGHTS, digits, strict=True))
    return total % 11 == 0 and digits != "0" * BSN_DIGITS


def bsn_digits(text: str) -> str | None:
    """Return the nine digits of a BSN, or None when it is none; eight digits get a leading 0.

    >>> bsn_digits("999.900.018"), bsn_digits("12345672"), bsn_digits("123456789")
    ('999900018', '012345672', None)
    """
    digits = re.sub(r"[ .-]", "", text)
    if not re.fullmatch(r"[0-9]{8,9}", digits):
        return None
    nine = digits.rjust(BSN_DIGITS, "0")
    return nine if passes_eleven_test(nine) else None


def plate_series(text: str) -> int:
    """Return in which series, 1 to 14, the letters and digits of a Dutch plate are, or 0; hyphens are not looked at.

    >>> plate_series("GX-123-B"), plate_series("ABC-123")
    (9, 0)
    """
    shape = "".join("9" if char.isdecimal() else "L" for char in text.upper() if _is_plate_char(char))
    return SERIES.index(shape) + 1 if shape in SERIES else 0


def iban_is_valid(text: str) -> bool:
    """Say whether a text without spaces and hyphens is an IBAN: its shape, modulo 97, and 18 places for NL."""
    compact = re.sub(r"[ -]", "", text).upper()
    if not _IBAN.fullmatch(compact) or (compact.startswith("NL") and len(compact) != IBAN_LENGTHS["NL"]):
        return False
    moved = compact[4:] + compact[:4]
    return int("".join(str(int(char, 36)) for char in moved)) % 97 == 1


def _is_plate_char(char: str) -> bool:
    return "A" <= char <= "Z" or "0" <= char <= "9"
