"""Two workers of every consumer on one PostgreSQL: one joins, leaves and is killed, and nothing is lost or done twice."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from matrix import ROWS
from postgres import PostgresCluster
from stories import SETTINGS, Story
from whole_exchange import another_worker, today

from signal_exchange.contracts.topics import CONSUMERS
from signal_exchange.participants.region import SIX
from signal_exchange_demo.databases import Databases
from signal_exchange_demo.exchange import Exchange

pytestmark = [pytest.mark.broker, pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def story(postgres: PostgresCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder, databases = tmp_path_factory.mktemp("two-workers"), Databases(postgres.url)
    with Exchange(folder, today(), municipalities=SIX, settings=dict(SETTINGS), databases=databases) as exchange:
        yield Story(exchange)


def test_a_second_worker_of_every_consumer_joins_and_leaves_under_load(story: Story) -> None:
    ROWS["second_worker"].happens(story)
    story.judge()


def test_a_second_worker_of_every_consumer_is_killed_under_load(story: Story) -> None:
    seconds = [another_worker(story.exchange, service) for service in CONSUMERS]
    story.deliver(story.next_examples())
    for second in seconds:
        second.send(signal.SIGKILL)
        second.wait(0)
    story.deliver(story.next_examples())
    story.judge()
