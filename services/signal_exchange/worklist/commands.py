"""Commands of a worklist: what waits, and one referral with its summary. Both worklists have the same ones."""

from __future__ import annotations

from typing import Annotated

import typer

from signal_exchange import words
from signal_exchange.cli.context import GROUP, AsJson, CommandContext, OpenSummary, ProvenBy, show_list, tell
from signal_exchange.domain.signals.coded import Urgency
from signal_exchange.people.access import Act
from signal_exchange.worklist import step_commands
from signal_exchange.worklist.composition import actions_in
from signal_exchange.worklist.printing import COLUMNS, details_of, lines_of, row_of
from signal_exchange.worklist.service import WORKLIST, WORKLIST_YOUTH
from signal_exchange.worklist.step_commands import SignalIdArgument, worklist_of
from signal_exchange.worklist.store import TABLES

Everything = Annotated[bool, typer.Option("--all", help="The ended ones too.")]
OfUrgency = Annotated[Urgency | None, typer.Option("--urgency", help="Only those of this urgency.")]


def list_referrals(
    ctx: typer.Context, *, everything: Everything = False, urgency: OfUrgency = None, as_json: AsJson = False
) -> None:
    """List the referrals and consults that wait, by what is due."""
    with worklist_of(ctx).looking(Act.WORKLIST_SEE) as (actions, _):
        found = actions.referrals(urgency=urgency, ended=everything)
    rows = [row_of(row) for row in found]
    show_list(rows, COLUMNS, empty=words.text("worklist.empty"), as_json=as_json)


def show(
    ctx: typer.Context,
    signal_id: SignalIdArgument,
    *,
    open_summary: OpenSummary = False,
    by: ProvenBy = None,
    as_json: AsJson = False,
) -> None:
    """Show the delivered fields of one signal and its history; opening the summary marks an offer as seen."""
    summary = {"summary": _opened(ctx, signal_id, by)} if open_summary else {}
    with worklist_of(ctx).looking(Act.WORKLIST_SEE) as (actions, doing):
        found = actions.show(signal_id)
        doing.about = found.signal_id
    details = {**details_of(found), **summary}
    tell(details, "\n".join(lines_of(details)), as_json=as_json)


def _opened(ctx: typer.Context, signal_id: str, by: str | None) -> str | None:
    with worklist_of(ctx).deciding(by) as (actions, who):
        return actions.open_summary(signal_id, who)


def _app(service: str, meaning: str) -> typer.Typer:
    group = typer.Typer(**GROUP, no_args_is_help=True, help=meaning)

    @group.callback()
    def _context(ctx: typer.Context) -> None:
        """Say on which worklist the commands work."""
        ctx.obj = CommandContext(service, TABLES, actions_in)

    group.command("list")(list_referrals)
    group.command("show")(show)
    step_commands.register(group)
    return group


app = _app(WORKLIST, "The worklist of the care coordinator.")
youth_app = _app(WORKLIST_YOUTH, "The worklist of the coordinator of the youth route.")
