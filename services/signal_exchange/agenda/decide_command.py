"""The command with which the chair enters a decision of the meeting."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated

import typer

from signal_exchange.agenda.composition import calendar
from signal_exchange.agenda.deciding import Asked, Spot, decided, tell_decision
from signal_exchange.agenda.items import Item
from signal_exchange.agenda.listing import Table
from signal_exchange.agenda.place import PLACE
from signal_exchange.agenda.records import Decided
from signal_exchange.agenda.store import AgendaStore
from signal_exchange.contracts.reference import load_code_lists
from signal_exchange.runtime import clock
from signal_exchange.stream.commands import By
from signal_exchange.stream.identity import Identity
from signal_exchange.stream.naming import number_of
from signal_exchange.stream.texts import guarded
from signal_exchange.stream.work import Work

ItemArgument = Annotated[str, typer.Argument(metavar="SIGNAL_ID", help="Signal id, or the short number of the list.")]
Due = Annotated[datetime | None, typer.Option("--due", formats=["%Y-%m-%d"], help="Until when.")]


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
    asked = Asked(
        decision=decision,
        who=by,
        motivation=guarded(motivation) if motivation else "",
        feedback=None if feedback is None else guarded(feedback),
        expected=expected,
        seats=tuple(seat or ()),
        instruments=tuple(instrument or ()),
        basis=basis,
        owner=owner,
        organisation=organisation,
        due=due.date() if due else None,
    )
    kept = _decide(signal_id, keeps, asked)
    label = load_code_lists().label_nl("decision", decision)
    numbers = ", ".join(number_of(each.signal_id, "P") for each in kept)
    typer.echo(
        f"Vastgelegd: {numbers} '{label}'. {'De gemeente krijgt' if len(kept) == 1 else 'Elke gemeente krijgt'} de uitkomst."
    )


def _decide(named: str, keeps: str | None, asked: Asked) -> list[Decided]:
    identity, known = PLACE.identity(), calendar()
    with PLACE.deciding(identity) as work:
        store = AgendaStore(work.connection)
        item = store.find(named)
        asked = asked.keeping(store.find(keeps).signal_id) if keeps else asked
        table = Table.of(store, known)
        kept = []
        for member in _decided_together(item, asked, table):
            own = asked if member.signal_id == item.signal_id else replace(asked, expected=None)
            kept.append(_decide_one(member, own, table, identity=identity, work=work))
    return kept


def _decide_one(item: Item, asked: Asked, table: Table, *, identity: Identity, work: Work) -> Decided:
    seal_to, policy = identity.sealed_part, table.known.calendar.policy
    kept = decided(item, asked, _spot(item, table), codes=load_code_lists(), policy=policy, at=clock.now(), seal_to=seal_to)
    AgendaStore(work.connection).add_decision(kept, item)
    tell_decision(kept, item, asked.feedback, calendar=table.known.calendar, seal_to=seal_to, work=work)
    return kept


def _decided_together(item: Item, asked: Asked, table: Table) -> list[Item]:
    """Return the named item and the undecided others of its cluster (R-AGENDA-03); a duplicate is decided by itself."""
    if asked.kept is not None:
        return [item]
    members = next((each.members for each in table.waiting if item in each.members), ())
    return [item, *(each for each in members if each != item and not table.known.of(each).decided)]


def _spot(item: Item, table: Table) -> Spot:
    week = table.week_of(item)
    agenda = table.agendas.get(week)
    return Spot(week, agenda.version if agenda else 0, table.known.of(item))
