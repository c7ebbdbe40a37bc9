"""A record beside what is known of its reference: new, the next version, nothing new, or no longer possible."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum, auto
from hashlib import sha256
from typing import Any

from signal_exchange.municipality.causes import Cause
from signal_exchange.municipality.changes import without_empty
from signal_exchange.municipality.checking import Checked
from signal_exchange.municipality.importing import Line
from signal_exchange.municipality.preparing import Draft
from signal_exchange.municipality.refusals import Refusal, of_version
from signal_exchange.municipality.store import PUBLISHED, WITHDRAWN, Known, VaultRow
from signal_exchange.municipality.warned import Warned
from signal_exchange.privacy.vault import VaultKey


class Outcome(StrEnum):
    """What became of one record."""

    PUBLISHED = "PUBLISHED"
    NEW_VERSION = "NEW_VERSION"
    UNCHANGED = "UNCHANGED"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one line. `warnings` say what does not link, and why link tokens follow later."""

    line: Line
    outcome: Outcome
    signal_id: str | None = None
    version: int | None = None
    refusals: tuple[Refusal, ...] = ()
    warnings: tuple[Warned, ...] = ()

    @property
    def asks(self) -> bool:
        """Say whether it was left alone only because nobody confirmed the change, or what contradicts itself."""
        return any(each.asks for each in self.refusals)

    def to_mapping(self) -> dict[str, Any]:
        """Return the result as JSON-safe fields, without anything that was in the record."""
        return {
            "line": self.line.number,
            "outcome": self.outcome.value,
            "signal_id": self.signal_id,
            "version": self.version,
            "warnings": [warned.to_mapping() for warned in self.warnings],
            "errors": [refusal.to_mapping() for refusal in self.refusals],
        }


class Verdict(Enum):
    """What a record is beside what is known of its reference."""

    NEW = auto()
    NEXT = auto()
    SAME = auto()
    ADOPTED = auto()
    """The exchange has this signal and we, restored from a backup, had lost it: kept again, not published again."""
    ENDED = auto()
    """The signal was withdrawn, and nobody said that it may be published again."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A checked record with what the store knows it by: keyed hashes of its reference and of its content."""

    line: Line
    checked: Checked
    reference: bytes = field(repr=False)
    content: bytes = field(repr=False)

    @classmethod
    def of(cls, line: Line, checked: Checked, key: VaultKey) -> Candidate:
        """Return the candidate for a checked line."""
        content = key.mac(sha256(canonical(checked.record).encode()).hexdigest(), purpose="content")
        return cls(line, checked, key.mac(checked.reference), content)


@dataclass(frozen=True, slots=True)
class Case:
    """A candidate beside what is known of its reference."""

    candidate: Candidate
    before: Known | None
    signal_id: str
    again: bool = False

    @classmethod
    def of(cls, candidate: Candidate, before: Known | None, *, again: bool = False) -> Case:
        """Return the case, under the id that the signal has, or gets now; `again` also publishes what was withdrawn."""
        return cls(candidate, before, before.signal_id if before else str(uuid.uuid4()), again)

    @property
    def verdict(self) -> Verdict:
        """Say what the record is."""
        if self.before is None:
            return Verdict.NEW
        if self.before.content_mac is None:
            return Verdict.ADOPTED
        withdrawn = self.before.state == WITHDRAWN
        if withdrawn and self.again:
            return Verdict.NEXT
        if self.before.content_mac == self.candidate.content:
            return Verdict.SAME
        return Verdict.ENDED if withdrawn else Verdict.NEXT

    @property
    def changes_what_stands(self) -> bool:
        """Say whether it would replace a signal that nobody withdrew, which its owner must mean."""
        return self.verdict is Verdict.NEXT and self.before is not None and self.before.state != WITHDRAWN

    @property
    def must_be_meant(self) -> bool:
        """Say whether somebody must confirm it before it goes: it changes what stands, or contradicts itself (R-VAL-25)."""
        goes = self.verdict in (Verdict.NEW, Verdict.NEXT)
        return self.changes_what_stands or (goes and bool(self.candidate.checked.contradictions))

    @property
    def version(self) -> int:
        """Return the version that the record is, or becomes."""
        if self.before is None:
            return 1
        return self.before.version + (self.verdict is Verdict.NEXT)

    def draft(self) -> Draft:
        """Return the record as it will leave."""
        return Draft(self.candidate.checked, self.signal_id, self.version, self.candidate.reference)

    def vault_row(self, key: VaultKey, tokens_epoch: str | None) -> VaultRow:
        """Return the row that keeps the record, encrypted, with the epoch of the link tokens that were made of it."""
        encrypted = key.encrypt(self.signal_id, json.dumps(self.candidate.checked.record, ensure_ascii=False).encode())
        state = self.before.state if self.before and self.verdict is Verdict.ADOPTED else PUBLISHED
        own = (self.signal_id, self.candidate.reference, self.version, self.candidate.content)
        return VaultRow(*own, encrypted, state, tokens_epoch)

    def result(self, outcome: Outcome, warnings: tuple[Warned, ...] = ()) -> Result:
        """Return the result of this case."""
        line = self.candidate.line
        named = tuple(replace(warned, field=line.named(warned.field)) for warned in warnings)
        return Result(line, outcome, self.signal_id, self.version, warnings=named)

    def left_alone(self, fields: Sequence[str]) -> Result:
        """Return the result of what nobody confirmed, with the fields that change and those that contradict themselves."""
        refusals = (*(of_version(Cause.CHANGES, field) for field in fields), *self.candidate.checked.contradictions)
        return refused(self.candidate.line, refusals, self.signal_id if self.before else None)


def refused(line: Line, refusals: Sequence[Refusal], signal_id: str | None = None) -> Result:
    """Return the result of a line that is refused, with every field by the name that its owner knows."""
    named = tuple(replace(each, field=line.named(each.field)) for each in refusals)
    return Result(line, Outcome.REFUSED, signal_id, refusals=named)


def canonical(record: Mapping[str, Any]) -> str:
    """Return the content of a record as one text, the same for the same content."""
    return json.dumps(without_empty(record), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
