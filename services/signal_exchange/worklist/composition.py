"""Puts a worklist together: settings, store, handler, consumer. The youth worklist is the same code with its own everything."""

from __future__ import annotations

from signal_exchange.contracts.reference import load_code_lists, load_equated_days
from signal_exchange.contracts.topics import catalogue
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.referrals import CARE, YOUTH
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.settings import ServiceSettings
from signal_exchange.stream.commands import service_settings
from signal_exchange.stream.identity import load_identity
from signal_exchange.stream.service import ConsumerSpec, run_consumer
from signal_exchange.worklist.handler import WorklistHandler
from signal_exchange.worklist.store import OUTBOX, TABLES
from signal_exchange.worklist.wishes import Rules

WORKLIST, WORKLIST_YOUTH = "worklist", "worklist-youth"
ROLES = {WORKLIST: CARE, WORKLIST_YOUTH: YOUTH}
"""Whose worklist each service keeps."""
READER = "worklist"


def rules() -> Rules:
    """Return what steps and terms are judged by, from the package's reference data."""
    return Rules(WorkingCalendar(load_equated_days()), load_code_lists())


def consumer_spec(service: str, settings: ServiceSettings) -> ConsumerSpec:
    """Return what makes the consumer of one worklist."""
    database = Database(settings.database(service), TABLES)
    identity = load_identity(settings, settings.keys_file, database)
    handler = WorklistHandler(ROLES[service], rules().calendar, identity.sealed_part, identity.current_register)
    return ConsumerSpec(
        name=service,
        reader=READER,
        sources=catalogue(()).sources_of(service),
        database=database,
        outbox=OUTBOX,
        handle=handler,
        seal=identity.parking_seal(service),
        unseal=identity.opened,
        bury=handler.bury,
        look=identity.current_register,
    )


def main(service: str = WORKLIST) -> None:
    """Run the worklist of the care coordinator until it is stopped."""
    settings = service_settings()
    run_consumer(consumer_spec(service, settings), settings)


def main_youth() -> None:
    """Run the worklist of the youth coordinator until it is stopped."""
    main(WORKLIST_YOUTH)
