"""Which open signals are one item, after links or signals changed (R-AGENDA-03, R-LINK-06)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import count

from sqlalchemy import Connection, select

from signal_exchange.domain.links.clusters import clusters, names_of
from signal_exchange.linking.records import OPEN, Link, Signal, next_revision
from signal_exchange.linking.store import LinkingStore
from signal_exchange.linking.tables import MEMBERSHIPS
from signal_exchange.privacy.secret_ids import SecretIds
from signal_exchange.runtime.database import put_newer


@dataclass(frozen=True, slots=True)
class Membership:
    """The cluster of one signal as it was last published, and its own confirmed links."""

    signal_id: str
    cluster_id: str | None
    kinds: tuple[str, ...]
    link_ids: tuple[str, ...]
    changed_at: datetime = field(compare=False)
    revision: int = field(default=0, compare=False)


def cluster_id_of(link_id: str, number: int, ids: SecretIds) -> str:
    """Return the id of a cluster that a link made, the first or a later one; it says nothing: G- and ten letters and digits."""
    letters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
    return "G-" + "".join(letters[byte % len(letters)] for byte in ids.digest("cluster", link_id, str(number))[:10])


class Clusters:
    """The clusters in one open transaction, at one moment."""

    def __init__(self, connection: Connection, store: LinkingStore, ids: SecretIds, now: datetime) -> None:
        self._connection, self._store = connection, store
        self._ids, self._now = ids, now

    def changed(self, seeds: Collection[str], at: datetime) -> list[Membership]:
        """Work out the clusters around these signals anew, keep what changed and return it.

        A signal that once had a confirmed link and of which nothing is known is told too: a linking that was restored may have
        told it a cluster.
        """
        links = _reached(self._store, self._with_old_members(seeds))
        signals = self._store.signals({*seeds, *links})
        known, stood = self._known(signals), self._stood(signals)
        names = self._names(signals, links, known)
        told = [self._membership(each, links.get(each, []), names.get(each), at, known) for each in sorted(signals)]
        before = {**{each: _nothing(each, at) for each in signals.keys() - stood}, **known}
        new = [each for each in told if each != before.get(each.signal_id)]
        put_newer(self._connection, MEMBERSHIPS, [asdict(each) for each in new], guard="revision")
        return new

    def _stood(self, signal_ids: Collection[str]) -> set[str]:
        return {each for link in self._store.links_of(signal_ids).values() if link.stood for each in link.pair}

    def _names(
        self, signals: Mapping[str, Signal], links: Mapping[str, list[Link]], known: Mapping[str, Membership]
    ) -> dict[str, str]:
        is_open = [signal_id for signal_id, signal in signals.items() if signal.status == OPEN]
        parts = clusters(is_open, (link.pair for each in links.values() for link in each))
        named = {signal_id: each.cluster_id for signal_id, each in known.items() if each.cluster_id}
        appended = {signal_id: signal.appended_at for signal_id, signal in signals.items()}
        return dict(_spread(names_of(parts, named, appended, lambda part: self._new_name(part, links))))

    def _new_name(self, part: frozenset[str], links: Mapping[str, list[Link]]) -> str:
        """Name a cluster by the link in it that was confirmed first; by that link's next name when a split took the first."""
        inside = (link for member in part for link in links[member] if {*link.pair} <= part)
        first = min(inside, key=lambda link: (link.changed_at, link.link_id))
        names = (cluster_id_of(first.link_id, number, self._ids) for number in count())
        return next(name for name in names if not self._is_used(name))

    def _is_used(self, name: str) -> bool:
        used = select(MEMBERSHIPS.c.signal_id).where(MEMBERSHIPS.c.cluster_id == name).limit(1)
        return self._connection.execute(used).first() is not None

    def _membership(
        self, signal_id: str, own: Collection[Link], cluster_id: str | None, at: datetime, known: Mapping[str, Membership]
    ) -> Membership:
        kinds, ids = sorted({link.kind for link in own}), sorted(link.link_id for link in own)
        revision = next_revision(known[signal_id].revision if signal_id in known else 0, self._now)
        return Membership(signal_id, cluster_id, tuple(kinds), tuple(ids), at, revision)

    def _with_old_members(self, seeds: Collection[str]) -> set[str]:
        """Add who was in a cluster with these: a part that splits off must be seen too."""
        ids = [each.cluster_id for each in self._known(seeds).values() if each.cluster_id]
        rows = self._connection.execute(select(MEMBERSHIPS.c.signal_id).where(MEMBERSHIPS.c.cluster_id.in_(ids)))
        return {*seeds, *(row.signal_id for row in rows)}

    def _known(self, signal_ids: Iterable[str]) -> dict[str, Membership]:
        rows = self._connection.execute(select(MEMBERSHIPS).where(MEMBERSHIPS.c.signal_id.in_(set(signal_ids))))
        made = (
            Membership(row.signal_id, row.cluster_id, tuple(row.kinds), tuple(row.link_ids), row.changed_at, row.revision)
            for row in rows
        )
        return {each.signal_id: each for each in made}


def _reached(store: LinkingStore, seeds: Collection[str]) -> dict[str, list[Link]]:
    """Return the confirmed links of every signal that confirmed links lead to."""
    found: dict[str, dict[str, Link]] = defaultdict(dict)
    to_visit, seen = set(seeds), set[str]()
    while to_visit:
        confirmed = [link for link in store.links_of(to_visit).values() if link.confirmed]
        seen |= to_visit
        for link in confirmed:
            for signal_id in link.pair:
                found[signal_id][link.link_id] = link
        to_visit = {signal_id for link in confirmed for signal_id in link.pair} - seen
    return {signal_id: list(found[signal_id].values()) for signal_id in seen}


def _spread(names: Mapping[frozenset[str], str]) -> Iterator[tuple[str, str]]:
    return ((member, name) for part, name in names.items() for member in part)


def _nothing(signal_id: str, at: datetime) -> Membership:
    return Membership(signal_id, None, (), (), at)
