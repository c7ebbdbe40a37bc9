"""The one form of a value that many people write in many ways, per type that may link (R-LINK-02, rules.md section 6).

Two municipalities that write the same thing differently must come to the same form, and two different things never: a sign that
no step understands is not left out, it makes the value none. So every step is a published rule: see schemas/tokens.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from signal_exchange.privacy.countries import HOME, country_key
from signal_exchange.privacy.names import fold, given_name_key, sound_key, surname_key
from signal_exchange.privacy.numbers import IBAN_LENGTHS, bsn_digits, iban_is_valid, plate_series
from signal_exchange.privacy.placeholders import is_placeholder
from signal_exchange.privacy.plain import plain

NO_DISTRICT_COUNTRY = "DE"
"""Here a plate says only by the blank or hyphen after its district which of several plates it is: M-AB 123 or MA-B 123."""

_NL_PHONE_DIGITS, _NATIONAL_DIGITS, _MOBILE_DIGITS, _BRANCH_DIGITS = 11, 10, 9, 8
_POSTCODE = re.compile(r"[1-9][0-9]{3}(?!SA|SD|SS)[A-Z]{2}")
_BAG = re.compile(r"[0-9]{4}20[0-9]{10}")
_BIRTH_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_SHEET_NUMBER = re.compile(r"([0-9]+)[.,]0+")
_PHONE_LABEL = re.compile(r"^(?:telefoon|telnr|tel|mobiel|mob|gsm|t|m)(?:[.:] ?| )(?=[+(0-9])", re.IGNORECASE)
_TRUNK = re.compile("^(31|32|33|40|41|43|44|49)0")
"""The 0 that people leave between the code of a country and a number; in these countries no number begins with one."""
_PHONE_SIGNS = re.compile(r"[(]?\+?[0-9() ./-]+")
_PLATE_BETWEEN = re.compile(r"[ .·•:'-]")
_PLATE_SIGNS = re.compile("(?=.*[0-9])[0-9A-Z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f]{2,10}")
_DISTRICT = re.compile(r"([A-ZÄÖÜ]{1,3})[ .·•:/-]+([A-Z]{1,2}[ .·•:-]*[1-9][0-9]{0,3}[ -]*[EH]?)")
_LATIN = str.maketrans("АВЕКМНОРСТУХІΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEKMHOPCTYXIABEZHIKMNOPTYX")
"""Plates of Cyrillic and Greek countries use only letters that look like these, so that abroad they can be read."""


def bsn(text: str) -> str | None:
    """Return nine digits that pass the eleven test."""
    return bsn_digits(_number(text))


def name_dob(family_name: str, given_names: str, birth_date: str) -> str | None:
    """Return surname, first given name and birth date, as `meer|anna|19990714`."""
    return _joined(family_key(family_name), given_key(given_names), compact_date(birth_date))


def name_dob_soft(family_name: str, given_names: str, birth_date: str) -> str | None:
    """Return the surname's sounds, the initial and the birth date, as `mr|a|19990714`."""
    return _joined(sound_key(family_key(family_name)), given_key(given_names)[:1], compact_date(birth_date))


def family_key(text: str) -> str:
    """Return the key of a surname; empty when there is none or it is a placeholder."""
    return "" if is_placeholder(text) else surname_key(text)


def given_key(text: str) -> str:
    """Return the key of the first given name; empty when there is none or it is a placeholder."""
    return "" if is_placeholder(text) else given_name_key(text)


def compact_date(text: str) -> str | None:
    """Return a full date without hyphens; one of month or day 00 too, which is barred later."""
    parts = _BIRTH_DATE.fullmatch(text)
    if parts is None:
        return None
    return "".join(parts.groups()) if "00" in parts.groups()[1:] or _exists(text) else None


def postcode_key(text: str) -> str | None:
    """Return a Dutch postcode in capitals, without anything between."""
    code = _compact(text).upper()
    return code if _POSTCODE.fullmatch(code) else None


def address_pc(postcode: str, number: str, addition: str = "") -> str | None:
    """Return postcode, number and addition, as `5999ZZ|12|A`; the last bar always stands."""
    code, written = postcode_key(postcode), _number(number)
    digits = re.match(r"0*([1-9][0-9]*)", written)
    if digits is None or code is None:
        return None
    return f"{code}|{digits[1]}|{_addition(written[digits.end() :])}{_addition(addition)}"


def address_bag(text: str) -> str | None:
    """Return a BAG id of 16 digits when it is a nummeraanduiding (type 20): ids of objects would never match it."""
    compact = _compact(_number(text))
    return compact if _BAG.fullmatch(compact) else None


def phone(text: str) -> str | None:
    """Return a telephone number as E.164: `+31612345678`."""
    written = re.sub(r"[(] ?0 ?[)]", "", _PHONE_LABEL.sub("", _number(text)))
    if not _PHONE_SIGNS.fullmatch(written):
        return None
    number = _international(re.sub(r"[^0-9+]", "", written))
    if not re.fullmatch(r"[1-9][0-9]{7,14}", number) or (number.startswith("31") and len(number) != _NL_PHONE_DIGITS):
        return None
    return f"+{number}"


def plate(text: str, country: str | None = None) -> str | None:
    """Return a licence plate after its country, as `NL:GX123B` and `DE:KLE-AB123`; no country is NL, whose series must fit.

    It has at least one digit. A German one keeps its district apart, and is none when the district cannot be told.
    """
    code = country_key(country) if country and plain(country) else HOME
    if code is None or is_placeholder(text):
        return None
    signs = _plate_signs(text)
    if code == NO_DISTRICT_COUNTRY:
        parts = _DISTRICT.fullmatch(signs)
        return f"{code}:{parts[1]}-{_PLATE_BETWEEN.sub('', parts[2])}" if parts else None
    compact = _PLATE_BETWEEN.sub("", signs)
    fits = _PLATE_SIGNS.fullmatch(compact) and (code != HOME or (compact.isascii() and plate_series(compact)))
    return f"{code}:{compact}" if fits else None


def kvk(text: str) -> str | None:
    """Return a company number of eight digits; seven get a leading 0, a branch number of twelve is none."""
    digits = _compact(_number(text))
    return digits.rjust(_BRANCH_DIGITS, "0") if re.fullmatch(r"[0-9]{7,8}", digits) else None


def iban(text: str) -> str | None:
    """Return an account number without what stands between when its length and check digits fit."""
    compact = _compact(plain(text)).upper()
    return compact if iban_is_valid(compact) and len(compact) == IBAN_LENGTHS.get(compact[:2], len(compact)) else None


def _number(text: str) -> str:
    """Return a number as it is read; a sheet writes the text 12 as 12.0."""
    written = plain(text)
    whole = _SHEET_NUMBER.fullmatch(written)
    return whole[1] if whole else written


def _compact(text: str) -> str:
    return re.sub(r"[ .-]", "", plain(text))


def _addition(text: str) -> str:
    kept = re.sub(r"[^A-Z0-9]", "", fold(plain(text)).upper())
    return "" if is_placeholder(text) and len(kept) != 1 else kept


def _plate_signs(text: str) -> str:
    return unicodedata.normalize("NFC", plain(text).upper().translate(_LATIN))


def _joined(*parts: str | None) -> str | None:
    return "|".join(part for part in parts if part) if all(parts) else None


def _exists(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True


def _international(digits: str) -> str:
    if digits.startswith(("+", "00")):
        return _TRUNK.sub(r"\1", digits.removeprefix("+") if digits.startswith("+") else digits[2:])
    if len(digits) == _NATIONAL_DIGITS and digits.startswith("0"):
        return "31" + digits[1:]
    if len(digits) == _NL_PHONE_DIGITS and digits.startswith("316"):
        return digits
    return "31" + digits if len(digits) == _MOBILE_DIGITS and digits.startswith("6") else ""
