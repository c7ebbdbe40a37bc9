"""Puts the service statistics together: settings, store, handler, consumer."""

from __future__ import annotations

from signal_exchange.runtime.database import Database
from signal_exchange.runtime.settings import ServiceSettings
from signal_exchange.statistics.handler import handle
from signal_exchange.statistics.service import SERVICE
from signal_exchange.statistics.store import OUTBOX, TABLES
from signal_exchange.stream.consumer import ConsumerSpec
from signal_exchange.stream.identity import load_identity
from signal_exchange.stream.service import consumer_of


def consumer_spec(settings: ServiceSettings) -> ConsumerSpec:
    """Return the declaration of this consumer."""
    database = Database(settings.database(SERVICE), TABLES)
    identity = load_identity(settings, settings.keys_file, database)
    return consumer_of(SERVICE, database, OUTBOX, identity, handle)
