"""The steps of a referral as a care coordinator asks for them: judged by the rules, then applied or refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.codes import CodeLists
from signal_exchange.domain.people import Person
from signal_exchange.domain.policy import Policy
from signal_exchange.domain.referrals.clocks import first_contact_by, progress_note_by
from signal_exchange.domain.referrals.transitions import (
    CARE,
    IN_CARE,
    WITHDRAWN,
    YOUTH,
    Transition,
    check_transition,
    next_states,
)
from signal_exchange.domain.refusals import Coded, RefusedError
from signal_exchange.domain.signals.violations import Refusal
from signal_exchange.domain.signals.windows import first_contact_days, planned_contact_days
from signal_exchange.domain.times import local_day
from signal_exchange.stream.acting import require_seen
from signal_exchange.worklist.cases import Case, Referral, opened

_REFUSED: Mapping[str, str] = {
    "planned_contact": "PLANNED_CONTACT_MISSING",
    "first_contact": "FIRST_CONTACT_MISSING",
    "reason": "REASON_UNKNOWN",
    "result": "RESULT_UNKNOWN",
    "withdrawal_asked": "WITHDRAWAL_NOT_ASKED",
}
"""The code of the refusal of each field by the table of transitions."""


CONTACT: Final = "CONTACT"
PROGRESS_NOTE: Final = "PROGRESS_NOTE"
ADVICE: Final = "ADVICE"


@dataclass(frozen=True, slots=True)
class StepRequest:
    """One step that a coordinator asks for. `seen_version` is the row_version that was on the screen; None: the present one.

    `reason` is a code of rejection_reason, withdrawal_reason or referral_result, as the state asks.
    """

    to: str
    who: Person
    seen_version: int | None = None
    planned_contact: date | None = None
    first_contact: date | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ReferralRules:
    """The working days and code lists by which a step is judged."""

    calendar: WorkingCalendar
    codes: CodeLists


def apply_step(case: Case, request: StepRequest, rules: ReferralRules, at: datetime) -> Case:
    """Return the case after the step; an offer that waited for the end of this one is opened then (R-REF-01).

    Raises:
        RefusedError: the rules do not allow it (R-REF-02), in one sentence.
    """
    current = open_referral(case, request.seen_version)
    _check(current, request, rules, at)
    after = _after(current, request, rules.calendar, at)
    return opened(case.stepped(after, request.who.name, at), rules.calendar)


def apply_progress_note(case: Case, who: Person, seen_version: int | None, rules: ReferralRules, at: datetime) -> Case:
    """Return the case after a progress note: the next one is due a term later (R-REF-04).

    Raises:
        RefusedError: nobody is in care, or it changed meanwhile.
    """
    current = open_referral(case, seen_version)
    if current.state != IN_CARE:
        raise RefusedError("NOT_IN_CARE", rule="R-REF-04")
    due = progress_note_by(at, rules.calendar)
    return case.stepped(replace(current, row_version=current.row_version + 1, progress_by=due), who.name, at)


def possible_steps(case: Case) -> frozenset[str]:
    """Return the steps that a coordinator can take now: the states that the rules allow, PROGRESS_NOTE CONTACT and ADVICE."""
    current, advice = case.current, {ADVICE} if case.delivery and case.delivery.is_open_consult else set()
    if current is None:
        return frozenset(advice)
    states = set(next_states(current.standing, _coordinator(current)))
    states -= set() if current.retraction else {WITHDRAWN}
    return frozenset(states | advice | {CONTACT} | ({PROGRESS_NOTE} if current.state == IN_CARE else set()))


def check_contact(reached: bool | None, next_try: date | None, rules: ReferralRules, at: datetime) -> None:  # noqa: FBT001 - as the form gives it
    """Check an attempt to reach a person (R-REF-06).

    Raises:
        RefusedError: it is not said whether the person was reached, or the day of the next attempt is past or too far ahead.
    """
    if reached is None:
        raise RefusedError("REACHED_MISSING", field="reached", rule="R-REF-06")
    days = planned_contact_days(local_day(at), rules.calendar.policy)
    if next_try is not None and (missed := days.missed_by(next_try)):
        raise RefusedError("NEXT_TRY_OUTSIDE_WINDOW", field="next_try", rule="R-REF-06", missed=missed)


def open_referral(case: Case, seen_version: int | None = None) -> Referral:
    """Return the referral that is open, as a person saw it; None: the person does not say what was seen.

    Raises:
        RefusedError: it changed or ended meanwhile, or there is none.
    """
    if case.last is not None:
        require_seen(seen_version, (case.current or case.last).row_version)
    if case.current is None:
        raise RefusedError("NO_OPEN_REFERRAL")
    return case.current


def _check(current: Referral, request: StepRequest, rules: ReferralRules, at: datetime) -> None:
    completes = request.to == "COMPLETED"
    asked = Transition(
        to=request.to,
        role=_coordinator(current),
        expected_version=current.row_version,
        planned_contact=request.planned_contact,
        first_contact=request.first_contact,
        reason=None if completes else request.reason,
        result=request.reason if completes else None,
    )
    refusals = check_transition(current.standing, asked, codes=rules.codes, day=local_day(at))
    if refusals:
        raise _refused(refusals[0], current, request)
    _check_days(request, local_day(at), rules.calendar.policy)


def _coordinator(current: Referral) -> str:
    return YOUTH if current.standing.youth else CARE


def _check_days(request: StepRequest, today: date, policy: Policy) -> None:
    planned, first = request.planned_contact, request.first_contact
    if planned is not None and (missed := planned_contact_days(today, policy).missed_by(planned)):
        raise RefusedError("PLANNED_CONTACT_OUTSIDE_WINDOW", field="planned_contact", rule="R-VAL-24", missed=missed)
    if first is not None and (missed := first_contact_days(today, policy).missed_by(first)):
        raise RefusedError("FIRST_CONTACT_OUTSIDE_WINDOW", field="first_contact", rule="R-VAL-24", missed=missed)


def _refused(refusal: Refusal, current: Referral, request: StepRequest) -> RefusedError:
    if refusal.field == "state":
        before, after = (Coded("referral_state", state) for state in (current.state, request.to))
        return RefusedError("STEP_NOT_NOW", rule=refusal.rule, before=before, after=after)
    if refusal.field == "reason" and request.to == "REJECTED" and request.reason == "NO_CAPACITY":
        return RefusedError("NO_CAPACITY_IS_NO_REASON", field="reason", rule=refusal.rule)
    return RefusedError(_REFUSED[refusal.field], field=refusal.field, rule=refusal.rule)


def _after(current: Referral, request: StepRequest, calendar: WorkingCalendar, at: datetime) -> Referral:
    accepts = request.to == "ACCEPTED"
    return replace(
        current,
        state=request.to,
        row_version=current.row_version + 1,
        reason=request.reason,
        planned_contact=_day(request.planned_contact) or current.planned_contact,
        first_contact=_day(request.first_contact) or current.first_contact,
        accepted_at=at if accepts else current.accepted_at,
        contact_by=first_contact_by(current.urgency, at, calendar) if accepts else current.contact_by,
        progress_by=progress_note_by(at, calendar) if request.to == IN_CARE else current.progress_by,
    )


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
