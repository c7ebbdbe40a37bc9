"""The decision of the meeting on an item: judged by the rules, kept with its words sealed, reported to the municipality."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from signal_exchange.agenda.handler import AGENDA, chain_director_in
from signal_exchange.agenda.items import DEFER, AgendaSlot, Item, OfferHistory, week_after
from signal_exchange.agenda.records import RecordedDecision
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.codes import CodeLists
from signal_exchange.domain.meetings.agenda import Decision, check_decision
from signal_exchange.domain.people import ACCESS_ONLY, Person
from signal_exchange.domain.policy import Policy
from signal_exchange.domain.referrals.outcomes import outcomes_of
from signal_exchange.domain.referrals.transitions import CHAIN_DIRECTOR, MUNICIPALITY
from signal_exchange.domain.refusals import Phrase, RefusedError
from signal_exchange.domain.signals.violations import Refusal
from signal_exchange.domain.signals.windows import due_days
from signal_exchange.domain.times import local_day
from signal_exchange.stream.acting import require_seen
from signal_exchange.stream.outcomes import ActionOwner, Happened, SealTo, padded, tell
from signal_exchange.stream.texts import guarded
from signal_exchange.stream.work import Work

DECIDED, DEFERRED = "DECIDED", "DEFERRED"
"""The only thing reported of a decision besides its outcome: whether it ends the item. The code itself stays (R-AGENDA-09)."""
ENRICH = "ENRICH"
"""The decision after which the municipality itself has to act."""
GROUP = "table"
_AS_DECIDED = (
    "cluster_id", "decision", "legal_basis", "owner_role", "owner_organisation", "kept_signal", "agenda_version", "decided_at",
)  # fmt: skip
"""The fields of a decision that are kept as the rules saw them."""
_NAMED: Mapping[str, Phrase] = {
    "decision": Phrase("field_decision"),
    "instruments": Phrase("field_instruments"),
    "seats_present": Phrase("field_seats_present"),
    "legal_basis": Phrase("field_legal_basis"),
    "motivation": Phrase("field_motivation"),
    "owner_role": Phrase("field_owner_role"),
    "owner_organisation": Phrase("field_owner_organisation"),
    "due_date": Phrase("field_due_date"),
    "kept_signal": Phrase("field_kept_signal"),
}


@dataclass(frozen=True, slots=True)
class DecisionRequest:
    """A decision as a person enters it (R-AGENDA-07). `seen_version` is the version of the signal that was on the screen.

    `kept_signal` is the signal that stays when the item is a duplicate.
    """

    decision: str
    who: Person
    motivation: str = field(default="", repr=False)
    feedback: str | None = field(default=None, repr=False)
    seen_version: int | None = None
    seats: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    basis: str | None = None
    owner: str | None = None
    organisation: str | None = None
    due: date | None = None
    kept_signal: str | None = None

    def guarded(self) -> DecisionRequest:
        """Return the request when its words name nobody (R-LEAK-01).

        Raises:
            RefusedError: a text may name a person, is too long, or the guard gave no answer.
        """
        motivation = guarded(self.motivation) if self.motivation else ""
        return replace(self, motivation=motivation, feedback=None if self.feedback is None else guarded(self.feedback))


@dataclass(frozen=True, slots=True)
class DecisionRules:
    """The working days and code lists by which a decision is judged."""

    calendar: WorkingCalendar
    codes: CodeLists


def recorded(
    item: Item, request: DecisionRequest, slot: AgendaSlot, rules: DecisionRules, *, at: datetime, seal_to: SealTo
) -> RecordedDecision:
    """Return the decision as it is kept.

    Raises:
        RefusedError: the item is not open, changed meanwhile, or the decision breaks a rule; every field to correct is named.
    """
    _require_open(item, request, slot.history)
    decision, policy, today = _decision(item, request, slot, at), rules.calendar.policy, local_day(at)
    earlier = slot.history.defer_decisions
    refusals = check_decision(decision, earlier_deferrals=earlier, codes=rules.codes, day=today, policy=policy)
    wrong = (*refusals, *_wrong_besides(item, request, rules.codes, today))
    if wrong:
        raise _refused([refusal.field for refusal in wrong], request, earlier, policy)
    require_due(request.due, today, policy)
    return _kept(decision, item, request, slot, seal_to)


def require_due(due: date | None, today: date, policy: Policy, field: str = "due") -> None:
    """Check that something decided today may be due on a day (R-VAL-24); `field` is the one in which it was entered.

    Raises:
        RefusedError: it lies before today, or too far ahead.
    """
    if due is not None and (missed := due_days(today, policy).missed_by(due)):
        raise RefusedError("DUE_DATE_OUTSIDE_WINDOW", field=field, rule="R-VAL-24", missed=missed)


def report_decision(
    kept: RecordedDecision, item: Item, feedback: str | None, *, calendar: WorkingCalendar, seal_to: SealTo, work: Work
) -> None:
    """Report the outcome to the municipality; the decision code never leaves, nor who acts on it."""
    pair = ((kept.signal_id, kept.version),)
    decision = Decision(kept.cluster_id, pair, kept.decision, (), "", (), "", kept.decided_at, 0, kept_signal=kept.kept_signal)
    happened = Happened(
        signal_id=kept.signal_id,
        version=kept.version,
        municipality=item.municipality,
        kind="DECISION",
        offer=kept.offer,
        revision=kept.number,
        state=DEFERRED if kept.decision == DEFER else DECIDED,
        outcome=outcomes_of(decision)[kept.signal_id],
        at=kept.decided_at,
        destination=AGENDA,
        keeper=owner_after(kept, calendar),
    )
    tell(happened, {"feedback_text": feedback}, seal_to, work)


def owner_after(kept: RecordedDecision, calendar: WorkingCalendar) -> ActionOwner | None:
    """Return the owner of a signal after a decision (R-FLOW-02).

    After DEFER that is the chain director, until the next meeting. A decision with work to do has a date: to enrich is the
    work of the municipality; all other work is followed up by the chain director, since the trace names no partner (R-AGENDA-09).
    """
    if kept.decision == DEFER:
        return chain_director_in(week_after(kept.week, calendar), calendar)
    if kept.due_date is None:
        return None
    return ActionOwner(MUNICIPALITY if kept.decision == ENRICH else CHAIN_DIRECTOR, kept.due_date)


def _require_open(item: Item, request: DecisionRequest, history: OfferHistory) -> None:
    if history.decided:
        raise RefusedError("ITEM_DECIDED")
    if item.status != "OFFERED":
        raise RefusedError("ITEM_TAKEN_BACK", rule="R-ROUTE-12")
    require_seen(request.seen_version, item.version)


def _decision(item: Item, request: DecisionRequest, slot: AgendaSlot, at: datetime) -> Decision:
    return Decision(
        cluster_id=item.cluster_id,
        signals=((item.signal_id, item.version),),
        decision=request.decision,
        instruments=request.instruments,
        motivation=request.motivation,
        seats_present=request.seats,
        legal_basis=request.basis or item.legal_basis or "",
        decided_at=at,
        agenda_version=slot.agenda_version,
        owner_role=request.owner,
        owner_organisation=request.organisation,
        due_date=request.due,
        kept_signal=request.kept_signal,
        feedback_text=request.feedback,
    )


def _wrong_besides(item: Item, request: DecisionRequest, codes: CodeLists, day: date) -> Iterable[Refusal]:
    if request.owner is not None and (request.owner in ACCESS_ONLY or not codes.valid("role", request.owner, day)):
        yield Refusal("owner_role", "R-AGENDA-07")
    if request.kept_signal == item.signal_id:
        yield Refusal("kept_signal", "R-AGENDA-07")


def _refused(fields: Sequence[str], request: DecisionRequest, earlier: int, policy: Policy) -> RefusedError:
    if list(fields) == ["decision"] and request.decision == DEFER and earlier >= policy.deferrals_max:
        return RefusedError("DEFERRED_TOO_OFTEN", field="decision", rule="R-AGENDA-07", times=earlier)
    return RefusedError("DECISION_INCOMPLETE", rule="R-AGENDA-07", fields=[_NAMED[name] for name in dict.fromkeys(fields)])


def _kept(decision: Decision, item: Item, request: DecisionRequest, slot: AgendaSlot, seal_to: SealTo) -> RecordedDecision:
    number = slot.history.defer_decisions + 1
    words = padded({"motivation": request.motivation, "feedback_text": request.feedback})
    return RecordedDecision(
        signal_id=item.signal_id,
        offer=item.offer,
        number=number,
        version=item.version,
        instruments=list(decision.instruments),
        seats_present=list(decision.seats_present),
        due_date=decision.due_date.isoformat() if decision.due_date else None,
        week=slot.week,
        **{name: getattr(decision, name) for name in _AS_DECIDED},
        who=request.who.name,
        words=seal_to(GROUP, words, words_bound_to(item.signal_id, item.offer, number)),
    )


def words_bound_to(signal_id: str, offer: int, number: int) -> str:
    """Return the id to which the sealed words of a decision are bound."""
    return f"{signal_id}/{offer}/{number}"
