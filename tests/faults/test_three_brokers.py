"""Three brokers: with one lost all goes on; with two lost nothing is acknowledged, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from loading import Deliverer
from whole_exchange import QUICK, an_exchange, an_input, every_signal_arrived, nothing_lost_and_nothing_twice
from write_until_refused import REFUSALS

from signal_exchange.runtime.administration import create_topics
from signal_exchange.runtime.kafka import admin_client
from signal_exchange_demo.cluster import EmbeddedCluster
from signal_exchange_demo.exchange import Exchange, kafka_libs
from signal_exchange_demo.region.model import Arrival
from signal_exchange_demo.running import Input

pytestmark = [pytest.mark.broker, pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(900)]
OWN_TOPIC = "written-by-the-test"
SETTINGS = {**QUICK, "SIGNAL_EXCHANGE_CHECKPOINT_SECONDS": "5"}
SIGNALS_EACH = 15
SPREAD_SECONDS = 12.0


class Region:
    """An exchange on three brokers, and what was delivered to it so far."""

    def __init__(self, exchange: Exchange, cluster: EmbeddedCluster, given: Input) -> None:
        self.exchange, self.cluster, self.given = exchange, cluster, given
        self.delivered: list[Arrival] = []

    def deliver_while(self, happens: Callable[[], None]) -> None:
        """Deliver the next signals while something happens to the brokers, heal, and judge everything from outside."""
        first = len(self.delivered)
        arrivals = self.given.arrivals[first : first + SIGNALS_EACH]
        with ThreadPoolExecutor(1) as pool:
            job = pool.submit(Deliverer(self.exchange, SPREAD_SECONDS).deliver, arrivals)
            happens()
            self.cluster.start()
            job.result()
        self.delivered += arrivals
        self.exchange.processes.check()
        given = replace(self.given, arrivals=tuple(self.delivered))
        every_signal_arrived(self.exchange, given)
        nothing_lost_and_nothing_twice(self.exchange, given)


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    folder: Path = tmp_path_factory.mktemp("three-brokers")
    cluster = EmbeddedCluster(folder / "kafka", kafka_libs())
    given = an_input(folder / "input", seed=31, signals=4 * SIGNALS_EACH)
    with an_exchange(folder / "exchange", settings=SETTINGS, broker=cluster) as exchange:
        yield Region(exchange, cluster, given)


def test_a_broker_killed_with_every_partition_it_leads_moves_them_and_all_goes_on(region: Region) -> None:
    region.deliver_while(region.cluster.brokers[0].kill)


def test_brokers_stopped_one_after_the_other_move_every_leader_and_nothing_is_lost(region: Region) -> None:
    def one_after_the_other() -> None:
        for broker in region.cluster.brokers:
            broker.stop()
            broker.start()

    region.deliver_while(one_after_the_other)


def test_with_one_of_three_brokers_nothing_is_acknowledged_and_afterwards_everything_arrives(region: Region) -> None:
    copies = {"num_partitions": 1, "replication_factor": 3, "configs": {"min.insync.replicas": "2"}}
    with admin_client(region.exchange.admin) as admin:
        create_topics(admin, {OWN_TOPIC: copies})

    def two_gone() -> None:
        for broker in region.cluster.brokers[:2]:
            broker.kill()
        assert _refusal(region) in REFUSALS

    region.deliver_while(two_gone)


def _refusal(region: Region) -> str:
    admin = region.exchange.admin
    command = [
        sys.executable,
        str(Path(__file__).with_name("write_until_refused.py")),
        admin.bootstrap,
        admin.username,
        OWN_TOPIC,
    ]
    said = subprocess.run(command, input=admin.password, capture_output=True, text=True, timeout=240, check=True)
    return said.stdout.strip()
