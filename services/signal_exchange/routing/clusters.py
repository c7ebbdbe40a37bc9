"""Which signals are together in a cluster, as linking told: read when a batch needs it, changed in memory, written at once."""

from __future__ import annotations

from signal_exchange.routing.store import Membership, RoutingStore


class Clusters:
    """Working copy of the memberships for one batch. A cluster that nobody asked about is not read."""

    def __init__(self, store: RoutingStore) -> None:
        self._store = store
        self._known: dict[str, Membership] = {}
        self._changed: dict[str, Membership] = {}

    def together_with(self, signal_id: str) -> set[str]:
        """Return every signal in the cluster of a signal, itself included; of one in no cluster itself alone."""
        cluster_id = self._membership(signal_id).cluster_id
        return {signal_id, *self._members(cluster_id)} if cluster_id is not None else {signal_id}

    def change(self, membership: Membership) -> set[str]:
        """Take a membership over, and return the signals whose cluster it changes; none when it is no newer one."""
        before = self._membership(membership.signal_id)
        if before.revision >= membership.revision:
            return set()
        left = self.together_with(membership.signal_id)
        self._known[membership.signal_id] = self._changed[membership.signal_id] = membership
        return left | self.together_with(membership.signal_id)

    def save(self) -> None:
        """Write what changed."""
        self._store.put_memberships(list(self._changed.values()))

    def _membership(self, signal_id: str) -> Membership:
        if signal_id not in self._known:
            found = self._store.memberships([signal_id]).get(signal_id)
            self._known[signal_id] = found or Membership(signal_id, 0, None)
        return self._known[signal_id]

    def _members(self, cluster_id: str) -> set[str]:
        stored = self._store.memberships([], [cluster_id])
        self._known = {**stored, **self._known}
        return {each.signal_id for each in self._known.values() if each.cluster_id == cluster_id}
