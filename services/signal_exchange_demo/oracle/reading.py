"""The reading of a day, a moment, a flag or a count as people write it, where it can mean one thing only (R-VAL-22)."""

import re
from datetime import UTC, date, datetime, timedelta

from signal_exchange_demo.oracle.days import AMSTERDAM

_NAMES = "januari februari maart april mei juni juli augustus september oktober november december"
MONTHS = re.split(" ", _NAMES)
SHORT = {"maart": "mrt", "mei": "mei"}
TRUE, FALSE = {"true", "waar", "ja", "1"}, {"false", "onwaar", "nee", "0"}


def day(text: str) -> str | None:
    """Give the day that a text means, or None."""
    found = _without_fraction(text.strip().lower()) if text.isascii() else ""
    for midnight in (" 0:00", " 00:00", " 0:00:00", " 00:00:00", "t00:00:00", "t00:00", "t0:00"):
        found = found.removesuffix(midnight).rstrip() if found.endswith(midnight) else found
    for mark in "-/.":
        parts = found.split(mark)
        if len(parts) == 3 and all(part.isdigit() and len(part) in (1, 2, 4) for part in parts):
            return _by_numbers(mark, parts)
    return _by_name(found)


def _without_fraction(text: str) -> str:
    return re.sub(r"(:[0-9]{2}:[0-9]{2})\.0{1,6}$", r"\1", text)


def _by_numbers(mark: str, parts: list[str]) -> str | None:
    lengths = [len(part) for part in parts]
    if lengths[1] > 2 or max(lengths) != 4 or lengths.count(4) != 1:
        return None
    year_first = lengths[0] == 4
    year, month, of_month = (int(part) for part in (parts if year_first else reversed(parts)))
    if mark == "/" and not year_first and of_month < 13 and of_month != month:
        return None
    return _existing(year, month, of_month)


def _by_name(found: str) -> str | None:
    words = re.split(r"[ -]", found.replace(".", "", 1) if re.search(r"[a-z]\.", found) else found)
    if len(words) != 3 or not (words[0].isdigit() and len(words[0]) < 3) or not (words[2].isdigit() and len(words[2]) == 4):
        return None
    for number, name in enumerate(MONTHS, start=1):
        if words[1] in (name, SHORT.get(name, name[:3])):
            return _existing(int(words[2]), number, int(words[0]))
    return None


def _existing(year: int, month: int, of_month: int) -> str | None:
    try:
        return date(year, month, of_month).isoformat()
    except ValueError:
        return None


def moment(text: str) -> str | None:
    """Give the moment that a day and a clock without a zone mean in Amsterdam, or None."""
    found = re.fullmatch(r"(\S+|\S+ \S+ \S+?)[ T]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?", _without_fraction(text.strip()))
    on = day(found[1]) if found else None
    if found is None or on is None:
        return None
    hour, minute, second = int(found[2]), int(found[3]), int(found[4] or 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    wall = datetime.fromisoformat(on).replace(hour=hour, minute=minute, second=second)
    guess = wall.replace(tzinfo=UTC)
    near = [(guess + timedelta(hours=hours)).astimezone(AMSTERDAM) for hours in range(-3, 4)]
    meant = {shown.isoformat() for shown in near if shown.replace(tzinfo=None) == wall}
    return meant.pop() if len(meant) == 1 else None


def flag(text: str) -> bool | None:
    """Give the flag that a word means, or None."""
    word = text.strip().lower()
    return True if word in TRUE else False if word in FALSE else None


def count(text: str) -> int | None:
    """Give the whole number that a text means, or None."""
    whole, _, rest = text.strip().replace(",", ".").partition(".")
    digits = whole.removeprefix("-")
    is_number = text.isascii() and digits.isdigit() and len(digits) < 10
    return int(whole) if is_number and (rest.strip("0") == "" and (rest or "." not in text.replace(",", "."))) else None
