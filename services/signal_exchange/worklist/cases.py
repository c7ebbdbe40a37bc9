"""One signal on a worklist: what was last delivered of it, and its referrals. Every change is a new value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.referrals.clocks import decide_by, first_contact_by
from signal_exchange.domain.referrals.transitions import FINAL_STATES, ROUTING, Standing, next_states
from signal_exchange.stream.deliveries import LatestDelivery

UNDECIDED = frozenset({"OFFERED", "SEEN"})
YOUTH_ROUTE = "YOUTH_ROUTE"
DUE: Final[Mapping[str, str]] = {
    "OFFERED": "decide_by",
    "SEEN": "decide_by",
    "ACCEPTED": "contact_by",
    "IN_CARE": "progress_by",
}
"""The moment by which the next step of a referral is due in each of its open states (R-REF-04)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(LatestDelivery):
    """The latest Referral record of a signal; `advise_by` is until when its consult is answered, if it is one (R-REF-04)."""

    advise_by: datetime | None = None

    @property
    def is_consult(self) -> bool:
        """Say whether only advice is asked: a consult has no states."""
        return self.deliver_as == "CONSULT"

    @property
    def is_open_consult(self) -> bool:
        """Say whether advice is asked and was not taken back."""
        return self.is_consult and self.status == "OFFERED"

    @property
    def offers(self) -> bool:
        """Say whether this asks somebody to take care of a person."""
        return self.status == "OFFERED" and not self.is_consult


@dataclass(frozen=True, slots=True)
class Referral:
    """One offer of a signal to a care coordinator (R-REF-01).

    `row_version` counts every change of the signal's referrals, so that a decision on an older one is refused (R-REF-02): a
    later offer counts on where the one before it ended. `revision` is the last
    delivery that was applied. `retraction` is the rule that asked an accepted referral back. `progress_by` is the moment of
    the next progress note in IN_CARE. Dates are as 2026-11-20.
    """

    signal_id: str
    offer: int
    row_version: int
    revision: int
    version: int
    municipality: str
    deliver_as: str
    state: str
    urgency: str
    due_from: datetime
    decide_by: datetime
    accepted_at: datetime | None = None
    contact_by: datetime | None = None
    progress_by: datetime | None = None
    planned_contact: str | None = None
    first_contact: str | None = None
    reason: str | None = None
    retraction: str | None = None

    @property
    def is_open(self) -> bool:
        """Say whether it has no end state yet."""
        return self.state not in FINAL_STATES

    @property
    def standing(self) -> Standing:
        """Return the standing of the referral, as the rules judge it."""
        asked = self.retraction is not None
        return Standing(self.state, self.row_version, self.deliver_as == YOUTH_ROUTE, self.reason, withdrawal_asked=asked)

    def due_by(self) -> datetime | None:
        """Return until when the next step must be taken (R-REF-04); None when none runs."""
        due: datetime | None = getattr(self, DUE[self.state]) if self.state in DUE else None
        return due


@dataclass(frozen=True, slots=True)
class RecordedTransition:
    """One step of a referral, as it is kept for good: who, when, from and to (R-REF-02)."""

    signal_id: str
    offer: int
    row_version: int
    came_from: str | None
    went_to: str
    at: datetime
    who: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A signal on the worklist, with the steps that were taken since it was read."""

    delivery: Delivery | None = None
    referrals: tuple[Referral, ...] = ()
    steps: tuple[RecordedTransition, ...] = ()

    @property
    def current(self) -> Referral | None:
        """Return the referral that is open; there is at most one (R-REF-01)."""
        return next((each for each in self.referrals if each.is_open), None)

    @property
    def last(self) -> Referral | None:
        """Return the referral of the highest offer."""
        return max(self.referrals, key=lambda each: each.offer, default=None)

    def stepped(self, after: Referral, who: str, at: datetime) -> Case:
        """Return the case with one referral in a new state, or opened."""
        before = next((each for each in self.referrals if each.offer == after.offer), None)
        came_from = before.state if before else None
        step = RecordedTransition(after.signal_id, after.offer, after.row_version, came_from, after.state, at, who, after.reason)
        return replace(self.changed(after), steps=(*self.steps, step))

    def changed(self, after: Referral) -> Case:
        """Return the case with one referral changed, but not its state."""
        others = (each for each in self.referrals if each.offer != after.offer)
        return replace(self, referrals=tuple(sorted((*others, after), key=lambda each: each.offer)))


def delivered(fields: Mapping[str, Any], calendar: WorkingCalendar) -> Delivery:
    """Return a delivery as it came, with the term of a consult."""
    came = Delivery(**fields)
    if not came.is_open_consult:
        return came
    return replace(came, advise_by=decide_by(came.urgency, came.due_from, calendar))


def received(case: Case, delivery: Delivery, at: datetime, calendar: WorkingCalendar) -> Case:
    """Apply a delivery that is newer than the last one.

    A retraction, or an offer that follows one, takes the earlier referral back; a person who decided already is asked
    (R-ROUTE-12). An offer opens a referral only when no earlier one is open (R-REF-01).
    """
    case = replace(case, delivery=delivery)
    earlier = case.current
    if earlier is not None and (delivery.status == "RETRACTED" or delivery.offer > earlier.offer):
        case = _taken_back(case, earlier, delivery, at)
    known = next((each for each in case.referrals if each.offer == delivery.offer), None)
    if not delivery.offers:
        return case
    return opened(case, calendar) if known is None else _renewed(case, known, delivery, calendar)


def opened(case: Case, calendar: WorkingCalendar) -> Case:
    """Open a referral for the latest offer, when there is one and nothing stands in its way."""
    delivery, last = case.delivery, case.last
    if delivery is None or not delivery.offers:
        return case
    if last is not None and (last.offer >= delivery.offer or "OFFERED" not in next_states(last.standing, ROUTING)):
        return case
    row_version = last.row_version + 1 if last else 1
    return case.stepped(_referral(delivery, row_version, calendar), ROUTING, delivery.due_from)


def _referral(delivery: Delivery, row_version: int, calendar: WorkingCalendar) -> Referral:
    return Referral(
        signal_id=delivery.signal_id,
        offer=delivery.offer,
        row_version=row_version,
        revision=delivery.revision,
        version=delivery.version,
        municipality=delivery.municipality,
        deliver_as=delivery.deliver_as,
        state="OFFERED",
        urgency=delivery.urgency,
        due_from=delivery.due_from,
        decide_by=decide_by(delivery.urgency, delivery.due_from, calendar),
    )


def _renewed(case: Case, known: Referral, delivery: Delivery, calendar: WorkingCalendar) -> Case:
    """Apply a new version to an open referral: its content and its terms change, its state does not."""
    if not known.is_open or delivery.revision <= known.revision:
        return case
    accepted = known.accepted_at
    renewed = replace(
        known,
        row_version=known.row_version + 1,
        revision=delivery.revision,
        version=delivery.version,
        urgency=delivery.urgency,
        decide_by=decide_by(delivery.urgency, known.due_from, calendar),
        contact_by=first_contact_by(delivery.urgency, accepted, calendar) if accepted else None,
    )
    return case.changed(renewed)


def _taken_back(case: Case, earlier: Referral, delivery: Delivery, at: datetime) -> Case:
    if delivery.revision <= earlier.revision:
        return case
    after = replace(earlier, row_version=earlier.row_version + 1, revision=delivery.revision)
    if earlier.state in UNDECIDED:
        return case.stepped(replace(after, state="WITHDRAWN", reason=delivery.rule_id), ROUTING, at)
    return case.changed(replace(after, retraction=delivery.rule_id))
