"""The commands `signal-exchange inbox`: what this node could not read of what the exchange told it; headers only."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from signal_exchange.contracts.topics import municipality_principal
from signal_exchange.municipality.commands import Municipality, node_from_settings
from signal_exchange.municipality.node import SERVICE
from signal_exchange.municipality.parked import InboxParked
from signal_exchange.runtime import clock
from signal_exchange.stream.commands import GROUP, AsJson, By, show_json, show_rows

app = typer.Typer(
    **GROUP, no_args_is_help=True, help="Wat dit knooppunt niet kon lezen: bekijken, opnieuw proberen, laten vervallen."
)
COLUMNS = {"parked_id": "id", "reason": "reden", "topic": "onderwerp", "parked_at": "sinds"}
ParkedId = Annotated[str, typer.Argument(metavar="ID", help="The id of the list.")]


class RetryReason(Enum):
    """Why a record is tried again."""

    SOFTWARE_MENDED = "SOFTWARE_MENDED"
    CAUSE_GONE = "CAUSE_GONE"


class DiscardReason(Enum):
    """Why a record is dropped."""

    DAMAGED = "DAMAGED"
    SENT_AGAIN = "SENT_AGAIN"
    EXCHANGE_AGREES = "EXCHANGE_AGREES"


@app.command("list")
def list_parked(*, municipality: Municipality = None, as_json: AsJson = False) -> None:
    """List what waits for a decision, the oldest first; its content stays encrypted."""
    rows = _parked(municipality).waiting()
    if as_json:
        show_json(rows)
    else:
        show_rows(rows, COLUMNS, empty="Alles wat de uitwisseling vertelde, is gelezen.")


@app.command()
def retry(
    parked_id: ParkedId,
    by: By,
    reason: Annotated[RetryReason, typer.Option("--reason", help="Why now.")],
    municipality: Municipality = None,
) -> None:
    """Read a record again as if it came in now; when that fails it waits on."""
    _parked(municipality).retry(parked_id, reason.value, by, clock.now())
    typer.echo("Gelezen: het record is alsnog verwerkt.")


@app.command()
def discard(
    parked_id: ParkedId,
    by: By,
    reason: Annotated[DiscardReason, typer.Option("--reason", help="Why not.")],
    municipality: Municipality = None,
) -> None:
    """Drop a record for good: its content is destroyed."""
    _parked(municipality).discard(parked_id, reason.value, by, clock.now())
    typer.echo("Vervallen: de inhoud van het record is vernietigd.")


def _parked(code: str | None) -> InboxParked:
    node = node_from_settings(code)
    service = municipality_principal(node.settings.municipality)
    return InboxParked(service, node.database, node.vault_key, node.identity.parking_seal(SERVICE), node.inbox())
