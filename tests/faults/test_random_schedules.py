"""Random faults from a seed, while signals come in: nothing lost, nothing twice, the ledger balanced, judged from outside.

`make faults` runs a hundred, `make faults SEED=17` one seed again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from injecting import Injector
from loading import Deliverer
from schedules import Fault, Kind, schedule

from signal_exchange.contracts.topics import CONSUMERS
from signal_exchange.demo.exchange import Exchange
from signal_exchange.demo.region import Arrival
from signal_exchange.demo.running import Input
from whole_exchange import QUICK, an_exchange, an_input, every_signal_arrived, nothing_lost_and_nothing_twice

pytestmark = [pytest.mark.broker, pytest.mark.faults, pytest.mark.timeout(600)]
SCHEDULES = 100
SIGNALS_EACH = 8
SPREAD_SECONDS = 8.0
SETTINGS = {**QUICK, "SIGNAL_EXCHANGE_CHECKPOINT_SECONDS": "5"}


def seeds() -> list[int]:
    """Return the seeds to run: one that was asked for, or all."""
    asked = os.environ.get("SEED", "")
    return [int(asked)] if asked else list(range(SCHEDULES))


class Story:
    """One exchange to which one schedule after the other happens; every one delivers signals of its own."""

    def __init__(self, exchange: Exchange, given: Input) -> None:
        self.exchange, self.given = exchange, given
        self.delivered: list[Arrival] = []
        self._coming = iter(given.arrivals)

    def next_arrivals(self) -> list[Arrival]:
        """Return what the next schedule delivers; after the last arrival nothing."""
        return [arrival for arrival, _ in zip(self._coming, range(SIGNALS_EACH), strict=False)]

    def judge(self) -> None:
        """Hold everything that was delivered until now against the truth."""
        given = replace(self.given, arrivals=tuple(self.delivered))
        every_signal_arrived(self.exchange, given)
        nothing_lost_and_nothing_twice(self.exchange, given)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("schedules")
    given = an_input(folder / "input", seed=21, signals=SIGNALS_EACH * len(seeds()))
    with an_exchange(folder / "exchange", settings=SETTINGS) as exchange:
        yield Story(exchange, given)


@pytest.mark.slow
@pytest.mark.parametrize("seed", seeds())
def test_random_faults_lose_nothing_and_do_nothing_twice(story: Story, seed: int) -> None:
    faults = schedule(seed, CONSUMERS, story.exchange.nodes)
    print(f"seed {seed}: " + "; ".join(map(str, faults)))  # noqa: T201 - what pytest shows when it fails
    arrivals = story.next_arrivals()
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(Deliverer(story.exchange, SPREAD_SECONDS).deliver, arrivals)
        Injector(story.exchange).run(faults, job.done)
        job.result()
    story.delivered += arrivals
    story.judge()


def test_a_schedule_is_the_same_for_the_same_seed_and_every_kind_of_fault_occurs() -> None:
    drawn = [schedule(seed, CONSUMERS, ("municipality-gm0983",)) for seed in range(SCHEDULES)]
    assert drawn == [schedule(seed, CONSUMERS, ("municipality-gm0983",)) for seed in range(SCHEDULES)]
    assert {fault.kind for faults in drawn for fault in faults} == set(Kind)
    assert all(isinstance(fault, Fault) for fault in drawn[0])
