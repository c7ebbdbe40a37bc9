"""The records for which nobody can be named: a few an hour are kept, and in part; the others are counted (decision 0022).

Nothing is lost by that: a municipality keeps each of its records until the exchange tells that its number came in, and sends it
again meanwhile.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, delete, select

from signal_exchange.contracts.topics import is_open
from signal_exchange.routing.tables import UNATTRIBUTED
from signal_exchange.runtime.database import put_newer
from signal_exchange.stream.messages import Incoming, Unreadable
from signal_exchange.stream.setting_aside import CANNOT_PROCESS
from signal_exchange.stream.work import Park, Work, park_on_topic

KEPT_BYTES: Final = 4_096
"""Of one such record, with its key, length and hash."""
HOUR: Final = 3600
HOURS_KNOWN: Final = 200
"""Longer than `signals` keeps its records."""
KEPT: Final = "kept"


def park_sparingly(an_hour: int) -> Park:
    """Return a `park` that keeps only so many records an hour that come from members and name nobody."""

    def park(work: Work, unreadable: Unreadable) -> None:
        incoming = unreadable.incoming
        named = unreadable.attribution is not None or unreadable.reason == CANNOT_PROCESS  # whose fault is ours
        if named or not is_open(incoming.topic) or incoming.attempt:
            park_on_topic(work, unreadable)
        elif Marks(work.connection).admit(incoming, an_hour):
            park_on_topic(work, unreadable, at_most=KEPT_BYTES)
        else:
            work.only_count(unreadable, known=not Marks(work.connection).pass_by(incoming))

    return park


class Marks:
    """The number of records kept in each hour, and the place up to which a topic's part was counted, in one open transaction.

    The hour is the broker's: a batch that comes again finds the same.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def admit(self, incoming: Incoming, an_hour: int) -> bool:
        """Say whether one more record may be kept in its hour, and count it if so."""
        hour = int(incoming.appended_at.timestamp()) // HOUR
        kept = self._number(KEPT, hour)
        if kept >= an_hour:
            return False
        self._put(KEPT, hour, kept + 1)
        forgotten = (UNATTRIBUTED.c.name == KEPT) & (UNATTRIBUTED.c.part < hour - HOURS_KNOWN)
        self._connection.execute(delete(UNATTRIBUTED).where(forgotten))
        return True

    def pass_by(self, incoming: Incoming) -> bool:
        """Say whether a record is counted for the first time, and remember it."""
        if incoming.offset < self._number(incoming.topic, incoming.partition):
            return False
        self._put(incoming.topic, incoming.partition, incoming.offset + 1)
        return True

    def _number(self, name: str, part: int) -> int:
        own = (UNATTRIBUTED.c.name == name) & (UNATTRIBUTED.c.part == part)
        return int(self._connection.execute(select(UNATTRIBUTED.c.number).where(own)).scalar() or 0)

    def _put(self, name: str, part: int, number: int) -> None:
        put_newer(self._connection, UNATTRIBUTED, [{"name": name, "part": part, "number": number}], guard="number")
