"""For which purposes a signal is exchanged and on which ground: proposed, so that a short signal still reaches somebody.

What nobody takes away goes along; nothing is held back by silence (R-ROUTE-02). An officer can choose another ground, or leave a
purpose out that no rule asks for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from signal_exchange.domain.signals.coded import has_minor_victim, needs_alert_entry
from signal_exchange.domain.signals.coded_types import CodedSignal
from signal_exchange.municipality.entering.entries import Entry

_PARTNERSHIPS: Final = {
    "CARE_REFERRAL": "CARE_NETWORK",
    "ACUTE_ALERT": "OWN_TASK",
    "SCREENING": "SCREENING_MEETING",
    "LINKING": "SCREENING_MEETING",
    "STATISTICS": "OWN_TASK",
    "FEEDBACK": "OWN_TASK",
}
_OF_BASIS: Final = {"WGS_RIEC": "RIEC", "WGS_SAFETY_HOUSE": "SAFETY_HOUSE"}
"""Grounds that hold in one partnership only (R-VAL-10)."""
_OBLIGATORY: Final = frozenset({"STATISTICS", "ACUTE_ALERT"})
"""Purposes that nobody can leave out where they are proposed (R-VAL-10, R-VAL-19)."""


@dataclass(frozen=True, slots=True)
class Bases:
    """The grounds that a municipality proposes: for care, for care of minors, in acute danger, and for the rest."""

    care: str
    minors: str
    acute: str
    table: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """One purpose with its ground; `proposed` is the ground that the municipality proposes.

    `obligatory` says that nobody can leave it out, `left_out` that it does not go.
    """

    purpose: str
    legal_basis: str
    proposed: str
    obligatory: bool
    left_out: bool

    def entry(self, release: str) -> dict[str, object]:
        """Return it as a record has it; `release` is the police's own reference of what they released."""
        partnership = _OF_BASIS.get(self.legal_basis, _PARTNERSHIPS[self.purpose])
        named = release if self.legal_basis == "WPG_RELEASE" and release else None
        own = {"purpose": self.purpose, "legal_basis": self.legal_basis}
        return {**own, "partnership": partnership, "release_ref": named}


def exchanges(entry: Entry, signal: CodedSignal, bases: Bases) -> list[Exchange]:
    """Return the proposed exchanges of a signal, with the choices of its officer."""
    left_out = set(entry.chosen("left_out")) - _OBLIGATORY
    return [
        Exchange(purpose, entry.value(f"basis.{purpose}") or basis, basis, purpose in _OBLIGATORY, purpose in left_out)
        for purpose, basis in _proposed(signal, bases)
    ]


def _proposed(signal: CodedSignal, bases: Bases) -> Iterator[tuple[str, str]]:
    acute, minor = signal["urgency"] == "ACUTE", has_minor_victim(signal)
    help_rests_on = bases.minors if minor else bases.acute if acute else bases.care
    yield "CARE_REFERRAL", help_rests_on
    if needs_alert_entry(signal):
        yield "ACUTE_ALERT", help_rests_on
    yield "SCREENING", bases.table
    yield "LINKING", bases.table
    yield "STATISTICS", "STATISTICS_ART89"
    yield "FEEDBACK", bases.table
