"""Tells a municipality what happened to its referral: the state and an outcome code in clear, the reason and words sealed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.outcomes import MORE_INFO_ASKED, outcome_of_referral
from signal_exchange.domain.referrals import MUNICIPALITY, decide_by
from signal_exchange.domain.times import local_day
from signal_exchange.stream.outcomes import Happened, Keeper, SealTo, tell
from signal_exchange.stream.work import Work
from signal_exchange.worklist.cases import Case, Delivery, Transition
from signal_exchange.worklist.store import Advice

DESTINATION = "CARE_COORDINATOR"
KIND = "REFERRAL"
ADVISED = "ADVISED"
"""Stands in the place of a state for a consult, which has none."""


@dataclass(frozen=True, slots=True)
class Office:
    """Who keeps a worklist, a code of role.csv, by which working days, and how words are sealed to a municipality."""

    role: str
    calendar: WorkingCalendar
    seal_to: SealTo

    def keeper(self, case: Case, *, advised: bool, at: datetime) -> Keeper | None:
        """Return who has a signal of this worklist in hand: the coordinator, or the municipality that was asked for more.

        `advised` says whether the consult, if it is one, was answered; `at` is the moment of the last step.
        """
        due = self._due(case, advised=advised)
        if due is not None:
            return Keeper(self.role, local_day(due).isoformat())
        return self._municipality(at) if _asks_more(case, advised=advised) else None

    def _due(self, case: Case, *, advised: bool) -> datetime | None:
        if case.current is not None:
            return case.current.due_by()
        delivery = case.delivery
        if delivery is None or not _is_consult(delivery) or advised:
            return None
        return decide_by(delivery.urgency, delivery.due_from, self.calendar)

    def _municipality(self, at: datetime) -> Keeper:
        until = self.calendar.deadline(at, self.calendar.policy.municipality_wd)
        return Keeper(MUNICIPALITY, local_day(until).isoformat())


def _is_consult(delivery: Delivery) -> bool:
    return delivery.is_consult and delivery.status == "OFFERED"


def _asks_more(case: Case, *, advised: bool) -> bool:
    """Say whether the next word is the municipality's: it got advice, or was asked for more, and nothing new came since."""
    delivery, last = case.delivery, case.last
    if delivery is None or delivery.status != "OFFERED":
        return False
    if delivery.is_consult:
        return advised
    rejected = last is not None and last.offer == delivery.offer and last.state == "REJECTED"
    return rejected and last is not None and outcome_of_referral(last.state, last.reason) == MORE_INFO_ASKED


def tell_steps(case: Case, office: Office, work: Work) -> None:
    """Tell every step that was taken (R-REF-03), but not the offer itself: of that the trace says that it was stored.

    With each goes who has the signal in hand after all of them.
    """
    for step in case.steps:
        if step.came_from is not None:
            _tell_step(case, step, office, work)


def _tell_step(case: Case, step: Transition, office: Office, work: Work) -> None:
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
        keeper=office.keeper(case, advised=False, at=step.at),
    )
    tell(happened, {"reason": step.reason, "text": None}, office.seal_to, work)


def tell_advice(delivery: Delivery, advice: Advice, text: str, office: Office, work: Work) -> None:
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
        keeper=office.keeper(Case(delivery), advised=True, at=advice.at),
    )
    tell(happened, {"reason": None, "text": text}, office.seal_to, work)
