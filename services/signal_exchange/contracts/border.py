"""The border: what every record must be before a service looks at what it says, whoever wrote it (R-VAL-22).

It stands behind the decoder and, where there is one, behind the signature. It knows no service and no record by itself: a field
is judged by its Avro type and by its name, wherever it stands, so that a new record or a new place is behind the border at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from re import compile as pattern
from typing import Any, Final
from unicodedata import category

from signal_exchange.contracts.schemas import current_schemas
from signal_exchange.domain.ids import is_municipality_code, is_uuid
from signal_exchange.reference.loading import load_code_lists

UUIDS: Final = frozenset(
    [
        "signal_id",
        "signal_a",
        "signal_b",
        "publisher_run",
        "answer_id",
        "link_id",
        "link_ids",
        "renewal_id",
        "outcome_id",
        "alert_id",
        "observation_id",
        "request_id",
        "parked_id",
        "trace_id",
    ]
)
"""Fields that hold a UUID, or a list of them."""
DAYS: Final = frozenset({"publish_day", "next_date", "recorded_on"})
WEEKS: Final = frozenset({"from", "to"})
TEXTS: Final = frozenset({"errors", "release_ref", "version"})
"""Fields of free text, when they hold text; every other text is a code, a name or an id."""
JUDGED_ELSEWHERE: Final = "time"
"""The moment of an envelope: routing says whether it believes it (R-VAL-01) before it uses it."""
CODED: Final = {"urgency": "urgency"}
"""Fields by whose code a service decides, each with its list: of a signed record the rules judge them (R-VAL-03)."""
CODE_CHARACTERS, TEXT_CHARACTERS = 100, 500
INT_MOST, LONG_MOST = 2**31 - 1, 2**53 - 1
"""What every store and every reader of JSON holds; nothing on the stream counts below 0."""
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
AHEAD: Final = timedelta(days=2 * 366)
"""How far after its own append time a record may speak of: deadlines and dates of meetings do."""
JUDGED_BY_RULES: Final = "SignalPublished"
"""The record whose days and weeks the rules judge themselves, each under its own rule."""
_WEEK: Final = pattern(r"20[0-9]{2}-W[0-5][0-9]")
_UNSEEN: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Control characters, halves of a surrogate pair, and the separators of lines and paragraphs."""


def breaches(record: str, fields: Mapping[str, Any], appended_at: datetime) -> tuple[str, ...]:
    """Return field and rule of everything in a record that may not pass, as `envelope.publisher_run R-VAL-22`; never a value.

    `appended_at` is the broker's append time, against which its moments are judged.
    """
    found = _Judge(record, fields, appended_at + AHEAD).of_record("", fields)
    return tuple(f"{path} R-VAL-22" for path in dict.fromkeys(found))


def is_printable(text: str) -> bool:
    """Say whether a text holds no control character, no half of a surrogate pair and no separator of lines (R-VAL-22)."""
    return text.isprintable() or not any(category(each) in _UNSEEN for each in text)


@cache
def _narrow() -> frozenset[str]:
    """Return the names of the fields that are 32 bits wide in some record, and so in a store."""
    return frozenset(name for schema in current_schemas().values() for name in _ints(schema.parsed))


@cache
def _codes(name: str) -> frozenset[str]:
    return frozenset(load_code_lists().lists[name].codes)


def _ints(schema: object, name: str = "") -> Iterator[str]:
    if schema == "int":
        yield name
    elif isinstance(schema, list):
        for branch in schema:
            yield from _ints(branch, name)
    elif isinstance(schema, dict):
        yield from _ints(schema.get("items"), name)
        for each in schema.get("fields", ()):
            yield from _ints(each["type"], each["name"])


class _Judge:
    """Walks one record and gives the path of each field that may not pass."""

    def __init__(self, record: str, fields: Mapping[str, Any], latest: datetime) -> None:
        self._by_rules, self._latest = record == JUDGED_BY_RULES, latest
        # What is erased, and a person's fact, says nothing of the signal: its codes are empty.
        self._says_nothing = fields.get("status") == "ERASED" or fields.get("kind") == "PERSON"

    def of_record(self, path: str, fields: Mapping[str, Any]) -> Iterator[str]:
        for name, value in fields.items():
            # Rules and people name a field of the signal by itself.
            yield from self._of(path if name == "signal" else f"{path}.{name}".lstrip("."), name, value)

    def _of(self, path: str, name: str, value: object) -> Iterator[str]:
        if isinstance(value, dict):
            yield from self.of_record(path, value)
        elif isinstance(value, list):
            for each in value:
                yield from self._of(path, name, each)
        elif not self._passes(name, value):
            yield path

    def _passes(self, name: str, value: object) -> bool:
        if isinstance(value, str):
            return self._text(name, value)
        if isinstance(value, datetime):
            return name == JUDGED_ELSEWHERE or EARLIEST <= value <= self._latest
        if isinstance(value, int):
            return 0 <= value <= (INT_MOST if name in _narrow() else LONG_MOST)
        return True

    def _text(self, name: str, value: str) -> bool:
        if name in CODED and not self._by_rules:
            return value in _codes(CODED[name]) or (value == "" and self._says_nothing)
        if name in _FORMS and not (self._by_rules and name in DAYS | WEEKS):
            return _FORMS[name](value)
        return len(value) <= (TEXT_CHARACTERS if name in TEXTS else CODE_CHARACTERS) and is_printable(value)


def _is_day(text: str) -> bool:
    try:
        return 2000 <= date.fromisoformat(text).year < 2200 and len(text) == len("2026-11-30")  # noqa: PLR2004 - years
    except ValueError:
        return False


def _is_week(text: str) -> bool:
    return _WEEK.fullmatch(text) is not None


_FORMS: Final[Mapping[str, Callable[[str], bool]]] = {
    **dict.fromkeys(UUIDS, is_uuid),
    **dict.fromkeys(DAYS, _is_day),
    **dict.fromkeys(WEEKS, _is_week),
    "municipality": is_municipality_code,
}
