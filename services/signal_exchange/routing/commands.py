"""Commands of routing: where each signal went. Operators see states and counts; reasons are for the municipality."""

from __future__ import annotations

from typing import Any

import typer

from signal_exchange import words
from signal_exchange.cli.context import AsJson, CommandContext, show_list
from signal_exchange.routing.actions import RoutedSignal, RoutingActions
from signal_exchange.routing.tables import TABLES
from signal_exchange.runtime.settings import RoutingSettings, loaded

app = typer.Typer(no_args_is_help=True, help="Where the signals went.")
acting = CommandContext("routing", TABLES, lambda store: RoutingActions(store, loaded(RoutingSettings))).acting
"""Opens the actions of routing for one command."""
LISTED = {
    "signal_id": "column.signal",
    "municipality": "column.municipality",
    "version": "column.version",
    "state": "column.state",
    "sent_to": "column.sent_to",
}
SHOWN = {
    "destination": "column.receiver",
    "effect": "column.decision",
    "deliver_as": "column.form",
    "rule_id": "column.rule",
    "due_from": "column.due_from",
}


@app.command("list")
def list_signals(*, as_json: AsJson = False) -> None:
    """List every signal that routing knows, with its state and where it was sent."""
    with acting() as actions:
        rows = [_summary(each) for each in actions.signals()]
    lines = [{**row, "sent_to": ", ".join(row["sent_to"])} for row in rows]
    show_list(lines, LISTED, value=rows, empty=words.text("routing.empty"), as_json=as_json)


@app.command()
def show(signal_id: str, *, as_json: AsJson = False) -> None:
    """Show one signal: per destination the effect, the form, the rule and since when."""
    with acting() as actions:
        found = actions.signal(signal_id)
    value = {**_summary(found), "deliveries": found.deliveries}
    show_list(found.deliveries, SHOWN, value=value, empty=words.text("routing.sent_nowhere"), as_json=as_json)


def _summary(signal: RoutedSignal) -> dict[str, Any]:
    return {name: getattr(signal, name) for name in ("signal_id", "municipality", "version", "state", "sent_to")}
