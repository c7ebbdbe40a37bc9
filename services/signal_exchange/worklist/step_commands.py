"""The steps of a coordinator as commands."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from signal_exchange import words
from signal_exchange.cli.context import CommandContext, ProvenBy
from signal_exchange.cli.naming import number_of
from signal_exchange.domain.refusals import Coded
from signal_exchange.worklist.actions import StepTaken, WorklistActions

ISO_DAY = ["%Y-%m-%d"]
SignalIdArgument = Annotated[str, typer.Argument(metavar="SIGNAL_ID", help="Signal id, or the short number of the list.")]
Expected = Annotated[int | None, typer.Option("--expected-version", help="Refuse when it changed since this version.")]
Planned = Annotated[datetime, typer.Option("--planned", formats=ISO_DAY, help="Date of the planned contact.")]
FirstContact = Annotated[datetime, typer.Option("--first-contact", formats=ISO_DAY, help="Date of the first contact.")]
RejectionReason = Annotated[str, typer.Option("--reason", help="Code of rejection_reason.")]
WithdrawalReason = Annotated[str, typer.Option("--reason", help="Code of withdrawal_reason.")]
Result = Annotated[str, typer.Option("--result", help="Code of referral_result.")]


def register(group: typer.Typer) -> None:
    """Add the steps to a worklist's group of commands."""
    for command in (seen, accept, reject, in_care, progress, complete, withdraw, advise):
        group.command()(command)


def worklist_of(ctx: typer.Context) -> CommandContext[WorklistActions]:
    """Return the worklist of a command."""
    context: CommandContext[WorklistActions] = ctx.obj
    return context


def seen(ctx: typer.Context, signal_id: SignalIdArgument, *, by: ProvenBy = None, expected: Expected = None) -> None:
    """Mark an offer as seen."""
    with worklist_of(ctx).deciding(by) as (actions, who):
        _confirm(actions.mark_seen(signal_id, who, seen_version=expected))


def accept(
    ctx: typer.Context, signal_id: SignalIdArgument, *, by: ProvenBy = None, planned: Planned, expected: Expected = None
) -> None:
    """Accept an offer, with the date of the planned contact."""
    with worklist_of(ctx).deciding(by) as (actions, who):
        _confirm(actions.accept(signal_id, who, planned_contact=planned.date(), seen_version=expected))


def reject(
    ctx: typer.Context, signal_id: SignalIdArgument, *, by: ProvenBy = None, reason: RejectionReason, expected: Expected = None
) -> None:
    """Reject an offer. Nobody is turned away for lack of capacity: that goes to the chain director."""
    with worklist_of(ctx).deciding(by) as (actions, who):
        _confirm(actions.reject(signal_id, who, reason=reason, seen_version=expected))


def in_care(
    ctx: typer.Context,
    signal_id: SignalIdArgument,
    *,
    by: ProvenBy = None,
    first_contact: FirstContact,
    expected: Expected = None,
) -> None:
    """Say that care began, with the date of the first contact."""
    with worklist_of(ctx).deciding(by) as (actions, who):
        _confirm(actions.start_care(signal_id, who, first_contact=first_contact.date(), seen_version=expected))


def complete(
    ctx: typer.Context, signal_id: SignalIdArgument, *, by: ProvenBy = None, result: Result, expected: Expected = None
) -> None:
    """Complete an accepted referral."""
    with worklist_of(ctx).deciding(by) as (actions, who):
        _confirm(actions.complete(signal_id, who, result=result, seen_version=expected))


def withdraw(
    ctx: typer.Context, signal_id: SignalIdArgument, *, by: ProvenBy = None, reason: WithdrawalReason, expected: Expected = None
) -> None:
    """Close an accepted referral that was asked back ("intrekking gevraagd", R-ROUTE-12)."""
    with worklist_of(ctx).deciding(by) as (actions, who):
        _confirm(actions.withdraw(signal_id, who, reason=reason, seen_version=expected))


def progress(ctx: typer.Context, signal_id: SignalIdArgument, *, by: ProvenBy = None, expected: Expected = None) -> None:
    """Note that care goes on: the next note is due 20 working days later. The note itself belongs in the care file."""
    with worklist_of(ctx).deciding(by) as (actions, who):
        referral = actions.note_progress(signal_id, who, seen_version=expected)
    typer.echo(words.text("worklist.progress_noted", number=number_of(referral.signal_id), due=referral.due_by()))


def advise(
    ctx: typer.Context,
    signal_id: SignalIdArgument,
    text: Annotated[str, typer.Argument(help="The advice; names and numbers of persons are refused.")],
    *,
    by: ProvenBy = None,
    expected: Expected = None,
) -> None:
    """Answer a consult; the text goes home sealed to the municipality."""
    with worklist_of(ctx).deciding(by) as (actions, who):
        advice = actions.advise(signal_id, text, who, seen_version=expected)
    typer.echo(words.text("worklist.advised", number=number_of(advice.signal_id)))


def _confirm(taken: StepTaken) -> None:
    referral = taken.referral
    number, state, due = number_of(referral.signal_id), Coded("referral_state", referral.state), referral.due_by()
    if due:
        typer.echo(words.text("worklist.step_with_term", number=number, state=state, due=due))
    else:
        typer.echo(words.text("worklist.step", number=number, state=state))
    if taken.next_offered:
        typer.echo(words.text("worklist.next_offered"))
