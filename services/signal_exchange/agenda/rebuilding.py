"""How items, links and clusters come back. Alerts, decisions and agendas are not touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from signal_exchange.agenda.composition import consumer_spec
from signal_exchange.agenda.items import Item
from signal_exchange.agenda.links import Links
from signal_exchange.agenda.store import AgendaStore
from signal_exchange.agenda.tables import CANDIDATES, ITEMS, MEMBERSHIPS
from signal_exchange.stream.commands import service_settings
from signal_exchange.stream.erasing import not_erased
from signal_exchange.stream.messages import Message
from signal_exchange.stream.rebuilding import Keyed, Plan
from signal_exchange.stream.work import Work

SOURCES = ("agenda-items", "link-candidates", "links")
KEYED = {
    "agenda-items": Keyed(ITEMS.c.signal_id, lambda store, gone: AgendaStore(store).erase(gone)),
    "links": Keyed(MEMBERSHIPS.c.signal_id, lambda store, gone: AgendaStore(store).forget_memberships(gone)),
    "link-candidates": Keyed(CANDIDATES.c.link_id, lambda store, gone: Links(store).forget(gone)),
}
_FIELDS = tuple(each.name for each in fields(Item) if each.name != "cluster_id")


def take(messages: Sequence[Message], work: Work) -> None:
    """Keep the last state of each, and note nothing about decisions: that was done when it came."""
    store, messages = AgendaStore(work.connection), not_erased(messages, work)
    items = [message.fields for message in messages if message.record == "AgendaItem"]
    store.put_items([Item(cluster_id=each["signal_id"], **{name: each[name] for name in _FIELDS}) for each in items], [])
    store.put_memberships([message.fields for message in messages if message.record == "ClusterMembership"])
    Links(work.connection).keep([message.fields for message in messages if message.record == "LinkCandidate"])


def plan() -> Plan:
    """Return how this service is rebuilt."""
    return Plan.of(consumer_spec(service_settings()), take=take, sources=SOURCES, keyed=KEYED)
