"""One key for a country, whichever of its names or codes a person writes: `NL`, `NLD`, Nederland, Holland."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from signal_exchange.privacy.names import fold
from signal_exchange.privacy.plain import plain

HOME = "NL"
"""The country of a plate that names none."""


def country_key(text: str) -> str | None:
    """Return the ISO 3166 code, of two letters, of a country by its name (Dutch or English) or by any of its codes.

    The codes are those of ISO 3166, of two and of three letters, and the letters that vehicles show abroad; where these say two
    things ISO is meant. A name with its code, as `Nederland (NL)`, is that country. None when it is no country that we know.

    >>> country_key("Duitsland"), country_key("d"), country_key("DEU"), country_key("Nederland (NL)"), country_key("Atlantis")
    ('DE', 'DE', 'DE', 'NL', None)
    """
    known, read = _known(), plain(text)
    parts = re.split(r"[()/,;:=&+]| - ", read)
    found = {known.get(_compact(part)) for part in parts if _compact(part)}
    return found.pop() if len(found) == 1 else None


@cache
def _known() -> Mapping[str, str]:
    text = (files("signal_exchange.privacy") / "data" / "countries.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    return {_compact(word): row["iso2"] for row in rows for word in words_of(row) if word}


def words_of(row: Mapping[str, str]) -> list[str]:
    """Return every way in which a row of the list writes its country."""
    return [row["iso2"], row["iso3"], row["plate"], *row["names"].split("|")]


def _compact(text: str) -> str:
    return re.sub(r"[^a-z]", "", fold(text))
