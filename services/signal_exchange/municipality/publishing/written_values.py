"""Values as people and spreadsheets write them, read where they cannot be wrong; what is doubtful stays as it is written.

A date is year-month-day, or day-month-year as in the Netherlands; with slashes only where the day cannot be a month. A moment
without a zone is of Amsterdam, unless the clock showed it twice or never. docs/decisions/0028 says why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from signal_exchange.municipality.publishing.causes import Cause

_AMSTERDAM: Final = ZoneInfo("Europe/Amsterdam")
_FLAG_WORDS: Final = {
    **dict.fromkeys(("true", "waar", "ja", "1"), True),
    **dict.fromkeys(("false", "onwaar", "nee", "0"), False),
}
_MONTHS: Final = ("jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec")
_MONTH_NAMES: Final = (
    "januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december",
)  # fmt: skip
_MIDNIGHT: Final = re.compile(r"[ t]+0{1,2}:00(:00(\.0+)?)?")
_YEAR_FIRST: Final = re.compile(r"(?P<year>[0-9]{4})(?P<mark>[-/.])(?P<month>[0-9]{1,2})(?P=mark)(?P<day>[0-9]{1,2})")
_DAY_FIRST: Final = re.compile(r"(?P<day>[0-9]{1,2})(?P<mark>[-/.])(?P<month>[0-9]{1,2})(?P=mark)(?P<year>[0-9]{4})")
_NAMED: Final = re.compile(r"(?P<day>[0-9]{1,2})[- ](?P<month>[a-z]+)\.?[- ](?P<year>[0-9]{4})")
_SHORT_YEAR: Final = re.compile(r"[0-9]{1,2}[-/. ]([0-9]{1,2}|[a-z]+\.?)[-/. ]'?[0-9]{2}|[0-9]{2}[-/.][0-9]{1,2}[-/.][0-9]{1,2}")
_SERIAL: Final = re.compile(r"[0-9]{4,6}([.,][0-9]+)?")
_CLOCK: Final = re.compile(r"(?P<day>.+?)(?:[ T]|, ?)+(?P<clock>[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)")
_WHOLE: Final = re.compile(r"(-?[0-9]{1,9})([.,]0+)?")
_LAST_MONTH: Final = 12


def flag(text: str) -> object:
    """Return true or false for a word of `ja`, `nee`, `waar`, `onwaar`, `true`, `false`, `1` and `0`; else the text."""
    return _FLAG_WORDS.get(text.strip().lower(), text)


def count(text: str) -> object:
    """Return a whole number, also when a spreadsheet gave it decimals that are zero; else the text."""
    found = _WHOLE.fullmatch(text.strip()) if text.isascii() else None
    return int(found[1]) if found else text


def day(text: str) -> str:
    """Return a date as 2026-11-13; else the text."""
    found = _day_or_cause(text)
    return text if isinstance(found, Cause) else found.isoformat()


def moment(text: str) -> str:
    """Return a moment with its zone; else the text."""
    found = _CLOCK.fullmatch(text.strip()) if text.isascii() else None
    on = _day_or_cause(found["day"]) if found else Cause.DATE_FORM
    if found is None or isinstance(on, Cause):
        return text
    try:
        clock = time.fromisoformat(f"0{found['clock']}" if found["clock"][1] == ":" else found["clock"])
    except ValueError:
        return text
    local = datetime.combine(on, clock, _AMSTERDAM)
    return text if _is_twice_or_never(local) else local.isoformat()


def cause_of_date(value: object) -> Cause:
    """Say why a value is no date."""
    if not isinstance(value, str):
        return Cause.DATE_SERIAL if isinstance(value, int | float) and not isinstance(value, bool) else Cause.DATE_FORM
    found = _day_or_cause(value)
    return found if isinstance(found, Cause) else Cause.DATE_FORM


def understood(record: object) -> object:
    """Return a record in which dates, moments, flags and counts that are texts are what they mean."""
    return {name: _meant(name, value) for name, value in record.items()} if isinstance(record, dict) else record


_READERS: Final[Mapping[str, Callable[[str], object]]] = {
    **dict.fromkeys(("synthetic", "corroborated", "police_data"), flag),
    "estimated_victims": count,
    **dict.fromkeys(("received_at", "emergency_advised_at"), moment),
}
_DAYS: Final = {"observed": ("from", "to"), "consent": ("recorded_on",)}


def _meant(name: str, value: object) -> object:
    if name in _READERS and isinstance(value, str):
        return _READERS[name](value)
    if name == "subjects" and isinstance(value, list):
        return [_with_days(each, ("birth_date",)) for each in value]
    return _with_days(value, _DAYS.get(name, ()))


def _with_days(group: object, names: tuple[str, ...]) -> object:
    if not isinstance(group, dict):
        return group
    return {name: day(value) if name in names and isinstance(value, str) else value for name, value in group.items()}


def _day_or_cause(written: str) -> date | Cause:
    text = _MIDNIGHT.sub("", written.strip().lower()) if written.isascii() else ""
    if found := _YEAR_FIRST.fullmatch(text):
        return _existing(found["year"], int(found["month"]), found["day"])
    if found := _DAY_FIRST.fullmatch(text):
        return _day_first(found)
    if found := _NAMED.fullmatch(text):
        month = _month(found["month"])
        return _existing(found["year"], month, found["day"]) if month else Cause.DATE_FORM
    if _SHORT_YEAR.fullmatch(text):
        return Cause.DATE_SHORT_YEAR
    return Cause.DATE_SERIAL if _SERIAL.fullmatch(text) else Cause.DATE_FORM


def _day_first(found: re.Match[str]) -> date | Cause:
    on, month = int(found["day"]), int(found["month"])
    if found["mark"] == "/" and on <= _LAST_MONTH and on != month:
        return Cause.DATE_ORDER
    return _existing(found["year"], month, found["day"])


def _existing(year: str, month: int, on: str) -> date | Cause:
    try:
        return date(int(year), month, int(on))
    except ValueError:
        return Cause.NO_SUCH_DAY


def _month(name: str) -> int:
    names = _MONTH_NAMES if len(name) > 3 or name == "mei" else _MONTHS  # noqa: PLR2004 - an abbreviation has three letters
    return names.index(name) + 1 if name in names else 0


def _is_twice_or_never(local: datetime) -> bool:
    """Say whether the clock showed this time twice or never, because it was moved that night."""
    return local.utcoffset() != local.replace(fold=1).utcoffset()
