"""Puts the service feedback together: settings, store, handler, consumer."""

from __future__ import annotations

from signal_exchange.feedback.handler import FeedbackHandler
from signal_exchange.feedback.service import SERVICE
from signal_exchange.feedback.store import OUTBOX, TABLES
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.settings import ServiceSettings
from signal_exchange.stream.consumer import ConsumerSpec
from signal_exchange.stream.identity import load_identity
from signal_exchange.stream.service import consumer_of


def consumer_spec(settings: ServiceSettings) -> ConsumerSpec:
    """Return the declaration of this consumer."""
    database = Database(settings.database(SERVICE), TABLES)
    identity = load_identity(settings, settings.keys_file, database)
    handler = FeedbackHandler(identity.current_register)
    return consumer_of(SERVICE, database, OUTBOX, identity, handler, on_tombstones=handler.on_tombstones)
