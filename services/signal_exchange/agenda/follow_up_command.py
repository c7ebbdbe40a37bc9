"""The command with which the chair says that a decision was followed up: till then its date is an alarm (R-FLOW-02)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from signal_exchange.agenda.composition import calendar
from signal_exchange.agenda.decide_command import ItemArgument
from signal_exchange.agenda.deciding import require_due
from signal_exchange.agenda.handler import AGENDA
from signal_exchange.agenda.items import Item
from signal_exchange.agenda.place import PLACE
from signal_exchange.agenda.records import Decided, FollowUp
from signal_exchange.agenda.store import AgendaStore
from signal_exchange.domain.referrals import CHAIR
from signal_exchange.domain.times import local_day
from signal_exchange.runtime import clock
from signal_exchange.runtime.faults import Refused
from signal_exchange.stream.commands import By
from signal_exchange.stream.naming import number_of
from signal_exchange.stream.outcomes import Keeper, kept_by
from signal_exchange.stream.work import Work

Next = Annotated[datetime | None, typer.Option("--next", formats=["%Y-%m-%d"], help="Until when again; without it: done.")]


def follow_up(signal_id: ItemArgument, *, by: By, next_date: Next = None) -> None:
    """Say that a decision with a date was followed up, and until when it must be again."""
    require_due(next_date.date() if next_date else None, "--next", local_day(clock.now()), calendar().policy)
    with PLACE.deciding(PLACE.identity()) as work:
        store = AgendaStore(work.connection)
        item = store.find(signal_id)
        decided = _decided(store, item)
        number = sum(each.offer == decided.offer for each in store.follow_ups(decided.signal_id)) + 1
        day = next_date.date().isoformat() if next_date else None
        kept = FollowUp(decided.signal_id, decided.offer, number, day, clock.now(), by)
        store.add_follow_up(kept)
        _tell(kept, decided, item.municipality, work)
    again = f"de volgende keer voor {day}" if day else "het is afgerond"
    typer.echo(f"Vastgelegd: {number_of(decided.signal_id, 'P')} is opgevolgd, {again}.")


def _decided(store: AgendaStore, item: Item) -> Decided:
    """Return the last decision with a date. Of an item that was offered again since, the new offer has the date (R-FLOW-02)."""
    found = [each for each in store.decisions([item.signal_id]) if each.due_date is not None]
    if not found:
        raise Refused("Over dit signaal is niets besloten waar een datum bij hoort.")
    if found[-1].offer != item.offer:
        raise Refused("Dit signaal staat sinds dat besluit opnieuw op de agenda en wacht daar op een nieuw besluit.")
    return found[-1]


def _tell(kept: FollowUp, decided: Decided, municipality: str, work: Work) -> None:
    keeper = Keeper(CHAIR, kept.next_date) if kept.next_date else None
    about = {"signal_id": kept.signal_id, "version": decided.version, "municipality": municipality, "destination": AGENDA}
    work.trace("OUTCOME", at=kept.at, key=kept.signal_id, **about, **kept_by(keeper))
