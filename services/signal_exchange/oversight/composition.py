"""Puts the service oversight together: settings, store, handler, consumer, and beside it the watch over figures and groups."""

from __future__ import annotations

from dataclasses import replace

from signal_exchange.contracts.topics import Catalogue, catalogue
from signal_exchange.oversight.handler import handle
from signal_exchange.oversight.service import SERVICE
from signal_exchange.oversight.store import OUTBOX, TABLES
from signal_exchange.oversight.watch import Watch
from signal_exchange.privacy.register import Register
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.metrics import Metrics
from signal_exchange.runtime.settings import ServiceSettings
from signal_exchange.stream.consumer import ConsumerSpec
from signal_exchange.stream.identity import load_identity
from signal_exchange.stream.service import consumer_of


def consumer_spec(settings: ServiceSettings) -> ConsumerSpec:
    """Return the declaration of this consumer."""
    database, metrics = Database(settings.database(SERVICE), TABLES), Metrics()
    identity = load_identity(settings, settings.keys_file, database)
    return replace(
        consumer_of(SERVICE, database, OUTBOX, identity, handle),
        alongside=(Watch(database, metrics, settings.kafka, lambda: _catalogue(identity.register)).run,),
        metrics=metrics,
    )


def _catalogue(register: Register) -> Catalogue:
    return catalogue(str(member.code) for member in register.municipalities if member.accession_status == "ACCEDED")
