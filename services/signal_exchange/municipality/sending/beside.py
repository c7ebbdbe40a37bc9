"""Sending beside one act: a command sends what it left in the outbox, also while the running node sends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from signal_exchange.municipality.sending.relay import Relay, RelayLoop
from signal_exchange.municipality.threads import Worker

WAIT_SECONDS: Final = 10.0
"""How long an act waits until the broker acknowledged what it left in the outbox."""
DELIVERY_SECONDS: Final = 5.0
RELAY_SECONDS: Final = 0.1


@contextmanager
def relaying(relay: Relay, checkpoint_seconds: float) -> Iterator[None]:
    """Relay beside the block, and wait at its end until the broker took everything, or took nothing for a while."""
    loop = RelayLoop(relay, relay_seconds=RELAY_SECONDS, checkpoint_seconds=checkpoint_seconds)
    with Worker("relay", loop.run):
        yield
        _await_sent(relay)


def _await_sent(relay: Relay) -> None:
    # A file of many records takes minutes, since Kafka lets a member write so many bytes a second (docs/decisions/0022).
    left, until = relay.unsent(), time.monotonic() + WAIT_SECONDS
    while left and time.monotonic() < until:
        time.sleep(RELAY_SECONDS)
        now = relay.unsent()
        if now < left:
            left, until = now, time.monotonic() + WAIT_SECONDS
