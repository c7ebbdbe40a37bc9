"""Tells a municipality what happened to its referral: the state and an outcome code in clear, the reason and words sealed."""

from __future__ import annotations

from signal_exchange.domain.outcomes import outcome_of_referral
from signal_exchange.stream.outcomes import Happened, SealTo, tell
from signal_exchange.stream.work import Work
from signal_exchange.worklist.cases import Case, Delivery, Transition
from signal_exchange.worklist.store import Advice

DESTINATION = "CARE_COORDINATOR"
KIND = "REFERRAL"
ADVISED = "ADVISED"
"""Stands in the place of a state for a consult, which has none."""


def tell_steps(case: Case, seal_to: SealTo, work: Work) -> None:
    """Tell every step that was taken (R-REF-03), but not the offer itself: of that the trace says that it was stored."""
    for step in case.steps:
        if step.came_from is not None:
            _tell_step(case, step, seal_to, work)


def _tell_step(case: Case, step: Transition, seal_to: SealTo, work: Work) -> None:
    referral = next(each for each in case.referrals if each.offer == step.offer)
    happened = Happened(
        signal_id=step.signal_id,
        version=referral.version,
        municipality=referral.municipality,
        kind=KIND,
        offer=step.offer,
        revision=step.edition,
        state=step.went_to,
        outcome=outcome_of_referral(step.went_to, step.reason),
        at=step.at,
        destination=DESTINATION,
    )
    tell(happened, {"reason": step.reason, "text": None}, seal_to, work)


def tell_advice(delivery: Delivery, advice: Advice, text: str, seal_to: SealTo, work: Work) -> None:
    """Tell the advice on a consult."""
    happened = Happened(
        signal_id=advice.signal_id,
        version=advice.version,
        municipality=delivery.municipality,
        kind=KIND,
        offer=advice.offer,
        revision=advice.number,
        state=ADVISED,
        outcome=None,
        at=advice.at,
        destination=DESTINATION,
    )
    tell(happened, {"reason": None, "text": text}, seal_to, work)
