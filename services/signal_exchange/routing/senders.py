"""The senders whose records are set aside: a flood of bad records stops the records of its sender only (docs/decisions/0022).

Only a valid signature counts against a sender. What is set aside keeps its number in the ledger, as parked, until a person has it
tried again; nothing of it is judged meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, select

from signal_exchange.routing.tables import SENDERS
from signal_exchange.runtime import logs
from signal_exchange.runtime.database import put_newer

SENDER_HELD: Final = "SENDER_HELD"
"""The reason of what is set aside: a code of dead_letter_reason.csv."""
HOLD: Final = timedelta(minutes=10)
"""From the record on that made it a flood; a flood that goes on makes the next one."""
MINUTE: Final = 60


@dataclass(frozen=True, slots=True)
class Tally:
    """The tally of one sender within one minute by the broker's time, and the moment until which its records are set aside."""

    municipality: str
    revision: int = 0
    minute: int = 0
    records: int = 0
    parked: int = 0
    held_until: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Say whether a record of this append time is set aside."""
        return self.held_until is not None and at < self.held_until

    def counted(self, at: datetime, *, parked: bool, limit: int) -> Tally:
        """Return the tally with one more record: `limit` parked ones in a minute, when they are the larger part, are a flood."""
        minute = int(at.timestamp()) // MINUTE
        before = replace(self, minute=minute, records=0, parked=0) if minute > self.minute else self
        after = replace(before, revision=self.revision + 1, records=before.records + 1, parked=before.parked + parked)
        flood = parked and after.parked >= limit and after.parked * 2 > after.records
        return replace(after, records=0, parked=0, held_until=at + HOLD) if flood else after


class SenderGate:
    """The tallies of the senders in one batch, in one open transaction."""

    def __init__(self, connection: Connection, senders: Collection[str], limit: int) -> None:
        self._connection, self._limit = connection, limit
        rows = connection.execute(select(SENDERS).where(SENDERS.c.municipality.in_(sorted(senders)))) if senders else ()
        stored = {row.municipality: Tally(*row) for row in rows}
        self._tallies = {sender: stored.get(sender, Tally(sender)) for sender in senders}
        self._changed: set[str] = set()

    def holds(self, sender: str, at: datetime) -> bool:
        """Say whether a record of this sender and append time is set aside."""
        return self._tallies[sender].holds(at)

    def count(self, sender: str, at: datetime, *, parked: bool) -> None:
        """Count a record of a sender that was judged."""
        before = self._tallies[sender]
        after = before.counted(at, parked=parked, limit=self._limit)
        if after.held_until != before.held_until:
            logs.warn("sender_held", municipality=sender, count=self._limit)
        self._tallies[sender] = after
        self._changed.add(sender)

    def save(self) -> None:
        """Write what changed."""
        put_newer(self._connection, SENDERS, [asdict(self._tallies[sender]) for sender in self._changed], guard="revision")
