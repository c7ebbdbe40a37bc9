"""Two workers of a service on PostgreSQL, which crashes while signals come in: nothing lost, nothing twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from loading import Deliverer
from postgres import PostgresCluster
from whole_exchange import (
    QUICK,
    an_exchange,
    an_input,
    another_worker,
    eventually,
    every_signal_arrived,
    nothing_lost_and_nothing_twice,
    spoken,
)

from signal_exchange.runtime.kafka import admin_client
from signal_exchange_demo.databases import Databases
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.processes import ProcessGroup

pytestmark = [pytest.mark.broker, pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(900)]
SETTINGS = {**QUICK, "SIGNAL_EXCHANGE_CHECKPOINT_SECONDS": "5"}
TWICE = ("routing", "linking", "feedback", "oversight")
"""Services of which two workers run: those with the most work on one store."""
SIGNALS, SPREAD_SECONDS, OUTAGE_SECONDS = 40, 20.0, 8.0


@pytest.fixture
def careful() -> Iterator[PostgresCluster]:
    """Give a PostgreSQL that keeps what it committed."""
    cluster = PostgresCluster(careless=False)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def test_two_workers_of_a_service_on_a_postgresql_that_crashes(careful: PostgresCluster, tmp_path: Path) -> None:
    given = an_input(tmp_path / "input", seed=61, signals=SIGNALS)
    databases = Databases(careful.fresh_database())
    with (
        an_exchange(tmp_path / "exchange", settings=SETTINGS, databases=databases) as exchange,
        ThreadPoolExecutor(1) as pool,
    ):
        others = ProcessGroup([another_worker(exchange, service) for service in TWICE])
        try:
            eventually(lambda: [members(exchange, service) for service in TWICE], lambda seen: seen == [2] * len(TWICE))
            job = pool.submit(Deliverer(exchange, SPREAD_SECONDS).deliver, given.arrivals)
            crash_and_recover(careful)
            job.result()
            every_signal_arrived(exchange, given)
            nothing_lost_and_nothing_twice(exchange, given)
            for processes in (exchange.processes, others):
                processes.check()
        finally:
            others.stop()
        every_projection_comes_back(exchange)


def members(exchange: Exchange, group: str) -> int:
    with admin_client(exchange.admin) as admin:
        return len(admin.describe_groups([group])[group]["members"])


def crash_and_recover(cluster: PostgresCluster) -> None:
    time.sleep(SPREAD_SECONDS / 2)
    cluster.crash()
    time.sleep(OUTAGE_SECONDS)
    cluster.start_again()


def every_projection_comes_back(exchange: Exchange) -> None:
    exchange.processes.stop()
    assert spoken(exchange, "statistics", "rebuild", "statistics", "--json")["rows"]["projection_observations"] > 0
