"""Commands of an attention officer about links: the questions of the exchange, the answers to them, and link tokens anew."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Final

import typer

from signal_exchange import words
from signal_exchange.cli.context import GROUP, AsJson, By, show_json, show_list, shown, tell
from signal_exchange.cli.naming import number_of
from signal_exchange.domain.people import Person
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.municipality.commands import Municipality, acting
from signal_exchange.municipality.inbox.questions import WORDS
from signal_exchange.municipality.printing import named
from signal_exchange.municipality.telling import ANSWERS, QUESTION_STATES

COLUMNS: Final = {
    "number": "question.column.number",
    "signal": "question.column.signal",
    "state": "question.column.state",
    "asked_at": "question.column.asked_at",
    "answer": "question.column.answer",
}
FIELD: Final = {"name": "question.column.name", "value": "question.column.value"}
_SHOWN: Final = ("number", "signal", "state", "asked_at", "answer", "text", "shared", "frequency", "answer_by", "elsewhere")

questions_app = typer.Typer(**GROUP, help="Questions of the exchange about links, which the attention officer answers.")
tokens_app = typer.Typer(**GROUP, no_args_is_help=True, help="The link tokens of this municipality's signals.")
app = typer.Typer(**GROUP)
Named = Annotated[str, typer.Argument(help="Question id, or the short number of the list.")]


@questions_app.callback(invoke_without_command=True)
def list_questions(ctx: typer.Context, *, municipality: Municipality = None, as_json: AsJson = False) -> None:
    """List the questions by number, signal and state; what one says is opened by `questions show`."""
    if ctx.invoked_subcommand is not None:
        return
    with acting(municipality) as actions:
        rows = actions.questions()
    show_list([*map(_labelled, rows)], COLUMNS, value=rows, empty=words.text("question.none"), as_json=as_json)


@questions_app.command()
def show(question: Named, by: By, *, municipality: Municipality = None, as_json: AsJson = False) -> None:
    """Open one question. Who opens it is recorded and counted; the other signal is shown after both chose to compare."""
    with acting(municipality) as actions:
        found = actions.open_question(question, Person(by))
    row = _labelled(found)
    show_list([{"name": name, "value": shown(row.get(name))} for name in _SHOWN], FIELD, value=found, empty="", as_json=as_json)


@app.command()
def answer(
    question: Named,
    what: Annotated[str, typer.Argument(help="confirm, compare, deny or undo.")],
    by: By,
    *,
    municipality: Municipality = None,
    as_json: AsJson = False,
) -> None:
    """Answer a question about a link. Doing it twice answers once; the other municipality answers for itself."""
    if what not in WORDS:
        raise RefusedError("ANSWER_UNKNOWN", field="answer", choices=tuple(WORDS))
    with acting(municipality) as actions:
        answered = actions.answer(question, WORDS[what], Person(by))
        if not answered.already:
            actions.send()
    number, given = answered.number, named(ANSWERS, answered.kind)
    said = words.text("question.answered_before" if answered.already else "question.answered", number=number, answer=given)
    tell(asdict(answered), said, as_json=as_json)


@tokens_app.callback()
def _tokens() -> None:
    """Keep `renew` a command of a group."""


@tokens_app.command()
def renew(*, municipality: Municipality = None, as_json: AsJson = False) -> None:
    """Make the link tokens that are pending or of an earlier epoch; the running node does so by itself."""
    with acting(municipality) as actions, actions.sending():
        renewed = actions.renew_tokens()
    if as_json:
        show_json(asdict(renewed))
    else:
        later = words.text("question.renewed_in_part", number=renewed.count, reason=renewed.waits)
        typer.echo(later if renewed.waits else words.text("question.renewed", number=renewed.count))


def _labelled(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **row,
        "signal": number_of(row["signal_id"], "S"),
        "state": named(QUESTION_STATES, row["state"]),
        "answer": row["answer"] and named(ANSWERS, row["answer"]),
        "shared": ", ".join(words.label("link_key_type", each) for each in row.get("key_types", ())),
        "elsewhere": _elsewhere(row.get("other")),
    }


def _elsewhere(other: dict[str, Any] | None) -> str:
    if other is None:
        return words.text("question.other_later")
    form = words.label("form_of_exploitation", other["form"]) if other["form"] else "-"
    persons = (f"{words.label('subject_role', each['role'])} ({each['age_class']})" for each in other["subjects"])
    return "; ".join([form, *persons])
