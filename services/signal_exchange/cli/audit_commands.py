"""Commands about the audit log of one service: who saw or did what, whether it is whole, and the end of old months."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from signal_exchange import words
from signal_exchange.cli.context import GROUP, AsJson, show_json, show_list
from signal_exchange.cli.people_store import opened_people
from signal_exchange.people.audit import Entry, Wanted

app = typer.Typer(**GROUP, no_args_is_help=True, help="The audit log of a service: who saw or did what. Looking is logged too.")
ISO_DAY = ["%Y-%m-%d"]
COLUMNS = {
    "at": "column.at",
    "who": "column.who",
    "role": "column.role",
    "action": "column.action",
    "act": "column.act",
    "about": "column.about",
    "result": "column.result",
}
Who = Annotated[str, typer.Option("--who", help="Only those of this person_id.")]
About = Annotated[str, typer.Option("--about", help="Only those about this id.")]
Action = Annotated[str, typer.Option("--action", help="Only those with this code of audit_action, as DENIED.")]
FirstDay = Annotated[datetime | None, typer.Option("--first-day", formats=ISO_DAY, help="From this day on.")]
LastDay = Annotated[datetime | None, typer.Option("--last-day", formats=ISO_DAY, help="Until this day, that day included.")]


@app.command("list")
def list_entries(
    *,
    who: Who = "",
    about: About = "",
    action: Action = "",
    first_day: FirstDay = None,
    last_day: LastDay = None,
    page: Annotated[int, typer.Option(min=1, help="Page, the latest entries first.")] = 1,
    as_json: AsJson = False,
) -> None:
    """List entries, the latest first; who is no privacy officer sees the own ones."""
    wanted = _wanted(who, about, action, first_day, last_day)
    with opened_people() as opened:
        found = opened.audit.read(opened.who(), wanted, page=page)
    show_list([_row_of(entry) for entry in found.entries], COLUMNS, empty=words.text("audit.empty"), as_json=as_json)


@app.command()
def export(
    *, who: Who = "", about: About = "", action: Action = "", first_day: FirstDay = None, last_day: LastDay = None
) -> None:
    """Print the entries as JSON, to take along."""
    wanted = _wanted(who, about, action, first_day, last_day)
    with opened_people() as opened:
        found = opened.audit.export(opened.who(), wanted)
    show_json([asdict(entry) for entry in found.entries])


@app.command()
def check() -> None:
    """Make every hash anew and say until when the log is whole; exit code 1 when it is broken."""
    with opened_people() as opened:
        intact = opened.audit.check(opened.who())
    if intact.broken_at is not None:
        month, number = intact.broken_at
        typer.echo(words.text("audit.broken", month=month, number=number))
        raise typer.Exit(1)
    typer.echo(words.text("audit.empty") if intact.until is None else words.text("audit.intact", until=intact.until))


@app.command("end-months")
def end_months() -> None:
    """Delete the months that ended 60 months ago; the rest can be checked still."""
    with opened_people() as opened:
        months = opened.audit.end_old_months(opened.who())
    typer.echo(words.text("audit.ended", months=months) if months else words.text("audit.none_old"))


def _wanted(who: str, about: str, action: str, first_day: datetime | None, last_day: datetime | None) -> Wanted:
    first, last = (None if day is None else day.date() for day in (first_day, last_day))
    return Wanted(who, about, action, first, last)


def _row_of(entry: Entry) -> dict[str, object]:
    labels = {"role": words.label("role", entry.role), "action": words.label("audit_action", entry.action)}
    return {**asdict(entry), **labels}
