"""The acts of an operator on linking, for commands, routes and pages alike. No value is ever seen (R-LINK-05)."""

from __future__ import annotations

from dataclasses import dataclass

from signal_exchange.domain.links.states import CANDIDATE, CONFIRMED
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.linking.records import Link
from signal_exchange.linking.store import LinkingStore
from signal_exchange.stream.acting import ActionStore


@dataclass(frozen=True, slots=True)
class LinkingActions:
    """Everything that an operator can see of linking: links between random ids, and where they stand."""

    store: ActionStore

    def links(self, *, ended: bool = False) -> list[Link]:
        """Return the candidates and the confirmed links, with `ended` the others too, the oldest first."""
        with self.store.reading() as connection:
            found = LinkingStore(connection).all_links()
        return [link for link in found if ended or link.state in (CANDIDATE, CONFIRMED)]

    def link(self, link_id: str) -> Link:
        """Return one link.

        Raises:
            RefusedError: linking does not know it.
        """
        with self.store.reading() as connection:
            found = LinkingStore(connection).links([link_id]).get(link_id)
        if found is None:
            raise RefusedError("LINK_UNKNOWN")
        return found
