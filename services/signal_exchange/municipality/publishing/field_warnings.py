"""The warnings for the sender of a record that was published all the same: field and code, and the Dutch words; never a value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from signal_exchange.municipality.publishing.field_faults import RECORD
from signal_exchange.privacy.keeper_client import Reason
from signal_exchange.privacy.normalising import LinkValue, Unlinked
from signal_exchange.reference.loading import load_code_lists

_PENDING: Final = frozenset(reason.value for reason in Reason)


@dataclass(frozen=True, slots=True, order=True)
class FieldWarning:
    """One field of a record that was published, as (`subjects[0].bsn`, `BSN_ELEVEN_TEST`); a code of link_warning.csv."""

    field: str
    code: str

    @property
    def is_pending(self) -> bool:
        """Say whether the link tokens of the record follow later."""
        return self.code in _PENDING

    @property
    def text(self) -> str:
        """Return the warning in Dutch words."""
        return load_code_lists().label_nl("link_warning", self.code)

    def to_mapping(self) -> dict[str, str]:
        """Return the warning as JSON-safe fields."""
        return {"field": self.field, "code": self.code, "text": self.text}


def tokens_pending(reason: Reason) -> FieldWarning:
    """Return the warning that the tokens of a record follow later, and why."""
    return FieldWarning(RECORD, reason.value)


def of_cut(values: Iterable[LinkValue]) -> Iterator[FieldWarning]:
    """Give a warning for the field of every value that no longer fits in the list of link tokens; the first ones travel."""
    return (FieldWarning(path, "TOKENS_CUT") for path in dict.fromkeys(value.path for value in values))


def of_unlinked(found: Iterable[Unlinked]) -> Iterator[FieldWarning]:
    """Give a warning for every filled field that gives no link token (R-LINK-08)."""
    return (FieldWarning(each.field, each.why.value) for each in found)
