"""Finds why a value cannot be read (R-VAL-22), and texts that hold what no text should."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from signal_exchange.municipality.causes import Cause
from signal_exchange.municipality.refusals import Refusal, unreadable
from signal_exchange.municipality.written_values import cause_of_date

_STEP: Final = re.compile(r"([a-z_]+)|\[([0-9]+)\]")
_DATES: Final = ("from", "to", "recorded_on", "birth_date")
_CAUSES: Final = {
    **dict.fromkeys(("received_at", "emergency_advised_at"), Cause.MOMENT_FORM),
    **dict.fromkeys(("synthetic", "corroborated", "police_data"), Cause.FLAG_FORM),
    "estimated_victims": Cause.COUNT_FORM,
    **dict.fromkeys(("observed", "reporter", "forms", "consent"), Cause.GROUP_FORM),
    **dict.fromkeys(
        ("acts", "means", "indicators", "vulnerabilities", "care_needs", "accounts", "companies", "secondary"), Cause.LIST_FORM
    ),
    **dict.fromkeys(("subjects", "places", "plates", "exchanges"), Cause.LIST_FORM),
}
_GROUPS: Final = ("subjects", "places", "plates", "exchanges")
_NO_TEXT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffd\ufffe\uffff]")


def with_causes(refusals: Iterable[Refusal], record: Mapping[str, Any]) -> Iterator[Refusal]:
    """Give refusals, those of R-VAL-22 with what is wrong with the value."""
    for refusal in refusals:
        is_unread = refusal.code == "V22_TYPE" and not refusal.cause
        yield replace(refusal, cause=_cause(refusal.field, record)) if is_unread else refusal


def unreadable_texts(record: Mapping[str, Any]) -> Iterator[Refusal]:
    """Give the fields whose text holds a control character, or the mark of one that was lost."""
    yield from (unreadable(Cause.CONTROL, path) for path, text in _texts(record, "") if _NO_TEXT.search(text))


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        known = ((name, each) for name, each in value.items() if _STEP.fullmatch(name))
        for name, each in known:
            yield from _texts(each, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _texts(each, f"{path}[{index}]")


def _cause(field: str, record: Mapping[str, Any]) -> Cause:
    steps = [name or int(index) for name, index in _STEP.findall(field)]
    last = steps[-1] if steps else ""
    if last in _DATES:
        return cause_of_date(_at(record, steps))
    if isinstance(last, int):
        return Cause.GROUP_FORM if steps[0] in _GROUPS else Cause.TEXT_FORM
    return _CAUSES.get(last, Cause.TEXT_FORM)


def _at(value: Any, steps: Iterable[str | int]) -> object:  # noqa: ANN401 - JSON in, JSON out
    for step in steps:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value
