"""The senders of the rows of the outbox when several workers of a service share one PostgreSQL (docs/decisions/0012).

A row belongs to the process that wrote it, until PostgreSQL itself says that this process is gone: each worker holds an
advisory lock for as long as its connection lives. On SQLite there is one worker at a time, and whoever runs takes all.
"""

from __future__ import annotations

import uuid
import weakref
from collections.abc import Callable
from hashlib import sha256

from sqlalchemy import Connection, func, select

from signal_exchange.runtime.database import Database


class Owner:
    """One process as the owner of rows: its name, which no other process ever has, and the lock that tells it lives."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._let_go: Callable[[], object] | None = None
        self.name = str(uuid.uuid4())

    def hold(self) -> None:
        """Make sure that others see this process live.

        Raises:
            StoreUnavailableError: the database does not answer.
        """
        if self._let_go is None and self._database.is_postgres:
            held = self._database.standing_lock(_key(self.name))
            self._let_go = weakref.finalize(self, held.invalidate)  # closes what the pool would keep open

    def lost(self) -> None:
        """Let go of the lock, as after a fault of the database: the next `hold` takes it anew."""
        if self._let_go is not None:
            self._let_go()
            self._let_go = None

    def is_gone(self, connection: Connection, other: str) -> bool:
        """Say whether the process of this name has ended; nobody else takes its rows before this transaction ends."""
        if not self._database.is_postgres:
            return True
        return bool(connection.execute(select(func.pg_try_advisory_xact_lock(_key(other)))).scalar_one())


def _key(name: str) -> int:
    return int.from_bytes(sha256(f"outbox {name}".encode()).digest()[:8], "big", signed=True)
