"""Commands for the alerts to the chain director: direct danger, or urgent with a minor; answered within minutes (R-ROUTE-08)."""

from __future__ import annotations

from typing import Annotated

import typer

from signal_exchange import words
from signal_exchange.agenda.acting import acting
from signal_exchange.agenda.printing import ALERT_COLUMNS, alert_of
from signal_exchange.cli.context import GROUP, AsJson, By, show_list
from signal_exchange.cli.naming import number_of
from signal_exchange.domain.people import Person

app = typer.Typer(**GROUP, help="The alerts to the chain director.")


@app.callback(invoke_without_command=True)
def list_alerts(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """List the alerts: first those that nobody took note of."""
    if ctx.invoked_subcommand is not None:
        return
    with acting() as actions:
        rows = [alert_of(each) for each in actions.alerts()]
    show_list(rows, ALERT_COLUMNS, empty=words.text("alert.empty"), as_json=as_json)


@app.command()
def acknowledge(alert: Annotated[str, typer.Argument(help="Alert id, or the short number of the list.")], by: By) -> None:
    """Take note of an alert: the first who does so is kept."""
    with acting() as actions:
        found = actions.acknowledge(alert, Person(by))
    typer.echo(words.text("alert.acknowledged", number=number_of(found.alert_id, "A")))
