"""A record beside what is known of its reference: new, the next version, nothing new, or no longer possible."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import Enum, StrEnum, auto
from hashlib import sha256
from typing import Any

from signal_exchange.domain.plain_json import canonical_json
from signal_exchange.municipality.publishing.causes import Cause
from signal_exchange.municipality.publishing.changes import without_empty
from signal_exchange.municipality.publishing.checking import Checked
from signal_exchange.municipality.publishing.field_faults import FieldFault, of_version
from signal_exchange.municipality.publishing.field_warnings import FieldWarning
from signal_exchange.municipality.publishing.importing import Line
from signal_exchange.municipality.store import PUBLISHED, WITHDRAWN, Known, VaultRow
from signal_exchange.privacy.vault import Encrypted, VaultKey


class Outcome(StrEnum):
    """Outcome of publishing one record."""

    PUBLISHED = "PUBLISHED"
    NEW_VERSION = "NEW_VERSION"
    UNCHANGED = "UNCHANGED"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Result:
    """Result of one line. `warnings` say what does not link, and why link tokens follow later."""

    line: Line
    outcome: Outcome
    signal_id: str | None = None
    version: int | None = None
    faults: tuple[FieldFault, ...] = ()
    warnings: tuple[FieldWarning, ...] = ()

    @property
    def asks(self) -> bool:
        """Say whether it was left alone only because nobody confirmed the change, or what contradicts itself."""
        return any(each.asks for each in self.faults)

    def to_mapping(self) -> dict[str, Any]:
        """Return the result as JSON-safe fields, without anything that was in the record."""
        return {
            "line": self.line.number,
            "outcome": self.outcome.value,
            "signal_id": self.signal_id,
            "version": self.version,
            "warnings": [warned.to_mapping() for warned in self.warnings],
            "errors": [fault.to_mapping() for fault in self.faults],
        }


class Verdict(Enum):
    """Verdict on a record beside what is known of its reference."""

    NEW = auto()
    NEXT = auto()
    SAME = auto()
    ADOPTED = auto()
    """The exchange has this signal and we, restored from a backup, had lost it: kept again, not published again."""
    ENDED = auto()
    """The signal was withdrawn, and nobody said that it may be published again."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A checked record beside what is known of its reference, under the id that its signal has or gets.

    `reference` and `content` are the keyed hashes by which the store knows them; `again` also publishes what was withdrawn.
    """

    line: Line
    checked: Checked
    reference: bytes = field(repr=False)
    content: bytes = field(repr=False)
    before: Known | None = None
    signal_id: str = ""
    again: bool = False

    @classmethod
    def of(cls, line: Line, checked: Checked, key: VaultKey) -> Submission:
        """Return the submission of a checked line, before anything is known of its reference."""
        content = key.mac(sha256(canonical(checked.record).encode()).hexdigest(), purpose="content")
        return cls(line, checked, key.mac(checked.reference), content)

    def beside(self, before: Known | None, *, again: bool = False) -> Submission:
        """Return the submission beside what is known of its reference; a new signal gets its id here."""
        return replace(self, before=before, signal_id=before.signal_id if before else str(uuid.uuid4()), again=again)

    @property
    def verdict(self) -> Verdict:
        """Return the verdict on the record."""
        if self.before is None:
            return Verdict.NEW
        if self.before.content_mac is None:
            return Verdict.ADOPTED
        withdrawn = self.before.state == WITHDRAWN
        if withdrawn and self.again:
            return Verdict.NEXT
        if self.before.content_mac == self.content:
            return Verdict.SAME
        return Verdict.ENDED if withdrawn else Verdict.NEXT

    @property
    def leaves(self) -> bool:
        """Say whether it would be sent: as a new signal, or as the next version of one."""
        return self.verdict in (Verdict.NEW, Verdict.NEXT)

    @property
    def changes_what_stands(self) -> bool:
        """Say whether it would replace a signal that nobody withdrew, which its owner must mean."""
        return self.verdict is Verdict.NEXT and self.before is not None and self.before.state != WITHDRAWN

    @property
    def must_be_meant(self) -> bool:
        """Say whether somebody must confirm it before it goes: it changes what stands, or contradicts itself (R-VAL-25)."""
        return self.changes_what_stands or (self.leaves and bool(self.checked.contradictions))

    @property
    def version(self) -> int:
        """Return the version that the record is, or becomes."""
        if self.before is None:
            return 1
        return self.before.version + (self.verdict is Verdict.NEXT)

    @property
    def bound_to(self) -> str:
        """Return the name that its sealed parts are bound to."""
        return f"{self.signal_id}.{self.version}"

    def vault_row(self, key: VaultKey, tokens_epoch: str | None) -> VaultRow:
        """Return the row that keeps the record, encrypted, with the epoch of the link tokens that were made of it."""
        encrypted = key.encrypt(self.signal_id, json.dumps(self.checked.record, ensure_ascii=False).encode())
        state = self.before.state if self.before and self.verdict is Verdict.ADOPTED else PUBLISHED
        own, coded = (self.signal_id, self.reference, self.version, self.content), self.checked.coded
        named = (coded["forms"]["primary"], coded["urgency"])
        return VaultRow(*own, encrypted, state, tokens_epoch, *named, self._justified(key))

    def _justified(self, key: VaultKey) -> Encrypted | None:
        """Return the words that somebody let pass, encrypted; None when there are none."""
        if not self.checked.justified:
            return None
        told = json.dumps([asdict(each) for each in self.checked.justified], ensure_ascii=False)
        return key.encrypt(f"{self.bound_to}/justified", told.encode())

    def result(self, outcome: Outcome, warnings: tuple[FieldWarning, ...] = ()) -> Result:
        """Return the result of this submission."""
        named = tuple(replace(warned, field=self.line.named(warned.field)) for warned in warnings)
        return Result(self.line, outcome, self.signal_id, self.version, warnings=named)

    def left_alone(self, fields: Sequence[str]) -> Result:
        """Return the result of what nobody confirmed, with the fields that change and those that contradict themselves."""
        faults = (*(of_version(Cause.CHANGES, field) for field in fields), *self.checked.contradictions)
        return refused(self.line, faults, self.signal_id if self.before else None)


def refused(line: Line, faults: Sequence[FieldFault], signal_id: str | None = None) -> Result:
    """Return the result of a line that is refused, with every field by the name that its owner knows."""
    named = tuple(replace(each, field=line.named(each.field)) for each in faults)
    return Result(line, Outcome.REFUSED, signal_id, faults=named)


def canonical(record: Mapping[str, Any]) -> str:
    """Return the content of a record as one text, the same for the same content."""
    return canonical_json(without_empty(record))
