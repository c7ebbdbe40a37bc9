"""The rebuild of the deliveries: the last one of each signal. Referrals and their steps are not touched."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from signal_exchange.recovery.rebuilding import Keyed, Plan
from signal_exchange.runtime.settings import ServiceSettings, loaded
from signal_exchange.stream.erasing import not_erased
from signal_exchange.stream.views import WorklistReads
from signal_exchange.stream.work import Work
from signal_exchange.worklist.cases import Case, delivered
from signal_exchange.worklist.composition import consumer_spec, rules
from signal_exchange.worklist.service import WORKLIST, WORKLIST_YOUTH
from signal_exchange.worklist.store import DELIVERIES, WorklistStore

KEYED = Keyed(DELIVERIES.c.signal_id, lambda store, gone: WorklistStore(store).erase(gone))


def take(messages: Sequence[WorklistReads], work: Work) -> None:
    """Keep the delivery, and apply it to no referral: that was done when it came."""
    left, calendar = not_erased(messages, work), rules().calendar
    WorklistStore(work.connection).put([Case(delivered(message.fields, calendar)) for message in left])


def plan(service: str = WORKLIST) -> Plan:
    """Return the rebuild plan of a worklist."""
    spec = consumer_spec(service, loaded(ServiceSettings))
    return Plan(spec, take=take, keyed={spec.sources[0]: KEYED})


plan_youth = partial(plan, WORKLIST_YOUTH)
"""Returns the rebuild plan of the youth coordinator's worklist."""
