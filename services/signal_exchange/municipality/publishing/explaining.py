"""Finds why a value cannot be read (R-VAL-22), and texts that hold what no text should."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from signal_exchange.domain.signals.fields import SIGNAL, Kind, entered
from signal_exchange.municipality.publishing.causes import Cause
from signal_exchange.municipality.publishing.field_faults import FieldFault, unreadable
from signal_exchange.municipality.publishing.written_values import cause_of_date

_STEP: Final = re.compile(r"([a-z_]+)|\[([0-9]+)\]")
_CAUSES: Final = {
    Kind.MOMENT: Cause.MOMENT_FORM,
    Kind.FLAG: Cause.FLAG_FORM,
    Kind.COUNT: Cause.COUNT_FORM,
    Kind.GROUP: Cause.GROUP_FORM,
    **dict.fromkeys((Kind.CODES, Kind.TEXTS, Kind.ROWS), Cause.LIST_FORM),
}
_KINDS: Final = {each.inside: each.kind for top in entered(SIGNAL) for each in (top, *entered(top.parts))}
_NO_TEXT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffd\ufffe\uffff]")


def with_causes(faults: Iterable[FieldFault], record: Mapping[str, Any]) -> Iterator[FieldFault]:
    """Give faults, those of R-VAL-22 with what is wrong with the value."""
    for fault in faults:
        is_unread = fault.code == "V22_TYPE" and not fault.cause
        yield replace(fault, cause=_cause(fault.field, record)) if is_unread else fault


def unreadable_texts(record: Mapping[str, Any]) -> Iterator[FieldFault]:
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
    if isinstance(last, int):
        return Cause.GROUP_FORM if _KINDS.get(str(steps[0])) is Kind.ROWS else Cause.TEXT_FORM
    kind = _KINDS.get(last, Kind.TEXT)
    return cause_of_date(_at(record, steps)) if kind is Kind.DAY else _CAUSES.get(kind, Cause.TEXT_FORM)


def _at(value: Any, steps: Iterable[str | int]) -> object:  # noqa: ANN401 - JSON in, JSON out
    for step in steps:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value
