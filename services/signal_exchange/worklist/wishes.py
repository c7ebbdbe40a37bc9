"""What a care coordinator asks of a referral: judged by the rules, refused in one sentence, or done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.codes import CodeLists
from signal_exchange.domain.policy import Policy
from signal_exchange.domain.referrals import (
    CARE,
    IN_CARE,
    YOUTH,
    Transition,
    check_transition,
    first_contact_by,
    progress_note_by,
)
from signal_exchange.domain.times import local_day
from signal_exchange.domain.violations import Refusal
from signal_exchange.domain.windows import first_contact_days, planned_contact_days
from signal_exchange.runtime.faults import Refused
from signal_exchange.worklist.cases import Case, Referral, opened

STALE = "Dit is intussen veranderd: bekijk het opnieuw en beslis dan."
_SENTENCES: Mapping[str, str] = {
    "version": STALE,
    "planned_contact": "Geef de datum van het geplande contact.",
    "first_contact": "Geef de datum van het eerste contact.",
    "reason": "Deze reden bestaat niet in de lijst.",
    "result": "Dit resultaat bestaat niet in de lijst.",
    "withdrawal_asked": "Intrekken kan pas als de gemeente daarom vraagt of het signaal is ingetrokken.",
}
NO_CAPACITY = "Geen capaciteit is geen reden om af te wijzen: niemand wordt daarom weggestuurd. Bespreek het met de voorzitter."
NOT_IN_CARE = "Een voortgangsnotitie kan pas als de zorg is begonnen."
NO_REFERRAL = "Van dit signaal is geen open verwijzing."


@dataclass(frozen=True, slots=True)
class Wish:
    """One step that a coordinator wants to take. `expected` is the edition that was on the screen; None: the present one.

    `reason` is a code of rejection_reason, withdrawal_reason or referral_result, as the state asks.
    """

    to: str
    who: str
    expected: int | None = None
    planned_contact: date | None = None
    first_contact: date | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What a step is judged by."""

    calendar: WorkingCalendar
    codes: CodeLists


def fulfilled(case: Case, wish: Wish, rules: Rules, at: datetime) -> Case:
    """Return the case after the step; an offer that waited for the end of this one is opened then (R-REF-01).

    Raises:
        Refused: the rules do not allow it (R-REF-02), in one sentence.
    """
    current = open_referral(case)
    _check(current, wish, rules, at)
    after = _after(current, wish, rules.calendar, at)
    return opened(case.stepped(after, wish.who, at), rules.calendar)


def noted(case: Case, who: str, expected: int | None, rules: Rules, at: datetime) -> Case:
    """Return the case after a progress note: the next one is due a term later (R-REF-04).

    Raises:
        Refused: nobody is in care, or it changed meanwhile.
    """
    current = open_referral(case)
    if current.state != IN_CARE:
        raise Refused(NOT_IN_CARE)
    if expected is not None and expected != current.edition:
        raise Refused(STALE)
    due = progress_note_by(at, rules.calendar)
    return case.stepped(replace(current, edition=current.edition + 1, progress_by=due), who, at)


def open_referral(case: Case) -> Referral:
    """Return the referral that is open.

    Raises:
        Refused: there is none.
    """
    if case.current is None:
        raise Refused(NO_REFERRAL)
    return case.current


def _check(current: Referral, wish: Wish, rules: Rules, at: datetime) -> None:
    completes = wish.to == "COMPLETED"
    asked = Transition(
        to=wish.to,
        role=YOUTH if current.standing.youth else CARE,
        expected_version=current.edition if wish.expected is None else wish.expected,
        planned_contact=wish.planned_contact,
        first_contact=wish.first_contact,
        reason=None if completes else wish.reason,
        result=wish.reason if completes else None,
    )
    refusals = check_transition(current.standing, asked, codes=rules.codes, day=local_day(at))
    if refusals:
        raise Refused(_sentence(refusals[0], current, wish, rules.codes))
    _check_days(wish, local_day(at), rules.calendar.policy)


def _check_days(wish: Wish, today: date, policy: Policy) -> None:
    entered = (
        ("Het geplande contact (--planned)", wish.planned_contact, planned_contact_days(today, policy)),
        ("Het eerste contact (--first-contact)", wish.first_contact, first_contact_days(today, policy)),
    )
    for name, day, days in entered:
        if day is not None and (missed := days.missed_by(day)):
            raise Refused(f"{name} {missed}.")


def _sentence(refusal: Refusal, current: Referral, wish: Wish, codes: CodeLists) -> str:
    if refusal.field == "state":
        before, after = (codes.label_nl("referral_state", state) for state in (current.state, wish.to))
        return f"Deze verwijzing is '{before}': '{after}' kan nu niet."
    if refusal.field == "reason" and wish.to == "REJECTED" and wish.reason == "NO_CAPACITY":
        return NO_CAPACITY
    return _SENTENCES[refusal.field]


def _after(current: Referral, wish: Wish, calendar: WorkingCalendar, at: datetime) -> Referral:
    accepts = wish.to == "ACCEPTED"
    return replace(
        current,
        state=wish.to,
        edition=current.edition + 1,
        reason=wish.reason,
        planned_contact=_day(wish.planned_contact) or current.planned_contact,
        first_contact=_day(wish.first_contact) or current.first_contact,
        accepted_at=at if accepts else current.accepted_at,
        contact_by=first_contact_by(current.urgency, at, calendar) if accepts else current.contact_by,
        progress_by=progress_note_by(at, calendar) if wish.to == IN_CARE else current.progress_by,
    )


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
