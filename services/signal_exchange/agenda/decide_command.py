"""The command with which the chair enters a decision of the meeting."""

from __future__ import annotations

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
from signal_exchange.stream.naming import number_of
from signal_exchange.stream.texts import guarded

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
    """Decide on an item (R-AGENDA-07); its municipality hears the outcome, not the decision."""
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
    label = load_code_lists().label_nl("decision", kept.decision)
    typer.echo(f"Vastgelegd: {number_of(kept.signal_id, 'P')} '{label}'. De gemeente krijgt de uitkomst.")


def _decide(named: str, keeps: str | None, asked: Asked) -> Decided:
    identity, known = PLACE.identity(), calendar()
    with PLACE.deciding(identity) as work:
        store = AgendaStore(work.connection)
        item = store.find(named)
        asked = asked.keeping(store.find(keeps).signal_id) if keeps else asked
        spot, codes = _spot(item, Table.of(store, known)), load_code_lists()
        kept = decided(item, asked, spot, codes=codes, policy=known.policy, at=clock.now(), seal_to=identity.sealed_part)
        store.add_decision(kept, item)
        tell_decision(kept, item, asked.feedback, identity.sealed_part, work)
    return kept


def _spot(item: Item, table: Table) -> Spot:
    week = table.week_of(item)
    agenda = table.agendas.get(week)
    return Spot(week, agenda.version if agenda else 0, table.known.of(item))
