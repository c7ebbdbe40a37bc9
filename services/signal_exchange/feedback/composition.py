"""Puts the service feedback together: settings, store, handler, consumer."""

from __future__ import annotations

from collections.abc import Sequence

from signal_exchange.contracts.topics import catalogue
from signal_exchange.feedback.handler import FeedbackHandler
from signal_exchange.feedback.store import OUTBOX, TABLES
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.settings import ServiceSettings
from signal_exchange.stream.commands import service_settings
from signal_exchange.stream.identity import Identity, load_identity
from signal_exchange.stream.messages import Incoming, Message
from signal_exchange.stream.service import GATHER_SECONDS, ConsumerSpec, run_consumer
from signal_exchange.stream.work import Work

SERVICE = "feedback"


class CurrentFeedback:
    """Feedback's work on a batch, for the municipalities that the participants' register names when the batch comes."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    @property
    def handler(self) -> FeedbackHandler:
        """Return the handler for the municipalities of now."""
        return FeedbackHandler(self._identity.register)

    def __call__(self, messages: Sequence[Message], work: Work) -> None:
        """Handle a batch."""
        self.handler(messages, work)

    def bury(self, gone: Sequence[Incoming], work: Work) -> None:
        """Take the tombstones of a batch."""
        self.handler.bury(gone, work)


def consumer_spec(settings: ServiceSettings) -> ConsumerSpec:
    """Return what makes this consumer."""
    database = Database(settings.database(SERVICE), TABLES)
    identity = load_identity(settings, settings.keys_file, database)
    current = CurrentFeedback(identity)
    return ConsumerSpec(
        name=SERVICE,
        reader=SERVICE,
        sources=catalogue(()).sources_of(SERVICE),
        database=database,
        outbox=OUTBOX,
        handle=current,
        seal=identity.parking_seal(SERVICE),
        unseal=identity.opened,
        gather_seconds=GATHER_SECONDS,
        bury=current.bury,
        look=identity.current_register,
    )


def main() -> None:
    """Run the service until it is stopped."""
    settings = service_settings()
    run_consumer(consumer_spec(settings), settings)
