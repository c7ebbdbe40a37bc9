"""What a service erased leaves the bytes of its store before the service says that it is done (docs/decisions/0026).

Who deletes what was erased owes it in the same transaction. `Scrubber` pays: it takes the deleted bytes out of the store, and
only then lets the receipts go. While it cannot, nothing else waits; the receipts are missed by oversight in time.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import Connection, Table, delete, select

from signal_exchange.runtime import logs
from signal_exchange.runtime.database import Database, add_once
from signal_exchange.runtime.faults import BytesKept
from signal_exchange.runtime.scrubbing import scrub
from signal_exchange.stream.outbox import Outbox, owed_table

LOOK_SECONDS = 2.0
"""Pause between two looks for deleted bytes that are still in the store."""


def owe(connection: Connection, outbox: Table) -> None:
    """Note, in the transaction that deletes something for good, that its bytes must leave the store too."""
    add_once(connection, owed_table(outbox.metadata), [{"owed_id": str(uuid.uuid4())}])


def is_owed(connection: Connection, outbox: Table) -> bool:
    """Say whether deleted bytes may still be in the store."""
    return connection.execute(select(owed_table(outbox.metadata)).limit(1)).first() is not None


@dataclass(frozen=True, slots=True)
class Scrubber:
    """Takes what was deleted for good out of one store, and lets the letters go that waited for it."""

    database: Database
    outbox: Table

    def look(self) -> None:
        """Do what is owed; what cannot be done now is told in the log, and owed still.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        try:
            self.settle()
        except BytesKept as fault:
            logs.warn("erased_bytes_kept", reason=str(fault))

    def settle(self) -> None:
        """Do what is owed, if anything.

        Raises:
            BytesKept: the bytes are still there, and no letter was let go.
            StoreUnavailable: the database does not answer.
        """
        table = owed_table(self.outbox.metadata)
        with self.database.reading() as connection:
            owed = list(connection.execute(select(table.c.owed_id)).scalars())
            held = Outbox(connection, self.outbox).held()
        if not owed:
            return
        scrub(self.database, self.outbox.metadata)
        with self.database.transaction() as connection:
            connection.execute(delete(table).where(table.c.owed_id.in_(owed)))
            Outbox(connection, self.outbox).let_go(held)
        logs.log("erased_bytes_gone", count=len(owed))
