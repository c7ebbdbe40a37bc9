"""What the agenda shows: a row per item, in the order of the rules; of a minor no more than the stub (R-ROUTE-07)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from signal_exchange.agenda.freezing import frozen_of
from signal_exchange.agenda.items import STUB, Item, Known, Placed, agenda_of, placed
from signal_exchange.agenda.records import Agenda, Decided
from signal_exchange.agenda.store import AgendaStore
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.codes import CodeLists
from signal_exchange.stream.describing import form_of
from signal_exchange.stream.naming import number_of

Row = dict[str, Any]
COLUMNS = {
    "week": "week",
    "position": "plaats",
    "number": "nummer",
    "urgency_label": "spoed",
    "minor_label": "minderjarig",
    "form": "vorm",
    "reason_label": "waarom",
    "state_label": "stand",
}
_HIDDEN_OF_A_STUB = ("urgency", "urgency_label", "municipality", "due_from")
ERASED, SHIELDED = "[vernietigd]", "[afgeschermd]"


@dataclass(frozen=True, slots=True)
class Table:
    """Everything that lies on the table of the meeting, read at once."""

    items: Mapping[str, Item]
    known: Known
    agendas: Mapping[str, Agenda]
    decisions: Mapping[tuple[str, int], Decided]

    @classmethod
    def of(cls, store: AgendaStore, calendar: WorkingCalendar) -> Table:
        """Read the store."""
        agendas = store.agendas()
        latest = {(each.signal_id, each.offer): each for each in store.decisions()}
        return cls(store.items(), Known(store.past(), frozen_of(agendas), calendar), agendas, latest)

    @property
    def waiting(self) -> list[Placed]:
        """Return the undecided items with their weeks."""
        return placed(self.items.values(), self.known)

    def week_of(self, item: Item) -> str:
        """Return the week of an undecided item; empty for one that waits for nothing."""
        return next((each.week for each in self.waiting if item in each.members), "")


def rows_of_week(week: str, table: Table, codes: CodeLists, *, earlier_too: bool = True) -> list[Row]:
    """Return the agenda of a week: as it was frozen, or as it would be now."""
    agenda = table.agendas.get(week)
    if agenda is not None:
        return [_labelled(row, codes) for row in _frozen_rows(agenda, table, codes)]
    found = [each for each in table.waiting if earlier_too or each.week == week]
    stays, rolls = agenda_of(week, found, table.known)
    return [_labelled(row, codes) for row in _open_rows(week, stays, rolls, codes)]


def all_rows(table: Table, codes: CodeLists) -> list[Row]:
    """Return every agenda with an undecided item."""
    weeks = sorted({each.week for each in table.waiting})
    return [row for week in weeks for row in rows_of_week(week, table, codes, earlier_too=False)]


def _open_rows(week: str, stays: Sequence[Placed], rolls: Sequence[Placed], codes: CodeLists) -> Iterator[Row]:
    for position, each in enumerate((*stays, *rolls), start=1):
        rolled = position > len(stays)
        own = {"week": week, "agenda_state": "COLLECTING", "agenda_version": 0, "position": position, "rolled_over": rolled}
        facts = {"size": each.entry.size, "deferrals": each.entry.deferrals, "reason": each.reason, "decision": None}
        yield {**own, **_of_item(each.members[0], codes), **facts, "minor": each.entry.minor, "urgency": each.entry.urgency}


def _frozen_rows(agenda: Agenda, table: Table, codes: CodeLists) -> Iterator[Row]:
    for position, entry in enumerate(json.loads(agenda.content)["items"], start=1):
        signal_id, version, offer = entry["signals"][0]
        item = table.items.get(signal_id)
        decided = table.decisions.get((signal_id, offer))
        own = {"week": agenda.week, "agenda_state": agenda.state, "agenda_version": agenda.version, "position": position}
        facts = {name: entry[name] for name in ("deferrals", "reason", "minor", "urgency")}
        shown = _frozen_item(signal_id, item, version, offer, shielded=not entry["minor"], codes=codes)
        decision = {"decision": decided.decision if decided else None, "rolled_over": False, "size": len(entry["signals"])}
        yield {**own, **shown, **facts, **decision}


def _frozen_item(signal_id: str, item: Item | None, version: int, offer: int, *, shielded: bool, codes: CodeLists) -> Row:
    if item is None:
        nothing = dict.fromkeys(("municipality", "due_from"))
        empty = {"signal_id": signal_id, "cluster_id": signal_id, "deliver_as": STUB, "status": "ERASED", "form": ERASED}
        return {**empty, **nothing, "version": version, "offer": offer}
    row = _of_item(replace(item, version=version, offer=offer), codes)
    return {**row, "form": SHIELDED} if item.deliver_as == STUB and shielded else row


def _of_item(item: Item, codes: CodeLists) -> Row:
    names = ("signal_id", "cluster_id", "version", "offer", "municipality", "deliver_as", "status", "due_from")
    return {**{name: getattr(item, name) for name in names}, "form": form_of(item.signal, codes)}


def _labelled(row: Row, codes: CodeLists) -> Row:
    labels = {
        "urgency_label": codes.label_nl("urgency", row["urgency"]),
        "minor_label": "ja" if row["minor"] else "nee",
        "reason_label": codes.label_nl("agenda_reason", row["reason"]),
        "state_label": _state(row, codes),
    }
    hidden = dict.fromkeys(_HIDDEN_OF_A_STUB) if row["deliver_as"] == STUB else {}
    return {"number": number_of(row["signal_id"], "P"), **row, **labels, **hidden}


def _state(row: Row, codes: CodeLists) -> str:
    if row["decision"] is not None:
        return codes.label_nl("decision", row["decision"])
    if row["rolled_over"]:
        return "schuift door"
    return "teruggenomen" if row["status"] == "RETRACTED" else codes.label_nl("agenda_state", row["agenda_state"])
