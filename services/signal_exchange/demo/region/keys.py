"""The values that linking compares, for the truth of the region only.

A second, plain reading of R-LINK-01 to R-LINK-07 (docs/rules.md section 6) beside the one that municipalities use: the truth may
not come from the code under test. Only the table of countries is the same.
"""

import csv
import re
import unicodedata
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final

from signal_exchange.demo.region.identifiers import passes_eleven_test
from signal_exchange.demo.region.model import Record

_PREFIX_WORDS: Final = (
    "van vant de der den ten ter te het t s in int op opt aan bij uit uijt over onder voor tot von vom zu zum zur am im auf aus "
    "dem du des da dos das do del dell della dei degli di la las le les lo los el al ben bin ibn"
)
_SHORT_WORDS: Final = "v d l vd vdr vdn vden vder vh vt vande vanden vander"
_SHORT_PAIR: Final = r"(?<![^\W_])[vaoiubt](?: ?[./] ?)+'?(?:den|der|de|dr|dn|d|het|h|t|n)(?![^\W_])"
_SOUND_PAIRS: Final = "sch>sg ch>g ph>f th>t dt>t ck>k qu>kw x>ks c>k z>s v>f w>f"
_PLATE_SERIES: Final = "LL9999 9999LL 99LL99 LL99LL LLLL99 99LLLL 99LLL9 9LLL99 LL999L L999LL LLL99L L99LLL 9LL999 999LL9"
_IBAN_LENGTHS: Final = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 "
    "GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 MC27 MD24 "
    "ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SE24 SI19 SK24 SM27 TN24 TR26 UA29 VA22 VG24 XK20"
)
PREFIXES: Final = frozenset(_PREFIX_WORDS.split())
_SURNAME_PREFIXES: Final = PREFIXES | frozenset(_SHORT_WORDS.split())
_SOUNDS: Final = tuple(pair.split(">") for pair in _SOUND_PAIRS.split())
_SERIES: Final = frozenset(_PLATE_SERIES.split())
_LENGTHS: Final = {each[:2]: int(each[2:]) for each in _IBAN_LENGTHS.split()}
_BARRED_NAMES: Final = frozenset({"onbekend", "unknown", "nn", "test"})
_BARRED_BSNS: Final = frozenset({"000000000", "111111110", "123456782", "999999990"})
_LETTERS: Final = str.maketrans(
    {"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "ð": "d", "þ": "th", "ħ": "h", "ŧ": "t", "ŋ": "ng"}
    | {"ə": "e"}
)
_LIKE_LATIN: Final = str.maketrans("АВСЕНІКМОРТХУ" + "ΑΒΕΗΙΚΜΝΟΡΤΧΥΖ", "ABCEHIKMOPTXY" + "ABEHIKMNOPTXYZ")
_DASHES: Final = "-‐‑‒–—―−"
_APOSTROPHES: Final = "'’‘‛`´ʼ′"
_SLASHES: Final = "/∕⁄"
_NOTHING_WORDS: Final = frozenset("geen nvt nb na nn x xx xxx xxxx test unknown onbekend onbek none nihil".split())  # noqa: SIM905 - reads better
_UNKNOWN: Final = re.compile(r"(?<![a-z])(onbekend|onbekende|onbek|unknown|unbekannt|inconnu|nieznany|nieznane)(?![a-z])")
Keys = frozenset[tuple[str, str]]


def plain(text: str | None) -> str:
    """Give a text as section 6 reads it before every step: composed, with plain blanks, dashes, slashes and digits."""
    read = "".join(_plain_sign(sign) for sign in unicodedata.normalize("NFC", text or ""))
    return re.sub(r" +", " ", read).strip()


def _plain_sign(sign: str) -> str:
    for signs, one in ((_DASHES, "-"), (_APOSTROPHES, "'"), (_SLASHES, "/")):
        if sign in signs:
            return one
    kind = unicodedata.category(sign)
    if kind == "Nd":
        return str(unicodedata.decimal(sign))
    if sign.isspace() or kind == "Zs":
        return " "
    if kind in ("Cf", "Cc"):
        return ""
    return chr(ord(sign) - 0xFEE0) if "！" <= sign <= "～" else sign  # full width


def _number(text: str | None) -> str:
    read = plain(text)
    return re.sub(r"[.,]0$", "", read) if re.fullmatch(r"[0-9 ]+[.,]0", read) else read


def is_placeholder(text: str | None) -> bool:
    """Say whether a text stands for a value that nobody knows."""
    read = plain(text).lower()
    if not re.search(r"[^\W_]", read):
        return bool(read)
    without_brackets = re.sub(r"\(.*?\)", "", read).strip()
    word = re.sub(r"[^a-z]", "", without_brackets)
    letters_only = re.fullmatch(r"[a-z./ \\-]+", without_brackets) is not None
    return (
        bool(_UNKNOWN.search(read)) or (letters_only and word in _NOTHING_WORDS) or re.match(r"geen(?![a-z])", read) is not None
    )


def _without_accents(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))


def _latin(text: str) -> str:
    return _without_accents(plain(text).lower().translate(_LETTERS))


def _folded(name: str, prefixes: frozenset[str], *, surname: bool) -> list[str]:
    text = _latin(name)
    text = re.sub(_SHORT_PAIR, " ", text) if surname else text
    if any(sign.isalnum() and not "a" <= sign <= "z" for sign in text):
        return []
    parts = [re.findall(r"[a-z]+", part) for part in re.split(r"[-/]", text)]
    words = next((part for part in parts if set(part) - prefixes), parts[0])
    return [word for word in words if word not in prefixes] or words


def folded(name: str) -> list[str]:
    """Give the words of a surname that count: the first hyphened part that is not only prefixes, without prefixes."""
    return _folded(name, _SURNAME_PREFIXES, surname=True)


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
    if is_placeholder(family) or is_placeholder(given):
        return frozenset()
    surname = "".join(folded(family)).replace("ij", "y")
    first = next(iter(_folded(given, PREFIXES, surname=False)), "").replace("ij", "y")
    if not surname or not first or surname in _BARRED_NAMES:
        return frozenset()
    day = born.replace("-", "")
    return frozenset({("NAME_DOB", f"{surname}|{first}|{day}"), ("NAME_DOB_SOFT", f"{skeleton(surname)}|{first[0]}|{day}")})


def _is_barred_birth(born: date) -> bool:
    return (born.month, born.day) == (1, 1) or born.year == 1900  # noqa: PLR2004 - a default in registrations


def bsn_key(text: str | None) -> Keys:
    """Give the BSN of nine digits that passes the eleven test and is not barred."""
    digits = re.sub(r"[ .-]", "", _number(text))
    digits = digits.zfill(9) if len(digits) == 8 else digits  # noqa: PLR2004 - a leading 0 is often left out
    if not re.fullmatch(r"[0-9]{9}", digits) or digits in _BARRED_BSNS or not passes_eleven_test(digits):
        return frozenset()
    return frozenset({("BSN", digits)})


def phone_key(text: str | None) -> Keys:
    """Give the number in E.164, or nothing for short, service and made-up numbers."""
    read = re.sub(r"^(telefoon|telnr|tel|mobiel|mob|gsm|t|m)[ .:]+", "", _number(text).lower()).replace("(0)", "")
    if not re.fullmatch(r"\+?[0-9 ./()-]+", read):
        return frozenset()
    digits = re.sub(r"[^0-9+]", "", read)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    elif re.fullmatch(r"0[0-9]{9}", digits):
        digits = "+31" + digits[1:]
    elif re.fullmatch(r"6[0-9]{8}", digits):
        digits = "+31" + digits
    elif re.fullmatch(r"316[0-9]{8}", digits):
        digits = "+" + digits
    digits = re.sub(r"^\+(31|32|33|40|41|43|44|49)0", r"+\1", digits)
    fits = re.fullmatch(r"\+31[0-9]{9}|\+(?!31)[1-9][0-9]{7,14}", digits)
    barred = re.match(r"\+31(800|90[069]|88|14)", digits) or len(set(digits[-8:])) == 1
    return frozenset({("PHONE", digits)}) if fits and not barred else frozenset()


@cache
def _countries() -> dict[str, str]:
    source = files("signal_exchange.privacy") / "data" / "countries.csv"
    rows = list(csv.DictReader(source.read_text(encoding="utf-8").splitlines()))
    found: dict[str, str] = {}
    for column in ("iso2", "iso3", "plate"):
        for row in rows:
            if row[column]:
                found.setdefault(_latin(row[column]), row["iso2"])
    for row in rows:
        for name in row["names"].split("|"):
            found.setdefault(_latin(name), row["iso2"])
    return found


def country_key(text: str | None) -> str | None:
    """Give the two letters of a country by name or code; the Netherlands when nothing is said, None when it is unknown."""
    read = _latin(text or "")
    if not read:
        return "NL"
    found = {_countries().get(part.strip()) for part in re.split(r"[()]", read) if part.strip()}
    return found.pop() if len(found) == 1 else None


def plate_key(text: str, country: str) -> Keys:
    """Give country and plate: a Dutch one must fit a series, a German one keeps its district."""
    code, read = country_key(country), plain(text).upper().translate(_LIKE_LATIN)
    if code is None or is_placeholder(text):
        return frozenset()
    found = _german(read) if code == "DE" else _plate(read, code)
    if found is None or set(re.sub(r"[^0-9]", "", found)) == {"0"}:
        return frozenset()
    return frozenset({("PLATE", f"{code}:{found}")})


def _german(text: str) -> str | None:
    parts = re.fullmatch(r"([A-ZÄÖÜ]{1,3})[ .:·/-]+([A-Z]{1,2})[ .:·/-]*([0-9]{1,4}[EH]?)", text)
    return f"{parts[1]}-{parts[2]}{parts[3]}" if parts else None


def _plate(text: str, country: str) -> str | None:
    plate = re.sub(r"[ .:·'-]", "", text)
    series = re.sub(r"[0-9]", "9", re.sub(r"[A-Z]", "L", plate))
    fits = re.fullmatch(r"(?=.*[0-9])[A-Z0-9]{2,10}", plate) and (country != "NL" or series in _SERIES)
    return plate if fits else None


def company_key(text: str) -> Keys:
    """Give the KvK number of eight digits."""
    digits = re.sub(r"[ .-]", "", _number(text))
    digits = digits.zfill(8) if len(digits) == 7 else digits  # noqa: PLR2004 - a leading 0 is often left out
    is_one = re.fullmatch(r"[0-9]{8}", digits) and digits not in {"00000000", "12345678", "99999999"}
    return frozenset({("KVK", digits)}) if is_one else frozenset()


def account_key(text: str) -> Keys:
    """Give the account number whose length and check number are right."""
    account = re.sub(r"[ .-]", "", plain(text)).upper()
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]+", account) or _LENGTHS.get(account[:2]) != len(account):
        return frozenset()
    turned = "".join(str(int(letter, 36)) for letter in account[4:] + account[:4])
    return frozenset({("IBAN", account)}) if int(turned) % 97 == 1 else frozenset()


def place_keys(place: Record) -> Keys:
    """Give postcode with number, and the BAG id of an address."""
    found = set()
    postcode = re.sub(r"[ .-]", "", plain(place["postcode"])).upper()
    number = re.match(r"0*([1-9][0-9]*)(.*)", _number(place["number"]))
    if number and re.fullmatch(r"[1-9][0-9]{3}(?!SA|SD|SS)[A-Z]{2}", postcode):
        addition = "".join(_addition(part) for part in (number[2], place["addition"]))
        found.add(("ADDRESS_PC", f"{postcode}|{number[1]}|{addition}"))
    bag = re.sub(r"[ .-]", "", _number(place["bag_id"]))
    if re.fullmatch(r"[0-9]{4}20[0-9]{10}", bag):
        found.add(("ADDRESS_BAG", bag))
    return frozenset(found)


def _addition(text: str | None) -> str:
    signs = re.sub(r"[^A-Z0-9]", "", _without_accents(plain(text)).upper())
    return "" if len(signs) > 1 and is_placeholder(text) else signs
