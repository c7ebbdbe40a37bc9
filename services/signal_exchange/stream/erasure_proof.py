"""On whose word a service erases: an order, or a tombstone, that does not carry the municipality's own is parked (R-RET-03)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from signal_exchange.privacy.register import Register
from signal_exchange.stream.erasing import ERASED, M, is_marker
from signal_exchange.stream.erasure_word import UNPROVEN, fault_of, said_in, word_in
from signal_exchange.stream.messages import Incoming, Message, Unreadable
from signal_exchange.stream.work import Work

Owners = Callable[[Collection[str]], Mapping[str, str]]
"""Gives the municipality of each of these signals of which the service holds something."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The proofs by which one batch erases: the register's keys, and whose the signals are that the service holds."""

    register: Register = field(repr=False)
    owners: Owners = field(repr=False)

    def proven(self, messages: Sequence[M], work: Work) -> list[M]:
        """Park what orders to erase without the word of the signal's municipality, and return the rest."""
        orders = [message for message in messages if message.fields.get("status") == ERASED]
        held = self.owners({order.fields["signal_id"] for order in orders}) if orders else {}
        faults = {id(order): self._fault_of(order, held) for order in orders}
        return [each for each in messages if not _parked(each.incoming, faults.get(id(each)), work)]

    def proven_tombstones(self, gone: Sequence[Incoming], work: Work) -> list[Incoming]:
        """Park the tombstones of signals that do not carry the word of the signal's municipality, and return the rest."""
        held = self.owners({each.key_text for each in gone})
        return [each for each in gone if is_marker(each) or not _parked(each, self._fault_of_tombstone(each, held), work)]

    def _fault_of(self, order: Message, held: Mapping[str, str]) -> str | None:
        signal_id, municipality = order.fields["signal_id"], order.fields["municipality"]
        if held.get(signal_id, municipality) != municipality:
            return "municipality R-RET-03"
        return fault_of(order.fields["word"], signal_id=signal_id, municipality=municipality, register=self.register)

    def _fault_of_tombstone(self, tombstone: Incoming, held: Mapping[str, str]) -> str | None:
        word = word_in(tombstone.headers)
        said = said_in(word) if word is not None else None
        owner = held.get(tombstone.key_text, said["municipality"] if said is not None else "")
        return fault_of(word, signal_id=tombstone.key_text, municipality=owner, register=self.register)


def _parked(incoming: Incoming, fault: str | None, work: Work) -> bool:
    if fault is not None:
        work.park(Unreadable(incoming, UNPROVEN, (fault,)))
    return fault is not None
