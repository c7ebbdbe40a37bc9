"""Fixtures that several kinds of tests share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings
from postgres import PostgresCluster, stand_in_for_sqlite
from real_exchange import Exchange, exchange_on, running_broker

from signal_exchange.cli.main import UMASK
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange_demo.broker import EmbeddedBroker

os.umask(UMASK)  # as the command line does before anything else
settings.register_profile("untimed", deadline=None)
settings.register_profile("postgres", deadline=None, max_examples=10)
settings.load_profile("untimed")

pytest_plugins = ["fault_report"]
BROKER_FIXTURES = {"broker", "exchange", "own_exchange"}


POSTGRES = pytest.StashKey[PostgresCluster]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the wish for PostgreSQL."""
    parser.addoption("--postgres", action="store_true", help="Run the stores on a real PostgreSQL instead of SQLite.")


def pytest_configure(config: pytest.Config) -> None:
    """Start PostgreSQL when it is asked for: of several processes that test, each has its own."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell starts what it puts in the background deaf to Ctrl-C, and the processes of the tests would inherit that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    only_deals = bool(config.getoption("numprocesses", default=None)) and not hasattr(config, "workerinput")
    if config.getoption("--postgres") and not only_deals:
        # The properties are tried at length on SQLite; here it matters that the statements mean the same.
        settings.load_profile("postgres")
        config.stash[POSTGRES] = cluster = PostgresCluster()
        cluster.start()
        stand_in_for_sqlite(cluster)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop it."""
    if POSTGRES in config.stash:
        config.stash[POSTGRES].stop()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark every test that uses a real broker; with --postgres leave out what is about SQLite itself. The longest come first."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if BROKER_FIXTURES & fixtures:
            item.add_marker(pytest.mark.broker)
        if "postgres" in fixtures:
            item.add_marker(pytest.mark.postgres)
    if config.getoption("--postgres"):
        items[:] = [item for item in items if item.get_closest_marker("sqlite") is None]
    items.sort(key=may_take, reverse=True)  # else the longest file may begin when all others are done


def may_take(item: pytest.Item) -> float:
    """Return how many seconds a test may take that says so itself; 0 for any other."""
    limit = item.get_closest_marker("timeout")
    return float(limit.args[0]) if limit else 0.0


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    """Give the real Kafka that tests share: each with topics, groups and keys of its own. Do not stop it."""
    with running_broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresCluster]:
    """Give a real PostgreSQL that tests share: each with databases of its own."""
    cluster = PostgresCluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def exchange(broker: EmbeddedBroker) -> Exchange:
    """Give the shared Kafka set up for GM0983 and GM1507. Records of other tests may be on its topics."""
    return exchange_on(broker)


@pytest.fixture(scope="module")
def own_exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """Give an exchange that only the tests of this module use: they may write anything, kill it or change its rules."""
    with running_broker(tmp_path_factory.mktemp("own-kafka")) as running:
        yield exchange_on(running)


@pytest.fixture(scope="session")
def vendor(exchange: Exchange) -> KafkaConnection:
    """Give the connection of a user that no catalogue names and that may read `signals` only: another vendor's tool."""
    return exchange.fresh_user(reads=("signals",))
