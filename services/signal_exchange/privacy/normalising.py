"""From what a municipality wrote down to the values that may become link tokens (R-LINK-01, R-LINK-02, R-LINK-07).

Two municipalities that write the same thing differently must come to the same value, so every step is a published rule:
see schemas/tokens. A value that would link strangers is barred and gives no token.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from signal_exchange.privacy.names import given_name_key, sound_key, surname_key
from signal_exchange.privacy.numbers import bsn_digits, iban_is_valid, plate_series

KINDS = ("BSN", "NAME_DOB", "NAME_DOB_SOFT", "PHONE", "ADDRESS_PC", "ADDRESS_BAG", "PLATE", "IBAN", "KVK")
"""Every type that may link, codes of link_key_type.csv."""

KINDS_WITHOUT_DECISION = frozenset(KINDS) - {"BSN"}
"""What may link by default: the BSN only where its lawful basis is recorded."""

_BARRED_BSN = frozenset({"000000000", "111111110", "123456782", "999999990"})
_BARRED_SURNAMES = frozenset({"onbekend", "unknown", "nn", "test"})
_BARRED_KVK = frozenset({"00000000", "12345678", "99999999"})
_SERVICE_PHONES = ("+31800", "+31900", "+31906", "+31909", "+3188")
_NL_PHONE_DIGITS, _NATIONAL_DIGITS, _MOBILE_DIGITS, _BRANCH_DIGITS = 11, 10, 9, 8
_POSTCODE = re.compile(r"[1-9][0-9]{3}(?!SA|SD|SS)[A-Z]{2}")
_BAG = re.compile(r"[0-9]{4}20[0-9]{10}")
_BIRTH_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


@dataclass(frozen=True, slots=True)
class LinkValue:
    """A normalised value, its type and what carries it: `subject:<ref>`, `place:<index>` or `object:<index>`."""

    carrier: str
    type: str
    value: str = field(repr=False)


def link_values(
    record: Mapping[str, Any],
    *,
    kinds: AbstractSet[str] = KINDS_WITHOUT_DECISION,
    barred: AbstractSet[tuple[str, str]] = frozenset(),
) -> tuple[LinkValue, ...]:
    """Return the values of a municipal record that get a link token, subjects first, then places, then objects.

    `kinds` are the types that policy lets link. `barred` is the municipality's own list of (type, value) that would link
    strangers, such as its switchboard or a shelter (R-LINK-07). A record without a LINKING exchange gives none (R-LINK-01).
    Objects are the plates, accounts and companies in this order; a value that an object repeats counts once (R-VAL-14).
    """
    if not any(entry.get("purpose") == "LINKING" for entry in _items(record, "exchanges")):
        return ()
    found = [*_of_subjects(record), *_of_places(record), *_of_objects(record)]
    allowed = (value for value in found if value.type in kinds and (value.type, value.value) not in barred)
    return tuple(_without_repeats(allowed))


def is_barred(kind: str, value: str) -> bool:
    """Return whether a normalised value would link strangers (R-LINK-07)."""
    judge = _BARRED_BY_KIND.get(kind)
    return judge is not None and judge(value)


def bsn(text: str) -> str | None:
    """Return nine digits that pass the eleven test."""
    return bsn_digits(text)


def name_dob(family_name: str, given_names: str, birth_date: str) -> str | None:
    """Return surname, first given name and birth date, as `meer|anna|19990714`."""
    return _joined(surname_key(family_name), given_name_key(given_names), _compact_date(birth_date))


def name_dob_soft(family_name: str, given_names: str, birth_date: str) -> str | None:
    """Return the surname's sounds, the initial and the birth date, as `mr|a|19990714`."""
    return _joined(sound_key(surname_key(family_name)), given_name_key(given_names)[:1], _compact_date(birth_date))


def address_pc(postcode: str, number: str, addition: str = "") -> str | None:
    """Return postcode, number and addition, as `5999ZZ|12|A`; the last bar always stands."""
    code = re.sub(r"\s", "", postcode).upper()
    digits = re.match(r"\s*0*([1-9][0-9]*)", number)
    if digits is None or not _POSTCODE.fullmatch(code):
        return None
    rest = re.sub(r"[^A-Z0-9]", "", (number[digits.end() :] + addition).upper())
    return f"{code}|{digits[1]}|{rest}"


def address_bag(text: str) -> str | None:
    """Return a BAG id of 16 digits when it is a nummeraanduiding (type 20): ids of objects would never match it."""
    compact = _compact(text)
    return compact if _BAG.fullmatch(compact) else None


def phone(text: str) -> str | None:
    """Return a telephone number as E.164: `+31612345678`."""
    digits = re.sub(r"[^0-9+]", "", text.replace("(0)", ""))
    number = _international(digits)
    if not re.fullmatch(r"[1-9][0-9]{7,14}", number) or (number.startswith("31") and len(number) != _NL_PHONE_DIGITS):
        return None
    return f"+{number}"


def plate(text: str, country: str | None = None) -> str | None:
    """Return a licence plate after its country, as `NL:GX123B`; no country is NL, of which the series must fit."""
    code = re.sub(r"[^A-Z]", "", (country or "NL").upper())
    compact = re.sub(r"[^A-Z0-9]", "", text.upper())
    if not compact or not code or (code == "NL" and not plate_series(compact)):
        return None
    return f"{code}:{compact}"


def kvk(text: str) -> str | None:
    """Return a company number of eight digits; seven get a leading 0, a branch number of twelve is none."""
    digits = _compact(text)
    return digits.rjust(_BRANCH_DIGITS, "0") if re.fullmatch(r"[0-9]{7,8}", digits) else None


def iban(text: str) -> str | None:
    """Return an account number without spaces and hyphens when its check digits fit."""
    compact = re.sub(r"[ -]", "", text).upper()
    return compact if iban_is_valid(compact) else None


def _of_subjects(record: Mapping[str, Any]) -> Iterator[LinkValue]:
    for subject in _items(record, "subjects"):
        carrier = f"subject:{_text(subject, 'ref')}"
        yield from _kept(carrier, "BSN", bsn(_text(subject, "bsn")))
        yield from _of_name(carrier, subject)
        yield from _kept(carrier, "PHONE", phone(_text(subject, "phone")))


def _of_name(carrier: str, subject: Mapping[str, Any]) -> Iterator[LinkValue]:
    names = _text(subject, "family_name"), _text(subject, "given_names"), _text(subject, "birth_date")
    exact = list(_kept(carrier, "NAME_DOB", name_dob(*names)))
    # The skeleton of a barred surname no longer shows that it is barred.
    return iter([*exact, *_kept(carrier, "NAME_DOB_SOFT", name_dob_soft(*names))] if exact else [])


def _of_places(record: Mapping[str, Any]) -> Iterator[LinkValue]:
    for index, place in enumerate(_items(record, "places")):
        parts = _text(place, "postcode"), _text(place, "number"), _text(place, "addition")
        yield from _kept(f"place:{index}", "ADDRESS_PC", address_pc(*parts))
        yield from _kept(f"place:{index}", "ADDRESS_BAG", address_bag(_text(place, "bag_id")))


def _of_objects(record: Mapping[str, Any]) -> Iterator[LinkValue]:
    plates = [("PLATE", plate(_text(entry, "plate"), _text(entry, "country"))) for entry in _items(record, "plates")]
    accounts = [("IBAN", iban(str(entry))) for entry in _items(record, "accounts")]
    companies = [("KVK", kvk(str(entry))) for entry in _items(record, "companies")]
    for index, (kind, value) in enumerate([*plates, *accounts, *companies]):
        yield from _kept(f"object:{index}", kind, value)


def _kept(carrier: str, kind: str, value: str | None) -> Iterator[LinkValue]:
    if value is not None and not is_barred(kind, value):
        yield LinkValue(carrier, kind, value)


def _without_repeats(values: Iterable[LinkValue]) -> Iterator[LinkValue]:
    seen = set()
    for value in values:
        of = "object" if value.carrier.startswith("object:") else value.carrier
        if (of, value.type, value.value) not in seen:
            seen.add((of, value.type, value.value))
            yield value


def _items(record: Mapping[str, Any], name: str) -> Sequence[Any]:
    found = record.get(name)
    return found if isinstance(found, list | tuple) else ()


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return "" if value is None else str(value)


def _compact(text: str) -> str:
    return re.sub(r"[ .-]", "", text)


def _joined(*parts: str | None) -> str | None:
    return "|".join(part for part in parts if part) if all(parts) else None


def _compact_date(text: str) -> str | None:
    parts = _BIRTH_DATE.fullmatch(text)
    if parts is None:
        return None
    return "".join(parts.groups()) if "00" in parts.groups()[1:] or _exists(text) else None


def _exists(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True


def _international(digits: str) -> str:
    if digits.startswith("+"):
        return digits[1:]
    if digits.startswith("00"):
        return digits[2:]
    if len(digits) == _NATIONAL_DIGITS and digits.startswith("0"):
        return "31" + digits[1:]
    return "31" + digits if len(digits) == _MOBILE_DIGITS and digits.startswith("6") else ""


def _barred_name(value: str) -> bool:
    surname, _, birth_date = value.split("|")
    year, month, day = birth_date[:4], birth_date[4:6], birth_date[6:]
    return surname in _BARRED_SURNAMES or year == "1900" or "00" in {month, day} or month + day == "0101"


def _barred_phone(value: str) -> bool:
    return value.startswith(_SERVICE_PHONES) or len(set(value[-8:])) == 1


def _barred_plate(value: str) -> bool:
    digits = re.sub(r"[^0-9]", "", value)
    return bool(digits) and not digits.strip("0")


_BARRED_BY_KIND = {
    "BSN": _BARRED_BSN.__contains__,
    "NAME_DOB": _barred_name,
    "NAME_DOB_SOFT": _barred_name,
    "PHONE": _barred_phone,
    "PLATE": _barred_plate,
    "KVK": _BARRED_KVK.__contains__,
}
