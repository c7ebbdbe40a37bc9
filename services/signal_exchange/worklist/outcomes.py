"""Outcomes of referrals for their municipality: the state and an outcome code in clear, the reason and words sealed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.referrals.outcomes import MORE_INFO_ASKED, outcome_of_referral
from signal_exchange.domain.referrals.transitions import MUNICIPALITY
from signal_exchange.domain.times import local_day
from signal_exchange.stream.outcomes import ActionOwner, Happened, SealTo, tell
from signal_exchange.stream.work import Work
from signal_exchange.worklist.cases import Case, Delivery, RecordedTransition
from signal_exchange.worklist.store import Advice

DESTINATION = "CARE_COORDINATOR"
KIND = "REFERRAL"
ADVISED = "ADVISED"
"""Stands in the place of a state for a consult, which has none."""


@dataclass(frozen=True, slots=True)
class OutcomeSender:
    """The reports of one worklist to the municipalities (R-REF-03).

    `role` keeps the worklist, a code of role.csv; `seal_to` seals words to a municipality.
    """

    role: str
    calendar: WorkingCalendar
    seal_to: SealTo

    def owner(self, case: Case, *, advised: bool, at: datetime) -> ActionOwner | None:
        """Return the owner of a signal of this worklist: the coordinator, or the municipality that was asked for more.

        `advised` says whether the consult, if it is one, was answered; `at` is the moment of the last step.
        """
        due = _due(case, advised=advised)
        if due is not None:
            return ActionOwner(self.role, local_day(due).isoformat())
        return self._municipality(at) if _asks_more(case, advised=advised) else None

    def _municipality(self, at: datetime) -> ActionOwner:
        until = self.calendar.deadline(at, self.calendar.policy.municipality_wd)
        return ActionOwner(MUNICIPALITY, local_day(until).isoformat())

    def report_steps(self, case: Case, work: Work) -> None:
        """Report every step that was taken, but not the offer itself: of that the trace says that it was stored.

        With each goes who has the signal in hand after all of them.
        """
        for step in case.steps:
            if step.came_from is not None:
                self._report_step(case, step, work)

    def _report_step(self, case: Case, step: RecordedTransition, work: Work) -> None:
        referral = next(each for each in case.referrals if each.offer == step.offer)
        happened = Happened(
            signal_id=step.signal_id,
            version=referral.version,
            municipality=referral.municipality,
            kind=KIND,
            offer=step.offer,
            revision=step.row_version,
            state=step.went_to,
            outcome=outcome_of_referral(step.went_to, step.reason),
            at=step.at,
            destination=DESTINATION,
            keeper=self.owner(case, advised=False, at=step.at),
        )
        tell(happened, {"reason": step.reason, "text": None}, self.seal_to, work)

    def report_advice(self, delivery: Delivery, advice: Advice, text: str, work: Work) -> None:
        """Report the advice on a consult."""
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
            keeper=self.owner(Case(delivery), advised=True, at=advice.at),
        )
        tell(happened, {"reason": None, "text": text}, self.seal_to, work)


def _due(case: Case, *, advised: bool) -> datetime | None:
    if case.current is not None:
        return case.current.due_by()
    return case.delivery.advise_by if case.delivery and not advised else None


def _asks_more(case: Case, *, advised: bool) -> bool:
    """Say whether the next word is the municipality's: it got advice, or was asked for more, and nothing new came since."""
    delivery, last = case.delivery, case.last
    if delivery is None or delivery.status != "OFFERED":
        return False
    if delivery.is_consult:
        return advised
    rejected = last is not None and last.offer == delivery.offer and last.state == "REJECTED"
    return rejected and last is not None and outcome_of_referral(last.state, last.reason) == MORE_INFO_ASKED
