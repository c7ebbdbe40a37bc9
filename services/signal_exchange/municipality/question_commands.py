"""Commands of an attention officer about links: the questions of the exchange, the answers to them, and link tokens anew."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Final

import typer

from signal_exchange.contracts.reference import load_code_lists
from signal_exchange.domain.link_states import COMPARE, CONFIRM, REJECT, UNDO
from signal_exchange.municipality.commands import Municipality, await_sent, node_from_settings, relaying
from signal_exchange.municipality.printing import QUESTION_STATES
from signal_exchange.municipality.questions import WORDS, Answered
from signal_exchange.runtime import clock
from signal_exchange.runtime.faults import Refused
from signal_exchange.stream.commands import GROUP, AsJson, By, show_json, show_rows, shown
from signal_exchange.stream.naming import number_of

ANSWERS: Final = {CONFIRM: "bevestigd", COMPARE: "vergelijken", REJECT: "ontkend", UNDO: "ongedaan gemaakt"}
COLUMNS: Final = {"number": "nummer", "signal": "signaal", "state": "stand", "asked_at": "gevraagd", "answer": "antwoord"}
FIELD: Final = {"name": "gegeven", "value": "waarde"}
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
    rows = node_from_settings(municipality).officers().questions()
    if as_json:
        show_json(rows)
    else:
        show_rows([*map(_labelled, rows)], COLUMNS, empty="Er zijn geen koppelvragen.")


@questions_app.command()
def show(question: Named, by: By, *, municipality: Municipality = None, as_json: AsJson = False) -> None:
    """Open one question. Who opens it is recorded and counted; the other signal is shown after both chose to compare."""
    found = node_from_settings(municipality).officers().show(question, who=by, at=clock.now())
    if as_json:
        show_json(found)
    else:
        row = _labelled(found)
        show_rows([{"name": name, "value": shown(row.get(name))} for name in _SHOWN], FIELD, empty="")


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
        raise Refused(f"Dit antwoord bestaat niet. Kies uit: {', '.join(WORDS)}.")
    node = node_from_settings(municipality)
    answered = node.officers().answer(question, WORDS[what], who=by, at=clock.now())
    if not answered.already:
        with relaying(node) as relay:
            await_sent(relay)
    if as_json:
        show_json(asdict(answered))
    else:
        typer.echo(_answered_text(answered))


@tokens_app.callback()
def _tokens() -> None:
    """Keep `renew` a command of a group."""


@tokens_app.command()
def renew(*, municipality: Municipality = None, as_json: AsJson = False) -> None:
    """Make the link tokens that are pending or of an earlier epoch; the running node does so by itself."""
    node = node_from_settings(municipality)
    with node.keepers() as tokens, relaying(node) as relay:
        renewed = node.renewer(tokens).renew()
        await_sent(relay)
    if as_json:
        show_json(asdict(renewed))
    else:
        waits = f"; de andere volgen later: {renewed.waits}" if renewed.waits else ""
        typer.echo(f"Van {renewed.count} signalen zijn de koppelsleutels vernieuwd{waits}.")


def _labelled(row: dict[str, Any]) -> dict[str, Any]:
    codes = load_code_lists()
    return {
        **row,
        "signal": number_of(row["signal_id"], "S"),
        "state": QUESTION_STATES.get(row["state"], row["state"]),
        "answer": ANSWERS.get(row["answer"]),
        "shared": ", ".join(codes.label_nl("link_key_type", each) for each in row.get("key_types", ())),
        "elsewhere": _elsewhere(row.get("other")),
    }


def _elsewhere(other: dict[str, Any] | None) -> str:
    if other is None:
        return "pas te zien als beide gemeenten willen vergelijken"
    codes = load_code_lists()
    form = codes.label_nl("form_of_exploitation", other["form"]) if other["form"] else "-"
    persons = (f"{codes.label_nl('subject_role', each['role'])} ({each['age_class']})" for each in other["subjects"])
    return "; ".join([form, *persons])


def _answered_text(answered: Answered) -> str:
    words = ANSWERS[answered.kind]
    return f"{answered.number} was al beantwoord: {words}." if answered.already else f"Vastgelegd: {answered.number}, {words}."
