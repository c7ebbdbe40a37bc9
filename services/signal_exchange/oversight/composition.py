"""Puts the service oversight together: settings, store, handler, consumer, and beside it the watch over figures and groups."""

from __future__ import annotations

from signal_exchange.contracts.topics import Catalogue, catalogue
from signal_exchange.oversight.handler import OversightHandler
from signal_exchange.oversight.store import OUTBOX, TABLES
from signal_exchange.oversight.watch import Watch
from signal_exchange.privacy.register import Register
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.metrics import Metrics
from signal_exchange.runtime.settings import ServiceSettings
from signal_exchange.stream.commands import service_settings
from signal_exchange.stream.identity import load_identity
from signal_exchange.stream.service import GATHER_SECONDS, ConsumerSpec, run_consumer

SERVICE = "oversight"


def consumer_spec(settings: ServiceSettings) -> ConsumerSpec:
    """Return what makes this consumer."""
    database, metrics = Database(settings.database(SERVICE), TABLES), Metrics()
    identity = load_identity(settings, settings.keys_file, database)
    return ConsumerSpec(
        name=SERVICE,
        reader=SERVICE,
        sources=catalogue(()).sources_of(SERVICE),
        database=database,
        outbox=OUTBOX,
        handle=OversightHandler(),
        seal=identity.parking_seal(SERVICE),
        unseal=identity.opened,
        gather_seconds=GATHER_SECONDS,
        alongside=(Watch(database, metrics, settings.kafka, lambda: catalogue_of(identity.register)).run,),
        metrics=metrics,
        look=identity.current_register,
    )


def catalogue_of(register: Register) -> Catalogue:
    """Return the topics and groups of who takes part by this register."""
    return catalogue(str(member.code) for member in register.municipalities if member.accession_status == "ACCEDED")


def main() -> None:
    """Run the service until it is stopped."""
    settings = service_settings()
    run_consumer(consumer_spec(settings), settings)
