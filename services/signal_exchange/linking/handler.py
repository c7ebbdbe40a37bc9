"""The work of linking on one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from signal_exchange.linking.store import LinkingStore
from signal_exchange.stream.messages import Message
from signal_exchange.stream.work import Work


@dataclass(frozen=True, slots=True)
class LinkingHandler:
    """Handles batches of signals and answers."""

    def __call__(self, messages: Sequence[Message], work: Work) -> None:
        """Read what the batch touches once, and write once."""
        signals = [message.fields for message in messages if message.record == "LinkTokens"]
        LinkingStore(work.connection).put_signals(signals)
