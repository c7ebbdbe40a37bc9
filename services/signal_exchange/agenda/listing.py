"""The rows of an agenda: one per item, in the order of the rules; of a minor no more than the stub (R-ROUTE-07)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from signal_exchange.agenda.freezing import frozen_of
from signal_exchange.agenda.items import STUB, AgendaSlot, Item, Known, Placed, agenda_of, placed
from signal_exchange.agenda.records import Agenda, RecordedDecision
from signal_exchange.agenda.store import AgendaStore
from signal_exchange.contracts.records import DeliveredSignal
from signal_exchange.domain.calendar import WorkingCalendar

ERASED, SHIELDED = "ERASED", "SHIELDED"


@dataclass(frozen=True, slots=True)
class AgendaRow:
    """One item as the meeting sees it. Codes and moments only: the words belong to who shows it.

    `agenda_version` is 0 while the agenda is not frozen. `hidden` says why a frozen item shows nothing of its signal: ERASED, or
    SHIELDED when a subject turned out to be a minor. Of a stub municipality, urgency and due_from are None.
    """

    week: str
    agenda_state: str
    agenda_version: int
    position: int
    rolled_over: bool
    signal_id: str
    cluster_id: str
    version: int
    offer: int
    municipality: str | None
    deliver_as: str
    status: str
    due_from: datetime | None
    urgency: str | None
    minor: bool
    size: int
    deferrals: int
    reason: str
    decision: str | None
    signal: DeliveredSignal | None = field(repr=False)
    hidden: str | None = None

    def of_stub(self) -> AgendaRow:
        """Return the row with no more than a stub may show."""
        return replace(self, municipality=None, due_from=None, urgency=None) if self.deliver_as == STUB else self


@dataclass(frozen=True, slots=True)
class MeetingTable:
    """Everything that lies on the table of the meeting, read at once."""

    items: Mapping[str, Item]
    known: Known
    agendas: Mapping[str, Agenda]
    decisions: Mapping[tuple[str, int], RecordedDecision]

    @classmethod
    def of(cls, store: AgendaStore, calendar: WorkingCalendar) -> MeetingTable:
        """Read the store."""
        agendas = store.agendas()
        latest = {(each.signal_id, each.offer): each for each in store.decisions()}
        return cls(store.items(), Known(store.histories(), frozen_of(agendas), calendar), agendas, latest)

    @property
    def waiting(self) -> list[Placed]:
        """Return the undecided items with their weeks."""
        return placed(self.items.values(), self.known)

    def week_of(self, item: Item) -> str:
        """Return the week of an undecided item; empty for one that waits for nothing."""
        return next((each.week for each in self.waiting if item in each.members), "")

    def slot_of(self, item: Item) -> AgendaSlot:
        """Return the slot in which an item is decided."""
        week = self.week_of(item)
        agenda = self.agendas.get(week)
        return AgendaSlot(week, agenda.version if agenda else 0, self.known.of(item))

    def decided_with(self, item: Item) -> list[Item]:
        """Return an item and the undecided others of its cluster, which one decision ends together (R-AGENDA-03)."""
        members = next((each.members for each in self.waiting if item in each.members), ())
        return [item, *(each for each in members if each != item and not self.known.of(each).decided)]


def rows_of_week(week: str, table: MeetingTable, *, earlier_too: bool = True) -> list[AgendaRow]:
    """Return the agenda of a week: as it was frozen, or as it would be now."""
    agenda = table.agendas.get(week)
    if agenda is not None:
        return [row.of_stub() for row in _frozen_rows(agenda, table)]
    found = [each for each in table.waiting if earlier_too or each.week == week]
    stays, rolls = agenda_of(week, found, table.known)
    return [row.of_stub() for row in _open_rows(week, stays, rolls)]


def all_rows(table: MeetingTable) -> list[AgendaRow]:
    """Return every agenda with an undecided item."""
    weeks = sorted({each.week for each in table.waiting})
    return [row for week in weeks for row in rows_of_week(week, table, earlier_too=False)]


def _open_rows(week: str, stays: Sequence[Placed], rolls: Sequence[Placed]) -> Iterator[AgendaRow]:
    for position, each in enumerate((*stays, *rolls), start=1):
        entry = {name: getattr(each.entry, name) for name in ("urgency", "minor", "size", "deferrals")}
        yield AgendaRow(
            week=week,
            agenda_state="COLLECTING",
            agenda_version=0,
            position=position,
            rolled_over=position > len(stays),
            **entry,
            reason=each.reason,
            decision=None,
            **_of_item(each.members[0]),
        )


def _frozen_rows(agenda: Agenda, table: MeetingTable) -> Iterator[AgendaRow]:
    for position, entry in enumerate(json.loads(agenda.content)["items"], start=1):
        signal_id, version, offer = entry["signals"][0]
        decided = table.decisions.get((signal_id, offer))
        yield AgendaRow(
            week=agenda.week,
            agenda_state=agenda.state,
            agenda_version=agenda.version,
            position=position,
            rolled_over=False,
            size=len(entry["signals"]),
            **{name: entry[name] for name in ("urgency", "minor", "deferrals", "reason")},
            decision=decided.decision if decided else None,
            **{**_frozen_item(signal_id, table.items.get(signal_id), minor=entry["minor"]), "version": version, "offer": offer},
        )


def _frozen_item(signal_id: str, item: Item | None, *, minor: bool) -> dict[str, Any]:
    if item is None:
        nothing = dict.fromkeys(("municipality", "due_from", "signal"))
        ids = dict.fromkeys(("signal_id", "cluster_id"), signal_id)
        return {**ids, "deliver_as": STUB, "status": ERASED, "hidden": ERASED, **nothing}
    shielded = item.deliver_as == STUB and not minor
    return {**_of_item(item), "hidden": SHIELDED, "signal": None} if shielded else _of_item(item)


def _of_item(item: Item) -> dict[str, Any]:
    names = ("signal_id", "cluster_id", "version", "offer", "municipality", "deliver_as", "status", "due_from", "signal")
    return {name: getattr(item, name) for name in names}
