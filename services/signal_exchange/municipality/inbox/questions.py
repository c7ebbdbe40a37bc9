"""Questions of the exchange about links (R-LINK-04): what this municipality was asked, and what its officers answered.

What a question says is sealed, and opened only for an officer who says who that is. The questions that one officer opens or
answers are counted and limited: a question is also a probe.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, Column, Connection, Integer, String, Table, delete, func, select

from signal_exchange.cli.naming import number_of, start_of, the_one
from signal_exchange.contracts import cloud_events
from signal_exchange.contracts.records import MUNICIPAL_ANSWER_BODY, MunicipalAnswerBody
from signal_exchange.domain.links.states import COMPARE, CONFIRM, REJECT, UNDO
from signal_exchange.domain.policy import Policy
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.municipality.inbox.tracing import LINK_QUESTION, opened_detail
from signal_exchange.municipality.sending.outbox import Outbox, Outgoing
from signal_exchange.municipality.store import TABLES
from signal_exchange.runtime.columns import Moment, keys, optional, required
from signal_exchange.runtime.database import Database, add_once, put_newer, values_of
from signal_exchange.stream.parking import Unseal

SHOW: Final = "SHOW"
CLOSED: Final = "CLOSED"
WORDS: Final = {"confirm": CONFIRM, "compare": COMPARE, "deny": REJECT, "undo": UNDO}
"""How an officer says each answer."""

QUESTIONS: Final = Table(
    "projection_questions",
    TABLES,
    *keys(question_id=String),
    *required(revision=BigInteger),
    Column("signal_id", String, nullable=False, index=True),
    *required(version=Integer, state=String, asked_at=Moment),
    *optional(detail=JSON),
)
"""The questions about links in the views that the exchange gave; what they say stays sealed."""

ACTS: Final = Table(
    "record_question_acts",
    TABLES,
    *keys(act_id=String),
    Column("question_id", String, nullable=False, index=True),
    Column("signal_id", String, nullable=False, index=True),
    *required(kind=String, at=Moment, who=String),
)
"""Which officer opened or answered which question, and when."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question as the exchange told it last. `state` is ASKED, COMPARING or CLOSED."""

    question_id: str
    revision: int
    signal_id: str
    version: int
    state: str
    asked_at: datetime
    detail: Mapping[str, Any] | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Act:
    """Act of an officer on a question: SHOW, or the kind of an answer."""

    act_id: str
    question_id: str
    signal_id: str
    kind: str
    at: datetime
    who: str


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that was given; `already` when it was given before."""

    number: str
    signal_id: str
    kind: str
    already: bool


def keep_questions(views: Iterable[Mapping[str, Any]], connection: Connection) -> None:
    """Keep the questions in views, of which an older revision never wins."""
    rows = [_row(view, each) for view in views for each in view["outcomes"] if each["kind"] == LINK_QUESTION]
    put_newer(connection, QUESTIONS, rows, guard="revision")


def forget_questions(signal_id: str, connection: Connection) -> None:
    """Delete the questions about a signal, and who answered them."""
    for table in (QUESTIONS, ACTS):
        connection.execute(delete(table).where(table.c.signal_id == signal_id))


class Questions:
    """The questions and what was done with them, in one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> list[Question]:
        """Return every question, the oldest first."""
        order = (QUESTIONS.c.asked_at, QUESTIONS.c.question_id)
        return values_of(Question, self._connection, select(QUESTIONS).order_by(*order))

    def find(self, named: str) -> Question:
        """Return the question that an officer named, by its id or short number.

        Raises:
            RefusedError: there is none, or more than one.
        """
        start = start_of(named)
        starts = QUESTIONS.c.question_id.startswith(start, autoescape=True)
        chosen = values_of(Question, self._connection, select(QUESTIONS).where(starts).with_for_update())
        found = {each.question_id: each for each in chosen}
        return found[the_one(found, start)]

    def answers(self, question_id: str | None = None) -> dict[str, Act]:
        """Return the last answer to each question, or to one."""
        chosen = select(ACTS).where(ACTS.c.kind != SHOW).order_by(ACTS.c.at, ACTS.c.act_id)
        own = chosen if question_id is None else chosen.where(ACTS.c.question_id == question_id)
        return {row.question_id: Act(*row) for row in self._connection.execute(own)}

    def others_of(self, who: str, since: datetime, question_id: str) -> int:
        """Return the number of other questions that this officer opened or answered since a moment."""
        own = (ACTS.c.who == who, ACTS.c.at > since, ACTS.c.question_id != question_id)
        counted = select(func.count(ACTS.c.question_id.distinct())).where(*own)
        return int(self._connection.execute(counted).scalar_one())

    def add(self, act: Act) -> None:
        """Keep the act of an officer."""
        add_once(self._connection, ACTS, [asdict(act)])


@dataclass(frozen=True, slots=True)
class Officers:
    """The attention officers of one municipality: all that they may do with its questions."""

    municipality: str
    database: Database
    unseal: Unseal
    policy: Policy

    def questions(self) -> list[dict[str, Any]]:
        """Return every question by number, signal and state, and never what it says."""
        with self.database.reading() as connection:
            found, answers = Questions(connection).all(), Questions(connection).answers()
        return [_listed(each, answers.get(each.question_id)) for each in found]

    def show(self, named: str, *, who: str, at: datetime) -> dict[str, Any]:
        """Open a question for an officer, which is recorded and counted.

        Raises:
            RefusedError: there is no such question, or this officer has opened as many as may be.
        """
        with self.database.transaction() as connection:
            questions = Questions(connection)
            question = self._counted(named, who, at, questions)
            detail = self._opened(question)
            questions.add(_act(question, SHOW, who, at))
            answer = questions.answers(question.question_id).get(question.question_id)
        return {**_listed(question, answer), **{name: value for name, value in detail.items() if name != "link_id"}}

    def answer(self, named: str, kind: str, *, who: str, at: datetime) -> Answered:
        """Record the answer of an officer and send it to the exchange, which waits for the other side.

        Raises:
            RefusedError: there is no such question, it takes no such answer now, or this officer has had as many as may be.
        """
        with self.database.transaction() as connection:
            questions = Questions(connection)
            question = self._counted(named, who, at, questions)
            before = questions.answers(question.question_id).get(question.question_id)
            already = before is not None and before.kind == kind
            if not already:
                _require(question, kind, before)
                act = _act(question, kind, who, at)
                questions.add(act)
                Outbox(connection).add([self._outgoing(question, act)], at)
        return Answered(number_of(question.question_id, "Q"), question.signal_id, kind, already)

    def _counted(self, named: str, who: str, at: datetime, questions: Questions) -> Question:
        question, policy = questions.find(named), self.policy
        since = at - timedelta(days=policy.link_questions_days)
        if questions.others_of(who, since, question.question_id) >= policy.link_questions_officer:
            most, days = policy.link_questions_officer, policy.link_questions_days
            raise RefusedError("QUESTIONS_USED_UP", rule="R-LINK-04", days=days, most=most)
        return question

    def _outgoing(self, question: Question, act: Act) -> Outgoing[MunicipalAnswerBody]:
        detail = self._opened(question)
        fields = MunicipalAnswerBody(
            answer_id=act.act_id,
            signal_id=question.signal_id,
            version=question.version,
            municipality=self.municipality,
            link_id=detail["link_id"],
            kind=act.kind,
            key_types=list(detail["key_types"]),
        )
        traceparent = cloud_events.new_traceparent()
        return Outgoing(question.signal_id, question.version, MUNICIPAL_ANSWER_BODY, fields, traceparent, act.act_id)

    def _opened(self, question: Question) -> Mapping[str, Any]:
        detail = opened_detail(self.unseal, f"{question.signal_id}/{question.question_id}", question.detail)
        if detail is None or not {"link_id", "key_types"} <= detail.keys():
            raise RefusedError("QUESTION_UNREADABLE")
        return detail


def _require(question: Question, kind: str, before: Act | None) -> None:
    confirmed = before is not None and before.kind == CONFIRM
    if kind == UNDO and not confirmed:
        raise RefusedError("LINK_NOT_CONFIRMED_HERE", field="answer", rule="R-LINK-04")
    if kind != UNDO and question.state == CLOSED:
        raise RefusedError("QUESTION_CLOSED", field="answer", rule="R-LINK-04")


def _act(question: Question, kind: str, who: str, at: datetime) -> Act:
    return Act(str(uuid.uuid4()), question.question_id, question.signal_id, kind, at, who)


def _listed(question: Question, answer: Act | None) -> dict[str, Any]:
    own = {name: getattr(question, name) for name in ("question_id", "signal_id", "version", "state", "asked_at")}
    given = {"answer": answer.kind if answer else None, "answered_at": answer.at if answer else None}
    return {"number": number_of(question.question_id, "Q"), **own, **given}


def _row(view: Mapping[str, Any], outcome: Mapping[str, Any]) -> dict[str, object]:
    return {
        "question_id": outcome["outcome_id"],
        "revision": view["revision"],
        "signal_id": view["signal_id"],
        "version": outcome["version"],
        "state": outcome["state"],
        "asked_at": outcome["occurred_at"],
        "detail": outcome["detail"],
    }
