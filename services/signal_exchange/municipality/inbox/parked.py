"""Records that the inbox could not read: a person of the municipality sees headers, and retries or discards one (promise 3)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final, cast

from sqlalchemy import Connection, delete, select, update

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.municipality.inbox.handler import InboxHandler
from signal_exchange.municipality.store import PARKED, PARKED_DECISIONS
from signal_exchange.privacy.vault import CannotDecryptError, Encrypted, VaultKey
from signal_exchange.runtime.database import Database, add_once
from signal_exchange.stream.consumer import read_as
from signal_exchange.stream.messages import Incoming, Unreadable
from signal_exchange.stream.parking import Origin, unpacked
from signal_exchange.stream.scrubbing import owe
from signal_exchange.stream.views import SignalViewMessage
from signal_exchange.stream.work import Seal, Work

RETRY: Final = "RETRY"
DISCARD: Final = "DISCARD"
READER: Final = "municipality"
HEADERS: Final = ("parked_id", "topic", "partition", "offset", "reason", "parked_at")


class RetryReason(Enum):
    """Reason for retrying a parked record."""

    SOFTWARE_MENDED = "SOFTWARE_MENDED"
    CAUSE_GONE = "CAUSE_GONE"


class DiscardReason(Enum):
    """Reason for discarding a parked record."""

    DAMAGED = "DAMAGED"
    SENT_AGAIN = "SENT_AGAIN"
    EXCHANGE_AGREES = "EXCHANGE_AGREES"


class WaitingRecord(Origin):
    """Headers of a record that waits for a decision: all that anybody may know of it."""

    parked_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class InboxParked:
    """Records that one node's inbox could not read. `service` is the node's principal, `seal` how it seals what it parks.

    `inbox` takes what is tried again.
    """

    service: str
    database: Database
    vault_key: VaultKey
    seal: Seal
    inbox: InboxHandler

    def waiting(self) -> list[WaitingRecord]:
        """Return the headers of what waits for a decision, the oldest first."""
        with self.database.reading() as connection:
            return _waiting(connection)

    def retry(self, parked_id: str, reason: str, who: str, at: datetime) -> None:
        """Take a record as if it came in now; twice is once.

        Raises:
            RefusedError: it does not wait here, cannot be opened, or still cannot be read: then it waits on.
        """
        with self.database.transaction() as connection:
            read = read_as(self._opened(parked_id, connection), READER)
            if isinstance(read, Unreadable):
                raise RefusedError("PARKED_STILL_UNREADABLE", reason=read.reason)
            self._take(read, connection)
            connection.execute(delete(PARKED).where(PARKED.c.parked_id == parked_id))
            _decide(connection, parked_id, RETRY, reason, who=who, at=at)

    def discard(self, parked_id: str, reason: str, who: str, at: datetime) -> None:
        """Drop a record for good: its content is destroyed, that it was there is remembered.

        Raises:
            RefusedError: it does not wait here.
        """
        with self.database.transaction() as connection:
            _found(parked_id, connection)
            own = update(PARKED).where(PARKED.c.parked_id == parked_id)
            connection.execute(own.values(wrapped_key=b"", ciphertext=b""))
            owe(connection)
            _decide(connection, parked_id, DISCARD, reason, who=who, at=at)

    def _opened(self, parked_id: str, connection: Connection) -> Incoming:
        headers = _found(parked_id, connection)
        row = connection.execute(select(PARKED).where(PARKED.c.parked_id == parked_id)).one()
        try:
            kept = self.vault_key.decrypt(parked_id, Encrypted(row.wrapped_key, row.ciphertext))
        except CannotDecryptError:
            raise RefusedError("PARKED_UNDER_ANOTHER_KEY") from None
        return unpacked(json.loads(kept), headers, attempt=1)

    def _take(self, message: SignalViewMessage, connection: Connection) -> None:
        work = Work(self.service, connection, self.seal, lambda _work, _unreadable: None)  # it stays where it is parked
        self.inbox([message], work)
        for again in work.parked:
            raise RefusedError("PARKED_STILL_NOT_TAKEN", reason=again.reason)
        if work.erased:
            owe(connection)


def _waiting(connection: Connection) -> list[WaitingRecord]:
    decided = select(PARKED_DECISIONS.c.parked_id).where(PARKED_DECISIONS.c.action == DISCARD)
    chosen = select(*(PARKED.c[name] for name in HEADERS)).where(PARKED.c.parked_id.not_in(decided))
    rows = connection.execute(chosen.order_by(PARKED.c.parked_at, PARKED.c.parked_id))
    return [cast("WaitingRecord", dict(row)) for row in rows.mappings()]


def _found(parked_id: str, connection: Connection) -> WaitingRecord:
    found = next((row for row in _waiting(connection) if row["parked_id"] == parked_id), None)
    if found is None:
        raise RefusedError("PARKED_NOT_WAITING")
    return found


def _decide(connection: Connection, parked_id: str, action: str, reason: str, *, who: str, at: datetime) -> None:
    decided = {"parked_id": parked_id, "action": action, "reason": reason, "who": who, "at": at}
    add_once(connection, PARKED_DECISIONS, [decided])
