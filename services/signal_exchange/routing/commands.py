"""Commands of routing: where each signal went. Operators see states and counts; reasons are for the municipality."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from signal_exchange.contracts.codec import decode
from signal_exchange.routing.store import TABLES, RoutingStore, StoredSignal
from signal_exchange.runtime.faults import Refused
from signal_exchange.stream.commands import AsJson, Place, show_json, show_rows

app = typer.Typer(no_args_is_help=True, help="Where the signals went.")
PLACE = Place("routing", TABLES)
LISTED = {"signal_id": "signaal", "municipality": "gemeente", "version": "versie", "state": "stand", "sent_to": "gestuurd naar"}
SHOWN = {"destination": "ontvanger", "effect": "besluit", "deliver_as": "vorm", "rule_id": "regel", "due_from": "vanaf"}


@app.command("list")
def list_signals(*, as_json: AsJson = False) -> None:
    """List every signal that routing knows, with its state and where it was sent."""
    rows = [_summary(stored) for stored in _stored()]
    if as_json:
        show_json(rows)
    else:
        show_rows([{**row, "sent_to": ", ".join(row["sent_to"])} for row in rows], LISTED, empty="Er zijn nog geen signalen.")


@app.command()
def show(signal_id: str, *, as_json: AsJson = False) -> None:
    """Show one signal: per destination the effect, the form, the rule and since when."""
    found = next((stored for stored in _stored() if stored.signal_id == signal_id), None)
    if found is None:
        raise Refused("Dit signaal is hier niet bekend.")
    deliveries = list(_accepted(found).get("deliveries", ()))
    if as_json:
        show_json({**_summary(found), "deliveries": deliveries})
    else:
        show_rows(deliveries, SHOWN, empty="Dit signaal is geparkeerd en nergens heen gestuurd.")


def _stored() -> list[StoredSignal]:
    with PLACE.reading() as connection:
        return RoutingStore(connection).all_signals()


def _accepted(stored: StoredSignal) -> Mapping[str, Any]:
    return decode(stored.accepted, "routing").fields if stored.accepted is not None else {}


def _summary(stored: StoredSignal) -> dict[str, Any]:
    sent = [each["destination"] for each in _accepted(stored).get("deliveries", ()) if each["effect"] == "SEND"]
    about = {name: getattr(stored, name) for name in ("signal_id", "municipality", "version", "state")}
    return {**about, "sent_to": sent}
