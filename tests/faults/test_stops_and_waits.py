"""Whose fault decides: ours stops the process with nothing committed, the world's is waited for."""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from contextlib import closing
from pathlib import Path

import pytest
from raw_signals import VENLO, raw, send, settled
from senders import Sender, coded_example
from whole_exchange import QUICK, add_service, an_exchange, eventually, killer, waiting_for

from signal_exchange.runtime import clock
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.watching import lag

pytestmark = [pytest.mark.broker, pytest.mark.faults, pytest.mark.timeout(600)]
SIGNALS = 3
IMPATIENT = {"SIGNAL_EXCHANGE_WATCHDOG_SECONDS": "15"}
STANDSTILLS = {
    "loses_coordinator": "GROUP_LOST",
    "blocks_event_loop": "STANDS_STILL",
    "hangs_in_handler": "STANDS_STILL",
    "hangs_in_relay": "STANDS_STILL",
}
"""Ways to stand still, with what the log says of it."""


def send_signals(whole: Exchange) -> None:
    sender = Sender.of(whole.region, VENLO)
    signals = [{**coded_example("01_sexual"), "signal_id": str(uuid.uuid4())} for _ in range(SIGNALS)]
    send(whole, [(raw(sender.published(signal, at=clock.now())), 0) for signal in signals])
    send(whole, [(raw(sender.checkpoint(SIGNALS, at=clock.now())), 0)])


def test_a_fault_of_our_own_sets_three_records_aside_and_ends_the_process_at_the_fourth(tmp_path: Path) -> None:
    with an_exchange(tmp_path / "exchange", services=(), nodes=()) as whole:
        send_signals(whole)
        process = killer(whole, "routing", "unexpected", nth=1)
        for _ in range(2):
            assert process.wait(60) == 1
            process = killer(whole, "routing", "unexpected", nth=1)
        assert process.wait(60) == 1
        assert lag(whole.admin, whole.region.catalogue, ["routing"]) == SIGNALS + 1
        said = (whole.folder / "logs" / "routing-unexpected.log").read_text(encoding="utf-8")
        assert "consumer_stopped" in said
        assert "a fault of our own" not in said
        add_service(whole, "routing")
        found = settled(whole).ledger
        assert (found.counts["parked"], found.counts["routed"], found.unattributed) == (SIGNALS, 0, 0)


def test_a_process_that_stands_still_ends_by_itself_with_exit_code_1_and_the_next_loses_nothing(tmp_path: Path) -> None:
    with an_exchange(tmp_path / "exchange", services=(), nodes=()) as whole:
        for point in STANDSTILLS:
            process = killer(whole, "routing", point, nth=1, **IMPATIENT)
            send_signals(whole)
            assert process.wait(120) == 1, point
        assert {point: why_stopped(whole, point) for point in STANDSTILLS} == STANDSTILLS
        add_service(whole, "routing")
        assert settled(whole).ledger.counts["routed"] == SIGNALS * len(STANDSTILLS)
    assert [line for line in logged(whole) if not line.startswith('{"')] == []


def why_stopped(whole: Exchange, point: str) -> str:
    said = (whole.folder / "logs" / f"routing-{point}.log").read_text(encoding="utf-8")
    [reason] = [json.loads(line)["reason"] for line in said.splitlines() if '"consumer_stopped"' in line]
    return str(reason)


def test_a_broker_that_is_away_for_longer_than_the_watchdogs_time_is_waited_for(tmp_path: Path) -> None:
    with an_exchange(tmp_path / "exchange", services=("routing",), nodes=(), settings={**QUICK, **IMPATIENT}) as whole:
        routing = whole.processes.children["routing"]
        whole.broker.kill()
        time.sleep(2 * float(IMPATIENT["SIGNAL_EXCHANGE_WATCHDOG_SECONDS"]))
        assert not routing.has_ended()
        whole.broker.start()
        send_signals(whole)
        assert settled(whole).ledger.counts["routed"] == SIGNALS
        assert not routing.has_ended()
    assert [line for line in logged(whole) if not line.startswith('{"')] == []


def logged(whole: Exchange) -> list[str]:
    """Return every line of every service, however it ended: each must be JSON, without a traceback or a sign for a terminal."""
    files = (whole.folder / "logs").glob("routing*.log")
    return [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_store_that_is_locked_is_waited_for_and_readiness_says_so(tmp_path: Path) -> None:
    with an_exchange(tmp_path / "exchange", services=("routing",), nodes=()) as whole:
        routing = whole.processes.children["routing"]
        database = whole.region.process_folder("routing") / "data" / "routing.sqlite"
        with closing(sqlite3.connect(database)) as other:
            other.execute("BEGIN IMMEDIATE")
            send_signals(whole)
            eventually(lambda: waiting_for(routing.ready_url), lambda step: step == "store", seconds=40)
            other.rollback()
        assert settled(whole).ledger.counts["routed"] == SIGNALS
        eventually(routing.is_ready, lambda ready: ready, seconds=20)
