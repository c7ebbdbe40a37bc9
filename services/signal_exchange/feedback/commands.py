"""Commands of feedback: the view that each municipality has of its signals. Details stay sealed: no key here opens them."""

from __future__ import annotations

from typing import Any

import typer

from signal_exchange import words
from signal_exchange.cli.context import GROUP, AsJson, CommandContext, show_list
from signal_exchange.feedback.actions import FeedbackActions
from signal_exchange.feedback.store import TABLES
from signal_exchange.feedback.views import View

app = typer.Typer(**GROUP, no_args_is_help=True, help="The outcomes that each municipality receives of its own signals.")
LISTED = {
    "municipality": "column.municipality",
    "signal_id": "column.signal",
    "numbers": "column.numbers",
    "steps": "column.steps",
    "outcomes": "column.outcomes",
}
SHOWN = {"source": "column.service", "kind": "column.kind", "state": "column.state", "outcome": "column.outcome"}


acting = CommandContext("feedback", TABLES, FeedbackActions).acting
"""Opens the actions of feedback for one command."""


@app.command("list")
def list_views(*, as_json: AsJson = False) -> None:
    """List every view with how much it holds."""
    with acting() as actions:
        rows = [_summary(view) for view in actions.views()]
    show_list(rows, LISTED, empty=words.text("feedback.empty"), as_json=as_json)


@app.command()
def show(signal_id: str, *, as_json: AsJson = False) -> None:
    """Show the outcomes of one signal; reasons and texts are sealed to its municipality."""
    with acting() as actions:
        found = actions.show(signal_id)
    outcomes = [{name: fields.get(name) for name in SHOWN} for _, fields in found.outcomes.values()]
    value = {**_summary(found), "outcomes": outcomes}
    show_list(outcomes, SHOWN, value=value, empty=words.text("feedback.no_outcome"), as_json=as_json)


def _summary(view: View) -> dict[str, Any]:
    municipality, signal_id = view.owner
    counts = {"numbers": len(view.numbers), "steps": len(view.steps), "outcomes": len(view.outcomes)}
    return {"municipality": municipality, "signal_id": signal_id, "revision": view.revision, **counts}
