"""Reads JSON texts by the standard, and records of a document that is one text: a list, or records one after another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from signal_exchange.domain.refusals import Phrase
from signal_exchange.municipality.publishing.causes import Cause
from signal_exchange.municipality.publishing.unreadable import UnreadableFileError

_EXPECTED: Final = Phrase("expected_records")
_PART: Final = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}]', re.DOTALL)
_BETWEEN: Final = re.compile(r"[\s,]*")


class NotJsonError(ValueError):
    """A text is no JSON that can be kept; `cause` says why."""

    def __init__(self, cause: Cause = Cause.NO_JSON) -> None:
        super().__init__("The text is no JSON that can be kept.")
        self.cause = cause


class _TwiceError(Exception):
    """A field stands twice in a record."""


def parsed(text: str | bytes) -> object:
    """Return the value of a JSON text.

    Raises:
        NotJsonError: it is no JSON by the standard, is nested too deeply, names a field twice, or holds half characters.
    """
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
        json.dumps(value, ensure_ascii=False).encode()
    except _TwiceError:
        raise NotJsonError(Cause.FIELD_TWICE) from None
    except (RecursionError, ValueError):
        raise NotJsonError from None
    return value


def document_records(text: str) -> Iterator[object]:
    """Give the records of a document, which is read as a whole first.

    Raises:
        UnreadableFileError: it is no JSON; says in which line.
    """
    values = list(_values(text))
    yield from values[0] if len(values) == 1 and isinstance(values[0], list) else values


def _values(text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number)
    place = _after_blank(text, 0)
    while place < len(text):
        try:
            value, place = decoder.raw_decode(text, place)
            json.dumps(value, ensure_ascii=False).encode()
        except _TwiceError:
            raise UnreadableFileError(Phrase("field_twice"), _EXPECTED, _objects_in(text)) from None
        except json.JSONDecodeError as fault:
            seen = Phrase("json_broken", {"line": fault.lineno, "sign": fault.colno})
            raise UnreadableFileError(seen, _EXPECTED, _objects_in(text)) from None
        except (RecursionError, ValueError):
            raise UnreadableFileError(Phrase("json_cannot_be_kept"), _EXPECTED, _objects_in(text)) from None
        yield value
        place = _after_blank(text, place)


def _after_blank(text: str, place: int) -> int:
    found = _BETWEEN.match(text, place)
    return found.end() if found else place


def _objects_in(text: str) -> int:
    """Count the records that a text seems to have: braces that open outside any other and outside texts."""
    depth = count = 0
    for part in _PART.finditer(text):
        if part[0] == "{":
            count += depth == 0
            depth += 1
        elif part[0] == "}":
            depth = max(0, depth - 1)
    return count


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise _TwiceError
    return fields


def _no_number(_name: str) -> object:
    raise ValueError("JSON has no such number.")
