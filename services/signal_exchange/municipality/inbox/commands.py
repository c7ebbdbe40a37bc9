"""The commands `signal-exchange inbox`: what this node could not read of what the exchange told it; headers only."""

from __future__ import annotations

from typing import Annotated

import typer

from signal_exchange import words
from signal_exchange.cli.context import GROUP, AsJson, By, show_list
from signal_exchange.domain.people import Person
from signal_exchange.municipality.commands import Municipality, acting
from signal_exchange.municipality.inbox.parked import DiscardReason, RetryReason

app = typer.Typer(**GROUP, no_args_is_help=True, help="What this node could not read: look at it, try it again, drop it.")
COLUMNS = {
    "parked_id": "inbox.column.id",
    "reason": "inbox.column.reason",
    "topic": "inbox.column.topic",
    "parked_at": "inbox.column.since",
}
ParkedId = Annotated[str, typer.Argument(metavar="ID", help="The id of the list.")]


@app.command("list")
def list_parked(*, municipality: Municipality = None, as_json: AsJson = False) -> None:
    """List what waits for a decision, the oldest first; its content stays encrypted."""
    with acting(municipality) as actions:
        rows = actions.parked()
    show_list(rows, COLUMNS, empty=words.text("inbox.all_read"), as_json=as_json)


@app.command()
def retry(
    parked_id: ParkedId,
    by: By,
    reason: Annotated[RetryReason, typer.Option("--reason", help="Why now.")],
    municipality: Municipality = None,
) -> None:
    """Read a record again as if it came in now; when that fails it waits on."""
    with acting(municipality) as actions:
        actions.retry_parked(parked_id, reason, Person(by))
    typer.echo(words.text("inbox.read"))


@app.command()
def discard(
    parked_id: ParkedId,
    by: By,
    reason: Annotated[DiscardReason, typer.Option("--reason", help="Why not.")],
    municipality: Municipality = None,
) -> None:
    """Drop a record for good: its content is destroyed."""
    with acting(municipality) as actions:
        actions.discard_parked(parked_id, reason, Person(by))
    typer.echo(words.text("inbox.dropped"))
