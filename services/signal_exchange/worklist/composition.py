"""Puts a worklist together: settings, store, handler, consumer. The youth worklist is the same code with its own everything."""

from __future__ import annotations

from functools import partial

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.referrals.transitions import CARE, YOUTH
from signal_exchange.reference.loading import load_code_lists, load_equated_days
from signal_exchange.runtime import clock
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.settings import ServiceSettings
from signal_exchange.stream.acting import ActionStore
from signal_exchange.stream.consumer import ConsumerSpec
from signal_exchange.stream.identity import load_identity
from signal_exchange.stream.service import consumer_of
from signal_exchange.worklist.actions import WorklistActions
from signal_exchange.worklist.handler import WorklistHandler
from signal_exchange.worklist.service import WORKLIST, WORKLIST_YOUTH
from signal_exchange.worklist.store import OUTBOX, TABLES
from signal_exchange.worklist.transitions import ReferralRules

ROLES = {WORKLIST: CARE, WORKLIST_YOUTH: YOUTH}
"""Whose worklist each service keeps."""


def rules() -> ReferralRules:
    """Return the working days and code lists of the package, by which steps and terms are judged."""
    return ReferralRules(WorkingCalendar(load_equated_days()), load_code_lists())


def actions_in(store: ActionStore) -> WorklistActions:
    """Return the acts of the coordinator whose worklist a store holds."""
    return WorklistActions(store, rules(), ROLES[store.service], clock.now)


def consumer_spec(service: str, settings: ServiceSettings) -> ConsumerSpec:
    """Return the declaration of the consumer of one worklist."""
    database = Database(settings.database(service), TABLES)
    identity = load_identity(settings, settings.keys_file, database)
    handler = WorklistHandler(ROLES[service], rules().calendar, identity.sealed_part, identity.current_register)
    return consumer_of(
        service, database, OUTBOX, identity, handler, on_tombstones=handler.on_tombstones, reader=WORKLIST, waited_for=True
    )


care_consumer, youth_consumer = (partial(consumer_spec, service) for service in ROLES)
"""The same for each worklist, of its settings alone."""
