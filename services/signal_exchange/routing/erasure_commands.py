"""Commands of erasures: how far each is, who owes a receipt, and the check of the logs by hand."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import typer

from signal_exchange.routing.composition import terms_of
from signal_exchange.routing.erasing import certificate_of, keys_to_be_gone
from signal_exchange.routing.erasures import ASKED, Erasure, ErasureStore
from signal_exchange.routing.store import TABLES
from signal_exchange.runtime.faults import Refused
from signal_exchange.runtime.settings import RoutingSettings, loaded
from signal_exchange.stream.commands import GROUP, AsJson, Place, service_settings, show_json, show_rows, shown
from signal_exchange.stream.log_check import keys_left

app = typer.Typer(**GROUP, no_args_is_help=True, help="Vernietigingen: hoe ver elke is, en of er nog iets staat.")
PLACE = Place("routing", TABLES)
LISTED = {
    "signal_id": "signaal",
    "municipality": "gemeente",
    "erased_at": "gevraagd",
    "state": "stand",
    "owing": "nog te antwoorden",
}
SHOWN = {"service": "dienst", "state": "antwoord", "at": "wanneer"}


@app.command("list")
def list_erasures(*, as_json: AsJson = False) -> None:
    """List every erasure with its state and who still owes a receipt."""
    with PLACE.reading() as connection:
        store = ErasureStore(connection)
        rows = [_summary(store, each) for each in store.erasures().values()]
    if as_json:
        show_json(rows)
    else:
        show_rows([{**row, "owing": ", ".join(row["owing"])} for row in rows], LISTED, empty="Er is nog niets vernietigd.")


@app.command()
def show(signal_id: str, *, as_json: AsJson = False) -> None:
    """Show one erasure with its receipts, as the certificate will have them."""
    with PLACE.reading() as connection:
        store = ErasureStore(connection)
        erasure = _found(store, signal_id)
        answers = list(store.answers(signal_id).values())
    if as_json:
        show_json(
            {
                **asdict(erasure),
                "state": erasure.state,
                "certificate": certificate_of(erasure, answers, terms_of(loaded(RoutingSettings))),
            }
        )
        return
    typer.echo(f"{signal_id}: {erasure.state}, gevraagd {shown(erasure.erased_at)}, bewezen {shown(erasure.certified_at)}")
    show_rows([asdict(each) for each in answers], SHOWN, empty="Er is nog geen antwoord.")


@app.command()
def check(signal_id: str, *, as_json: AsJson = False) -> None:
    """Read the topics from end to end and tell where a record of this signal still stands; exit code 1 when there is one.

    The service does so by itself when the logs must be clean, and gives the certificate then.
    """
    with PLACE.reading() as connection:
        store = ErasureStore(connection)
        wanted = keys_to_be_gone(store, [_found(store, signal_id)])
    left = keys_left(service_settings().kafka, wanted)
    found = {topic: len(keys) for topic, keys in sorted(left.items())}
    if as_json:
        show_json({"signal_id": signal_id, "left": found})
    else:
        typer.echo("; ".join(f"{topic}: {count}" for topic, count in found.items()) or "Er staat niets meer.")
    raise typer.Exit(1 if found else 0)


def _found(store: ErasureStore, signal_id: str) -> Erasure:
    erasure = store.erasures([signal_id]).get(signal_id)
    if erasure is None:
        raise Refused("Van dit signaal is hier geen vernietiging bekend.")
    return erasure


def _summary(store: ErasureStore, erasure: Erasure) -> dict[str, Any]:
    answered = store.answers(erasure.signal_id)
    about = {name: getattr(erasure, name) for name in ("signal_id", "municipality", "erased_at", "state")}
    return {**about, "owing": [service for service in ASKED if service not in answered]}
