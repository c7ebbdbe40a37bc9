"""Outcomes that a municipality hears of its own signal (R-AGENDA-09)."""

from collections.abc import Mapping
from typing import Final

from signal_exchange.domain.meetings.agenda import Decision

IN_TREATMENT: Final = "IN_TREATMENT"
MORE_INFO_ASKED: Final = "MORE_INFO_ASKED"

_OF_DECISION: Final[Mapping[str, str]] = {
    "ENRICH": "ACTION_BY_MUNICIPALITY",
    "DEFER": IN_TREATMENT,
    "CASE_ADMIN": IN_TREATMENT,
    # The partner that took a criminal case over is never named.
    "CASE_CRIMINAL": "TAKEN_OVER",
    "CASE_CARE": IN_TREATMENT,
    "CASE_COMBINED": IN_TREATMENT,
    "OTHER_PROBLEM": "REFERRED_ELSEWHERE",
    "TRANSFER_REGION": "REFERRED_ELSEWHERE",
    "NO_TRAFFICKING": "NO_FURTHER_ACTION",
    "DUPLICATE": "CLOSED_DUPLICATE",
}
_OF_RESULT: Final[Mapping[str, str]] = {
    "NO_CARE_NEEDED": "NO_FURTHER_ACTION",
    "TRANSFERRED": "REFERRED_ELSEWHERE",
    "PERSON_STOPPED": "CARE_DECLINED",
    "LOST_CONTACT": "CARE_NOT_STARTED",
}
_OF_REJECTION: Final[Mapping[str, str]] = {
    "PERSON_DECLINES": "CARE_DECLINED",
    "INSUFFICIENT_DATA": MORE_INFO_ASKED,
    "ALREADY_IN_CARE": "CARE_ARRANGED",
}


def outcome_of_decision(decision: str) -> str:
    """Give the outcome of a decision code; an unknown code is a KeyError."""
    return _OF_DECISION[decision]


def outcomes_of(decision: Decision) -> dict[str, str]:
    """Give the outcome of each signal of an item; the signal that a duplicate is kept under stays in treatment."""
    outcome = outcome_of_decision(decision.decision)
    return {signal: IN_TREATMENT if signal == decision.kept_signal else outcome for signal, _ in decision.signals}


def outcome_of_referral(state: str, reason: str | None = None) -> str | None:
    """Give the outcome of a referral in a state; `reason` is its result or why it was rejected.

    None where there is nothing to tell but the state itself: an offer that waits, or that the municipality took back.
    """
    if state == "COMPLETED":
        return _OF_RESULT.get(reason or "", "CARE_ARRANGED")
    if state == "REJECTED":
        return _OF_REJECTION.get(reason or "", "CARE_NOT_STARTED")
    return {"ACCEPTED": IN_TREATMENT, "IN_CARE": IN_TREATMENT, "LAPSED": "CARE_NOT_STARTED"}.get(state)
