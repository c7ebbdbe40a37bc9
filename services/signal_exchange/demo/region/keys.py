"""The values that linking compares, for the truth of the region only.

A second, plain reading of R-LINK-01 to R-LINK-07 beside the one that municipalities use: the truth may not come from
the code under test.
"""

import re
import unicodedata
from datetime import date
from typing import Final

from signal_exchange.demo.region.identifiers import passes_eleven_test
from signal_exchange.demo.region.model import Record

_PREFIX_WORDS: Final = (
    "van de der den ten ter te het t s in op von zu zur du des da dos das do del della di la le el al ben bin ibn"
)
_SOUND_PAIRS: Final = "sch>sg ch>g ph>f th>t dt>t ck>k qu>kw x>ks c>k z>s v>f w>f"
_PLATE_SERIES: Final = "LL9999 9999LL 99LL99 LL99LL LLLL99 99LLLL 99LLL9 9LLL99 LL999L L999LL LLL99L L99LLL 9LL999 999LL9"
PREFIXES: Final = frozenset(_PREFIX_WORDS.split())
_SOUNDS: Final = tuple(pair.split(">") for pair in _SOUND_PAIRS.split())
_SERIES: Final = frozenset(_PLATE_SERIES.split())
_BARRED_NAMES: Final = frozenset({"onbekend", "unknown", "nn", "test"})
_BARRED_BSNS: Final = frozenset({"000000000", "111111110", "123456782", "999999990"})
_LETTERS: Final = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i"})
Keys = frozenset[tuple[str, str]]


def _plain_words(text: str) -> list[str]:
    lowered = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS))
    return re.findall(r"[a-z]+", "".join(letter for letter in lowered if not unicodedata.combining(letter)))


def folded(name: str) -> list[str]:
    """Give the words of a name that count: the first hyphened part that is not only prefixes, without prefixes."""
    parts = [_plain_words(part) for part in re.split(r"[-/]", name)]
    words = next((part for part in parts if set(part) - PREFIXES), parts[0])
    return [word for word in words if word not in PREFIXES] or words


def skeleton(surname: str) -> str:
    """Give the sound of a folded surname (NAME_DOB_SOFT)."""
    for written, sound in _SOUNDS:
        surname = surname.replace(written, sound)
    surname = re.sub(r"d$", "t", surname)
    surname = re.sub(r"(.)\1+", r"\1", surname)
    return re.sub(r"(.)\1+", r"\1", surname[:1] + re.sub(r"[aeiouy]", "", surname[1:]))


def name_keys(family: str | None, given: str | None, born: str | None) -> Keys:
    """Give NAME_DOB and NAME_DOB_SOFT, or nothing when a part is missing or barred."""
    if not (family and given and born) or _is_barred_birth(date.fromisoformat(born)):
        return frozenset()
    surname = "".join(folded(family)).replace("ij", "y")
    first = next(iter(folded(given)), "").replace("ij", "y")
    if not surname or not first or surname in _BARRED_NAMES:
        return frozenset()
    day = born.replace("-", "")
    return frozenset({("NAME_DOB", f"{surname}|{first}|{day}"), ("NAME_DOB_SOFT", f"{skeleton(surname)}|{first[0]}|{day}")})


def _is_barred_birth(born: date) -> bool:
    return (born.month, born.day) == (1, 1) or born.year == 1900  # noqa: PLR2004 - a default in registrations


def bsn_key(text: str | None) -> Keys:
    """Give the BSN of nine digits that passes the eleven test and is not barred."""
    digits = re.sub(r"[ .-]", "", text or "")
    digits = digits.zfill(9) if len(digits) == 8 else digits  # noqa: PLR2004 - a leading 0 is often left out
    if not re.fullmatch(r"[0-9]{9}", digits) or digits in _BARRED_BSNS or not passes_eleven_test(digits):
        return frozenset()
    return frozenset({("BSN", digits)})


def phone_key(text: str | None) -> Keys:
    """Give the number in E.164, or nothing for short, service and made-up numbers."""
    digits = re.sub(r"[^0-9+]", "", (text or "").replace("(0)", ""))
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    elif re.fullmatch(r"0[0-9]{9}", digits):
        digits = "+31" + digits[1:]
    elif re.fullmatch(r"6[0-9]{8}", digits):
        digits = "+31" + digits
    digits = re.sub(r"^\+(3[123]|4[01349])0", r"+\1", digits)
    fits = re.fullmatch(r"\+31[0-9]{9}|\+(?!31)[0-9]{8,15}", digits)
    barred = re.match(r"\+31(800|90[069]|88|14)", digits) or len(set(digits[-8:])) == 1
    return frozenset({("PHONE", digits)}) if fits and not barred else frozenset()


def plate_key(text: str, country: str) -> Keys:
    """Give country and plate; a Dutch one must fit a series and not be only zeros."""
    plate = re.sub(r"[^A-Z0-9]", "", text.upper())
    series = re.sub(r"[0-9]", "9", re.sub(r"[A-Z]", "L", plate))
    if not plate or (country == "NL" and series not in _SERIES) or set(re.sub(r"[A-Z]", "", plate)) == {"0"}:
        return frozenset()
    return frozenset({("PLATE", f"{country}:{plate}")})


def company_key(text: str) -> Keys:
    """Give the KvK number of eight digits."""
    digits = text.replace(" ", "")
    digits = digits.zfill(8) if len(digits) == 7 else digits  # noqa: PLR2004 - a leading 0 is often left out
    is_one = re.fullmatch(r"[0-9]{8}", digits) and digits not in {"00000000", "12345678", "99999999"}
    return frozenset({("KVK", digits)}) if is_one else frozenset()


def account_key(text: str) -> Keys:
    """Give the account number whose check number is right."""
    account = re.sub(r"[ -]", "", text).upper()
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}", account) or (account.startswith("NL") and len(account) != 18):  # noqa: PLR2004 - a Dutch IBAN
        return frozenset()
    turned = "".join(str(int(letter, 36)) for letter in account[4:] + account[:4])
    return frozenset({("IBAN", account)}) if int(turned) % 97 == 1 else frozenset()


def place_keys(place: Record) -> Keys:
    """Give postcode with number, and the BAG id of an address."""
    found = set()
    postcode = re.sub(r"\s", "", place["postcode"] or "").upper()
    number = re.match(r"\s*0*([0-9]+)(.*)", place["number"] or "")
    if number and re.fullmatch(r"[1-9][0-9]{3}(?!SA|SD|SS)[A-Z]{2}", postcode):
        addition = re.sub(r"[^A-Z0-9]", "", (number[2] + (place["addition"] or "")).upper())
        found.add(("ADDRESS_PC", f"{postcode}|{number[1]}|{addition}"))
    bag = re.sub(r"\s", "", place["bag_id"] or "")
    if re.fullmatch(r"[0-9]{4}20[0-9]{10}", bag):
        found.add(("ADDRESS_BAG", bag))
    return frozenset(found)
