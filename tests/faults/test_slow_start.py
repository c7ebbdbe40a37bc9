"""All consumers started at once on a machine that has other work: each gets its share, and nobody stands still (decision 20)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from raw_signals import VENLO, raw, send, settled
from senders import Sender, coded_example
from whole_exchange import an_exchange

from signal_exchange.contracts.topics import CONSUMERS
from signal_exchange.runtime import clock
from signal_exchange.runtime.kafka import admin_client
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.processes import ProcessGroup

pytestmark = [pytest.mark.broker, pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(1200)]
BUSY_LOOPS = 4 * (os.cpu_count() or 2)
READY_SECONDS = 280.0
"""Below the age at which aiokafka would look again for partitions by itself: five minutes."""


@contextmanager
def a_busy_machine() -> Iterator[None]:
    """Keep every core busy many times over."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(BUSY_LOOPS)]
    try:
        yield
    finally:
        for each in loops:
            each.kill()
            each.wait()


def start_together(whole: Exchange) -> dict[str, int]:
    """Start every process at once as a supervisor does, which starts again what ended; return how often each ended."""
    ended = dict.fromkeys((child.name for child in whole.processes.children.values()), 0)
    whole.processes.start()
    until = time.monotonic() + READY_SECONDS
    while waiting := [child for child in whole.processes.children.values() if not child.is_ready()]:
        assert time.monotonic() < until, f"not ready after {READY_SECONDS:.0f} s: {[child.name for child in waiting]}"
        for child in waiting:
            if child.has_ended():
                ended[child.name] += 1
                child.start()
        time.sleep(1)
    return ended


def shares(whole: Exchange) -> dict[str, list[int]]:
    """Return of each group how many partitions each of its members has."""
    names = [*CONSUMERS, *whole.nodes]
    with admin_client(whole.admin) as admin:
        described = admin.describe_groups(names)
    return {name: [_partitions(member) for member in described[name]["members"]] for name in names}


def _partitions(member: dict[str, Any]) -> int:
    return sum(len(each["partitions"]) for each in member["member_assignment"]["assigned_partitions"])


def test_all_consumers_started_at_once_on_a_busy_machine_get_their_share(tmp_path: Path) -> None:
    with an_exchange(tmp_path / "exchange", services=(), nodes=()) as whole:
        whole.services, whole.nodes = CONSUMERS, tuple(f"municipality-{code.lower()}" for code in whole.region.members)
        whole.processes.stop()
        whole.processes = ProcessGroup(whole._children())
        with a_busy_machine():
            start_together(whole)
        found = shares(whole)
        assert {name for name, members in found.items() if len(members) != 1 or members == [0]} == set()
        sender = Sender.of(whole.region, VENLO)
        signal = sender.published(coded_example("01_sexual"), at=clock.now())
        send(whole, [(raw(signal), 0), (raw(sender.checkpoint(1, at=clock.now())), 0)])
        assert settled(whole).ledger.counts["routed"] == 1
