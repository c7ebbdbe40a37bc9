"""Judges a municipal record before anything of it leaves: the rules, and the leak guard on every text that goes out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from signal_exchange.domain.codes import CodeLists
from signal_exchange.domain.contradictions import contradictions
from signal_exchange.domain.drafts import coded_signal
from signal_exchange.domain.members import Members
from signal_exchange.domain.policy import Policy
from signal_exchange.domain.validation import validate, validate_inside
from signal_exchange.municipality.causes import Cause
from signal_exchange.municipality.explaining import unreadable_texts, with_causes
from signal_exchange.municipality.importing import Line
from signal_exchange.municipality.refusals import NO_REFERENCE, NOT_A_RECORD, Refusal, in_order, refusals_of, unreadable

FindTypes = Callable[[str, Mapping[str, Any]], Iterable[str]]
"""The leak guard: gives the types (codes of leak_type.csv) that a text holds, knowing the record it belongs to."""

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
    find_types: FindTypes
    guard_version: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A record that may be published; `coded` still carries a placeholder for id and version."""

    reference: str = field(repr=False)
    record: Mapping[str, Any] = field(repr=False)
    coded: Mapping[str, Any] = field(repr=False)
    contradictions: tuple[Refusal, ...] = ()
    """What contradicts what in it: asked before it goes (R-VAL-25)."""

    @property
    def summary(self) -> str | None:
        """Return the text that travels sealed."""
        text = self.record.get("summary")
        return text if isinstance(text, str) else None


def check(line: Line, rulebook: Rulebook, day: date) -> Checked | tuple[Refusal, ...]:
    """Return the record with its coded signal, or every reason why it may not be published on this day.

    A value of a wrong type is reported alone (R-VAL-22). A leak guard that does not answer refuses (R-LEAK-01).
    """
    record = line.record
    if not isinstance(record, dict):
        return line.refusals or (NOT_A_RECORD,)
    inside = tuple(with_causes(refusals_of(validate_inside(record, day=day, policy=rulebook.policy)), record))
    if any(each.code == "V22_TYPE" for each in (*inside, *line.refusals)):
        return in_order([*line.refusals, *inside])
    guard = {"version": rulebook.guard_version, "result": "PASS", "findings": [], "overrides": []}
    coded = coded_signal(record, signal_id=_NO_ID, version=1, supersedes=None, day=day, guard=guard)
    refusals = in_order([
        *line.refusals,
        *inside,
        *_identity(record),
        *unreadable_texts(record),
        *_leaks(record, rulebook.find_types),
        *refusals_of(_violations(coded, rulebook, day)),
    ])  # fmt: skip
    odd = in_order(refusals_of(contradictions(record, day, rulebook.policy))) if not refusals else ()
    return refusals or Checked(record["local_ref"], record, coded, odd)


def _violations(coded: Mapping[str, object], rulebook: Rulebook, day: date) -> Any:  # noqa: ANN401 - violations
    return validate(
        coded,
        day=day,
        sender=rulebook.municipality,
        members=rulebook.members,
        codes=rulebook.codes,
        policy=rulebook.policy,
    )


def _identity(record: Mapping[str, Any]) -> Iterator[Refusal]:
    """Judge what the rules leave to the sender: an own reference, and refs that tell the persons apart and nobody's name."""
    reference = record.get("local_ref") or ""
    if not reference.strip():
        yield NO_REFERENCE
    if len(reference) > LONGEST_REFERENCE:
        yield Refusal("local_ref", "R-VAL-15", "V15_SIZE")
    refs = [subject.get("ref") for subject in record.get("subjects") or ()]
    for index, ref in enumerate(refs):
        if ref is not None and not _SUBJECT_REF.fullmatch(ref):
            yield unreadable(Cause.REF_FORM, f"subjects[{index}].ref")
        elif ref is not None and ref in refs[:index]:
            yield unreadable(Cause.REF_TWICE, f"subjects[{index}].ref")


def _leaks(record: Mapping[str, Any], find_types: FindTypes) -> Iterator[Refusal]:
    for name, text in _texts_that_leave(record):
        try:
            found = set(find_types(text, record))
        except Exception:  # noqa: BLE001 - whatever it is: no answer is no publication (promise 7)
            yield Refusal(name, "R-LEAK-01", "V13_GUARD")
        else:
            yield from (Refusal(name, "R-LEAK-02", "V13_GUARD", kind) for kind in found)


def _texts_that_leave(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if record.get("summary"):
        yield "summary", record["summary"]
    for index, entry in enumerate(record.get("exchanges") or ()):
        if entry.get("release_ref"):
            yield f"exchanges[{index}].release_ref", entry["release_ref"]
