"""Every consumer killed before and after its effect, stopped under load, and the broker killed: nothing lost, nothing twice."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from signal_exchange.contracts.topics import CONSUMERS
from whole_exchange import KILLED, add_service, an_exchange, an_input, killer, nothing_lost_and_nothing_twice, publish

pytestmark = [pytest.mark.broker, pytest.mark.faults, pytest.mark.timeout(400)]
OUTAGE_SECONDS = 20


@pytest.mark.parametrize("point", ["before_effect", "after_store", "after_send"])
def test_each_consumer_killed_at_a_point_of_its_batch_loses_nothing_and_does_nothing_twice(tmp_path: Path, point: str) -> None:
    given = an_input(tmp_path / "input", seed=11, signals=40)
    with an_exchange(tmp_path / "exchange", services=()) as exchange:
        publish(exchange, given)
        doomed = {service: killer(exchange, service, point, nth=1 if service == "worklist-youth" else 2) for service in CONSUMERS}
        for service, process in doomed.items():
            assert process.wait(120) == KILLED, service
            add_service(exchange, service)
        nothing_lost_and_nothing_twice(exchange, given)


def test_sigterm_under_load_loses_nothing_and_does_nothing_twice(tmp_path: Path) -> None:
    given = an_input(tmp_path / "input", seed=12, signals=80)
    with an_exchange(tmp_path / "exchange") as exchange, ThreadPoolExecutor(1) as pool:
        job = pool.submit(publish, exchange, given)
        for service in (*CONSUMERS, *exchange.nodes[:1]):
            child = exchange.household.children[service]
            child.send(signal.SIGTERM)
            assert child.process is not None
            assert child.process.wait(40) == 0, service
            child.start()
        job.result()
        nothing_lost_and_nothing_twice(exchange, given)


def test_a_broker_killed_for_20_seconds_loses_nothing_and_does_nothing_twice(tmp_path: Path) -> None:
    given = an_input(tmp_path / "input", seed=13, signals=60)
    with an_exchange(tmp_path / "exchange") as exchange, ThreadPoolExecutor(1) as pool:
        job = pool.submit(publish, exchange, given)
        time.sleep(3)
        exchange.broker.kill()
        time.sleep(OUTAGE_SECONDS)
        exchange.broker.start()
        job.result()
        nothing_lost_and_nothing_twice(exchange, given)
        exchange.household.check()
