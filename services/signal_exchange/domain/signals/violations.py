"""A violation: a rule about a field, without ever repeating the value."""

from collections.abc import Sequence
from dataclasses import dataclass

from signal_exchange.domain.codes import CodeLists
from signal_exchange.domain.refusals import Phrase


@dataclass(frozen=True, slots=True)
class Violation:
    """One field against one rule, as (`sector`, `R-VAL-05`, `V05_SECTOR`).

    `parked_as` is set where the dead-letter reason is not the one of the code; `words` say what would be right, where
    the rule alone does not.
    """

    field: str
    rule: str
    code: str
    parked_as: str | None = None
    words: Phrase | None = None


def violation(field: str, code: str, parked_as: str | None = None, words: Phrase | None = None) -> Violation:
    """Make a violation from its code; the number of the code is the number of the rule."""
    return Violation(field, f"R-VAL-{code[1:3]}", code, parked_as, words)


def dead_letter_reason(violations: Sequence[Violation], codes: CodeLists) -> str:
    """Give the reason under which a received record is parked: that of its first code."""
    first = violations[0]
    return first.parked_as or codes.column("validation_error", first.code, "dead_letter") or "CONTENT_INVALID"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The refusal of an act of a person: the field to correct (`state`, `role`, `version` for the act itself) and the rule."""

    field: str
    rule: str
