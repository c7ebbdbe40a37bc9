"""How the deliveries come back: the last one of each signal. Referrals and their steps are not touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from signal_exchange.stream.commands import service_settings
from signal_exchange.stream.erasing import not_erased
from signal_exchange.stream.messages import Message
from signal_exchange.stream.rebuilding import Keyed, Plan
from signal_exchange.stream.work import Work
from signal_exchange.worklist.cases import Case, Delivery
from signal_exchange.worklist.composition import WORKLIST, WORKLIST_YOUTH, consumer_spec
from signal_exchange.worklist.store import DELIVERIES, WorklistStore

_FIELDS = tuple(each.name for each in fields(Delivery))
KEYED = Keyed(DELIVERIES.c.signal_id, lambda store, gone: WorklistStore(store).erase(gone))


def take(messages: Sequence[Message], work: Work) -> None:
    """Keep what was delivered, and apply it to no referral: that was done when it came."""
    left = not_erased(messages, work)
    deliveries = (Delivery(**{name: message.fields[name] for name in _FIELDS}) for message in left)
    WorklistStore(work.connection).put([Case(delivery) for delivery in deliveries])


def plan(service: str = WORKLIST) -> Plan:
    """Return how a worklist is rebuilt."""
    spec = consumer_spec(service, service_settings())
    return Plan.of(spec, take=take, keyed={spec.sources[0]: KEYED})


def plan_youth() -> Plan:
    """Return how the worklist of the youth coordinator is rebuilt."""
    return plan(WORKLIST_YOUTH)
