"""Numbers of the own record in a text, however they are written: `6 123 456 78` is found where the record says 0612345678."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from signal_exchange.privacy.leak_text import Found
from signal_exchange.privacy.plain import plain

_LEAST: Mapping[str, int] = {"PHONE": 8, "BSN": 8, "PLATE": 4, "IBAN": 15}
"""Shorter values say too little to be searched."""

_MOST_PHONE_DIGITS = 9
_SPREAD = 2
"""A value may stand in the text with as many separators as it has signs, times this."""


def find_own_numbers(text: str, record: Mapping[str, Any]) -> Iterator[Found]:
    """Give every telephone number, BSN, plate and account of the record that stands in the text as whole words."""
    values = list(_own_values(record))
    if not values:
        return
    places = [place for place, char in enumerate(text) if char.isalnum()]
    compact = "".join(text[place].upper() for place in places)
    if len(compact) != len(places):  # an upper case of two letters, as of ß, would shift every place
        compact = "".join(text[place] if len(text[place].upper()) > 1 else text[place].upper() for place in places)
    for kind, value in values:
        yield from _occurrences(kind, value, compact, places, text)


def _occurrences(kind: str, value: str, compact: str, places: list[int], text: str) -> Iterator[Found]:
    at = compact.find(value)
    while at >= 0:
        start, end = places[at], places[at + len(value) - 1] + 1
        whole = kind == "PHONE" or not text[start - 1 : start].isalnum()
        if whole and not text[end : end + 1].isalnum() and end - start <= _SPREAD * len(value):
            yield Found(kind, start, end)
        at = compact.find(value, at + 1)


def _own_values(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    subjects, reporter = record.get("subjects") or (), record.get("reporter") or {}
    phones = [subject.get("phone") for subject in subjects] + [reporter.get("phone")]
    numbers = [("PHONE", _phone_digits(phone)) for phone in phones if phone]
    numbers += [("BSN", _compact(subject["bsn"])) for subject in subjects if subject.get("bsn")]
    numbers += [("PLATE", _compact(entry["plate"])) for entry in record.get("plates") or () if entry.get("plate")]
    numbers += [("IBAN", _compact(account)) for account in record.get("accounts") or ()]
    return ((kind, value) for kind, value in numbers if len(value) >= _LEAST[kind])


def _phone_digits(phone: object) -> str:
    """Return the national digits, which stand in every way to write the number."""
    return re.sub(r"[^0-9]", "", plain(str(phone)).replace("(0)", "")).lstrip("0")[-_MOST_PHONE_DIGITS:]


def _compact(text: object) -> str:
    return re.sub(r"[^A-Z0-9]", "", plain(str(text)).upper())
