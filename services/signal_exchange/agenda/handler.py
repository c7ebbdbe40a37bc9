"""The agenda's work on one batch: keep each item as it was last delivered, note what was taken back, keep each alert."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from signal_exchange.agenda.freezing import frozen_of
from signal_exchange.agenda.items import NO_HISTORY, Item, Known, OfferHistory, placed
from signal_exchange.agenda.links import Links
from signal_exchange.agenda.records import LINK_UNDONE, RULE_CHANGED, Note
from signal_exchange.agenda.store import AgendaStore
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.meetings.dates import meeting_of
from signal_exchange.domain.referrals.transitions import CHAIN_DIRECTOR
from signal_exchange.domain.times import local_day
from signal_exchange.privacy.register import Register
from signal_exchange.stream.erasing import erase_asked, keys_of
from signal_exchange.stream.erasure_proof import Proof
from signal_exchange.stream.messages import Incoming
from signal_exchange.stream.outcomes import ActionOwner, kept_by
from signal_exchange.stream.views import AgendaItemMessage, AgendaReads, ChairAlertMessage, LinkCandidateMessage
from signal_exchange.stream.work import AboutSignal, Work, about_signal

AGENDA, ALERT = "SCREENING_AGENDA", "CHAIR_ALERT"


@dataclass(frozen=True, slots=True)
class AgendaHandler:
    """Handles batches of items, alerts, clusters and links."""

    calendar: WorkingCalendar
    register: Callable[[], Register] = field(repr=False, compare=False)

    def on_tombstones(self, gone: Sequence[Incoming], work: Work) -> None:
        """Delete what is held or parked under keys that are gone: items with all about their signal, clusters and links."""
        store = AgendaStore(work.connection)
        items = [each for each in gone if each.topic == "agenda-items"]
        items = Proof(self.register(), store.owners).proven_tombstones(items, work)
        store.erase({each.key_text for each in items})
        store.forget_memberships(keys_of(gone, "links"))
        candidates = keys_of(gone, "link-candidates")
        Links(work.connection).forget(candidates)
        # Not the keys of `links`, which are signals: what is parked about one ends on its municipality's word, not on linking's.
        work.erased |= {each.key_text for each in items} | candidates

    def __call__(self, messages: Sequence[AgendaReads], work: Work) -> None:
        """Erase what must be erased; of the rest read what the batch touches once, and write once."""
        store = AgendaStore(work.connection)
        messages = erase_asked(Proof(self.register(), store.owners).proven(messages, work), work, store.erase)
        self._items([message for message in messages if message.record == "AgendaItem"], store, work)
        self._alerts([message for message in messages if message.record == "ChairAlert"], store, work)
        store.put_memberships([message.fields for message in messages if message.record == "ClusterMembership"])
        _take_links([message for message in messages if message.record == "LinkCandidate"], store, work)

    def _items(self, messages: Sequence[AgendaItemMessage], store: AgendaStore, work: Work) -> None:
        known = store.items(message.fields["signal_id"] for message in messages)
        known_now = Known(
            store.histories(message.fields["signal_id"] for message in messages), frozen_of(store.agendas()), self.calendar
        )
        changed: dict[str, Item] = {}
        notes: list[Note] = []
        for message in messages:
            item = Item.of(message.fields)
            before = changed.get(item.signal_id, known.get(item.signal_id))
            if before is None or before.revision < item.revision:
                changed[item.signal_id] = item
                notes += _notes(item, before, known_now.histories, message)
                placed_as = replace(item, cluster_id=before.cluster_id) if before else item
                trace_item(item, owner_of(placed_as, known_now), message.appended_at, work)
        store.put_items(list(changed.values()), notes)

    def _alerts(self, messages: Sequence[ChairAlertMessage], store: AgendaStore, work: Work) -> None:
        new = store.add_alerts([message.fields for message in messages])
        first = {message.fields["alert_id"]: message for message in reversed(messages)}
        for alert_id in new:
            about, at = about_signal(first[alert_id].fields), first[alert_id].appended_at
            work.trace(
                "STORED", at=at, key=about["signal_id"], destination=ALERT, verdict="SEND", owner_role=CHAIN_DIRECTOR, **about
            )


def owner_of(item: Item, known: Known) -> ActionOwner | None:
    """Return the owner of an item: the chain director until the meeting of its week, nobody once it is decided or taken back."""
    return next((chain_director_in(each.week, known.calendar) for each in placed([item], known)), None)


def chain_director_in(week: str, calendar: WorkingCalendar) -> ActionOwner | None:
    """Return the chain director as keeper until the meeting of a week."""
    meeting = meeting_of(week, calendar)
    return None if meeting is None else ActionOwner(CHAIN_DIRECTOR, local_day(meeting).isoformat())


def trace_item(item: Item, owner: ActionOwner | None, at: datetime, work: Work) -> None:
    """Tell the trace that the agenda has an item, or has it no longer, and who keeps it until when."""
    about = AboutSignal(signal_id=item.signal_id, version=item.version, municipality=item.municipality)
    verdict = "SEND" if item.status == "OFFERED" else "RETRACTED"
    work.trace("STORED", at=at, key=item.signal_id, destination=AGENDA, verdict=verdict, **about, **kept_by(owner))


def _take_links(messages: Sequence[LinkCandidateMessage], store: AgendaStore, work: Work) -> None:
    """Keep the records of linking, with a note to the decided items of a link that is undone (R-LINK-06)."""
    if not messages:
        return
    links, by_id = Links(work.connection), {message.fields["link_id"]: message for message in messages}
    undone = [by_id[link_id] for link_id in links.undone([message.fields for message in messages])]
    links.put([message.fields for message in messages])
    sides = [
        (side, message.appended_at) for message in undone for side in (message.fields["signal_a"], message.fields["signal_b"])
    ]
    histories = store.histories(signal_id for signal_id, _ in sides) if sides else {}
    decided = ((key, at) for signal_id, at in sides for key in histories if key[0] == signal_id and histories[key].decided)
    store.add_notes([Note(*key, LINK_UNDONE, at) for key, at in decided])


def _notes(
    item: Item, before: Item | None, histories: Mapping[tuple[str, int], OfferHistory], message: AgendaItemMessage
) -> list[Note]:
    """Give the note to a decided item that is taken back, or stands there by another rule; an undecided one gets none."""
    if not histories.get(item.key, NO_HISTORY).decided:
        return []
    if item.status == "RETRACTED":
        return [Note(*item.key, item.rule_id, message.appended_at)]
    changed = before is not None and before.key == item.key and before.rule_id != item.rule_id
    return [Note(*item.key, RULE_CHANGED, message.appended_at)] if changed else []
