"""Puts the service linking together: settings, store, handler, consumer, and a look at the clock."""

from __future__ import annotations

from dataclasses import replace

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.linking.handler import LinkingHandler
from signal_exchange.linking.service import SERVICE
from signal_exchange.linking.tables import OUTBOX, TABLES
from signal_exchange.reference.loading import load_code_lists, load_equated_days
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.settings import ServiceSettings
from signal_exchange.stream.consumer import ConsumerSpec
from signal_exchange.stream.identity import Identity, load_identity
from signal_exchange.stream.outbox import Outbox
from signal_exchange.stream.service import consumer_of, every
from signal_exchange.stream.work import Seal, Work

LOOK_SECONDS = 60
"""Pause between two looks for questions that became overdue or expired."""


def handler_of(identity: Identity) -> LinkingHandler:
    """Return the handler of a process with these keys."""
    calendar = WorkingCalendar(load_equated_days())
    return LinkingHandler(
        calendar,
        load_code_lists(),
        identity.opened,
        identity.sealed_part,
        lambda: identity.secret_ids(SERVICE),
        identity.current_register,
    )


def consumer_spec(settings: ServiceSettings) -> ConsumerSpec:
    """Return the declaration of this consumer."""
    database = Database(settings.database(SERVICE), TABLES, one_writer=True)
    identity = load_identity(settings, settings.keys_file, database)
    handler = handler_of(identity)
    seal = identity.parking_seal(SERVICE)
    return replace(
        consumer_of(SERVICE, database, OUTBOX, identity, handler, on_tombstones=handler.on_tombstones),
        alongside=(every(LOOK_SECONDS, lambda: recheck(handler, database, seal)),),
        metrics=handler.metrics,
    )


def recheck(handler: LinkingHandler, database: Database, seal: Seal) -> None:
    """Judge what the passing of time changes, in one transaction with the records about it."""
    with database.batch() as connection:
        work = Work(SERVICE, connection, seal)
        handler.recheck(work)
        Outbox(connection, OUTBOX).add(work.outgoing)
