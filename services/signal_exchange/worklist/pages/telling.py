"""A worklist in the words of its screens. They say what the rows hold, and decide nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from signal_exchange import words
from signal_exchange.cli.describing import described, form_of
from signal_exchange.cli.naming import number_of
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.referrals.clocks import ACUTE, TimeLeft, time_left
from signal_exchange.domain.referrals.transitions import ROUTING
from signal_exchange.domain.refusals import Phrase
from signal_exchange.domain.signals.coded import VICTIM
from signal_exchange.reference.loading import load_members
from signal_exchange.web.rendering import full_day
from signal_exchange.worklist.actions import SignalDetails
from signal_exchange.worklist.cases import Delivery
from signal_exchange.worklist.listing import CONSULT, WorklistRow

HOME: Final = "/verwijzingen"
NEXT: Final = {
    "OFFERED": "worklist.next.decide",
    "SEEN": "worklist.next.decide",
    "ACCEPTED": "worklist.next.contact",
    "IN_CARE": "worklist.next.progress",
    CONSULT: "worklist.next.advise",
}
"""What a coordinator does next, by the state of a row."""
AFTER: Final = {
    "OFFERED": "worklist.after.decide",
    "SEEN": "worklist.after.decide",
    "ACCEPTED": "worklist.after.contact",
    "IN_CARE": "worklist.after.progress",
    CONSULT: "worklist.after.advise",
}
"""What happens when a term passes, by the state of a row."""
WHY: Final = {
    "C20": "worklist.rule.C20",
    "C30": "worklist.rule.C30",
    "C50": "worklist.rule.C50",
    "C55": "worklist.rule.C55",
    "C60": "worklist.rule.C60",
    "C65": "worklist.rule.C65",
}
"""Why a signal came to a worklist, by the rule that sent it."""
BACK: Final = {"state": "worklist.back.state", "gate": "worklist.back.gate", "default": "worklist.back.rule"}
"""Why a signal was taken back, by the rule that did it (R-ROUTE-06); another one is a rule of the region."""
LISTS: Final = {"REJECTED": "rejection_reason", "COMPLETED": "referral_result", "WITHDRAWN": "withdrawal_reason"}
"""The code list of the reason of each end state."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the history: when and by whom, its kind, which is a state or one of the words below, what happened, and why."""

    at: datetime
    who: str
    kind: str
    text: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """The words of one moment, as templates ask for them."""

    calendar: WorkingCalendar
    now: datetime

    def left(self, row: WorklistRow) -> str:
        """Return the time that is left for a row, or the time that it is late."""
        assert row.due_by is not None  # noqa: S101 - asked only of a row with a term
        left = time_left(row.due_by, self.now, self.calendar, by_clock=row.urgency == ACUTE)
        return words.phrase(_apart(left))

    def is_near(self, row: WorklistRow) -> bool:
        """Say whether the term of a row is within a working day: its badge warns."""
        assert row.due_by is not None  # noqa: S101 - as above
        left = time_left(row.due_by, self.now, self.calendar)
        return left.unit != "WORKING_DAYS" or left.count == 1

    @staticmethod
    def number(row: WorklistRow) -> str:
        """Return the short reference of a row."""
        return number_of(row.signal_id)

    @staticmethod
    def state(row: WorklistRow) -> str:
        """Return the state of a row in words."""
        if row.state != CONSULT:
            return state_of(row.state)
        return words.text("worklist.page.advice_asked" if row.open else "worklist.page.advice_given")

    @staticmethod
    def form(row: WorklistRow) -> str:
        """Return the forms of exploitation."""
        return begun(form_of(row.signal) or "") or words.text("worklist.page.not_delivered")

    @staticmethod
    def municipality(row: WorklistRow) -> str:
        """Return the name of a municipality."""
        return municipality_of(row.municipality)

    @staticmethod
    def who(row: WorklistRow) -> str:
        """Return sex and age band of the possible victims; nothing that is not delivered is named."""
        subjects = row.signal["subjects"] or () if row.signal else ()
        found = [", ".join(_person(each)) for each in subjects if each["role"] == VICTIM]
        return "; ".join(filter(None, found)) or words.text("field.not_shared")

    @staticmethod
    def needs(row: WorklistRow) -> str:
        """Return the care that is needed."""
        needs = row.signal["care_needs"] or () if row.signal else ()
        return ", ".join(words.label("care_need", each) for each in needs) or words.text("worklist.page.no_needs")

    @staticmethod
    def next_step(row: WorklistRow) -> str:
        """Return the next step of the coordinator for an open row, or the reason for its end."""
        if not row.open:
            return ended_by(row.state, row.reason)
        return words.text("worklist.next.asked_back" if row.retraction_asked_by_rule else NEXT[row.state])

    @staticmethod
    def why_here(delivery: Delivery) -> str:
        """Return why a signal came to this worklist, or why it was taken back."""
        if delivery.status == "RETRACTED":
            return why_back(delivery.rule_id)
        return words.text(WHY.get(delivery.rule_id, "worklist.rule.other"))

    @staticmethod
    def why_back(row: WorklistRow) -> str:
        """Return why an accepted referral is asked back, or why it was taken back."""
        return why_back(row.retraction_asked_by_rule) if row.retraction_asked_by_rule else ended_by(row.state, row.reason)

    @staticmethod
    def day(written: str) -> str:
        """Return a day that is kept as 2026-11-28 in full."""
        return full_day(date.fromisoformat(written))

    @staticmethod
    def after(row: WorklistRow) -> str:
        """Return the consequence when the term of a row passes."""
        return words.text(AFTER[row.state])


def _apart(left: TimeLeft) -> Phrase:
    facts = {"count": left.count}
    says = {
        ("WORKING_DAYS", False): Phrase("worklist.left.working_days", facts),
        ("HOURS", False): Phrase("worklist.left.hours", facts),
        ("MINUTES", False): Phrase("worklist.left.minutes", facts),
        ("WORKING_DAYS", True): Phrase("worklist.late.working_days", facts),
        ("HOURS", True): Phrase("worklist.late.hours", facts),
        ("MINUTES", True): Phrase("worklist.late.minutes", facts),
    }
    return says[left.unit, left.late]


def begun(text: str) -> str:
    """Return a label as a sentence begins: of what follows no sign changes, as in AVG."""
    return text[:1].upper() + text[1:]


def state_of(state: str) -> str:
    """Return a state in words, as a sentence begins."""
    return begun(words.label("referral_state", state))


def municipality_of(code: str) -> str:
    """Return the name of a municipality; an unknown code stands for itself."""
    found = load_members().get(code)
    return found.name if found else code


def why_back(rule_id: str) -> str:
    """Return why a signal was taken back."""
    return words.text(BACK.get(rule_id, "worklist.back.rule"))


def ended_by(state: str, reason: str | None) -> str:
    """Return why a referral ended, in words."""
    if state == CONSULT or reason is None:
        return words.text("worklist.page.ended")
    known = words.label(LISTS[state], reason) if state in LISTS else reason
    return why_back(reason) if state == "WITHDRAWN" and known == reason else begun(known)


def fields_of(details: SignalDetails) -> Sequence[tuple[str, str]]:
    """Return the fields of the delivered signal: a word and the known text, line by line."""
    return [(begun(word), text) for word, text in described(details.delivered)] if details.delivered else ()


def grounds_of(delivery: Delivery) -> Iterator[tuple[str, str]]:
    """Yield on what ground and for what partnership a signal was delivered."""
    if delivery.legal_basis:
        yield words.text("worklist.page.basis"), begun(words.label("legal_basis", delivery.legal_basis))
    if delivery.partnership:
        yield words.text("worklist.page.partnership"), begun(words.label("partnership", delivery.partnership))


def events_of(details: SignalDetails) -> list[Event]:
    """Return everything that happened to a signal here, the oldest first."""
    return sorted((*_steps(details), *_advice(details), *_openings(details), *_contacts(details)), key=lambda each: each.at)


def _steps(details: SignalDetails) -> Iterator[Event]:
    for step in details.transitions:
        who = words.text("worklist.page.by_routing") if step.who == ROUTING else step.who
        if step.came_from == step.went_to:
            yield Event(step.at, who, "NOTED", words.text("worklist.page.progress_noted"))
        else:
            why = ended_by(step.went_to, step.reason) if step.reason and step.went_to in LISTS else ""
            yield Event(step.at, who, step.went_to, state_of(step.went_to), why)


def _advice(details: SignalDetails) -> Iterator[Event]:
    if details.delivery and details.delivery.is_consult:
        asked, system = details.delivery.due_from, words.text("worklist.page.by_routing")
        yield Event(asked, system, "OFFERED", words.text("worklist.page.advice_asked"))
    for each in details.advice:
        yield Event(each.at, each.who, "ADVISED", words.text("worklist.page.advice_given"))


def _contacts(details: SignalDetails) -> Iterator[Event]:
    for each in details.contacts:
        following = Told.day(each.next_try) if each.next_try else None
        why = words.text("worklist.page.next_try", day=following) if following else ""
        said = words.text("worklist.page.reached" if each.reached else "worklist.page.not_reached", number=each.number)
        yield Event(each.at, each.who, "REACHED" if each.reached else "TRIED", said, why)


def _openings(details: SignalDetails) -> Iterator[Event]:
    for each in details.openings:
        yield Event(each.at, each.who, "OPENED", words.text("worklist.page.summary_opened", version=each.version))


def _person(subject: Mapping[str, Any]) -> Iterator[str]:
    for name, codes in (("sex", "sex"), ("age_band", "age_band")):
        if code := subject.get(name):
            yield words.label(codes, code)
