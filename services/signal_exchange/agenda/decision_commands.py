"""The commands with which the chain director enters a decision of the meeting, and that it was followed up."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from signal_exchange import words
from signal_exchange.agenda.acting import acting
from signal_exchange.agenda.deciding import DecisionRequest
from signal_exchange.cli.context import By
from signal_exchange.cli.naming import number_of
from signal_exchange.domain.people import Person
from signal_exchange.domain.refusals import Coded

ItemArgument = Annotated[str, typer.Argument(metavar="SIGNAL_ID", help="Signal id, or the short number of the list.")]
Due = Annotated[datetime | None, typer.Option("--due", formats=["%Y-%m-%d"], help="Until when.")]
Next = Annotated[datetime | None, typer.Option("--next", formats=["%Y-%m-%d"], help="Until when again; without it: done.")]


def decide(
    signal_id: ItemArgument,
    *,
    decision: Annotated[str, typer.Option("--decision", help="Code of decision.")],
    by: By,
    motivation: Annotated[str, typer.Option("--motivation", help="Why; names nobody, at most 1000 signs.")] = "",
    seat: Annotated[list[str] | None, typer.Option("--seat", help="Who was present: code of chain_partner; repeat.")] = None,
    instrument: Annotated[list[str] | None, typer.Option("--instrument", help="Code of instrument; repeat.")] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="Who acts: code of role.")] = None,
    organisation: Annotated[str | None, typer.Option("--organisation", help="Organisation of the owner.")] = None,
    due: Due = None,
    feedback: Annotated[str | None, typer.Option("--feedback", help="What the municipality reads; names nobody.")] = None,
    basis: Annotated[str | None, typer.Option("--basis", help="Code of legal_basis; without it that of the item.")] = None,
    keeps: Annotated[str | None, typer.Option("--keeps", help="For DUPLICATE: the signal that stays.")] = None,
    expected: Annotated[int | None, typer.Option("--expected-version", help="Refuse when the signal is newer.")] = None,
) -> None:
    """Decide on an item and all signals of its cluster (R-AGENDA-07); a municipality hears the outcome, not the decision."""
    request = DecisionRequest(
        decision=decision,
        who=Person(by),
        motivation=motivation,
        feedback=feedback,
        seen_version=expected,
        seats=tuple(seat or ()),
        instruments=tuple(instrument or ()),
        basis=basis,
        owner=owner,
        organisation=organisation,
        due=due.date() if due else None,
    )
    with acting() as actions:
        decided = actions.decide(signal_id, request, keeps=keeps)
    numbers = [number_of(each.signal_id, "P") for each in decided]
    label = Coded("decision", decision)
    typer.echo(words.text("agenda.decided" if len(decided) == 1 else "agenda.decided_together", numbers=numbers, decision=label))


def follow_up(signal_id: ItemArgument, *, by: By, next_date: Next = None) -> None:
    """Say that a decision with a date was followed up, and until when it must be again."""
    with acting() as actions:
        kept = actions.follow_up(signal_id, Person(by), next_date=next_date.date() if next_date else None)
    number = number_of(kept.signal_id, "P")
    if kept.next_date:
        typer.echo(words.text("agenda.followed_up_until", number=number, day=kept.next_date))
    else:
        typer.echo(words.text("agenda.followed_up", number=number))
