"""Puts the service agenda together: settings, store, handler, consumer."""

from __future__ import annotations

from signal_exchange.agenda.handler import AgendaHandler
from signal_exchange.agenda.tables import OUTBOX, TABLES
from signal_exchange.contracts.reference import load_equated_days
from signal_exchange.contracts.topics import catalogue
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.settings import ServiceSettings
from signal_exchange.stream.commands import service_settings
from signal_exchange.stream.identity import load_identity
from signal_exchange.stream.service import GATHER_SECONDS, ConsumerSpec, run_consumer

SERVICE = "agenda"


def calendar() -> WorkingCalendar:
    """Return the working days by which meetings and cut-offs move."""
    return WorkingCalendar(load_equated_days())


def consumer_spec(settings: ServiceSettings) -> ConsumerSpec:
    """Return what makes this consumer."""
    database = Database(settings.database(SERVICE), TABLES)
    identity = load_identity(settings, settings.keys_file, database)
    handler = AgendaHandler(calendar(), identity.current_register)
    return ConsumerSpec(
        name=SERVICE,
        reader=SERVICE,
        sources=catalogue(()).sources_of(SERVICE),
        database=database,
        outbox=OUTBOX,
        handle=handler,
        seal=identity.parking_seal(SERVICE),
        unseal=identity.opened,
        gather_seconds=GATHER_SECONDS,
        bury=handler.bury,
        look=identity.current_register,
    )


def main() -> None:
    """Run the service until it is stopped."""
    settings = service_settings()
    run_consumer(consumer_spec(settings), settings)
