"""The two works that every client is given: the same functions and the same calls of the store in each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from senders import identity_in

from jobs import Job
from signal_exchange.contracts.codec import decode, encode
from signal_exchange.participants.region import Region
from signal_exchange.routing.composition import handler_of
from signal_exchange.routing.tables import OUTBOX, TABLES
from signal_exchange.runtime.database import Database
from signal_exchange.stream.consumer import read_as
from signal_exchange.stream.messages import Incoming, Message
from signal_exchange.stream.outbox import Outbox, OutgoingRecord
from signal_exchange.stream.owning import Owner
from signal_exchange.stream.work import Work

PASSED_ON = "bench-passed-on"
"""The topic that the transport alone writes to."""


class Task(Protocol):
    """What a client does with a batch: take records, send the outgoing records, and say when all of them are acknowledged."""

    def of_record(self, record: Any) -> Any:
        """Return what is needed of a ConsumerRecord of aiokafka or kafka-python."""

    def of_message(self, message: Any) -> Any:
        """Return what is needed of a Message of confluent-kafka."""

    def take(self, records: Sequence[Any]) -> list[OutgoingRecord]:
        """Do the work on a batch, and return what is to be sent."""

    def acknowledged(self) -> None:
        """Everything of the last batch has arrived."""


class Transport:
    """No work of the domain: one record of Avro in, one out."""

    def of_record(self, record: Any) -> bytes:
        """Return the value."""
        return bytes(record.value)

    def of_message(self, message: Any) -> bytes:
        """Return the value."""
        return bytes(message.value())

    def take(self, records: Sequence[bytes]) -> list[OutgoingRecord]:
        """Decode each record, and encode it again."""
        return [passed_on(value) for value in records]

    def acknowledged(self) -> None:
        """Keep nothing."""


def passed_on(value: bytes) -> OutgoingRecord:
    """Return an outgoing record with a record that was read and written again."""
    fields = decode(value, "oversight").fields
    return OutgoingRecord(PASSED_ON, fields["signal_id"], encode("TraceFact", fields))


class Routing:
    """Routing's own work: decode, verify, rules, store, encode; then send, and let go of what was sent."""

    def __init__(self, region: Region, database: Database) -> None:
        identity = identity_in(region, "routing")
        self.handle, self.seal = handler_of(identity), identity.parking_seal("routing")
        self.database = database
        self._owner = Owner(database)

    def of_record(self, record: Any) -> Incoming:
        """Return the record as the product reads it."""
        return Incoming.of(record)

    def of_message(self, message: Any) -> Incoming:
        """Return the message as the product reads it."""
        at = datetime.fromtimestamp(message.timestamp()[1] / 1000, tz=UTC)
        headers = dict(message.headers() or ())
        return Incoming(message.topic(), message.partition(), message.offset(), message.key(), message.value(), headers, at)

    def take(self, records: Sequence[Incoming]) -> list[OutgoingRecord]:
        """Take a batch through the handler, in one transaction with its outgoing records."""
        read = [read_as(each, "routing") for each in records]
        with self.database.batch() as connection:
            work = Work("routing", connection, self.seal)
            self.handle([each for each in read if isinstance(each, Message)], work)
            Outbox(connection, OUTBOX, self._owner.name).add(work.outgoing)
        return work.outgoing

    def acknowledged(self) -> None:
        """Remove what was sent."""
        with self.database.transaction() as connection:
            Outbox(connection, OUTBOX, self._owner.name).remove_own()


def task_of(job: Job) -> Task:
    """Return the work that a job asks for; routing's with a new store."""
    if job.work == "transport":
        return Transport()
    database = Database(job.database, TABLES)
    database.create_tables()
    return Routing(Region(Path(job.region), (), {}, {}), database)
