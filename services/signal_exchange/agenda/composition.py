"""Puts the service agenda together: settings, store, handler, consumer."""

from __future__ import annotations

from signal_exchange.agenda.actions import AgendaActions
from signal_exchange.agenda.deciding import DecisionRules
from signal_exchange.agenda.handler import AgendaHandler
from signal_exchange.agenda.service import SERVICE
from signal_exchange.agenda.tables import OUTBOX, TABLES
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.reference.loading import load_code_lists, load_equated_days
from signal_exchange.runtime import clock
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.settings import ServiceSettings
from signal_exchange.stream.acting import ActionStore
from signal_exchange.stream.consumer import ConsumerSpec
from signal_exchange.stream.identity import load_identity
from signal_exchange.stream.service import consumer_of


def calendar() -> WorkingCalendar:
    """Return the working days by which meetings and cut-offs move."""
    return WorkingCalendar(load_equated_days())


def actions_in(store: ActionStore) -> AgendaActions:
    """Return the acts of the chain director on the agenda that a store holds."""
    return AgendaActions(store, DecisionRules(calendar(), load_code_lists()), clock.now)


def consumer_spec(settings: ServiceSettings) -> ConsumerSpec:
    """Return the declaration of this consumer."""
    database = Database(settings.database(SERVICE), TABLES)
    identity = load_identity(settings, settings.keys_file, database)
    handler = AgendaHandler(calendar(), identity.current_register)
    return consumer_of(SERVICE, database, OUTBOX, identity, handler, on_tombstones=handler.on_tombstones)
