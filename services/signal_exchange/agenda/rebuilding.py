"""The rebuild of items, links and clusters. Alerts, decisions and agendas are not touched."""

from __future__ import annotations

from collections.abc import Sequence

from signal_exchange.agenda.composition import consumer_spec
from signal_exchange.agenda.items import Item
from signal_exchange.agenda.links import Links
from signal_exchange.agenda.store import AgendaStore
from signal_exchange.agenda.tables import CANDIDATES, ITEMS, MEMBERSHIPS
from signal_exchange.recovery.rebuilding import Keyed, Plan
from signal_exchange.runtime.settings import ServiceSettings, loaded
from signal_exchange.stream.erasing import not_erased
from signal_exchange.stream.views import AgendaReads
from signal_exchange.stream.work import Work

SOURCES = ("agenda-items", "link-candidates", "links")
KEYED = {
    "agenda-items": Keyed(ITEMS.c.signal_id, lambda store, gone: AgendaStore(store).erase(gone)),
    "links": Keyed(MEMBERSHIPS.c.signal_id, lambda store, gone: AgendaStore(store).forget_memberships(gone)),
    "link-candidates": Keyed(CANDIDATES.c.link_id, lambda store, gone: Links(store).forget(gone)),
}


def take(messages: Sequence[AgendaReads], work: Work) -> None:
    """Keep the last state of each, and note nothing about decisions: that was done when it came."""
    store, messages = AgendaStore(work.connection), not_erased(messages, work)
    store.put_items([Item.of(message.fields) for message in messages if message.record == "AgendaItem"], [])
    store.put_memberships([message.fields for message in messages if message.record == "ClusterMembership"])
    Links(work.connection).put([message.fields for message in messages if message.record == "LinkCandidate"])


def plan() -> Plan:
    """Return the rebuild plan of this service."""
    return Plan(consumer_spec(loaded(ServiceSettings)), take=take, sources=SOURCES, keyed=KEYED)
