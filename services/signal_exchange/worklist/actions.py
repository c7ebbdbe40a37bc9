"""The acts of a care coordinator on one worklist, for commands, routes and pages alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime

from signal_exchange.contracts.records import DeliveredSignal
from signal_exchange.domain.people import Person
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.domain.signals.coded import Urgency
from signal_exchange.people.access import Act
from signal_exchange.people.watching import Doing, watched
from signal_exchange.stream.acting import ActionStore, require_seen
from signal_exchange.stream.erasing import DONE, ErasedSignals
from signal_exchange.stream.texts import guarded, opened_summary
from signal_exchange.stream.work import Work
from signal_exchange.worklist.cases import Case, Delivery, RecordedTransition, Referral
from signal_exchange.worklist.listing import Wanted, WorklistPage, WorklistRow, page_of, rows_of
from signal_exchange.worklist.outcomes import OutcomeSender
from signal_exchange.worklist.store import Advice, Contact, Opening, WorklistStore
from signal_exchange.worklist.transitions import (
    ReferralRules,
    StepRequest,
    apply_progress_note,
    apply_step,
    check_contact,
    open_referral,
    possible_steps,
)


@dataclass(frozen=True, slots=True)
class SignalDetails:
    """One signal on a worklist: the rows about it, what was delivered last, every act on it, who opened its summary.

    `possible` are the steps that the rules allow now, as `possible_steps` names them.
    """

    signal_id: str
    referrals: Sequence[WorklistRow]
    delivery: Delivery | None = field(repr=False)
    transitions: Sequence[RecordedTransition]
    advice: Sequence[Advice]
    openings: Sequence[Opening]
    contacts: Sequence[Contact]
    possible: frozenset[str]

    @property
    def delivered(self) -> DeliveredSignal | None:
        """Return the delivered signal; None after a retraction."""
        return self.delivery.signal if self.delivery else None


@dataclass(frozen=True, slots=True)
class StepTaken:
    """A referral after a step; `next_offered` says that an offer which waited for its end was opened (R-REF-01)."""

    referral: Referral
    next_offered: bool


@dataclass(frozen=True, slots=True)
class WorklistActions:
    """Everything that a care coordinator can see or do. Each method is one transaction; several threads may call them.

    An act is refused to who may not do it by `people.access`, and stands in the audit log. Who lets a person look at a list or
    at details keeps that there as well (`people.watching: watched`).

    `role` keeps this worklist, a code of role.csv; `now` is the clock. An act takes as `seen_version` the row_version that the
    person saw, and is refused when the row changed since.
    """

    store: ActionStore
    rules: ReferralRules
    role: str
    now: Callable[[], datetime]

    def referrals(self, *, urgency: Urgency | None = None, ended: bool = False) -> list[WorklistRow]:
        """Return the rows of the worklist in order: those of one `urgency` or of all, with `ended` the ended ones too."""
        with self.store.reading() as connection:
            found = rows_of(connection, self.now())
        return [row for row in found if (ended or row.open) and urgency in {None, row.urgency}]

    def page(self, wanted: Wanted, number: int = 1) -> WorklistPage:
        """Return one page of what is wanted of the worklist, with the figures about all of it."""
        with self.store.reading() as connection:
            return page_of(connection, wanted, number, self.now())

    def show(self, named: str) -> SignalDetails:
        """Return the details of a signal, named by its id or short number; its summary stays sealed.

        Raises:
            RefusedError: there is none, or more than one.
        """
        with self.store.reading() as connection:
            store = WorklistStore(connection)
            signal_id = store.find(named)
            case, own = store.case(signal_id), rows_of(connection, self.now(), signal_id=signal_id)
            acts = store.transitions(signal_id), store.advice(signal_id)
            kept = store.openings(signal_id), store.contacts(signal_id)
            return SignalDetails(signal_id, own, case.delivery, *acts, *kept, possible_steps(case))

    def erased_at(self, signal_id: str) -> datetime | None:
        """Return when a signal that stood on this worklist was erased; None when it was not, or never stood here."""
        with self.store.reading() as connection:
            receipt = ErasedSignals(connection).receipts([signal_id]).get(signal_id)
        return receipt.at if receipt and receipt.state == DONE else None

    def open_summary(self, named: str, who: Person) -> str | None:
        """Return the text of a sealed summary, None when it holds none. It is kept who opened it; an offer becomes seen.

        Raises:
            RefusedError: nothing was delivered that can be opened here.
        """
        with self._doing(Act.WORKLIST_OPEN_SUMMARY, who) as (doing, work):
            store = WorklistStore(work.connection)
            case = _named(store, named, doing)
            if case.delivery is None:
                raise RefusedError("NO_SUMMARY")
            text = opened_summary(self.store.identity, case.delivery.summary, case.delivery.signal_id, case.delivery.version)
            store.add_opening(Opening(case.delivery.signal_id, case.delivery.version, self.now(), who.name))
            if case.current is not None and case.current.state == "OFFERED":
                self._apply(case, StepRequest("SEEN", who), work)
        return text

    def mark_seen(self, named: str, who: Person, *, seen_version: int | None = None) -> StepTaken:
        """Mark an offer as seen."""
        return self._take(Act.WORKLIST_MARK_SEEN, named, StepRequest("SEEN", who, seen_version))

    def accept(self, named: str, who: Person, *, planned_contact: date | None, seen_version: int | None = None) -> StepTaken:
        """Accept an offer, with the day of the planned contact."""
        return self._take(Act.WORKLIST_ACCEPT, named, StepRequest("ACCEPTED", who, seen_version, planned_contact=planned_contact))

    def reject(self, named: str, who: Person, *, reason: str, seen_version: int | None = None) -> StepTaken:
        """Reject an offer; `reason` is a code of rejection_reason. Lack of capacity is none: that goes to the chain director."""
        return self._take(Act.WORKLIST_REJECT, named, StepRequest("REJECTED", who, seen_version, reason=reason))

    def start_care(self, named: str, who: Person, *, first_contact: date | None, seen_version: int | None = None) -> StepTaken:
        """Record that care began, with the day of the first contact."""
        return self._take(Act.WORKLIST_START_CARE, named, StepRequest("IN_CARE", who, seen_version, first_contact=first_contact))

    def complete(self, named: str, who: Person, *, result: str, seen_version: int | None = None) -> StepTaken:
        """Complete an accepted referral; `result` is a code of referral_result."""
        return self._take(Act.WORKLIST_COMPLETE, named, StepRequest("COMPLETED", who, seen_version, reason=result))

    def withdraw(self, named: str, who: Person, *, reason: str, seen_version: int | None = None) -> StepTaken:
        """Close an accepted referral that was asked back (R-ROUTE-12); `reason` is a code of withdrawal_reason."""
        return self._take(Act.WORKLIST_WITHDRAW, named, StepRequest("WITHDRAWN", who, seen_version, reason=reason))

    def note_progress(self, named: str, who: Person, *, seen_version: int | None = None) -> Referral:
        """Record that care goes on: the next note is due a term later (R-REF-04)."""
        with self._doing(Act.WORKLIST_NOTE_PROGRESS, who) as (doing, work):
            case = _named(WorklistStore(work.connection), named, doing)
            after = apply_progress_note(case, who, seen_version, self.rules, self.now())
            self._keep(after, work)
        return open_referral(after)

    def note_contact(self, named: str, who: Person, *, reached: bool | None, next_try: date | None = None) -> Contact:
        """Keep an attempt to reach the person of an open referral, and the day of the next one (R-REF-06). Nobody is told.

        Raises:
            RefusedError: it is not said whether the person was reached, nothing is open, or the day is past or too far ahead.
        """
        with self._doing(Act.WORKLIST_NOTE_CONTACT, who) as (doing, work):
            store = WorklistStore(work.connection)
            referral = open_referral(_named(store, named, doing))
            check_contact(reached, next_try, self.rules, self.now())
            number, day = len(store.contacts(referral.signal_id)) + 1, next_try.isoformat() if next_try else None
            contact = Contact(referral.signal_id, number, referral.offer, self.now(), who.name, bool(reached), day)
            store.add_contact(contact)
        return contact

    def advise(self, named: str, text: str, who: Person, *, seen_version: int | None = None) -> Advice:
        """Answer a consult; the text goes home sealed to the municipality and is not kept here.

        Raises:
            RefusedError: the text may name a person, no advice is asked, or the signal changed since it was seen.
        """
        advice_text = guarded(text)
        with self._doing(Act.WORKLIST_ADVISE, who) as (doing, work):
            store = WorklistStore(work.connection)
            delivery = _open_consult(_named(store, named, doing), seen_version)
            number = len([each for each in store.advice(delivery.signal_id) if each.offer == delivery.offer]) + 1
            advice = Advice(delivery.signal_id, delivery.offer, number, delivery.version, self.now(), who.name)
            store.add_advice(advice)
            self._sender().report_advice(delivery, advice, advice_text, work)
        return advice

    def _take(self, act: Act, named: str, request: StepRequest) -> StepTaken:
        with self._doing(act, request.who) as (doing, work):
            after = self._apply(_named(WorklistStore(work.connection), named, doing), request, work)
        step = next(each for each in after.steps if each.went_to == request.to)
        referral = next(each for each in after.referrals if each.offer == step.offer)
        return StepTaken(referral, next_offered=after.current is not None and after.current.offer != referral.offer)

    @contextmanager
    def _doing(self, act: Act, who: Person) -> Iterator[tuple[Doing, Work]]:
        """Open the transaction of an act, in which its entry of the audit log holds too; what is refused is kept apart."""
        with watched(self.store.database, act, who, self.now()) as doing, self.store.deciding() as work:
            yield doing, work
            doing.enter(work.connection)

    def _apply(self, case: Case, request: StepRequest, work: Work) -> Case:
        after = apply_step(case, request, self.rules, self.now())
        self._keep(after, work)
        return after

    def _keep(self, after: Case, work: Work) -> None:
        WorklistStore(work.connection).put([after])
        self._sender().report_steps(after, work)

    def _sender(self) -> OutcomeSender:
        return OutcomeSender(self.role, self.rules.calendar, self.store.identity.sealed_part)


def _named(store: WorklistStore, named: str, doing: Doing) -> Case:
    """Return the case of the signal that a person named, and let the act be about it."""
    doing.about = store.find(named)
    return store.case(doing.about)


def _open_consult(case: Case, seen_version: int | None) -> Delivery:
    delivery = case.delivery
    if delivery is None or not delivery.is_open_consult:
        raise RefusedError("NO_ADVICE_ASKED")
    require_seen(seen_version, delivery.version)
    return delivery
