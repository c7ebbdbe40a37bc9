"""The pages of questions about links: the list, one question once it is opened, and its answers (R-LINK-04)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import Response

from signal_exchange import words
from signal_exchange.cli.naming import number_of
from signal_exchange.domain.links.states import COMPARE, CONFIRM, REJECT, UNDO
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.municipality.actions import MunicipalityActions
from signal_exchange.municipality.inbox.questions import CLOSED
from signal_exchange.municipality.telling import ANSWERS, QUESTION_STATES, named
from signal_exchange.people.access import Act, require
from signal_exchange.web.rendering import page
from signal_exchange.web.visits import Submitted, Visitor

QUESTIONS: Final = "/vragen"
WHAT: Final = {
    COMPARE: "municipality.page.answer.COMPARE.what",
    CONFIRM: "municipality.page.answer.CONFIRM.what",
    REJECT: "municipality.page.answer.REJECT.what",
    UNDO: "municipality.page.answer.UNDO.what",
}
"""What happens by each answer, to whom."""
DO: Final = {
    COMPARE: "municipality.page.answer.COMPARE.do",
    CONFIRM: "municipality.page.answer.CONFIRM.do",
    REJECT: "municipality.page.answer.REJECT.do",
    UNDO: "municipality.page.answer.UNDO.do",
}


def router(actions: MunicipalityActions) -> APIRouter:
    """Return the routes of questions about links."""
    found = APIRouter()

    @found.get(QUESTIONS)
    def questions(visit: Visitor) -> Response:
        """Show every question by number, signal and state, and never what it says."""
        require(visit.person, Act.MUNICIPALITY_QUESTIONS)
        return page(visit, "municipality/questions.html.j2", rows=[_in_words(each) for each in actions.questions()])

    @found.get(QUESTIONS + "/{question_id}")
    def closed(visit: Visitor, question_id: str) -> Response:
        """Show one question, still closed: opening it is recorded."""
        require(visit.person, Act.MUNICIPALITY_QUESTIONS)
        return page(
            visit, "municipality/question.html.j2", question=_in_words(_one(actions, question_id)), opened=None, answers=[]
        )

    @found.post(QUESTIONS + "/{question_id}/open")
    def opened(visit: Submitted, question_id: str) -> Response:
        """Open a question, which is recorded and counted, and show the answers it takes with what each does."""
        require(visit.person, Act.MUNICIPALITY_OPEN_QUESTION)
        shown = actions.open_question(question_id, visit.person)
        question = _in_words(shown)
        return page(visit, "municipality/question.html.j2", question=question, opened=shown, answers=_answers(shown))

    @found.post(QUESTIONS + "/{question_id}/antwoord")
    def answer(visit: Submitted, question_id: str) -> Response:
        """Record an answer and send it."""
        require(visit.person, Act.MUNICIPALITY_ANSWER_LINK)
        kind = visit.form.value("antwoord")
        if kind not in WHAT:
            raise RefusedError("ANSWER_UNKNOWN", field="answer", choices=tuple(WHAT))
        answered = actions.answer(question_id, kind, visit.person)
        about = {"number": answered.number, "answer": words.text(ANSWERS[kind])}
        visit.tell("question.answered_before" if answered.already else "question.answered", **about)
        return visit.go(f"{QUESTIONS}/{question_id}")

    return found


def _one(actions: MunicipalityActions, question_id: str) -> Mapping[str, Any]:
    found = next((each for each in actions.questions() if each["question_id"] == question_id), None)
    if found is None:
        raise RefusedError("NUMBER_UNKNOWN")
    return found


def _in_words(row: Mapping[str, Any]) -> dict[str, Any]:
    answered = named(ANSWERS, row["answer"]) if row["answer"] else ""
    about = {"signal": number_of(row["signal_id"], "S"), "answered": answered, "is_open": row["state"] != CLOSED}
    return {**row, **about, "told": named(QUESTION_STATES, row["state"]).capitalize()}


def _answers(shown: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the answers that a question takes now, each with what it does."""
    given = shown["answer"]
    kinds = [COMPARE, CONFIRM, REJECT] if shown["state"] != CLOSED else []
    taken = [each for each in kinds if each != given] + ([UNDO] if given == CONFIRM else [])
    return [{"kind": each, "what": words.text(WHAT[each]), "do": words.text(DO[each])} for each in taken]
