"""The values that linking compares, for the truth of the region only.

The oracle's reading of R-LINK-01 to R-LINK-07 (docs/rules.md section 6), beside the one that municipalities use: the truth
may not come from the code under test. Added here are barred values and account numbers; the table of countries is the same.
"""

import csv
import re
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final

from signal_exchange_demo.oracle import links
from signal_exchange_demo.region.model import Record

_IBAN_LENGTHS: Final = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 "
    "GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 MC27 MD24 "
    "ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SE24 SI19 SK24 SM27 TN24 TR26 UA29 VA22 VG24 XK20"
)
_LENGTHS: Final = {each[:2]: int(each[2:]) for each in _IBAN_LENGTHS.split()}
PREFIXES: Final = frozenset(links.PREFIXES)
_BARRED_NAMES: Final = frozenset({"onbekend", "unknown", "nn", "test"})
_BARRED_BSNS: Final = frozenset({"000000000", "111111110", "123456782", "999999990"})
_BARRED_COMPANIES: Final = frozenset({"00000000", "12345678", "99999999"})
Keys = frozenset[tuple[str, str]]


def _key(kind: str, form: str | None) -> Keys:
    return frozenset() if form is None else frozenset({(kind, form)})


def name_keys(family: str | None, given: str | None, born: str | None) -> Keys:
    """Give NAME_DOB and NAME_DOB_SOFT, or nothing when a part is missing or barred."""
    if not (family and given and born) or _is_barred_birth(date.fromisoformat(born)):
        return frozenset()
    exact, soft = links.name_forms(family, given, born)
    if exact is None or exact.partition("|")[0] in _BARRED_NAMES:
        return frozenset()
    return _key("NAME_DOB", exact) | _key("NAME_DOB_SOFT", soft)


def _is_barred_birth(born: date) -> bool:
    return (born.month, born.day) == (1, 1) or born.year == 1900  # noqa: PLR2004 - a default in registrations


def bsn_key(text: str | None) -> Keys:
    """Give the BSN of nine digits that passes the eleven test and is not barred."""
    found = links.bsn(text or "")
    return frozenset() if found in _BARRED_BSNS else _key("BSN", found)


def phone_key(text: str | None) -> Keys:
    """Give the number in E.164, or nothing for short, service and made-up numbers."""
    found = links.phone(text or "")
    barred = found and (re.match(r"\+31(800|90[069]|88|14)", found) or len(set(found[-8:])) == 1)
    return frozenset() if barred else _key("PHONE", found)


@cache
def _countries() -> dict[str, str]:
    source = files("signal_exchange.privacy") / "data" / "countries.csv"
    rows = list(csv.DictReader(source.read_text(encoding="utf-8").splitlines()))
    found: dict[str, str] = {}
    for column in ("iso2", "iso3", "plate"):
        for row in rows:
            if row[column]:
                found.setdefault(links.letters(row[column]), row["iso2"])
    for row in rows:
        for name in row["names"].split("|"):
            found.setdefault(links.letters(name), row["iso2"])
    return found


def country_key(text: str | None) -> str | None:
    """Give the two letters of a country by name or code; the Netherlands when nothing is said, None when it is unknown."""
    read = links.letters(text or "")
    if not read:
        return "NL"
    found = {_countries().get(part.strip()) for part in re.split(r"[()]", read) if part.strip()}
    return found.pop() if len(found) == 1 else None


def plate_key(text: str, country: str) -> Keys:
    """Give country and plate: a Dutch one must fit a series, a German one keeps its district."""
    found = links.plate(text, country_key(country))
    return frozenset() if found and set(re.sub(r"[^0-9]", "", found)) == {"0"} else _key("PLATE", found)


def company_key(text: str) -> Keys:
    """Give the KvK number of eight digits."""
    found = links.kvk(text)
    return frozenset() if found in _BARRED_COMPANIES else _key("KVK", found)


def account_key(text: str) -> Keys:
    """Give the account number whose length and check number are right."""
    account = re.sub(r"[ .-]", "", links.read(text)).upper()
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]+", account) or _LENGTHS.get(account[:2]) != len(account):
        return frozenset()
    turned = "".join(str(int(letter, 36)) for letter in account[4:] + account[:4])
    return frozenset({("IBAN", account)}) if int(turned) % 97 == 1 else frozenset()


def place_keys(place: Record) -> Keys:
    """Give postcode with number, and the BAG id of an address."""
    postcode, number, addition, bag_id = (place[name] or "" for name in ("postcode", "number", "addition", "bag_id"))
    return _key("ADDRESS_PC", links.address(postcode, number, addition)) | _key("ADDRESS_BAG", links.bag(bag_id))
