"""Standing of a signal by the view that the exchange gave: its owner, the next date, and the last outcome (R-FLOW-02).

Each service that keeps a signal says so in its steps; the last word of each keeper counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from signal_exchange.domain.destinations import CARE_COORDINATOR, OWNING, SCREENING_AGENDA
from signal_exchange.domain.referrals.outcomes import MORE_INFO_ASKED
from signal_exchange.domain.referrals.transitions import MUNICIPALITY

ROUTING: Final = "routing"
SKEW: Final = timedelta(minutes=2)
"""How far the clocks of brokers and people may differ before a delivery seems unheard of."""
_RANKS: Final = {"ROUTED": 0, "STORED": 1, "RETRACTED": 2, "OUTCOME": 3}
"""Stages after which a keeper has a signal or is done with it; of two words at one moment the later stage is the last."""

View = Mapping[str, Any]
Step = Mapping[str, Any]


class Place(StrEnum):
    """Place of a signal, for its sender."""

    UNSENT = "UNSENT"
    SENT = "SENT"
    PARKED = "PARKED"
    UNDERWAY = "UNDERWAY"
    CARE = "CARE"
    CARE_SEEN = "CARE_SEEN"
    CARE_TAKEN = "CARE_TAKEN"
    TABLE = "TABLE"
    TABLE_AGAIN = "TABLE_AGAIN"
    TABLE_DECIDED = "TABLE_DECIDED"
    OURS = "OURS"
    OURS_MORE_INFO = "OURS_MORE_INFO"
    OURS_ADVISED = "OURS_ADVISED"
    OURS_ACTION = "OURS_ACTION"
    ENDED = "ENDED"


_OF_CARE: Final = {"SEEN": Place.CARE_SEEN, "ACCEPTED": Place.CARE_TAKEN, "IN_CARE": Place.CARE_TAKEN}
_OF_TABLE: Final = {"DEFERRED": Place.TABLE_AGAIN, "DECIDED": Place.TABLE_DECIDED}


@dataclass(frozen=True, slots=True)
class Standing:
    """Place of a signal, its last outcome, and the role that must act until a day (2026-11-20); None where nobody must."""

    place: Place
    outcome: str | None = None
    owner_role: str | None = None
    next_date: str | None = None


def standing_of(view: View) -> Standing:
    """Return the standing that a view tells, with its moments as text."""
    clocks = _clocks(view["steps"])
    outcome = next((each["outcome"] for each in reversed(_told(view)) if each["outcome"]), None)
    if any(each["verdict"] == "parked" for each in view["received"]):
        return Standing(Place.PARKED, outcome)
    running = sorted(_running(clocks), key=lambda each: (each["owner_role"] != MUNICIPALITY, each["next_date"]))
    if running:
        first = running[0]
        return Standing(_place(first, view), outcome, first["owner_role"], first["next_date"])
    if ROUTING not in clocks or any(_unheard(view["steps"])):
        return Standing(Place.UNDERWAY, outcome)
    return Standing(Place.ENDED, outcome)


def last_told(view: View, kind: str) -> Mapping[str, Any] | None:
    """Return the last outcome of a kind, REFERRAL or DECISION."""
    return next((each for each in reversed(_told(view)) if each["kind"] == kind), None)


def _told(view: View) -> Sequence[Mapping[str, Any]]:
    return sorted(view["outcomes"], key=lambda each: str(each["occurred_at"]))


def _clocks(steps: Sequence[Step]) -> dict[str, Step]:
    counting = (each for each in steps if each["stage"] in _RANKS)
    in_order = sorted(counting, key=lambda each: (str(each["at"]), _RANKS[each["stage"]]))
    return {_keeper(each): each for each in in_order}


def _keeper(step: Step) -> str:
    return str(step["service"]) if step["stage"] == "ROUTED" else f"{step['service']}/{step['destination']}"


def _running(clocks: Mapping[str, Step]) -> Iterator[Step]:
    """Give the steps whose owner must act; what waited for the municipality ended when a newer version came."""
    newest = clocks[ROUTING]["version"] if ROUTING in clocks else 0
    for step in clocks.values():
        if step["owner_role"] and step["next_date"] and (step["owner_role"] != MUNICIPALITY or step["version"] >= newest):
            yield step


def _unheard(steps: Sequence[Step]) -> Iterator[str]:
    """Give the destinations to which routing sent the signal and of which no receiver told since that it has it."""
    for sent in (each for each in steps if each["stage"] == "ROUTED" and each["verdict"] == "SEND"):
        since = _moment(sent) - SKEW
        heard = (each for each in steps if each["service"] != ROUTING and each["destination"] == sent["destination"])
        if sent["destination"] in OWNING and not any(_moment(each) >= since for each in heard):
            yield str(sent["destination"])


def _moment(step: Step) -> datetime:
    return datetime.fromisoformat(str(step["at"]))


def _place(step: Step, view: View) -> Place:
    ours = step["owner_role"] == MUNICIPALITY
    if step["stage"] == "ROUTED":
        return Place.OURS
    if step["destination"] == CARE_COORDINATOR:
        told = last_told(view, "REFERRAL") if step["stage"] == "OUTCOME" else None
        return _asked_of_us(told) if ours else _OF_CARE.get(told["state"] if told else "", Place.CARE)
    if step["destination"] == SCREENING_AGENDA:
        told = last_told(view, "DECISION") if step["stage"] == "OUTCOME" else None
        return Place.OURS_ACTION if ours else _OF_TABLE.get(told["state"] if told else "", Place.TABLE)
    return Place.UNDERWAY


def _asked_of_us(told: Mapping[str, Any] | None) -> Place:
    return Place.OURS_MORE_INFO if told and told["outcome"] == MORE_INFO_ASKED else Place.OURS_ADVISED
