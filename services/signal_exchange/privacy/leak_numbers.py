"""Detectors of numbers, addresses and links in a text, each after its line in R-LEAK (rules.md section 9)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from signal_exchange.privacy.leak_text import Found
from signal_exchange.privacy.numbers import IBAN_LENGTHS, SERIES, bsn_digits, iban_is_valid

Detector = Callable[[str], Iterator[Found]]

_MONTHS = (
    "januari|februari|maart|april|mei|juni|juli|augustus|september|oktober|november|december|"
    "jan|feb|mrt|apr|jun|jul|aug|sept?|okt|nov|dec"
)
_YEAR, _DAY, _MONTH = "(?:19|20)[0-9]{2}", "(?:0?[1-9]|[12][0-9]|3[01])", "(?:0?[1-9]|1[0-2])"
_STREETS = (
    "straat|str|laan|weg|plein|dijk|pad|kade|singel|gracht|hof|markt|steeg|dreef|baan|plantsoen|ring|wal|allee|boulevard|brink|"
    "hoek|kamp|park|passage|poort|promenade|veld|akker|eind|berg|dal|vaart|werf"
)
_HOUSE_NUMBER = r"[0-9]{1,5}(?:[a-zA-Z](?![^\W_])| ?-? ?[A-Za-h](?![^\W_])| bis\b|-[0-9]{1,4})?(?![0-9]|[.:][0-9]{2})"
_CAPITAL = r"(?<![^\W_])(?=[^\W\d_a-z])"


def _series(separator: str) -> str:
    shapes = (re.findall("L+|9+", shape) for shape in SERIES)
    groups = ([f"[{'A-Za-z' if group[0] == 'L' else '0-9'}]{{{len(group)}}}" for group in shape] for shape in shapes)
    return "|".join(separator.join(_parted(group)) for group in groups)


def _parted(groups: list[str]) -> list[str]:
    """Part a run of four equal signs in two: LL9999 is written LL-99-99."""
    return [part for group in groups for part in ([group.replace("{4}", "{2}")] * 2 if group.endswith("{4}") else [group])]


_EMAIL = re.compile(r"(?<![\w.%+-])[\w.%+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}")
_LINK = re.compile(
    r"(?:https?://|(?<!\w)www\.)[^\s<>\"]+"
    r"|(?<![\w@.-])(?:[A-Za-z0-9-]+\.)+(?:[A-Za-z]{2,12}/[^\s<>\"]*|(?:nl|com|org|net|eu|info)\b)"
    r"|(?<![\w.@])@(?=[\w.]*[A-Za-z])\w[\w.]*\w"
)
_LINK_SIGN = re.compile(r"@\w|\w\.\w|://")
_DIGIT = re.compile("[0-9]")
_IBAN_START = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{2})[ -]?[0-9]{2}(?=[ .-]?[A-Za-z0-9])")
_VNR = re.compile(
    r"(?<![^\W_])(?:v[ .-]?|vreemdelingen)(?:nummer|nr\.?)[ :]{0,3}(?:is )?[0-9](?:[ .]?[0-9]){9}(?![0-9])", re.IGNORECASE
)
_SHORT_BSN = re.compile(
    r"(?:bsn|sofi|burgerservice)(?:-?nummer|-?nr\.?)?(?:[ :=]|is){0,4}([0-9](?:[ .-]?[0-9]){7,8})(?![0-9])", re.IGNORECASE
)
_DATE = re.compile(
    rf"(?<![0-9])(?=[0-9])(?<![0-9][-./])(?:{_DAY}(?P<between>[-./]){_MONTH}(?P=between){_YEAR}|[0-9]{{2}} [0-9]{{2}} {_YEAR}"
    rf"|{_YEAR}(?P<first>[-./]){_MONTH}(?P=first){_DAY}|{_DAY}(?:e|ste|de)? (?i:{_MONTHS})\.? (?:{_YEAR}|'[0-9]{{2}}))(?![0-9])"
)
_SHORT_DATE = re.compile(rf"(?:geb\w*\.?|dob)(?: op|:)? ({_DAY}[-./]{_MONTH}[-./][0-9]{{2}})(?![0-9])", re.IGNORECASE)
_PHONE = re.compile(
    r"(?<![0-9A-Za-z+])(?<![0-9][-./])(?:"
    r"(?:\+|00)31[ ./-]{0,3}(?:\(0\))?(?:[ ./()-]{0,3}[0-9]){9}"
    r"|(?:\+|00)(?!31)[1-9](?:[ ./()-]{0,3}[0-9]){7,14}"
    r"|(?!0[89]00|090[69])0(?:[ ./()-]{0,3}[0-9]){9})(?![0-9])"
)
_DIGIT_RUN = re.compile(r"[0-9](?:[ .-]?[0-9]){8,}")
_DIGIT_GROUP = re.compile(r"[0-9]+")
_DOCUMENT = re.compile(r"(?<![A-Za-z0-9])[A-NP-Z]{2}[A-NP-Z0-9]{6}[0-9](?![A-Za-z0-9])")
_NAMED_DOCUMENT = re.compile(
    r"(?:paspoort|identiteitskaart|id-kaart|document)(?:nummer|nr\.?)?[ :]{1,3}(?:nummer |nr\.? |is )?"
    r"([a-np-z]{2}[a-np-z0-9]{6}[0-9])(?![a-z0-9])",
    re.IGNORECASE,
)
_PLATE = re.compile(rf"(?<![^\W_])(?=[A-Za-z0-9]{{1,3}}-[A-Za-z0-9]{{2,3}}-)(?<![^\W_]-)(?:{_series('-')})(?![^\W_])(?!-[^\W_])")
_NAMED_PLATE = re.compile(rf"kenteken\w*(?: is| was| met|:| nr\.?| nummer)? ?({_series('[ -]?')})(?![^\W_])", re.IGNORECASE)
_POSTCODE = re.compile(r"(?<![^\W_])(?<![0-9][.,-])[1-9][0-9]{3} ?(?!SA|SD|SS)[A-Z]{2}(?![^\W_])")
_SMALL_POSTCODE = re.compile(r"(?<![^\W_])(?<![0-9][.,-])[1-9][0-9]{3} ?(?!(?i:SA|SD|SS))([A-Za-z]{2})(?![^\W_])")
_TWO_LETTERS = frozenset(
    re.findall(
        "[a-z]{2}",
        "af al am as at bv ca cc cl cm de di dl do ed ei en er et eu ex ga gb ge gr ha he hz ik im in is it je jr kb kg km kw"
        " la le li ma mb me mg ml mm mr mw na no nr nu nv of om on op pc pk pm pp re sl so st te tb ti to tv uu uw vb vd ve vr"
        " wc we wh wo za ze zn zo",
    )
)
"""Words, units and days of two letters, which follow a year or an amount in small letters: 2024 in, 1200 km."""
_ADDRESS = re.compile(rf"{_CAPITAL}[^\W\d_](?:[^\W\d_]|['’-]){{0,40}}?(?i:{_STREETS})\b\.?,? (?:nr\.? |nummer )?{_HOUSE_NUMBER}")
_LANE_ADDRESS = re.compile(
    rf"{_CAPITAL}(?i:{_STREETS})\.? (?:(?:van|aan|op|in|ter|ten|de|den|der|het) ){{0,2}}"
    rf"(?:[^\W\d_a-z][^\W\d_]* )?{_HOUSE_NUMBER}"
)
_NAMED_ADDRESS = re.compile(rf"\b(?i:adres)(?: is|:)? ({_CAPITAL}[^\W\d_]+(?: [^\W\d_]+)? {_HOUSE_NUMBER})")


def _matches(kind: str, pattern: re.Pattern[str], group: int = 0) -> Detector:
    def detect(text: str) -> Iterator[Found]:
        return (Found(kind, *match.span(group)) for match in pattern.finditer(text))

    return detect


def _links(text: str) -> Iterator[Found]:
    for match in _LINK.finditer(text):
        end = match.start() + len(match[0].rstrip(".,;:!?)]}'"))
        yield Found("URL", match.start(), end)


def _ibans(text: str) -> Iterator[Found]:
    for match in _IBAN_START.finditer(text):
        end = _end_of(text, match.start(), IBAN_LENGTHS.get(match[1].upper(), 0))
        if end and iban_is_valid(re.sub("[ .-]", "", text[match.start() : end])):
            yield Found("IBAN", match.start(), end)


def _end_of(text: str, start: int, length: int) -> int:
    """Return the end of the letter or digit that is the last of `length`, or 0; single separators stand between."""
    wanted = re.compile(rf"(?:[A-Za-z0-9][ .-]?){{{length - 1}}}[A-Za-z0-9](?![A-Za-z0-9])") if length else None
    match = wanted.match(text, start) if wanted else None
    return match.end() if match else 0


def _bsns(text: str) -> Iterator[Found]:
    for run in _DIGIT_RUN.finditer(text):
        groups = [match.span() for match in _DIGIT_GROUP.finditer(text, *run.span())]
        yield from (Found("BSN", start, end) for start, end in _windows(groups) if bsn_digits(text[start:end]))


def _small_postcodes(text: str) -> Iterator[Found]:
    """Give postcodes that are not in capitals, but not a number before an ordinary word unless it is called a postcode."""
    for match in _SMALL_POSTCODE.finditer(text):
        named = "postcode" in text[max(0, match.start() - 12) : match.start()].lower()
        if named or match[1].lower() not in _TWO_LETTERS:
            yield Found("POSTCODE", *match.span())


def _windows(groups: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Give each stretch of whole groups that holds nine digits together."""
    for first, (start, _) in enumerate(groups):
        digits = 0
        for group_start, end in groups[first:]:
            digits += end - group_start
            if digits >= 9:  # noqa: PLR2004 - the digits of a BSN
                if digits == 9:  # noqa: PLR2004 - the same
                    yield start, end
                break


def _short_bsns(text: str) -> Iterator[Found]:
    return (Found("BSN", *match.span(1)) for match in _SHORT_BSN.finditer(text) if bsn_digits(match[1]))


_OF_NUMBERS: tuple[tuple[Detector, tuple[str, ...]], ...] = (
    (_ibans, ()),
    (_matches("VNR", _VNR), ("nummer", "nr")),
    (_short_bsns, ("bsn", "sofi", "burgerservice")),
    (_matches("DOB", _DATE), ()),
    (_matches("DOB", _SHORT_DATE, 1), ("geb", "dob")),
    (_matches("PHONE", _PHONE), ()),
    (_bsns, ()),
    (_matches("DOCNR", _DOCUMENT), ()),
    (_matches("DOCNR", _NAMED_DOCUMENT, 1), ("paspoort", "identiteitskaart", "id-kaart", "document")),
    (_matches("PLATE", _PLATE), ("-",)),
    (_matches("PLATE", _NAMED_PLATE, 1), ("kenteken",)),
    (_matches("POSTCODE", _POSTCODE), ()),
    (_small_postcodes, ()),
    (_matches("ADDRESS", _ADDRESS), ()),
    (_matches("ADDRESS", _LANE_ADDRESS), ()),
    (_matches("ADDRESS", _NAMED_ADDRESS, 1), ("adres",)),
)
"""Each detector, and the words of which one must stand in the text for it to find anything.

In this order: what one detector found is out of sight for the next, so that an IBAN holds no telephone number.
"""


def find_numbers(text: str) -> Iterator[Found]:
    """Give every number, address and link in the text."""
    yield from _matches("EMAIL", _EMAIL)(text) if "@" in text else ()
    yield from _links(text) if _LINK_SIGN.search(text) else ()
    if not _DIGIT.search(text):
        return
    left, lower = text, text.lower()
    for detect, needs in _OF_NUMBERS:
        if needs and not any(word in lower for word in needs):
            continue
        found = list(detect(left))
        yield from found
        for each in found:
            left = left[: each.start] + "\0" * (each.end - each.start) + left[each.end :]
