"""The log of a store on its back-ups: which were made, which were put back, and why one that was old (docs/decisions/0027)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, func, select

from signal_exchange.domain.refusals import Phrase, RefusedError
from signal_exchange.runtime import clock
from signal_exchange.runtime.database import add_once
from signal_exchange.stream.tables import BACKUPS

OLDEST: Final = timedelta(days=7)
"""What came in before has left the topics that forget: a service could not catch up with it."""
MADE, RESTORED = "MADE", "RESTORED"


class BackupLog:
    """The log in one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self) -> list[dict[str, Any]]:
        """Return every entry, the oldest first."""
        chosen = select(BACKUPS).order_by(BACKUPS.c.at, BACKUPS.c.entry_id)
        return [dict(row) for row in self._connection.execute(chosen).mappings()]

    def keep(self, rows: Sequence[dict[str, Any]]) -> None:
        """Put entries back that a restore would lose."""
        add_once(self._connection, BACKUPS, rows)

    def add(self, what: str, backup_id: str, made_at: datetime, reason: str | None = None) -> None:
        """Note that a back-up was made or put back now."""
        own = {"entry_id": str(uuid.uuid4()), "backup_id": backup_id, "made_at": made_at, "what": what, "at": clock.now()}
        add_once(self._connection, BACKUPS, [{**own, "reason": reason}])

    def require_newest(self, made_at: datetime, reason: str | None) -> None:
        """Let no old back-up through without a reason.

        Raises:
            RefusedError: it is older than 7 days, or than the newest one that this store knows.
        """
        newest = self._connection.execute(select(func.max(BACKUPS.c.made_at))).scalar_one()
        behind, old = newest is not None and made_at < newest, clock.now() - made_at > OLDEST
        if reason is None and (behind or old):
            than = Phrase("the_newest_of", {"made_at": newest}) if behind else Phrase("days", {"count": OLDEST.days})
            raise RefusedError("BACKUP_OLD", field="older", made_at=made_at, than=than)
