"""Commands of oversight: does the ledger balance, what alarms, which open signals are past their date."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import typer

from signal_exchange.oversight.figures import Figures, alarms, conservation, figures
from signal_exchange.oversight.store import TABLES, OversightStore
from signal_exchange.runtime import clock
from signal_exchange.stream.commands import GROUP, AsJson, Place, show_json, show_rows

app = typer.Typer(**GROUP, no_args_is_help=True, help="Toezicht: wat te laat is en wat alarm geeft.")
check_app = typer.Typer(**GROUP, no_args_is_help=True, help="Klopt het grootboek.")
PLACE = Place("oversight", TABLES)
LATE = {"signal_id": "signaal", "municipality": "gemeente", "keeper": "bij", "owner_role": "eigenaar", "next_date": "uiterlijk"}
LEDGER = {
    "municipality": "gemeente",
    "numbers_sent": "verzonden",
    "places": "nummers",
    "published": "signalen",
    "conserved": "klopt",
}


@check_app.callback()
def _group() -> None:
    """Hold what must be true against what is known."""


@check_app.command("conservation")
def check_conservation(*, as_json: AsJson = False) -> None:
    """Show whether every number and every signal is in exactly one place; exit code 1 when one is not."""
    with PLACE.reading() as connection:
        found = conservation(OversightStore(connection), clock.now())
    if as_json:
        show_json(found)
    else:
        show_rows([_line("alle", found), *(_line(*each) for each in found["municipalities"].items())], LEDGER, empty="-")
    raise typer.Exit(0 if found["conserved"] else 1)


def _line(name: str, found: dict[str, Any]) -> dict[str, Any]:
    places = ", ".join(f"{place} {count}" for place, count in found["numbers"].items() if count)
    return {**found, "municipality": name, "places": places}


@app.command("alarms")
def show_alarms(*, as_json: AsJson = False) -> None:
    """Show what a person must look at; the runbook has a section for each."""
    rows = alarms(_now())
    if as_json:
        show_json(rows)
    else:
        show_rows(rows, {"alarm": "alarm", "count": "aantal"}, empty="Er is geen alarm.")


@app.command("open")
def show_open(*, as_json: AsJson = False) -> None:
    """List the open signals past their next date, or without an owner."""
    rows = [asdict(each) for each in _now().late]
    if as_json:
        show_json(rows)
    else:
        show_rows(rows, LATE, empty="Geen enkel open signaal is over zijn datum.")


def _now() -> Figures:
    with PLACE.reading() as connection:
        return figures(OversightStore(connection), clock.now())
