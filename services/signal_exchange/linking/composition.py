"""Puts the service linking together: settings, store, handler, consumer, and a look at the clock."""

from __future__ import annotations

from signal_exchange.contracts.reference import load_code_lists, load_equated_days
from signal_exchange.contracts.topics import catalogue
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.linking.handler import LinkingHandler
from signal_exchange.linking.store import OUTBOX, TABLES
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.settings import ServiceSettings
from signal_exchange.stream.commands import service_settings
from signal_exchange.stream.identity import Identity, load_identity
from signal_exchange.stream.outbox import Outbox
from signal_exchange.stream.service import GATHER_SECONDS, ConsumerSpec, every, run_consumer
from signal_exchange.stream.work import Seal, Work

SERVICE = "linking"
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
    """Return what makes this consumer."""
    database = Database(settings.database(SERVICE), TABLES, one_writer=True)
    identity = load_identity(settings, settings.keys_file, database)
    handler = handler_of(identity)
    seal = identity.parking_seal(SERVICE)
    return ConsumerSpec(
        name=SERVICE,
        reader=SERVICE,
        sources=catalogue(()).sources_of(SERVICE),
        database=database,
        outbox=OUTBOX,
        handle=handler,
        seal=seal,
        alongside=(every(LOOK_SECONDS, lambda: look_again(handler, database, seal)),),
        unseal=identity.opened,
        gather_seconds=GATHER_SECONDS,
        bury=handler.bury,
        metrics=handler.metrics,
        look=identity.current_register,
    )


def look_again(handler: LinkingHandler, database: Database, seal: Seal) -> None:
    """Judge what the passing of time changes, in one transaction with the letters that tell of it."""
    with database.batch() as connection:
        work = Work(SERVICE, connection, seal)
        handler.look_again(work)
        Outbox(connection, OUTBOX).add(work.letters)


def main() -> None:
    """Run the service until it is stopped."""
    settings = service_settings()
    run_consumer(consumer_spec(settings), settings)
