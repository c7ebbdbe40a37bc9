"""Commands of routing: where each signal went. Operators see states and counts; reasons are for the municipality."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from signal_exchange.contracts.codec import decode
from signal_exchange.routing.store import TABLES, RoutingStore, StoredSignal
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.faults import Refused
from signal_exchange.runtime.settings import ServiceSettings

app = typer.Typer(no_args_is_help=True, help="Where the signals went.")
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@app.command("list")
def list_signals(*, as_json: AsJson = False) -> None:
    """List every signal that routing knows, with its state and where it was sent."""
    rows = [_summary(stored) for stored in _stored()]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table("signaal", "gemeente", "versie", "stand", "gestuurd naar")
    for row in rows:
        table.add_row(row["signal_id"], row["municipality"], str(row["version"]), row["state"], ", ".join(row["sent_to"]))
    Console().print(table)


@app.command()
def show(signal_id: str, *, as_json: AsJson = False) -> None:
    """Show one signal: per destination the effect, the form, the rule and since when."""
    found = next((stored for stored in _stored() if stored.signal_id == signal_id), None)
    if found is None:
        raise Refused("Dit signaal is hier niet bekend.")
    details = {**_summary(found), "deliveries": [_plain(each) for each in _accepted(found).get("deliveries", ())]}
    typer.echo(json.dumps(details, indent=2) if as_json else _as_text(details))


def _stored() -> list[StoredSignal]:
    settings = ServiceSettings()
    with Database(settings.database("routing"), TABLES).reading() as connection:
        return RoutingStore(connection).all_signals()


def _accepted(stored: StoredSignal) -> Mapping[str, Any]:
    return decode(stored.accepted, "routing").fields if stored.accepted is not None else {}


def _summary(stored: StoredSignal) -> dict[str, Any]:
    sent = [each["destination"] for each in _accepted(stored).get("deliveries", ()) if each["effect"] == "SEND"]
    about = {name: getattr(stored, name) for name in ("signal_id", "municipality", "version", "state")}
    return {**about, "sent_to": sent}


def _plain(delivery: Mapping[str, Any]) -> dict[str, Any]:
    due_from = delivery["due_from"]
    return {**delivery, "due_from": due_from.isoformat() if due_from else None}


def _as_text(details: Mapping[str, Any]) -> str:
    head = f"{details['signal_id']}  {details['municipality']}  versie {details['version']}  {details['state']}"
    return "\n".join([head, *map(_line, details["deliveries"])])


def _line(delivery: Mapping[str, Any]) -> str:
    return f"  {delivery['destination']}: {delivery['effect']} {delivery['deliver_as'] or '-'} ({delivery['rule_id']})"
