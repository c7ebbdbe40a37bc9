"""Which question a fault is about: rules speak of the record, and its officer of what was asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from signal_exchange.municipality.entering.entries import STEPS
from signal_exchange.municipality.publishing.field_faults import FieldFault

_NAMES: Final = {
    "forms.primary": "form",
    "forms.secondary": "secondary",
    "forms": "secondary",
    "observed": "observed_from",
    "observed.from": "observed_from",
    "observed.to": "observed_to",
    "police_data": "reporter_source",
    "emergency_advised_at": "urgency",
    "subjects": "age_band",
    "plates.plate": "plate",
    "accounts": "iban",
    "companies": "kvk",
    "vulnerabilities": "birth_date",
}
_GROUPS: Final = {"subjects[1].": "suspect_", "subjects[0].": "", "places[0].": "", "plates[0].": "", "consent.": "consent "}
_STEP_OF: Final = {question: step for step, questions in STEPS.items() for question in questions}


@dataclass(frozen=True, slots=True)
class Asked:
    """A fault with the question that it is about, and the step that asks it; the last step where no question does."""

    step: str
    question: str
    fault: FieldFault


def asked(faults: Iterable[FieldFault]) -> Iterator[Asked]:
    """Give faults with their questions."""
    for each in faults:
        question = _question(each.field)
        yield Asked(_STEP_OF.get(question, "controleren"), question, each)


def _question(field: str) -> str:
    if field in _NAMES:
        return _NAMES[field]
    for start, prefix in _GROUPS.items():
        if field.startswith(start):
            return (prefix + field.removeprefix(start)).partition(" ")[0]
    plain = re.sub(r"\[[0-9]+\]", "", field)
    return _NAMES.get(plain, plain.partition(".")[0])
