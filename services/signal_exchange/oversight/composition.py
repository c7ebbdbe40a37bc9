"""Puts the service oversight together: settings, store, handler, consumer, and beside it the watch over figures and groups."""

from __future__ import annotations

from signal_exchange.contracts.topics import catalogue
from signal_exchange.oversight.handler import OversightHandler
from signal_exchange.oversight.store import OUTBOX, TABLES
from signal_exchange.oversight.watch import Watch
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.metrics import Metrics
from signal_exchange.runtime.settings import ServiceSettings
from signal_exchange.stream.commands import service_settings
from signal_exchange.stream.identity import load_identity
from signal_exchange.stream.service import ConsumerSpec, run_consumer

SERVICE = "oversight"


def consumer_spec(settings: ServiceSettings) -> ConsumerSpec:
    """Return what makes this consumer."""
    identity = load_identity(settings, settings.keys_file)
    members = (str(member.code) for member in identity.register.municipalities if member.accession_status == "ACCEDED")
    database, metrics = Database(settings.database(SERVICE), TABLES), Metrics()
    topics = catalogue(members)
    return ConsumerSpec(
        name=SERVICE,
        reader=SERVICE,
        sources=topics.sources_of(SERVICE),
        database=database,
        outbox=OUTBOX,
        handle=OversightHandler(),
        seal=identity.parking_seal(SERVICE),
        unseal=identity.opened,
        alongside=(Watch(database, metrics, settings.kafka, topics).run,),
        metrics=metrics,
    )


def main() -> None:
    """Run the service until it is stopped."""
    settings = service_settings()
    run_consumer(consumer_spec(settings), settings)
