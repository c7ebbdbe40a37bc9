"""From what a municipality wrote down to the values that may become link tokens (R-LINK-01, R-LINK-02, R-LINK-07).

A value that would link strangers is barred and gives no token. Whatever was filled in and gives none is told, with the reason,
so that nobody believes that something links which does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Any

from signal_exchange.privacy import normal_forms
from signal_exchange.privacy.countries import HOME, country_key
from signal_exchange.privacy.numbers import BSN_DIGITS, BSN_SHORT_DIGITS
from signal_exchange.privacy.placeholders import is_placeholder
from signal_exchange.privacy.plain import plain

KINDS = ("BSN", "NAME_DOB", "NAME_DOB_SOFT", "PHONE", "ADDRESS_PC", "ADDRESS_BAG", "PLATE", "IBAN", "KVK")
"""Every type that may link, codes of link_key_type.csv."""

KINDS_WITHOUT_DECISION = frozenset(KINDS) - {"BSN"}
"""What may link by default: the BSN only where its lawful basis is recorded."""

_BARRED_BSN = frozenset({"000000000", "111111110", "123456782", "999999990"})
_BARRED_SURNAMES = frozenset({"onbekend", "unknown", "nn", "test"})
_BARRED_KVK = frozenset({"00000000", "12345678", "99999999"})
_SERVICE_PHONES = ("+31800", "+31900", "+31906", "+31909", "+3188")
_BETWEEN_VALUES = re.compile(r"[/,;&|+]| (?:en|of|and|or|und|oder|et|ou) ")


class Why(Enum):
    """Reason for which a field that was filled in gives no link token."""

    PLACEHOLDER = "PLACEHOLDER"
    SEVERAL = "SEVERAL"
    BARRED = "BARRED"
    INCOMPLETE = "INCOMPLETE"
    OTHER_LETTERS = "OTHER_LETTERS"
    BSN_DIGITS = "BSN_DIGITS"
    BSN_ELEVEN_TEST = "BSN_ELEVEN_TEST"
    PHONE_NUMBER = "PHONE_NUMBER"
    POSTCODE = "POSTCODE"
    HOUSE_NUMBER = "HOUSE_NUMBER"
    BAG_ID = "BAG_ID"
    COUNTRY = "COUNTRY"
    PLATE_SERIES = "PLATE_SERIES"
    PLATE_DISTRICT = "PLATE_DISTRICT"
    PLATE_SIGNS = "PLATE_SIGNS"
    IBAN_CHECK = "IBAN_CHECK"
    KVK_DIGITS = "KVK_DIGITS"


@dataclass(frozen=True, slots=True)
class LinkValue:
    """A normalised value, its type and what carries it: `subject:<ref>`, `place:<index>` or `object:<index>`.

    `path` is the field of the record that it was read from, as `subjects[0].bsn`.
    """

    carrier: str
    type: str
    value: str = field(repr=False)
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Unlinked:
    """A field of the record, as `subjects[0].bsn`, that was filled in and gives no link token; never what stands in it."""

    field: str
    why: Why


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
    found = (each for each in _judged(record, barred) if isinstance(each, LinkValue) and each.type in kinds)
    return tuple(_without_repeats(found))


def unlinked(record: Mapping[str, Any], *, barred: AbstractSet[tuple[str, str]] = frozenset()) -> tuple[Unlinked, ...]:
    """Return every filled field of a record that gives no link token, and why (R-LINK-08); the order is that of `link_values`.

    A type that policy does not let link counts like any other: what is wrong with its value is told. A record without a LINKING
    exchange asked for no link, so nothing is told of it.
    """
    return tuple(each for each in _judged(record, barred) if isinstance(each, Unlinked))


def is_barred(kind: str, value: str) -> bool:
    """Say whether a normalised value would link strangers (R-LINK-07)."""
    judge = _BARRED_BY_KIND.get(kind)
    return judge is not None and judge(value)


_Judged = Iterator[LinkValue | Unlinked]
_Form = Callable[[str], str | None]


def _judged(record: Mapping[str, Any], barred: AbstractSet[tuple[str, str]]) -> _Judged:
    if not any(entry.get("purpose") == "LINKING" for entry in _items(record, "exchanges")):
        return iter(())
    judge = _Judge(barred)
    return iter([*judge.subjects(record), *judge.places(record), *judge.objects(record)])


@dataclass(frozen=True, slots=True)
class _Judge:
    """Judges every field that may link; `barred` is the municipality's own list."""

    barred: AbstractSet[tuple[str, str]]

    def subjects(self, record: Mapping[str, Any]) -> _Judged:
        for index, subject in enumerate(_items(record, "subjects")):
            carrier, path = f"subject:{_text(subject, 'ref')}", f"subjects[{index}]"
            yield from self._one(carrier, "BSN", f"{path}.bsn", _text(subject, "bsn"))
            yield from self._name(carrier, path, subject)
            yield from self._one(carrier, "PHONE", f"{path}.phone", _text(subject, "phone"))

    def places(self, record: Mapping[str, Any]) -> _Judged:
        for index, place in enumerate(_items(record, "places")):
            carrier, path = f"place:{index}", f"places[{index}]"
            yield from self._address(carrier, path, place)
            yield from self._one(carrier, "ADDRESS_BAG", f"{path}.bag_id", _text(place, "bag_id"))

    def objects(self, record: Mapping[str, Any]) -> _Judged:
        plates = _items(record, "plates")
        for index, entry in enumerate(plates):
            yield from self._plate(f"object:{index}", f"plates[{index}]", entry)
        things = [("IBAN", f"accounts[{at}]", each) for at, each in enumerate(_items(record, "accounts"))]
        things += [("KVK", f"companies[{at}]", each) for at, each in enumerate(_items(record, "companies"))]
        for index, (kind, path, entry) in enumerate(things, start=len(plates)):
            yield from self._one(f"object:{index}", kind, path, str(entry))

    def _one(self, carrier: str, kind: str, path: str, text: str) -> _Judged:
        if plain(text):
            form = _FORMS[kind]
            yield self._linked(carrier, kind, form(text), path) or Unlinked(path, _why(kind, text, form))

    def _linked(self, carrier: str, kind: str, value: str | None, path: str) -> LinkValue | Unlinked | None:
        if value is None:
            return None
        would_link_strangers = is_barred(kind, value) or (kind, value) in self.barred
        return Unlinked(path, Why.BARRED) if would_link_strangers else LinkValue(carrier, kind, value, path)

    def _name(self, carrier: str, path: str, subject: Mapping[str, Any]) -> _Judged:
        texts = {name: _text(subject, name) for name in ("family_name", "given_names", "birth_date")}
        exact = normal_forms.name_dob(*texts.values())
        if exact is None:
            yield from _why_no_name(path, texts)
        elif is_barred("NAME_DOB", exact):
            surname = exact.partition("|")[0] in _BARRED_SURNAMES
            yield Unlinked(f"{path}.family_name", Why.PLACEHOLDER) if surname else Unlinked(f"{path}.birth_date", Why.BARRED)
        else:
            # The skeleton of a barred surname no longer shows that it is barred: no soft value without its exact one.
            soft = normal_forms.name_dob_soft(*texts.values())
            named = (("NAME_DOB", exact), ("NAME_DOB_SOFT", soft))
            found = (self._linked(carrier, kind, value, f"{path}.family_name") for kind, value in named)
            yield from (each for each in found if each is not None)

    def _address(self, carrier: str, path: str, place: Mapping[str, Any]) -> _Judged:
        code, number, addition = (_text(place, name) for name in ("postcode", "number", "addition"))
        value = normal_forms.address_pc(code, number, addition)
        linked = self._linked(carrier, "ADDRESS_PC", value, f"{path}.postcode")
        yield from _why_no_address(path, code, number) if linked is None else [linked]

    def _plate(self, carrier: str, path: str, entry: Mapping[str, Any]) -> _Judged:
        text, country = _text(entry, "plate"), _text(entry, "country")
        if not plain(text):
            return
        form = partial(normal_forms.plate, country=country)
        linked = self._linked(carrier, "PLATE", form(text), f"{path}.plate")
        yield linked or _why_no_plate(path, text, country, form)


_FORMS: Mapping[str, _Form] = {
    "BSN": normal_forms.bsn,
    "PHONE": normal_forms.phone,
    "ADDRESS_BAG": normal_forms.address_bag,
    "IBAN": normal_forms.iban,
    "KVK": normal_forms.kvk,
}
_WRONG: Mapping[str, Why] = {
    "BSN": Why.BSN_DIGITS,
    "PHONE": Why.PHONE_NUMBER,
    "ADDRESS_BAG": Why.BAG_ID,
    "IBAN": Why.IBAN_CHECK,
    "KVK": Why.KVK_DIGITS,
}


def _why(kind: str, text: str, form: _Form) -> Why:
    if is_placeholder(text):
        return Why.PLACEHOLDER
    if _holds_several(text, form):
        return Why.SEVERAL
    digits = re.sub(r"[ .-]", "", plain(text))
    right_length = digits.isascii() and digits.isdecimal() and len(digits) in {BSN_SHORT_DIGITS, BSN_DIGITS}
    return Why.BSN_ELEVEN_TEST if kind == "BSN" and right_length else _WRONG[kind]


def _holds_several(text: str, form: _Form) -> bool:
    read = plain(text)
    ways = (_BETWEEN_VALUES.split(read), read.split())
    return any(sum(form(part) is not None for part in parts) > 1 for parts in ways)


def _why_no_name(path: str, texts: Mapping[str, str]) -> Iterator[Unlinked]:
    keys = {"family_name": normal_forms.family_key, "given_names": normal_forms.given_key}
    filled = {name: text for name, text in texts.items() if plain(text)}
    wrong = [name for name, key in keys.items() if name in filled and not key(filled[name])]
    for name in wrong:
        yield Unlinked(f"{path}.{name}", Why.PLACEHOLDER if is_placeholder(filled[name]) else Why.OTHER_LETTERS)
    named = next((name for name in keys if name in filled), None)
    if named is not None and not wrong:
        yield Unlinked(f"{path}.{named}", Why.INCOMPLETE)


def _why_no_address(path: str, postcode: str, number: str) -> Iterator[Unlinked]:
    filled = {name: text for name, text in (("postcode", postcode), ("number", number)) if plain(text)}
    for name, text in filled.items():
        if is_placeholder(text):
            yield Unlinked(f"{path}.{name}", Why.PLACEHOLDER)
        elif len(filled) == 1:
            yield Unlinked(f"{path}.{name}", Why.INCOMPLETE)
        elif (normal_forms.postcode_key(text) is None) if name == "postcode" else not re.match("0*[1-9]", plain(text)):
            yield Unlinked(f"{path}.{name}", Why.POSTCODE if name == "postcode" else Why.HOUSE_NUMBER)


def _why_no_plate(path: str, text: str, country: str, form: _Form) -> Unlinked:
    code = country_key(country) if plain(country) else HOME
    if is_placeholder(text):
        return Unlinked(f"{path}.plate", Why.PLACEHOLDER)
    if code is None:
        return Unlinked(f"{path}.country", Why.COUNTRY)
    if _holds_several(text, form):
        return Unlinked(f"{path}.plate", Why.SEVERAL)
    by_country = {HOME: Why.PLATE_SERIES, normal_forms.NO_DISTRICT_COUNTRY: Why.PLATE_DISTRICT}
    return Unlinked(f"{path}.plate", by_country.get(code, Why.PLATE_SIGNS))


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
