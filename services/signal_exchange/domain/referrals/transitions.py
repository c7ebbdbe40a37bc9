"""A referral from offer to end: who may do what, and with what (R-REF-01 to R-REF-03, R-ROUTE-12)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from signal_exchange.domain.codes import CodeLists
from signal_exchange.domain.signals.violations import Refusal

OFFERED: Final = "OFFERED"
SEEN: Final = "SEEN"
ACCEPTED: Final = "ACCEPTED"
REJECTED: Final = "REJECTED"
IN_CARE: Final = "IN_CARE"
COMPLETED: Final = "COMPLETED"
WITHDRAWN: Final = "WITHDRAWN"
LAPSED: Final = "LAPSED"
FINAL_STATES: Final = frozenset({COMPLETED, REJECTED, WITHDRAWN, LAPSED})
"""States that end a referral; each of them is told to the municipality (R-REF-03)."""

ROUTING: Final = "ROUTING"
"""The routing service as an actor; the other roles are those of role.csv."""
MUNICIPALITY: Final = "ATTENTION_OFFICER"
CHAIN_DIRECTOR: Final = "CHAIN_DIRECTOR"
CARE: Final = "CARE_COORDINATOR"
YOUTH: Final = "YOUTH_COORDINATOR"

_REOFFER_AFTER: Final = frozenset({"INSUFFICIENT_DATA"})


@dataclass(frozen=True, slots=True)
class Standing:
    """The standing of a referral; `state` is None before the first offer.

    `version` counts its transitions, `reason` is that of its rejection, `youth` says whose worklist it is on.
    """

    state: str | None = None
    version: int = 0
    youth: bool = False
    reason: str | None = None
    withdrawal_asked: bool = False
    with_chain_director: bool = False


@dataclass(frozen=True, slots=True)
class Transition:
    """A transition that somebody asks for, with what it needs; `expected_version` is the one the screen showed."""

    to: str
    role: str
    expected_version: int
    planned_contact: date | None = None
    first_contact: date | None = None
    reason: str | None = None
    result: str | None = None
    motivation: str | None = None
    rule_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Allowed:
    sources: frozenset[str | None]
    to: str
    role: str
    needs: tuple[str, ...] = ()


_OPEN: Final = frozenset({OFFERED, SEEN})
_TAKEN: Final = frozenset({ACCEPTED, IN_CARE})
_TABLE: Final = (
    _Allowed(frozenset({None}) | FINAL_STATES, OFFERED, ROUTING, ("rule_id",)),
    _Allowed(frozenset({OFFERED}), SEEN, CARE),
    _Allowed(_OPEN, ACCEPTED, CARE, ("planned_contact",)),
    _Allowed(_OPEN, REJECTED, CARE, ("rejection_reason",)),
    _Allowed(_OPEN, WITHDRAWN, MUNICIPALITY, ("withdrawal_reason",)),
    _Allowed(_OPEN, WITHDRAWN, ROUTING, ("rule_id",)),
    _Allowed(frozenset({ACCEPTED}), IN_CARE, CARE, ("first_contact",)),
    _Allowed(_TAKEN, WITHDRAWN, CARE, ("withdrawal_reason", "withdrawal_asked")),
    _Allowed(_TAKEN, COMPLETED, CARE, ("result",)),
    _Allowed(_OPEN, LAPSED, CHAIN_DIRECTOR, ("motivation", "with_chain_director")),
)


def next_states(standing: Standing, role: str) -> tuple[str, ...]:
    """Give the states to which a role may bring the referral; what each needs is judged by `check_transition`."""
    return tuple(allowed.to for allowed in _TABLE if _applies(allowed, standing, role))


def check_transition(standing: Standing, asked: Transition, *, codes: CodeLists, day: date) -> tuple[Refusal, ...]:
    """Judge a transition; empty when it is allowed, else every reason why not (R-REF-02).

    A transition that is not in the table, or not for this role, is refused as such and nothing else is judged.
    """
    allowed = next((found for found in _TABLE if found.to == asked.to and _applies(found, standing, asked.role)), None)
    if allowed is None:
        return (Refusal("state", "R-REF-02"),)
    stale = [] if asked.expected_version == standing.version else [Refusal("version", "R-REF-02")]
    return (*stale, *_missing(allowed, standing, asked, codes, day))


def _applies(allowed: _Allowed, standing: Standing, role: str) -> bool:
    coordinator = YOUTH if standing.youth else CARE
    wanted = coordinator if allowed.role == CARE else allowed.role
    refused_for_good = standing.state == REJECTED and standing.reason not in _REOFFER_AFTER
    return role == wanted and standing.state in allowed.sources and not refused_for_good


def _missing(allowed: _Allowed, standing: Standing, asked: Transition, codes: CodeLists, day: date) -> Iterator[Refusal]:
    given: Mapping[str, bool] = {
        "planned_contact": asked.planned_contact is not None,
        "first_contact": asked.first_contact is not None,
        "rule_id": bool(asked.rule_id),
        "motivation": bool(asked.motivation and asked.motivation.strip()),
        "result": codes.valid("referral_result", asked.result or "", day),
        # Nobody is turned away for lack of capacity: that goes to the chain director.
        "rejection_reason": asked.reason != "NO_CAPACITY" and codes.valid("rejection_reason", asked.reason or "", day),
        "withdrawal_reason": codes.valid("withdrawal_reason", asked.reason or "", day),
        "withdrawal_asked": standing.withdrawal_asked,
        "with_chain_director": standing.with_chain_director,
    }
    names = {"rejection_reason": "reason", "withdrawal_reason": "reason"}
    yield from (Refusal(names.get(need, need), "R-REF-02") for need in allowed.needs if not given[need])
