"""Commands of oversight: does the ledger balance, which numbers are given up, what alarms, which open signals are overdue."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from signal_exchange import words
from signal_exchange.cli.asking import DryRun, Yes, ask
from signal_exchange.cli.context import GROUP, AsJson, By, CommandContext, show_json, show_list, show_rows
from signal_exchange.domain.people import Person
from signal_exchange.oversight.actions import LostReason, OversightActions
from signal_exchange.oversight.choosing import NumberChoice
from signal_exchange.oversight.store import TABLES
from signal_exchange.runtime import clock

app = typer.Typer(**GROUP, no_args_is_help=True, help="Oversight: what is overdue and what alarms.")
ledger_app = typer.Typer(**GROUP, no_args_is_help=True, help="Whether the ledger balances.")
acting = CommandContext("oversight", TABLES, lambda store: OversightActions(store, clock.now)).acting
"""Opens the actions of oversight for one command."""
LATE = {
    "signal_id": "column.signal",
    "municipality": "column.municipality",
    "keeper": "column.held_by",
    "owner_role": "column.owner",
    "next_date": "column.next_date",
}
LEDGER = {
    "municipality": "column.municipality",
    "numbers_sent": "column.sent",
    "places": "column.numbers",
    "published": "column.signals",
    "conserved": "column.balances",
}
RANGES = {"run": "column.run", "first": "column.first", "last": "column.last", "count": "column.count"}


@ledger_app.callback()
def _group() -> None:
    """Hold what must be true against what is known."""


@ledger_app.command("conservation")
def show_ledger(*, as_json: AsJson = False) -> None:
    """Show whether every number and every signal is in exactly one place; exit code 1 when one is not."""
    with acting() as actions:
        found = actions.ledger()
    lines = [_line(words.text("ledger.all"), found), *(_line(*each) for each in found["municipalities"].items())]
    show_list(lines, LEDGER, value=found, empty="-", as_json=as_json)
    raise typer.Exit(0 if found["conserved"] else 1)


def _line(name: str, found: dict[str, Any]) -> dict[str, Any]:
    places = ", ".join(f"{place} {count}" for place, count in found["numbers"].items() if count)
    return {**found, "municipality": name, "places": places}


@ledger_app.command("give-up")
def give_up(
    municipality: Annotated[str, typer.Argument(help="CBS code, as GM0983.")],
    publisher_run: Annotated[str | None, typer.Argument(help="The run, as `ledger conservation --json` names it.")] = None,
    sequence: Annotated[int | None, typer.Argument(help="The number in that run, or the first of them.")] = None,
    last: Annotated[int | None, typer.Argument(help="The last of them.")] = None,
    *,
    by: By,
    reason: Annotated[LostReason, typer.Option("--reason", help="Why it will not come.")],
    everything: Annotated[bool, typer.Option("--all", help="Every overdue number of that run, or of the municipality.")] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Say of overdue numbers that they will not come any more: they then count as discarded. Twice is once."""
    choice = NumberChoice(municipality, publisher_run, sequence, last, everything=everything)
    with acting() as actions:
        found = actions.overdue_numbers(choice)
        count = sum(each.count for each in found)
        if not dry_run:
            if everything and count:
                ask(words.text("ledger.ask_give_up", count=count, municipality=municipality), yes=yes)
            found = actions.give_up(choice, reason, Person(by))
    rows, count = [asdict(each) for each in found], sum(each.count for each in found)
    if as_json:
        show_json({"count": count, "ranges": rows, "dry_run": dry_run})
    elif dry_run:
        show_rows(rows, RANGES, empty=words.text("ledger.nothing_overdue"))
    else:
        typer.echo(words.text("ledger.given_up", count=count))


@app.command("alarms")
def show_alarms(*, as_json: AsJson = False) -> None:
    """Show the alarms that need a person; the runbook has a section for each."""
    with acting() as actions:
        rows = actions.alarms()
    show_list(rows, {"alarm": "column.alarm", "count": "column.count"}, empty=words.text("alarms.empty"), as_json=as_json)


@app.command("overdue")
def show_overdue(*, as_json: AsJson = False) -> None:
    """List the open signals past their next date, or without an owner."""
    with acting() as actions:
        rows = [asdict(each) for each in actions.overdue()]
    show_list(rows, LATE, empty=words.text("overdue.empty"), as_json=as_json)
