"""Commands for the alerts to the chair: direct danger, or urgent with a minor; to be answered within minutes (R-ROUTE-08)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from signal_exchange.agenda.place import PLACE
from signal_exchange.agenda.records import Alert
from signal_exchange.agenda.store import AgendaStore
from signal_exchange.contracts.reference import load_code_lists
from signal_exchange.domain.policy import Policy
from signal_exchange.runtime import clock
from signal_exchange.runtime.faults import Refused
from signal_exchange.stream.commands import GROUP, AsJson, By, show_json, show_rows, shown
from signal_exchange.stream.naming import number_of

COLUMNS = {
    "number": "nummer",
    "raised_at": "gegeven",
    "urgency_label": "spoed",
    "minor": "minderjarig",
    "signal": "signaal",
    "late": "te laat",
    "acknowledged_by": "gezien door",
}

app = typer.Typer(**GROUP, help="De meldingen aan de voorzitter.")


@app.callback(invoke_without_command=True)
def list_alerts(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """List the alerts: first those that nobody took note of."""
    if ctx.invoked_subcommand is not None:
        return
    with PLACE.reading() as connection:
        rows = [_row(alert, clock.now()) for alert in AgendaStore(connection).alerts()]
    if as_json:
        show_json(rows)
    else:
        show_rows(rows, COLUMNS, empty="Er zijn geen meldingen.")


@app.command()
def acknowledge(alert: Annotated[str, typer.Argument(help="Alert id, or the short number of the list.")], by: By) -> None:
    """Take note of an alert: the first who does so is kept."""
    with PLACE.deciding(PLACE.identity()) as work:
        store = AgendaStore(work.connection)
        found = store.find_alert(alert)
        if found.acknowledged_at is not None:
            raise Refused(f"Deze melding is al gezien, op {shown(found.acknowledged_at)}.")
        store.acknowledge(found.alert_id, clock.now(), by)
    typer.echo(f"Vastgelegd: melding {number_of(found.alert_id, 'A')} is gezien.")


def _row(alert: Alert, now: datetime) -> dict[str, Any]:
    until = alert.raised_at + timedelta(minutes=Policy().alert_within_minutes)
    late = (alert.acknowledged_at or now) > until
    label = load_code_lists().label_nl("urgency", alert.urgency)
    names = {"number": number_of(alert.alert_id, "A"), "signal": number_of(alert.signal_id, "P"), "urgency_label": label}
    return {**asdict(alert), **names, "acknowledge_by": until, "late": late}
