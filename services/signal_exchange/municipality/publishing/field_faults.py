"""Faults for which a record was not published: field and rule in the sender's own words, never a value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Final

from signal_exchange.domain.signals.fields import SIGNAL
from signal_exchange.domain.signals.violations import Violation
from signal_exchange.municipality.publishing.causes import Cause
from signal_exchange.words import phrase

RECORD: Final = "record"
"""The field of a fault that concerns the whole record."""

_INSIDE_NAMES: Final = {each.name: each.inside for top in SIGNAL for each in (top, *top.parts) if each.entered_as}
"""Fields that people enter under another name, or that are made from what they enter."""


@dataclass(frozen=True, slots=True, order=True)
class FieldFault:
    """One field against one rule, as (`sector`, `R-VAL-05`, `V05_SECTOR`).

    `found` is the type that the leak guard found, `words` in Dutch what would be right where the rule alone does not say it,
    `cause` what is wrong where one code stands for many, and `row` the other row that is concerned.
    """

    field: str
    rule: str
    code: str
    found: str = ""
    words: str = ""
    cause: str = ""
    row: int = 0

    @property
    def asks(self) -> bool:
        """Say whether it is no fault but waits for somebody who confirms it: a change, or a contradiction (R-VAL-25)."""
        return self.cause == Cause.CHANGES or self.is_contradiction

    @property
    def is_contradiction(self) -> bool:
        """Say whether it is what R-VAL-25 asks."""
        return self.code == "V25_CONTRADICTION"

    def to_mapping(self) -> dict[str, str]:
        """Return the fault as JSON-safe fields."""
        return {name: value for name, value in asdict(self).items() if value}


def unreadable(cause: Cause, field: str = RECORD) -> FieldFault:
    """Return the fault of what cannot be read (R-VAL-22), with its cause."""
    return FieldFault(field, "R-VAL-22", "V22_TYPE", cause=cause)


def of_version(cause: Cause, field: str = "local_ref", row: int = 0) -> FieldFault:
    """Return the fault of a record that does not go with what is known of its reference (R-VAL-16)."""
    return FieldFault(field, "R-VAL-16", "V16_VERSION", cause=cause, row=row)


NOT_A_RECORD: Final = unreadable(Cause.NO_RECORD)
TOO_LARGE: Final = FieldFault(RECORD, "R-VAL-15", "V15_SIZE")
NO_REFERENCE: Final = FieldFault("local_ref", "R-VAL-01", "V01_MISSING")
UNKNOWN_REASON: Final = FieldFault("reason", "R-VAL-03", "V03_CODE")
ENDED: Final = of_version(Cause.WITHDRAWN)
"""The signal under this reference was withdrawn: it is published again only when a person says so."""


def faults_of(violations: Iterable[Violation]) -> Iterator[FieldFault]:
    """Give violations as faults, under the names that fields have inside the municipality."""
    return (FieldFault(_inside_name(each), each.rule, each.code, words=_right(each)) for each in violations)


def _right(violation: Violation) -> str:
    return phrase(violation.words) if violation.words is not None else ""


def _inside_name(violation: Violation) -> str:
    field = re.sub("[a-z_]+", lambda name: _INSIDE_NAMES.get(name[0], name[0]), violation.field)
    # A band may be typed, but it is missed only where there is no birth date either.
    return field.replace(".age_band", ".birth_date") if violation.code == "V01_MISSING" else field


def in_order(faults: Iterable[FieldFault]) -> tuple[FieldFault, ...]:
    """Return each fault once, in the order of the rules."""
    return tuple(sorted(set(faults), key=lambda each: (each.rule, each.field, each.found, each.cause)))
