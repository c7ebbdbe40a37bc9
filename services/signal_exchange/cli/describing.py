"""A delivered signal in words, for a person who may read it; a field that the form of delivery left out is not named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from signal_exchange import words
from signal_exchange.domain.signals.fields import SIGNAL, Field, Kind, shown

_FORMS = next(each for each in SIGNAL if each.name == "forms")


def described(signal: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each line about a delivered signal: a word and what is known."""
    for field in shown(SIGNAL):
        word, value = words.text(field.word), signal.get(field.name)
        if field.kind is Kind.ROWS:
            yield from ((f"{word} {row['ref'] or ''}".strip(), _row(row, field)) for row in value or ())
        elif value:
            yield word, _weeks(value) if field.name == "observed_weeks" else ", ".join(_words(value, field))


def form_of(signal: Mapping[str, Any] | None) -> str | None:
    """Return the forms in words, the primary one first; None where none were delivered."""
    forms = signal["forms"] if signal else None
    return ", ".join(_words(forms, _FORMS)) if forms else None


def _row(row: Mapping[str, Any], field: Field) -> str:
    return ", ".join(_words_of_parts(row, field)) or words.text("field.not_shared")


def _words(value: Any, field: Field) -> Iterator[str]:  # noqa: ANN401 - a value of any kind
    if field.kind is Kind.GROUP:
        yield from _words_of_parts(value, field)
    elif field.codes:
        yield from (words.label(field.codes, code) for code in ([value] if isinstance(value, str) else value))
    else:
        yield words.text(field.word) if field.kind is Kind.FLAG else str(value)


def _words_of_parts(values: Mapping[str, Any], field: Field) -> Iterator[str]:
    for part in shown(field.parts):
        if value := values.get(part.name):
            yield from _words(value, part)


def _weeks(weeks: Mapping[str, str]) -> str:
    first, last = weeks["from"], weeks["to"]
    return first if first == last else words.text("field.weeks", first=first, last=last)
