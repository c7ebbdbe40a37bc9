"""Commands about parked records: headers only. A person decides, and the service that parked the record acts."""

from __future__ import annotations

import uuid
from enum import Enum
from typing import Annotated, Any

import typer

from signal_exchange.contracts.topics import retry_topic
from signal_exchange.oversight.commands import PLACE
from signal_exchange.oversight.store import Decision, OversightStore
from signal_exchange.runtime import clock
from signal_exchange.runtime.faults import Refused
from signal_exchange.stream.commands import GROUP, AsJson, By, show_json, show_rows

app = typer.Typer(**GROUP, no_args_is_help=True, help="Geparkeerde records: bekijken, opnieuw laten proberen of laten vervallen.")
LISTED = {
    "parked_id": "id", "service": "dienst", "reason": "reden", "municipality": "gemeente", "parked_at": "sinds", "state": "stand"
}  # fmt: skip


class RetryReason(Enum):
    """Why a record is tried again."""

    CAUSE_GONE = "CAUSE_GONE"
    REGISTER_RENEWED = "REGISTER_RENEWED"
    SOFTWARE_MENDED = "SOFTWARE_MENDED"
    CODE_LIST_RENEWED = "CODE_LIST_RENEWED"


class DiscardReason(Enum):
    """Why a record is dropped."""

    FORGED = "FORGED"
    DAMAGED = "DAMAGED"
    SENT_AGAIN = "SENT_AGAIN"
    SENT_BY_MISTAKE = "SENT_BY_MISTAKE"
    SENDER_AGREES = "SENDER_AGREES"


All = Annotated[bool, typer.Option("--all", help="Resolved and discarded records too.")]


@app.command("list")
def list_parked(*, everything: All = False, as_json: AsJson = False) -> None:
    """List the parked records that wait for a decision, the oldest first."""
    rows = [record for record in _records() if everything or record["state"] == "PARKED"]
    if as_json:
        show_json(rows)
    else:
        show_rows(rows, LISTED, empty="Er is niets geparkeerd.")


@app.command()
def show(parked_id: str, *, as_json: AsJson = False) -> None:
    """Show the headers of one parked record and what was decided about it; its content stays sealed."""
    with PLACE.reading() as connection:
        store = OversightStore(connection)
        record = _found(store, parked_id)
        decisions = [each for each in store.decisions() if each.parked_id == parked_id]
    told = [{"action": each.action, "reason": each.reason, "by": each.who, "at": each.at} for each in decisions]
    if as_json:
        show_json({**record, "decisions": told})
        return
    show_rows([{"name": name, "value": value} for name, value in record.items()], {"name": "veld", "value": "waarde"}, empty="-")
    show_rows(told, {"action": "besluit", "reason": "reden", "by": "door", "at": "op"}, empty="Er is nog niets besloten.")


@app.command()
def retry(parked_id: str, by: By, reason: Annotated[RetryReason, typer.Option("--reason", help="Why now.")]) -> None:
    """Let the service that parked a record try it again."""
    _decide(parked_id, "RETRY", reason.value, by)
    typer.echo("De dienst die het parkeerde, probeert het opnieuw.")


@app.command()
def discard(parked_id: str, by: By, reason: Annotated[DiscardReason, typer.Option("--reason", help="Why not.")]) -> None:
    """Let the service that parked a record drop it for good."""
    _decide(parked_id, "DISCARD", reason.value, by)
    typer.echo("De dienst die het parkeerde, laat het vervallen.")


def _decide(parked_id: str, action: str, reason: str, by: str) -> None:
    with PLACE.deciding(PLACE.identity()) as work:
        store = OversightStore(work.connection)
        record = _found(store, parked_id)
        if record["state"] != "PARKED":
            raise Refused("Over dit record is al besloten.")
        decision = Decision(str(uuid.uuid4()), parked_id, action, reason, by, clock.now())
        store.add_decision(decision)
        service, request_id = record["service"], decision.request_id
        fields = {"request_id": request_id, "parked_id": parked_id, "service": service, "action": action, "reason": reason}
        at = decision.at
        work.send(retry_topic(service), parked_id, "RetryRequest", {**fields, "at": at}, event_id=request_id, at=at)


def _records() -> list[dict[str, Any]]:
    with PLACE.reading() as connection:
        return OversightStore(connection).parked()


def _found(store: OversightStore, parked_id: str) -> dict[str, Any]:
    found = next((record for record in store.parked() if record["parked_id"] == parked_id), None)
    if found is None:
        raise Refused("Dit geparkeerde record is hier niet bekend.")
    return found
