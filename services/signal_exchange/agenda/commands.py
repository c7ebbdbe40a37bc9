"""Commands of the screeningsoverleg: the agenda of a week, one item, freezing, deciding and the alerts to the chair."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from signal_exchange.agenda import alerts, link_commands
from signal_exchange.agenda.composition import calendar
from signal_exchange.agenda.decide_command import ItemArgument, decide
from signal_exchange.agenda.deciding import words_bound_to
from signal_exchange.agenda.follow_up_command import follow_up
from signal_exchange.agenda.freezing import closing, next_agenda
from signal_exchange.agenda.handler import chair_in, trace_item
from signal_exchange.agenda.items import STUB, Item
from signal_exchange.agenda.listing import COLUMNS, Table, all_rows, rows_of_week
from signal_exchange.agenda.place import PLACE
from signal_exchange.agenda.records import LINK_UNDONE, RULE_CHANGED, Decided
from signal_exchange.agenda.store import AgendaStore
from signal_exchange.contracts.reference import load_code_lists
from signal_exchange.domain.codes import CodeLists
from signal_exchange.runtime import clock
from signal_exchange.stream.commands import GROUP, AsJson, Opener, OpenSummary, printable, show_json, show_rows, shown
from signal_exchange.stream.describing import described
from signal_exchange.stream.identity import Identity
from signal_exchange.stream.naming import number_of
from signal_exchange.stream.texts import opened_summary, opener
from signal_exchange.stream.work import Work

app = typer.Typer(**GROUP, no_args_is_help=True, help="De agenda van het screeningsoverleg.")
app.add_typer(alerts.app, name="alerts")
app.add_typer(link_commands.app, name="links")

_NOTED = {
    LINK_UNDONE: "is een koppeling ongedaan gemaakt",
    RULE_CHANGED: "staat het er volgens een andere regel; het besluit blijft",
}
"""What a note says, where no rule took the item back."""

Week = Annotated[str | None, typer.Option("--week", help="ISO week, as 2026-W48; without it every undecided item.")]


@app.command("list")
def list_items(*, week: Week = None, as_json: AsJson = False) -> None:
    """List the items in the order of the rules, each with the reason why it is there."""
    codes = load_code_lists()
    if week is not None:
        closing(week, calendar())
    with PLACE.reading() as connection:
        table = Table.of(AgendaStore(connection), calendar())
    rows = all_rows(table, codes) if week is None else rows_of_week(week, table, codes)
    if as_json:
        show_json(rows)
    else:
        show_rows(rows, COLUMNS, empty="Er staat niets op deze agenda.")


@app.command()
def show(signal_id: ItemArgument, *, open_summary: OpenSummary = False, by: Opener = None, as_json: AsJson = False) -> None:
    """Show one item with what was decided; --open opens the sealed summary and the words of the decisions."""
    who = opener(by) if open_summary else None
    identity = PLACE.identity() if who else None
    with PLACE.reading() as connection:
        store = AgendaStore(connection)
        item = store.find(signal_id)
        details = _details(store, item, identity)
    if identity is not None and who is not None:
        with PLACE.deciding(identity) as work:
            AgendaStore(work.connection).add_opening(item.signal_id, item.version, clock.now(), who)
    if as_json:
        show_json(details)
    else:
        typer.echo("\n".join(_lines(details)))


@app.command()
def freeze(
    week: Annotated[str, typer.Argument(help="ISO week, as 2026-W48.")],
    by: Annotated[str | None, typer.Option("--by", help="The chair; needed to make the agenda final.")] = None,
) -> None:
    """Freeze the agenda of a week: the draft once its cut-off has passed, and then the final one."""
    with PLACE.deciding(PLACE.identity()) as work:
        store = AgendaStore(work.connection)
        table = Table.of(store, calendar())
        agenda, put_off = next_agenda(week, table.waiting, table.known, table.agendas.get(week), at=clock.now(), who=by)
        store.add_agenda(agenda, put_off)
        _tell_weeks(Table.of(store, calendar()), agenda.made_at, work)
    state = load_code_lists().label_nl("agenda_state", agenda.state)
    counts = f"{len(json.loads(agenda.content)['items'])} punten, {len(put_off)} schuiven door"
    typer.echo(f"Vastgelegd: agenda {week} is nu '{state}' (versie {agenda.version}): {counts}.")


def _tell_weeks(table: Table, at: datetime, work: Work) -> None:
    """Tell the trace by which meeting each undecided item is due, now that an agenda is frozen."""
    for placed in table.waiting:
        for item in placed.members:
            trace_item(item, chair_in(placed.week, table.known.calendar), at, work)


app.command("decide")(decide)
app.command("follow-up")(follow_up)


def _details(store: AgendaStore, item: Item, identity: Identity | None) -> dict[str, Any]:
    table, codes = Table.of(store, calendar()), load_code_lists()
    week = table.week_of(item)
    rows = rows_of_week(week, table, codes) if week else []
    opened = {"summary": _summary(item, identity)} if identity else {}
    return {
        "number": number_of(item.signal_id, "P"),
        "signal_id": item.signal_id,
        "expected_version": item.version,
        "status": item.status,
        "agenda": next((row for row in rows if row["signal_id"] == item.signal_id), None),
        "delivered": item.signal,
        "decisions": [_decision(each, identity) for each in store.decisions([item.signal_id])],
        "follow_ups": [asdict(each) for each in store.follow_ups(item.signal_id)],
        "notes": [asdict(note) for note in store.notes(item.signal_id)],
        **opened,
    }


def _summary(item: Item, identity: Identity) -> str | None:
    return None if item.deliver_as == STUB else opened_summary(identity, item.summary, item.signal_id, item.version)


def _decision(each: Decided, identity: Identity | None) -> dict[str, Any]:
    row = {name: value for name, value in asdict(each).items() if name != "words"}
    if identity is None or each.words is None:
        return row
    bound_to = words_bound_to(each.signal_id, each.offer, each.number)
    words: dict[str, Any] = json.loads(identity.opened(each.words, bound_to))
    return {**row, **words}


def _lines(details: Mapping[str, Any]) -> Iterator[str]:
    codes = load_code_lists()
    yield f"{details['number']}  ({details['signal_id']}), versie {details['expected_version']}"
    if row := details["agenda"]:
        yield f"agenda {row['week']}, plaats {row['position']}: {row['reason_label']}"
    elif details["status"] == "RETRACTED":
        yield "teruggenomen"
    for word, text in described(details["delivered"], codes) if details["delivered"] else ():
        yield f"  {word}: {text}"
    for each in details["decisions"]:
        yield from _decision_lines(each, codes)
    for each in details["follow_ups"]:
        until = f", volgende keer voor {each['next_date']}" if each["next_date"] else ", afgerond"
        yield f"  {shown(each['at'])}  opvolging{until}  {printable(each['who'])}"
    for note in details["notes"]:
        what = _NOTED.get(note["rule_id"], "teruggenomen")
        yield f"  {shown(note['at'])}  na het besluit {what} (regel {note['rule_id']})"
    if "summary" in details:
        yield f"samenvatting: {printable(details['summary'] or 'geen tekst')}"


def _decision_lines(each: Mapping[str, Any], codes: CodeLists) -> Iterator[str]:
    owner = f", {codes.label_nl('role', each['owner_role'])} voor {each['due_date']}" if each["owner_role"] else ""
    label = codes.label_nl("decision", each["decision"])
    yield f"  {shown(each['decided_at'])}  {label}{owner}  {printable(each['who'])}"
    if each.get("motivation"):
        yield f"    motivering: {printable(each['motivation'])}"
    if each.get("feedback_text"):
        yield f"    aan de gemeente: {printable(each['feedback_text'])}"
