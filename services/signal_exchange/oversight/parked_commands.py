"""Commands about parked records: headers only. A person decides, and the service that parked the record acts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated

import typer

from signal_exchange import words
from signal_exchange.cli.asking import DryRun, Yes, ask
from signal_exchange.cli.context import GROUP, AsJson, By, show_json, show_list, show_rows
from signal_exchange.domain.people import Person
from signal_exchange.oversight.actions import AT_ONCE, DiscardReason, OversightActions, Progress, RetryReason
from signal_exchange.oversight.choosing import SHOWN, ParkedChoice, counted
from signal_exchange.oversight.commands import acting

app = typer.Typer(**GROUP, no_args_is_help=True, help="Parked records: look at them, let them be tried again, or drop them.")
LISTED = {
    "parked_id": "column.id",
    "service": "column.service",
    "reason": "column.reason",
    "municipality": "column.municipality",
    "parked_at": "column.since",
    "state": "column.state",
}
COUNTED = {"service": "column.service", "reason": "column.reason", "count": "column.count"}
HEADER = {"name": "column.header", "value": "column.value"}
DECISIONS = {"action": "column.decision", "reason": "column.reason", "by": "column.by", "at": "column.at"}
MOMENTS = ["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d"]

Ids = Annotated[list[str] | None, typer.Argument(metavar="[PARKED_ID]...", help="Ids, as `parked list` shows them.")]
OfService = Annotated[str | None, typer.Option("--service", help="Only what this service parked.")]
ParkedAs = Annotated[str | None, typer.Option("--parked-as", help="Only what was parked for this reason, as UNKNOWN_CODE.")]
OfSender = Annotated[str | None, typer.Option("--sender", help="Only of this municipality, as GM0983; 'none': of nobody.")]
Since = Annotated[
    datetime | None, typer.Option("--since", formats=MOMENTS, help="Only what came in from then on; Amsterdam time unless said.")
]
Until = Annotated[datetime | None, typer.Option("--until", formats=MOMENTS, help="Only what came in before then.")]
Everything = Annotated[bool, typer.Option("--all", help="Every record that waits, when nothing else says which.")]
Decided = Annotated[bool, typer.Option("--all", help="Resolved and discarded records too.")]


@app.command("list")
def list_parked(
    *,
    decided: Decided = False,
    service: OfService = None,
    parked_as: ParkedAs = None,
    sender: OfSender = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """List the parked records that wait for a decision, the oldest first."""
    with acting() as actions:
        rows = actions.parked(ParkedChoice((), service, parked_as, sender, since, until), decided=decided)
    show_list(rows, LISTED, empty=words.text("parked.empty"), as_json=as_json)


@app.command()
def show(parked_id: str, *, as_json: AsJson = False) -> None:
    """Show the headers of one parked record and what was decided about it; its content stays sealed."""
    with acting() as actions:
        found = actions.show(parked_id)
    decisions = [{"action": each.action, "reason": each.reason, "by": each.who, "at": each.at} for each in found.decisions]
    if as_json:
        show_json({**found.headers, "decisions": decisions})
        return
    rows = [{"name": name, "value": value} for name, value in found.headers.items()]
    show_rows(rows, HEADER, empty="-")
    show_rows(decisions, DECISIONS, empty=words.text("parked.undecided"))


@app.command()
def retry(
    parked_ids: Ids = None,
    *,
    by: By,
    reason: Annotated[RetryReason, typer.Option("--reason", help="Why now.")],
    service: OfService = None,
    parked_as: ParkedAs = None,
    sender: OfSender = None,
    since: Since = None,
    until: Until = None,
    everything: Everything = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Let the services that parked records try them again: those of these ids, or all that the filters leave."""
    choice = ParkedChoice(tuple(parked_ids or ()), service, parked_as, sender, since, until, everything)
    act = partial(OversightActions.retry, reason=reason, who=Person(by))
    _decide(RETRY, act, choice, dry_run=dry_run, yes=yes, as_json=as_json)


@app.command()
def discard(
    parked_ids: Ids = None,
    *,
    by: By,
    reason: Annotated[DiscardReason, typer.Option("--reason", help="Why not.")],
    service: OfService = None,
    parked_as: ParkedAs = None,
    sender: OfSender = None,
    since: Since = None,
    until: Until = None,
    everything: Everything = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Let the services that parked records drop them for good: those of these ids, or all that the filters leave."""
    choice = ParkedChoice(tuple(parked_ids or ()), service, parked_as, sender, since, until, everything)
    act = partial(OversightActions.discard, reason=reason, who=Person(by))
    _decide(DISCARD, act, choice, dry_run=dry_run, yes=yes, as_json=as_json)


RETRY, DISCARD = "RETRY", "DISCARD"


def _decide(action: str, act: Callable[..., int], choice: ParkedChoice, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    with acting() as actions:
        chosen, decided = actions.chosen(choice), 0
        if chosen and not dry_run:
            if choice.has_filters or not choice.ids:
                ask(words.text("parked.ask_retry" if action == RETRY else "parked.ask_discard", count=len(chosen)), yes=yes)
            decided = act(actions, [record["parked_id"] for record in chosen], progress=_progress(len(chosen)))
    found = {**counted(chosen), "action": action, "dry_run": dry_run, "decided": decided}
    if as_json:
        show_json(found)
    elif dry_run:
        show_rows(found["by"], COUNTED, empty=words.text("parked.none_fits"))
        show_rows(chosen[:SHOWN], LISTED, empty="")
    else:
        typer.echo(words.text("parked.retried" if action == RETRY else "parked.discarded", count=decided))


def _progress(count: int) -> Progress:
    """Return the bar that shows a person at a terminal the progress of a long decision."""
    shows = count > AT_ONCE and sys.stderr.isatty()
    return lambda done: typer.echo(words.text("parked.progress", done=done, count=count), err=True) if shows else None
