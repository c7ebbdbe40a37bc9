"""What the meeting decides on an item: judged by the rules, kept with its words sealed, and told to the municipality."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from signal_exchange.agenda.handler import AGENDA, chair_in
from signal_exchange.agenda.items import DEFER, Item, Past, week_after
from signal_exchange.agenda.records import Decided
from signal_exchange.domain.agenda import Decision, check_decision
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.codes import CodeLists
from signal_exchange.domain.outcomes import outcomes_of
from signal_exchange.domain.policy import Policy
from signal_exchange.domain.referrals import CHAIR, MUNICIPALITY
from signal_exchange.domain.times import local_day
from signal_exchange.domain.violations import Refusal
from signal_exchange.domain.windows import due_days
from signal_exchange.runtime.faults import Refused
from signal_exchange.stream.outcomes import Happened, Keeper, SealTo, padded, tell
from signal_exchange.stream.work import Work

DECIDED, DEFERRED = "DECIDED", "DEFERRED"
"""All that is told of a decision besides its outcome: whether it ends the item. The decision itself stays (R-AGENDA-09)."""
ENRICH = "ENRICH"
"""The decision after which the municipality itself has to act."""
GROUP = "table"
STALE = "Dit signaal is intussen veranderd: bekijk het opnieuw en beslis dan."
_WORDS: Mapping[str, str] = {
    "decision": "het besluit (--decision)",
    "instruments": "een instrument (--instrument)",
    "seats_present": "wie aanwezig was (--seat)",
    "legal_basis": "de grondslag (--basis)",
    "motivation": "de motivering (--motivation)",
    "owner_role": "de eigenaar (--owner)",
    "owner_organisation": "de organisatie van de eigenaar (--organisation)",
    "due_date": "de datum (--due)",
    "kept_signal": "het signaal dat blijft (--keeps)",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A decision as a person enters it (R-AGENDA-07). `expected` is the version of the signal that was on the screen."""

    decision: str
    who: str
    motivation: str = field(default="", repr=False)
    feedback: str | None = field(default=None, repr=False)
    expected: int | None = None
    seats: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    basis: str | None = None
    owner: str | None = None
    organisation: str | None = None
    due: date | None = None
    kept: str | None = None

    def keeping(self, signal_id: str) -> Asked:
        """Return the same with the signal that stays when this one is a duplicate."""
        return replace(self, kept=signal_id)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where the item stands when it is decided: its week, the frozen version of that agenda (0: none), and its past."""

    week: str
    agenda_version: int
    past: Past


def decided(item: Item, asked: Asked, spot: Spot, *, codes: CodeLists, policy: Policy, at: datetime, seal_to: SealTo) -> Decided:
    """Return the decision as it is kept.

    Raises:
        Refused: the item is not open, changed meanwhile, or the decision breaks a rule; every field to correct is named.
    """
    _require_open(item, asked, spot.past)
    decision = _decision(item, asked, spot, at)
    earlier = spot.past.defer_decisions
    refusals = check_decision(decision, earlier_deferrals=earlier, codes=codes, day=local_day(at), policy=policy)
    wrong = (*refusals, *_wrong_besides(item, asked, codes, local_day(at)))
    if wrong:
        raise Refused(_sentence(wrong, asked, earlier, policy))
    require_due(asked.due, "--due", local_day(at), policy)
    return _kept(decision, item, asked, spot, seal_to)


def require_due(due: date | None, option: str, today: date, policy: Policy) -> None:
    """Refuse a date that nothing decided today is due on (R-VAL-24), naming the option in which it was entered.

    Raises:
        Refused: it lies before today, or too far ahead.
    """
    if due is not None and (missed := due_days(today, policy).missed_by(due)):
        raise Refused(f"De datum ({option}) {missed}.")


def tell_decision(
    kept: Decided, item: Item, feedback: str | None, *, calendar: WorkingCalendar, seal_to: SealTo, work: Work
) -> None:
    """Tell the municipality the outcome; the decision code never leaves, nor who acts on it."""
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
        keeper=keeper_after(kept, calendar),
    )
    tell(happened, {"feedback_text": feedback}, seal_to, work)


def keeper_after(kept: Decided, calendar: WorkingCalendar) -> Keeper | None:
    """Return who has a signal in hand after a decision (R-FLOW-02).

    After DEFER the chair, until the next meeting. What must be done has a date: the municipality's own work is the
    municipality's, of all else the chair sees to it that it is followed up, because the trace names no partner (R-AGENDA-09).
    """
    if kept.decision == DEFER:
        return chair_in(week_after(kept.week, calendar), calendar)
    if kept.due_date is None:
        return None
    return Keeper(MUNICIPALITY if kept.decision == ENRICH else CHAIR, kept.due_date)


def _require_open(item: Item, asked: Asked, past: Past) -> None:
    if past.decided:
        raise Refused("Over dit punt is al besloten.")
    if item.status != "OFFERED":
        raise Refused("Dit punt is teruggenomen: er valt niets meer te besluiten.")
    if asked.expected is not None and asked.expected != item.version:
        raise Refused(STALE)


def _decision(item: Item, asked: Asked, spot: Spot, at: datetime) -> Decision:
    return Decision(
        cluster_id=item.cluster_id,
        signals=((item.signal_id, item.version),),
        decision=asked.decision,
        instruments=asked.instruments,
        motivation=asked.motivation,
        seats_present=asked.seats,
        legal_basis=asked.basis or item.legal_basis or "",
        decided_at=at,
        agenda_version=spot.agenda_version,
        owner_role=asked.owner,
        owner_organisation=asked.organisation,
        due_date=asked.due,
        kept_signal=asked.kept,
        feedback_text=asked.feedback,
    )


def _wrong_besides(item: Item, asked: Asked, codes: CodeLists, day: date) -> Iterable[Refusal]:
    if asked.owner is not None and not codes.valid("role", asked.owner, day):
        yield Refusal("owner_role", "R-AGENDA-07")
    if asked.kept == item.signal_id:
        yield Refusal("kept_signal", "R-AGENDA-07")


def _sentence(wrong: Iterable[Refusal], asked: Asked, earlier: int, policy: Policy) -> str:
    fields = [refusal.field for refusal in wrong]
    if fields == ["decision"] and asked.decision == DEFER and earlier >= policy.deferrals_max:
        return f"Dit punt is al {earlier} keer aangehouden: neem nu een ander besluit."
    return f"Dit ontbreekt of klopt niet: {', '.join(dict.fromkeys(_WORDS[name] for name in fields))}."


def _kept(decision: Decision, item: Item, asked: Asked, spot: Spot, seal_to: SealTo) -> Decided:
    number = spot.past.defer_decisions + 1
    words = padded({"motivation": asked.motivation, "feedback_text": asked.feedback})
    return Decided(
        signal_id=item.signal_id,
        offer=item.offer,
        number=number,
        cluster_id=item.cluster_id,
        version=item.version,
        decision=decision.decision,
        instruments=list(decision.instruments),
        seats_present=list(decision.seats_present),
        legal_basis=decision.legal_basis,
        owner_role=decision.owner_role,
        owner_organisation=decision.owner_organisation,
        due_date=decision.due_date.isoformat() if decision.due_date else None,
        kept_signal=decision.kept_signal,
        week=spot.week,
        agenda_version=spot.agenda_version,
        decided_at=decision.decided_at,
        who=asked.who,
        words=seal_to(GROUP, words, words_bound_to(item.signal_id, item.offer, number)),
    )


def words_bound_to(signal_id: str, offer: int, number: int) -> str:
    """Return what the sealed words of a decision are bound to."""
    return f"{signal_id}/{offer}/{number}"
