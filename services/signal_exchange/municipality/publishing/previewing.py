"""Preview of the part of a record that would leave, made by the code that publishes it, before anything is kept or sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from signal_exchange.domain.destinations import groups_of_text
from signal_exchange.domain.plain_json import canonical_json
from signal_exchange.domain.signals.coded_types import CodedSignal
from signal_exchange.municipality.publishing.field_faults import FieldFault
from signal_exchange.municipality.publishing.field_warnings import FieldWarning, of_unlinked
from signal_exchange.municipality.publishing.preparing import Preparer, completed
from signal_exchange.municipality.publishing.submissions import Submission
from signal_exchange.privacy.normalising import link_values, unlinked
from signal_exchange.privacy.sealing import TOKEN_SLOTS


@dataclass(frozen=True, slots=True)
class Code:
    """One link token that would be made: of which type, and of whose fields."""

    carrier: str
    type: str


@dataclass(frozen=True, slots=True)
class Preview:
    """Parts that would leave: the coded signal, the text with the groups that may open it, and the values that become codes.

    The id of a new signal is drawn when it is sent. The keepers are asked then as well, since each question counts.
    """

    record: Mapping[str, Any] = field(repr=False)
    signal: CodedSignal = field(repr=False)
    text: str | None = field(repr=False)
    groups: tuple[str, ...]
    codes: tuple[Code, ...]
    warnings: tuple[FieldWarning, ...]
    contradictions: tuple[FieldFault, ...]

    @property
    def digest(self) -> str:
        """Return a digest of what would leave, to know that a person sends what that person saw."""
        named = {name: each for name, each in self.signal.items() if name != "signal_id"}
        return sha256(canonical_json({"signal": named, "text": self.text, "groups": list(self.groups)}).encode()).hexdigest()


def preview_of(leaving: Submission, preparer: Preparer) -> Preview:
    """Return the preview of a submission."""
    record = leaving.checked.record
    signal = completed(leaving)
    values = link_values(record, barred=preparer.barred)[:TOKEN_SLOTS]
    return Preview(
        record=record,
        signal=signal,
        text=leaving.checked.summary,
        groups=tuple(groups_of_text(signal)),
        codes=tuple(Code(each.carrier, each.type) for each in values),
        warnings=tuple(of_unlinked(unlinked(record, barred=preparer.barred))),
        contradictions=leaving.checked.contradictions,
    )
