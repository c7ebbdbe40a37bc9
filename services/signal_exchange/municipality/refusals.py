"""Why a record was not published: field and rule in the sender's own words, never a value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Final

from signal_exchange.domain.violations import Violation
from signal_exchange.municipality.causes import Cause

RECORD: Final = "record"
"""The field of a refusal that concerns the whole record."""

_INSIDE_NAMES: Final = (
    (re.compile(r"observed_weeks"), "observed"),
    (re.compile(r"relation_to_offender"), "relation"),
    (re.compile(r"emergency_advised(?!_at)"), "emergency_advised_at"),
    (re.compile(r"is_minor|minor_at_event"), "birth_date"),
)
"""Fields that the coded signal derives, and what they are derived from."""


@dataclass(frozen=True, slots=True, order=True)
class Refusal:
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
        """Return the refusal as JSON-safe fields."""
        return {name: value for name, value in asdict(self).items() if value}


def unreadable(cause: Cause, field: str = RECORD) -> Refusal:
    """Return the refusal of what cannot be read (R-VAL-22), with its cause."""
    return Refusal(field, "R-VAL-22", "V22_TYPE", cause=cause)


def of_version(cause: Cause, field: str = "local_ref", row: int = 0) -> Refusal:
    """Return the refusal of a record that does not go with what is known of its reference (R-VAL-16)."""
    return Refusal(field, "R-VAL-16", "V16_VERSION", cause=cause, row=row)


NOT_A_RECORD: Final = unreadable(Cause.NO_RECORD)
TOO_LARGE: Final = Refusal(RECORD, "R-VAL-15", "V15_SIZE")
NO_REFERENCE: Final = Refusal("local_ref", "R-VAL-01", "V01_MISSING")
UNKNOWN_REASON: Final = Refusal("reason", "R-VAL-03", "V03_CODE")
ENDED: Final = of_version(Cause.WITHDRAWN)
"""The signal under this reference was withdrawn: it is published again only when a person says so."""


def refusals_of(violations: Iterable[Violation]) -> Iterator[Refusal]:
    """Give violations as refusals, under the names that fields have inside the municipality."""
    return (Refusal(_inside_name(each), each.rule, each.code, words=each.words) for each in violations)


def _inside_name(violation: Violation) -> str:
    field = violation.field
    for coded, inside in _INSIDE_NAMES:
        field = coded.sub(inside, field)
    # A band may be typed, but it is missed only where there is no birth date either.
    return field.replace(".age_band", ".birth_date") if violation.code == "V01_MISSING" else field


def in_order(refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
    """Return each refusal once, in the order of the rules."""
    return tuple(sorted(set(refusals), key=lambda each: (each.rule, each.field, each.found, each.cause)))
