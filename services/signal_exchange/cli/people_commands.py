"""Commands about the people of one service: who is on the list, who may what, and until when."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from signal_exchange import words
from signal_exchange.cli.context import GROUP, AsJson, show_list
from signal_exchange.cli.people_store import opened_people
from signal_exchange.domain.times import local_day
from signal_exchange.people.actions import NewPerson, PersonRow
from signal_exchange.people.proving import OS
from signal_exchange.people.store import SHORTEST
from signal_exchange.runtime import clock
from signal_exchange.runtime.private_files import write_private

app = typer.Typer(**GROUP, no_args_is_help=True, help="The people of a service: who may come in, in which role, until when.")
ISO_DAY = ["%Y-%m-%d"]
COLUMNS = {
    "number": "column.number",
    "name": "column.name",
    "role": "column.role",
    "valid_from": "column.from",
    "valid_until": "column.until",
    "state": "column.state",
    "deputy_of": "column.stands_in",
}
STATES = words.keyed(
    "people.state.COMING",
    "people.state.ACTIVE",
    "people.state.DEPUTY",
    "people.state.LEAVING",
    "people.state.STOPPED",
    "people.state.ENDED",
)
Named = Annotated[str, typer.Argument(metavar="PERSON", help="Name on the list, or the id or its first 8 signs.")]
LastDay = Annotated[datetime, typer.Option("--last-day", formats=ISO_DAY, help="Last day, that day included.")]
FirstDay = Annotated[datetime, typer.Option("--first-day", formats=ISO_DAY, help="First day.")]


@app.command("list")
def list_people(*, as_json: AsJson = False) -> None:
    """List everybody: role, days, state, and for whom somebody stands in."""
    with opened_people() as opened:
        found, cover = opened.people.people(opened.who()), opened.people.cover()
    names = {row.listed.person_id: row.listed.name for row in found}
    rows = [_row_of(row, names) for row in found]
    show_list(rows, COLUMNS, empty=words.text("people.empty"), as_json=as_json)
    if cover.nobody_from is not None:
        typer.echo(words.text("people.nobody_from", day=cover.nobody_from), err=True)
    elif cover.no_deputy_from is not None:
        typer.echo(words.text("people.no_deputy_from", day=cover.no_deputy_from), err=True)


def _row_of(row: PersonRow, names: dict[str, str]) -> dict[str, Any]:
    listed = row.listed
    return {
        "number": listed.person_id[:SHORTEST],
        "person_id": listed.person_id,
        "name": listed.name,
        "role": words.label("role", listed.role),
        "organisation": listed.organisation,
        "valid_from": listed.valid_from,
        "valid_until": listed.valid_until,
        "state": words.text(STATES[row.state]),
        "deputy_of": ", ".join(f"{names[each.absent]} {each.first_day} - {each.last_day}" for each in row.deputy_of),
    }


@app.command()
def add(
    *,
    name: Annotated[str, typer.Option(help="Staff code or name, as it is kept with each act.")],
    role: Annotated[str, typer.Option(help="Code of role, empty for who is a deputy only.")],
    organisation: Annotated[str, typer.Option(help="CBS code of the municipality, else the name of the group or the seat.")],
    subject: Annotated[str, typer.Option(help="The person as the issuer knows it; of `os` the name of the account.")],
    issuer: Annotated[str, typer.Option(help="Who vouches for the log-in: an OIDC issuer, or os.")] = OS,
    first_day: Annotated[datetime | None, typer.Option(formats=ISO_DAY, help="First day; else today.")] = None,
    last_day: Annotated[datetime | None, typer.Option(formats=ISO_DAY, help="Last day, that day included; else none.")] = None,
) -> None:
    """Add a person. The first one of an empty list is the administrator, whom whoever holds the store may add."""
    begins = local_day(clock.now()) if first_day is None else first_day.date()
    new = NewPerson(issuer, subject, name, role, organisation, begins, None if last_day is None else last_day.date())
    with opened_people() as opened:
        people = opened.people
        listed = people.add_first(new) if people.is_empty() else people.add(new, opened.who())
    typer.echo(words.text("people.added", name=listed.name, number=listed.person_id[:SHORTEST]))


@app.command()
def change(
    person: Named,
    name: Annotated[str | None, typer.Option(help="New staff code or name.")] = None,
    role: Annotated[str | None, typer.Option(help="New role, a code of role.")] = None,
) -> None:
    """Change the name or the role of a person; nobody changes the own role."""
    with opened_people() as opened:
        listed = opened.people.change(person, opened.who(), name=name, role=role)
    typer.echo(words.text("people.changed", name=listed.name))


@app.command()
def end(person: Named, last_day: LastDay) -> None:
    """Let a person leave after a last day; all open work went to somebody else first."""
    with opened_people() as opened:
        listed = opened.people.end(person, opened.who(), last_day=last_day.date())
    typer.echo(words.text("people.ended", name=listed.name, last_day=last_day.date()))


@app.command()
def stop(person: Named) -> None:
    """Take the access of a person away now; what is in hand waits for somebody else."""
    with opened_people() as opened:
        listed = opened.people.stop(person, opened.who())
    typer.echo(words.text("people.stopped", name=listed.name))


@app.command()
def deputy(
    person: Named,
    absent: Annotated[str, typer.Option("--for", help="Who is absent: name on the list, or id.")],
    first_day: FirstDay,
    last_day: LastDay,
) -> None:
    """Let a person stand in for another, from the first day to the last."""
    with opened_people() as opened:
        who = opened.who()
        arranged = opened.people.arrange_deputy(absent, person, who, first_day=first_day.date(), last_day=last_day.date())
    days = {"first_day": first_day.date(), "last_day": last_day.date()}
    typer.echo(words.text("people.deputy", deputy=person, absent=absent, number=arranged.deputy_id, **days))


@app.command("end-deputy")
def end_deputy(number: Annotated[str, typer.Argument(help="Number of the arrangement, as `deputy` told it.")]) -> None:
    """Let a deputy stand in no longer."""
    with opened_people() as opened:
        opened.people.end_deputy(number, opened.who())
    typer.echo(words.text("people.deputy_ended"))


@app.command()
def token(
    person: Named, file: Annotated[Path, typer.Argument(help="New file for the token, which only its owner may read.")]
) -> None:
    """Make a token file with which a person is proven on the command line; the one before proves nobody any more."""
    with opened_people() as opened:
        write_private(file, opened.people.make_token(person, opened.who()))
    typer.echo(words.text("people.token", name=person, file=str(file)))
