"""Which signals are together in a cluster, as linking told: read when a batch needs it, changed in memory, written at once."""

from __future__ import annotations

from collections.abc import Iterable

from signal_exchange.routing.store import Membership, RoutingStore


class Clusters:
    """Working copy of the memberships for one batch, of whose signals they are read at once.

    A cluster that nobody asked about is not read.
    """

    def __init__(self, store: RoutingStore, signal_ids: Iterable[str] = ()) -> None:
        self._store = store
        self._known = {signal_id: Membership(signal_id, 0, None) for signal_id in signal_ids}
        if self._known:
            self._known |= store.memberships(self._known)
        self._changed: dict[str, Membership] = {}
        self._asked: set[str] = set()

    def together_with(self, signal_id: str) -> set[str]:
        """Return every signal in the cluster of a signal, itself included; of one in no cluster itself alone."""
        cluster_id = self._membership(signal_id).cluster_id
        return {signal_id, *self._members(cluster_id)} if cluster_id is not None else {signal_id}

    def around(self, membership: Membership) -> set[str]:
        """Return the signals whose cluster a membership would change: those of the cluster it leaves and of the one it joins."""
        joined = self._members(membership.cluster_id) if membership.cluster_id is not None else set()
        return self.together_with(membership.signal_id) | joined

    def change(self, membership: Membership) -> set[str]:
        """Take a membership over, and return the signals whose cluster it changes; none when it is no newer one."""
        before = self._membership(membership.signal_id)
        if before.revision >= membership.revision:
            return set()
        left = self.together_with(membership.signal_id)
        self._known[membership.signal_id] = self._changed[membership.signal_id] = membership
        return left | self.together_with(membership.signal_id)

    def save(self) -> None:
        """Write what changed, and that this batch decided by the members of each cluster that it asked about."""
        self._store.put_memberships(list(self._changed.values()))
        self._store.take_turns(self._asked)

    def _membership(self, signal_id: str) -> Membership:
        if signal_id not in self._known:
            found = self._store.memberships([signal_id]).get(signal_id)
            self._known[signal_id] = found or Membership(signal_id, 0, None)
        return self._known[signal_id]

    def _members(self, cluster_id: str) -> set[str]:
        self._asked.add(cluster_id)
        stored = self._store.memberships([], [cluster_id])
        self._known = {**stored, **self._known}
        return {each.signal_id for each in self._known.values() if each.cluster_id == cluster_id}
