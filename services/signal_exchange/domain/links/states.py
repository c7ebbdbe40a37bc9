"""The state of one link: a function of what both signals share, of the answers and of the moment (R-LINK-04, R-LINK-06).

Answers are taken in the order of their moments, whatever the order in which they came, and each counts once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import reduce

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.links.sharing import SAME_PERSON, SHARED_CONTEXT
from signal_exchange.domain.times import local_day

CANDIDATE, CONFIRMED, REJECTED, REVOKED, EXPIRED = "CANDIDATE", "CONFIRMED", "REJECTED", "REVOKED", "EXPIRED"
OFFICER, CHAIN_DIRECTOR = "ATTENTION_OFFICER", "CHAIN_DIRECTOR"
RELEASE, COMPARE, CONFIRM, REJECT, UNDO, SPLIT = "RELEASE", "COMPARE", "CONFIRM", "REJECT", "UNDO", "SPLIT"


@dataclass(frozen=True, slots=True)
class Answer:
    """The decision of a person about a link; `municipality` is that of an officer, None for the chain director."""

    answer_id: str
    kind: str
    by_role: str
    municipality: str | None
    key_types: frozenset[str]
    at: datetime

    @property
    def who(self) -> str:
        """Give the answerer, as `required` names them."""
        return self.municipality if self.by_role == OFFICER and self.municipality else self.by_role


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of a pair: since when which types are shared, and until when an unanswered question stands.

    `closed_at` is the moment since when a side is closed; `last_day` the last day of the youngest shared epoch.
    """

    kind: str
    municipalities: frozenset[str]
    shared: Mapping[str, datetime]
    closed_at: datetime | None = None
    last_day: date | None = None

    @property
    def across(self) -> bool:
        """Say whether two municipalities must answer, which takes a release by the chain director."""
        return self.kind == SAME_PERSON and len(self.municipalities) > 1

    @property
    def required(self) -> frozenset[str]:
        """Give those who must confirm: every officer concerned, or the chain director for a context (R-LINK-04)."""
        return self.municipalities if self.kind == SAME_PERSON else frozenset({CHAIN_DIRECTOR})

    def over(self, moment: datetime) -> bool:
        """Say whether a question can no longer be answered: its epoch is gone, or a side of a context is closed."""
        closed = self.kind == SHARED_CONTEXT and self.closed_at is not None and self.closed_at <= moment
        return closed or (self.last_day is not None and local_day(moment) > self.last_day)


@dataclass(frozen=True, slots=True)
class LinkState:
    """The state of a link. `changed_at` is the moment of the last answer that changed something."""

    state: str = CANDIDATE
    evidence_gone: bool = False
    released_at: datetime | None = None
    compared: frozenset[str] = frozenset()
    confirmed_by: frozenset[str] = frozenset()
    awaits: frozenset[str] = frozenset()
    answer_by: datetime | None = None
    overdue: bool = False
    changed_at: datetime | None = None
    rejected_types: frozenset[str] = field(default=frozenset(), repr=False)


def judge(facts: Facts, answers: Iterable[Answer], calendar: WorkingCalendar, now: datetime) -> LinkState:
    """Give the state of a link at a moment."""
    ordered = sorted({answer.answer_id: answer for answer in answers}.values(), key=lambda each: (each.at, each.answer_id))
    told = reduce(lambda state, answer: _taken(_returned(state, facts, answer.at), facts, answer), ordered, LinkState())
    final = _returned(told, facts, max([now, *facts.shared.values()]))
    if final.state == CONFIRMED and not facts.shared:
        return replace(final, state=CANDIDATE, evidence_gone=True)
    if final.state == CANDIDATE:
        return _open(final, facts, calendar, now)
    return final


def _open(state: LinkState, facts: Facts, calendar: WorkingCalendar, now: datetime) -> LinkState:
    if not facts.shared or facts.over(now):
        return replace(state, state=EXPIRED)
    asked = state.released_at if facts.across else min(facts.shared.values())
    if asked is None:
        return replace(state, awaits=facts.required)
    by = calendar.deadline(asked, calendar.policy.link_answer_wd)
    return replace(state, awaits=facts.required - state.confirmed_by, answer_by=by, overdue=by <= now)


def _returned(state: LinkState, facts: Facts, at: datetime) -> LinkState:
    new = {name for name, since in facts.shared.items() if since <= at} - state.rejected_types
    return LinkState() if state.state == REJECTED and new else state


def _taken(state: LinkState, facts: Facts, answer: Answer) -> LinkState:
    if answer.kind == RELEASE and answer.by_role == CHAIN_DIRECTOR and facts.across and state.released_at is None:
        return replace(state, released_at=answer.at, changed_at=answer.at)
    if answer.kind in (UNDO, SPLIT):
        may = answer.by_role == CHAIN_DIRECTOR or (answer.kind == UNDO and answer.who in facts.required)
        return replace(state, state=REVOKED, changed_at=answer.at) if state.state == CONFIRMED and may else state
    return _answered(state, facts, answer) if _is_asked(state, facts, answer) else state


def _is_asked(state: LinkState, facts: Facts, answer: Answer) -> bool:
    unreleased = facts.across and state.released_at is None
    return state.state == CANDIDATE and answer.who in facts.required and not unreleased and not facts.over(answer.at)


def _answered(state: LinkState, facts: Facts, answer: Answer) -> LinkState:
    if answer.kind == REJECT:
        shown = answer.key_types or {name for name, since in facts.shared.items() if since <= answer.at}
        return replace(state, state=REJECTED, rejected_types=frozenset(shown), changed_at=answer.at)
    if answer.kind == COMPARE:
        return replace(state, compared=state.compared | {answer.who}, changed_at=answer.at)
    if answer.kind == CONFIRM:
        by = state.confirmed_by | {answer.who}
        done = CONFIRMED if by >= facts.required else CANDIDATE
        return replace(state, state=done, confirmed_by=by, changed_at=answer.at)
    return state
