"""Erased content leaves the bytes of its store before the service says that it is done (docs/decisions/0026).

Who deletes what was erased owes it in the same transaction. `Scrubber` pays: it takes the deleted bytes out of the store, and
only then lets the receipts go. While it cannot, nothing else waits; the receipts are missed by oversight in time.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import Connection, Table, delete, select

from signal_exchange.runtime import logs
from signal_exchange.runtime.database import Database, add_once
from signal_exchange.runtime.faults import BytesKeptError
from signal_exchange.runtime.scrubbing import scrub
from signal_exchange.stream.outbox import Outbox
from signal_exchange.stream.tables import OWED

LOOK_SECONDS = 2.0
"""Pause between two looks for deleted bytes that are still in the store."""


def owe(connection: Connection) -> None:
    """Note, in the transaction that deletes something for good, that its bytes must leave the store too."""
    add_once(connection, OWED, [{"owed_id": str(uuid.uuid4())}])


def is_owed(connection: Connection) -> bool:
    """Say whether deleted bytes may still be in the store."""
    return connection.execute(select(OWED).limit(1)).first() is not None


@dataclass(frozen=True, slots=True)
class Scrubber:
    """Takes what was deleted for good out of one store, and lets the records go that waited for it."""

    database: Database
    outbox: Table

    def look(self) -> None:
        """Do what is owed; what cannot be done now is told in the log, and owed still.

        Raises:
            StoreUnavailableError: the database does not answer.
        """
        try:
            self.settle()
        except BytesKeptError as fault:
            logs.warn("erased_bytes_kept", reason=str(fault))

    def settle(self) -> None:
        """Do what is owed, if anything.

        Raises:
            BytesKeptError: the bytes are still there, and no record was let go.
            StoreUnavailableError: the database does not answer.
        """
        with self.database.reading() as connection:
            owed = list(connection.execute(select(OWED.c.owed_id)).scalars())
            held = Outbox(connection, self.outbox).held()
        if not owed:
            return
        scrub(self.database, self.outbox.metadata)
        with self.database.transaction() as connection:
            connection.execute(delete(OWED).where(OWED.c.owed_id.in_(owed)))
            Outbox(connection, self.outbox).let_go(held)
        logs.log("erased_bytes_gone", count=len(owed))
