"""The agenda of the weekly screening meeting: its items, their order, its states and its decisions (R-AGENDA)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from signal_exchange.domain.codes import CodeLists
from signal_exchange.domain.policy import Policy
from signal_exchange.domain.signals.coded import URGENCIES
from signal_exchange.domain.signals.violations import Refusal

TRANSITIONS: Final = frozenset({
    ("COLLECTING", "DRAFT"),
    ("DRAFT", "FINAL"),
    ("FINAL", "AMENDED"),
    ("AMENDED", "AMENDED"),
    ("AMENDED", "CLOSED"),
    ("FINAL", "CLOSED"),
})  # fmt: skip
"""The pairs of states that may follow each other; a DRAFT may get new versions without leaving its state (R-AGENDA-06)."""

_RANK: Final[Mapping[str, int]] = {urgency: rank for rank, urgency in enumerate(URGENCIES)}
_UNCAPPED: Final = frozenset({"ACUTE", "URGENT"})
_OWNED: Final = frozenset({"ENRICH", "CASE_ADMIN", "CASE_CRIMINAL", "CASE_CARE", "CASE_COMBINED"})


def is_allowed(before: str, after: str) -> bool:
    """Say whether an agenda may go from one state to another (R-AGENDA-06)."""
    return (before, after) in TRANSITIONS


@dataclass(frozen=True, slots=True)
class Member:
    """One open signal of a cluster; `due_from` is None while the agenda does not get it."""

    signal_id: str
    urgency: str
    minor: bool
    due_from: datetime | None
    deferrals: int = 0
    decided: bool = False


@dataclass(frozen=True, slots=True)
class AgendaEntry:
    """One item by what orders it; `signal_id` is the smallest of its cluster (R-AGENDA-03, R-AGENDA-04)."""

    signal_id: str
    urgency: str
    minor: bool
    size: int
    deferrals: int
    due_from: datetime


def entry_of(members: Iterable[Member]) -> AgendaEntry | None:
    """Make the item of a cluster; None when no undecided member is meant for the agenda (R-AGENDA-02, R-AGENDA-03)."""
    found = sorted(members, key=lambda member: member.signal_id)
    waiting = [member.due_from for member in found if member.due_from is not None and not member.decided]
    if not waiting:
        return None
    return AgendaEntry(
        signal_id=found[0].signal_id,
        urgency=min((member.urgency for member in found), key=_RANK.__getitem__),
        minor=any(member.minor for member in found),
        size=len(found),
        deferrals=max(member.deferrals for member in found),
        due_from=min(waiting),
    )


def order(entries: Iterable[AgendaEntry]) -> tuple[AgendaEntry, ...]:
    """Put items in the order of the agenda; the same items always come out the same (R-AGENDA-04)."""
    return tuple(sorted(entries, key=_key))


def _key(entry: AgendaEntry) -> tuple[int, bool, int, int, datetime, str]:
    return (_RANK[entry.urgency], not entry.minor, -entry.size, -entry.deferrals, entry.due_from, entry.signal_id)


def roll_over(entries: Iterable[AgendaEntry], policy: Policy) -> tuple[tuple[AgendaEntry, ...], tuple[AgendaEntry, ...]]:
    """Split items into those of this agenda and those that roll over to the next, both in order (R-AGENDA-05).

    There is no cap on ACUTE and URGENT. Rolling over counts as a deferral in the order, not towards DEFER.
    """
    placed = order(entries)
    capped = [entry for entry in placed if entry.urgency not in _UNCAPPED][policy.regular_items_max :]
    return tuple(entry for entry in placed if entry not in capped), tuple(capped)


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision of the meeting on one item; `signals` are the ids with the versions that were seen (R-AGENDA-07)."""

    cluster_id: str
    signals: tuple[tuple[str, int], ...]
    decision: str
    instruments: tuple[str, ...]
    motivation: str
    seats_present: tuple[str, ...]
    legal_basis: str
    decided_at: datetime
    agenda_version: int
    owner_role: str | None = None
    owner_organisation: str | None = None
    due_date: date | None = None
    kept_signal: str | None = None
    feedback_text: str | None = None


def check_decision(
    decision: Decision, *, earlier_deferrals: int, codes: CodeLists, day: date, policy: Policy
) -> tuple[Refusal, ...]:
    """Judge a decision; empty when it may be taken, else every field to correct (R-AGENDA-07).

    `earlier_deferrals` counts the DEFER decisions on the item in a row up to now.
    """
    wrong = (*_wrong_codes(decision, codes, day), *_incomplete(decision, earlier_deferrals, policy))
    return tuple(Refusal(field, "R-AGENDA-07") for field in wrong)


def _wrong_codes(decision: Decision, codes: CodeLists, day: date) -> Iterator[str]:
    if not codes.valid("decision", decision.decision, day):
        yield "decision"
    if not all(codes.valid("instrument", code, day) for code in decision.instruments):
        yield "instruments"
    if not decision.seats_present or not all(codes.valid("chain_partner", code, day) for code in decision.seats_present):
        yield "seats_present"
    if not codes.valid("legal_basis", decision.legal_basis, day):
        yield "legal_basis"


def _incomplete(decision: Decision, earlier_deferrals: int, policy: Policy) -> Iterator[str]:
    if not decision.signals:
        yield "signals"
    if not 0 < len(decision.motivation.strip()) <= len(decision.motivation) <= policy.motivation_max_points:
        yield "motivation"
    if decision.decision in _OWNED:
        yield from (name for name in ("owner_role", "owner_organisation", "due_date") if getattr(decision, name) is None)
    if decision.decision == "DEFER" and earlier_deferrals >= policy.deferrals_max:
        yield "decision"
    if decision.decision == "DUPLICATE" and decision.kept_signal is None:
        yield "kept_signal"
