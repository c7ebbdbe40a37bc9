"""The agenda's work on one batch: keep each item as it was last delivered, note what was taken back, keep each alert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from signal_exchange.agenda.items import Item, Past
from signal_exchange.agenda.links import Links
from signal_exchange.agenda.records import Note
from signal_exchange.agenda.store import AgendaStore
from signal_exchange.domain.agenda import meeting_of, week_for
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.referrals import CHAIR
from signal_exchange.domain.times import local_day
from signal_exchange.stream.messages import Message
from signal_exchange.stream.work import Work

AGENDA, ALERT = "SCREENING_AGENDA", "CHAIR_ALERT"
_FIELDS = tuple(each.name for each in fields(Item) if each.name != "cluster_id")


@dataclass(frozen=True, slots=True)
class AgendaHandler:
    """Handles batches of items, alerts, clusters and links."""

    calendar: WorkingCalendar

    def __call__(self, messages: Sequence[Message], work: Work) -> None:
        """Read what the batch touches once, and write once."""
        store = AgendaStore(work.connection)
        self._items([message for message in messages if message.record == "AgendaItem"], store, work)
        self._alerts([message for message in messages if message.record == "ChairAlert"], store, work)
        store.put_memberships([message.fields for message in messages if message.record == "ClusterMembership"])
        Links(work.connection).keep([message.fields for message in messages if message.record == "LinkCandidate"])

    def _items(self, messages: Sequence[Message], store: AgendaStore, work: Work) -> None:
        known = store.items(message.fields["signal_id"] for message in messages)
        past = store.past(message.fields["signal_id"] for message in messages if message.fields["status"] == "RETRACTED")
        changed: dict[str, Item] = {}
        notes: list[Note] = []
        for message in messages:
            item = _item(message.fields)
            before = changed.get(item.signal_id, known.get(item.signal_id))
            if before is None or before.revision < item.revision:
                changed[item.signal_id] = item
                notes += _notes(item, past, message)
                self._trace_item(item, message, work)
        store.put_items(list(changed.values()), notes)

    def _trace_item(self, item: Item, message: Message, work: Work) -> None:
        offered = item.status == "OFFERED"
        keeper = {"owner_role": CHAIR, "next_date": self._meeting_day(item)} if offered else {}
        about = {"signal_id": item.signal_id, "version": item.version, "municipality": item.municipality}
        verdict = "SEND" if offered else "RETRACTED"
        work.trace("STORED", at=message.appended_at, key=item.signal_id, destination=AGENDA, verdict=verdict, **about, **keeper)

    def _meeting_day(self, item: Item) -> str | None:
        meeting = meeting_of(week_for(item.due_from, self.calendar), self.calendar)
        return None if meeting is None else local_day(meeting).isoformat()

    def _alerts(self, messages: Sequence[Message], store: AgendaStore, work: Work) -> None:
        new = store.add_alerts([message.fields for message in messages])
        first = {message.fields["alert_id"]: message for message in reversed(messages)}
        for alert_id in new:
            message = first[alert_id]
            about = {name: message.fields[name] for name in ("signal_id", "version", "municipality")}
            key = message.fields["signal_id"]
            work.trace("STORED", at=message.appended_at, key=key, destination=ALERT, verdict="SEND", owner_role=CHAIR, **about)


def _item(delivered: Mapping[str, Any]) -> Item:
    return Item(cluster_id=delivered["signal_id"], **{name: delivered[name] for name in _FIELDS})


def _notes(item: Item, past: Mapping[tuple[str, int], Past], message: Message) -> list[Note]:
    """Give the note to a decided item that is taken back; an undecided one simply leaves the agenda (R-ROUTE-12)."""
    if item.status != "RETRACTED" or item.key not in past or not past[item.key].decided:
        return []
    return [Note(item.signal_id, item.offer, item.rule_id, message.appended_at)]
