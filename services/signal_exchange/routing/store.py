"""The store of routing: the last state of each signal, and which number of which municipality was used for what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, select, tuple_, update

from signal_exchange.routing.tables import CLUSTER_TURNS, MEMBERSHIPS, NUMBERS, SIGNALS
from signal_exchange.runtime.database import put_newer, row_of, touch, values_of

Number = tuple[str, str, int]
"""Municipality, publisher run and sequence."""


@dataclass(frozen=True, slots=True)
class StoredSignal:
    """One row of the signals."""

    signal_id: str
    revision: int
    municipality: str
    state: str
    version: int
    seen: str
    accepted: bytes | None = field(repr=False)
    rescreen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class UsedNumber:
    """One row of the numbers. `revision` rises when the verdict changes, as from routed to superseded."""

    municipality: str
    publisher_run: str
    sequence: int
    revision: int
    signal_id: str
    version: int
    value_hash: bytes = field(repr=False)
    verdict: str

    @property
    def number(self) -> Number:
        """Return the key of this row."""
        return self.municipality, self.publisher_run, self.sequence


@dataclass(frozen=True, slots=True)
class Membership:
    """One row of the memberships."""

    signal_id: str
    revision: int
    cluster_id: str | None


class RoutingStore:
    """The rows of routing in one open transaction. Writes are guarded: an older revision never wins."""

    def __init__(self, connection: Connection) -> None:
        self.connection = self._connection = connection

    def signals(self, ids: Iterable[str]) -> dict[str, StoredSignal]:
        """Return the stored signals among these ids; nobody else changes them before this transaction ends."""
        chosen = select(SIGNALS).where(SIGNALS.c.signal_id.in_(set(ids))).order_by(SIGNALS.c.signal_id)
        rows = self._connection.execute(chosen.with_for_update())
        return {row.signal_id: StoredSignal(*row) for row in rows}

    def numbers(self, numbers: Iterable[Number]) -> dict[Number, UsedNumber]:
        """Return the used ones among these numbers."""
        key = tuple_(NUMBERS.c.municipality, NUMBERS.c.publisher_run, NUMBERS.c.sequence)
        rows = self._connection.execute(select(NUMBERS).where(key.in_(list(set(numbers)))))
        found = (UsedNumber(*row) for row in rows)
        return {each.number: each for each in found}

    def highest_number(self, municipality: str, publisher_run: str) -> int:
        """Return the highest number of a run; 0 when there is none."""
        own = (NUMBERS.c.municipality == municipality) & (NUMBERS.c.publisher_run == publisher_run)
        return int(self._connection.execute(select(func.max(NUMBERS.c.sequence)).where(own)).scalar_one() or 0)

    def all_signals(self) -> list[StoredSignal]:
        """Return every stored signal, by id."""
        return values_of(StoredSignal, self._connection, select(SIGNALS).order_by(SIGNALS.c.signal_id))

    def due_for_rescreen(self, now: datetime, limit: int, but: Collection[str] = ()) -> list[str]:
        """Return the signals that the rules must judge again because of the time, the longest due first.

        Those of the municipalities in `but` wait.
        """
        own = (SIGNALS.c.rescreen_at <= now, SIGNALS.c.municipality.not_in(but))
        due = select(SIGNALS.c.signal_id).where(*own).order_by(SIGNALS.c.rescreen_at).limit(limit)
        return list(self._connection.execute(due).scalars())

    def memberships(self, signal_ids: Iterable[str], cluster_ids: Iterable[str] = ()) -> dict[str, Membership]:
        """Return the memberships of these signals and of everybody in these clusters."""
        own = MEMBERSHIPS.c.signal_id.in_(set(signal_ids))
        together = MEMBERSHIPS.c.cluster_id.in_(set(cluster_ids))
        return {row.signal_id: Membership(*row) for row in self._connection.execute(select(MEMBERSHIPS).where(own | together))}

    def put_memberships(self, memberships: Sequence[Membership]) -> None:
        """Write memberships, of which an older revision never wins."""
        put_newer(self._connection, MEMBERSHIPS, [row_of(each) for each in memberships], guard="revision")

    def take_turns(self, cluster_ids: Iterable[str]) -> None:
        """Let no other batch decide by the members of these clusters at the same time (R-ROUTE-05)."""
        touch(self._connection, CLUSTER_TURNS, [{"cluster_id": cluster_id} for cluster_id in set(cluster_ids)])

    def forget_signals(self, signal_ids: Collection[str]) -> None:
        """Delete the rows of erased signals."""
        if signal_ids:
            self._connection.execute(delete(SIGNALS).where(SIGNALS.c.signal_id.in_(signal_ids)))

    def forget_memberships(self, signal_ids: Collection[str]) -> None:
        """Delete the memberships of signals of which linking keeps none any more."""
        if signal_ids:
            self._connection.execute(delete(MEMBERSHIPS).where(MEMBERSHIPS.c.signal_id.in_(signal_ids)))

    def put_seen(self, signals: Iterable[StoredSignal]) -> None:
        """Write which versions were seen of signals that are stored, with the revision that goes with it."""
        rows = [{"of": each.signal_id, "seen": each.seen, "revision": each.revision} for each in signals]
        if rows:
            self._connection.execute(update(SIGNALS).where(SIGNALS.c.signal_id == bindparam("of")), rows)

    def parked_numbers(self, signal_id: str) -> list[UsedNumber]:
        """Return the numbers of a signal's records that are parked."""
        own = (NUMBERS.c.signal_id == signal_id) & (NUMBERS.c.verdict == "parked")
        return values_of(UsedNumber, self._connection, select(NUMBERS).where(own))

    def put(self, signals: Sequence[StoredSignal], numbers: Sequence[UsedNumber]) -> None:
        """Write the new states."""
        put_newer(self._connection, SIGNALS, [row_of(each) for each in signals], guard="revision")
        put_newer(self._connection, NUMBERS, [row_of(each) for each in numbers], guard="revision")
