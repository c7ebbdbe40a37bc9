"""Judges a municipal record before anything of it leaves: the rules, and the leak guard on every text that goes out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from signal_exchange.domain.codes import CodeLists
from signal_exchange.domain.members import Members
from signal_exchange.domain.policy import Policy
from signal_exchange.domain.signals.contradictions import contradictions
from signal_exchange.domain.signals.drafts import coded_signal
from signal_exchange.domain.signals.inside_rules import validate_inside
from signal_exchange.domain.signals.validation import validate
from signal_exchange.municipality.publishing.causes import Cause
from signal_exchange.municipality.publishing.explaining import unreadable_texts, with_causes
from signal_exchange.municipality.publishing.field_faults import (
    NO_REFERENCE,
    NOT_A_RECORD,
    FieldFault,
    faults_of,
    in_order,
    unreadable,
)
from signal_exchange.municipality.publishing.importing import Line
from signal_exchange.municipality.publishing.justifying import FindLeaks, Justified, searched

_NO_ID: Final = "00000000-0000-4000-8000-000000000000"
LONGEST_REFERENCE: Final = 200
_SUBJECT_REF: Final = re.compile(r"[a-z]{1,2}[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Everything that judges a record of one municipality. `guard_version` names the leak guard that runs."""

    municipality: str
    members: Members
    codes: CodeLists
    policy: Policy
    find_leaks: FindLeaks
    guard_version: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A record that may be published; `coded` still carries a placeholder for id and version."""

    reference: str = field(repr=False)
    record: Mapping[str, Any] = field(repr=False)
    coded: Mapping[str, Any] = field(repr=False)
    contradictions: tuple[FieldFault, ...] = ()
    """What contradicts what in it: asked before it goes (R-VAL-25)."""
    justified: tuple[Justified, ...] = field(default=(), repr=False)
    """What a person lets pass in its texts."""

    @property
    def summary(self) -> str | None:
        """Return the text that travels sealed."""
        text = self.record.get("summary")
        return text if isinstance(text, str) else None


def check(line: Line, rulebook: Rulebook, day: date) -> Checked | tuple[FieldFault, ...]:
    """Return the record with its coded signal, or every reason why it may not be published on this day.

    A value of a wrong type is reported alone (R-VAL-22).
    """
    record = line.record
    if not isinstance(record, dict):
        return line.faults or (NOT_A_RECORD,)
    inside = tuple(with_causes(faults_of(validate_inside(record, day=day, policy=rulebook.policy)), record))
    if any(each.code == "V22_TYPE" for each in (*inside, *line.faults)):
        return in_order([*line.faults, *inside])
    found = searched(record, rulebook.find_leaks, line.justified)
    guard = found.guard(rulebook.guard_version)
    coded = coded_signal(record, signal_id=_NO_ID, version=1, supersedes=None, day=day, guard=guard)
    faults = in_order([
        *line.faults,
        *inside,
        *_identity(record),
        *unreadable_texts(record),
        *found.faults,
        *faults_of(_violations(coded, rulebook, day)),
    ])  # fmt: skip
    odd = in_order(faults_of(contradictions(record, day, rulebook.policy))) if not faults else ()
    return faults or Checked(record["local_ref"], record, coded, odd, found.passed)


def _violations(coded: Mapping[str, object], rulebook: Rulebook, day: date) -> Any:  # noqa: ANN401 - violations
    return validate(
        coded,
        day=day,
        sender=rulebook.municipality,
        members=rulebook.members,
        codes=rulebook.codes,
        policy=rulebook.policy,
    )


def _identity(record: Mapping[str, Any]) -> Iterator[FieldFault]:
    """Judge what the rules leave to the sender: an own reference, and refs that tell the persons apart and nobody's name."""
    reference = record.get("local_ref") or ""
    if not reference.strip():
        yield NO_REFERENCE
    if len(reference) > LONGEST_REFERENCE:
        yield FieldFault("local_ref", "R-VAL-15", "V15_SIZE")
    refs = [subject.get("ref") for subject in record.get("subjects") or ()]
    for index, ref in enumerate(refs):
        if ref is not None and not _SUBJECT_REF.fullmatch(ref):
            yield unreadable(Cause.REF_FORM, f"subjects[{index}].ref")
        elif ref is not None and ref in refs[:index]:
            yield unreadable(Cause.REF_TWICE, f"subjects[{index}].ref")
