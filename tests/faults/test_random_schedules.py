"""Random faults from a seed, while signals come in: nothing lost, nothing twice, the ledger balanced, judged from outside.

`make faults` runs a hundred, `make faults SEED=17` one of them again, `make faults SEED=10-17` some in a row.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from schedules import Fault, Kind, schedule
from stories import Stories, dealt
from whole_exchange import today

from signal_exchange.contracts.topics import CONSUMERS
from signal_exchange_demo.region.generating import generate_region
from signal_exchange_demo.region.model import Arrival

pytestmark = [pytest.mark.broker, pytest.mark.faults, pytest.mark.timeout(900)]
SCHEDULES = 100
SIGNALS_EACH = 8
SPREAD_SECONDS = 6.0
SEEDS_PER_EXCHANGE = 20
SAMPLE = (11,)
"""The seeds that `make test` runs as well."""


def seeds() -> Iterator[object]:
    """Yield the seeds to run: those that were asked for, or all."""
    first, _, last = os.environ.get("SEED", "").partition("-")
    for seed in range(int(first), int(last or first) + 1) if first else range(SCHEDULES):
        yield pytest.param(seed, marks=() if seed in SAMPLE else pytest.mark.slow)


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stories]:
    with Stories(tmp_path_factory.mktemp("schedules"), SEEDS_PER_EXCHANGE) as running:
        yield running


@pytest.fixture(scope="module")
def hands() -> list[list[Arrival]]:
    """Return what each seed delivers: the same for the same seed, whichever seeds run."""
    return dealt(generate_region(21, SIGNALS_EACH * SCHEDULES, today()).arrivals, SCHEDULES)


@pytest.mark.parametrize("seed", list(seeds()))
def test_random_faults_lose_nothing_and_do_nothing_twice(
    stories: Stories, hands: list[list[Arrival]], seed: int, record_property: Callable[[str, object], None]
) -> None:
    with stories.one() as story:
        faults = schedule(seed, CONSUMERS, story.exchange.nodes)
        record_property("seed", seed)
        record_property("faults", "; ".join(map(str, faults)))
        story.deliver_while(hands[seed % SCHEDULES], SPREAD_SECONDS, faults)
        story.judge()


def test_a_schedule_is_the_same_for_the_same_seed_and_every_kind_of_fault_occurs() -> None:
    drawn = [schedule(seed, CONSUMERS, ("municipality-gm0983",)) for seed in range(SCHEDULES)]
    assert drawn == [schedule(seed, CONSUMERS, ("municipality-gm0983",)) for seed in range(SCHEDULES)]
    assert {fault.kind for faults in drawn for fault in faults} == set(Kind)
    assert all(isinstance(fault, Fault) for fault in drawn[0])


def test_every_version_of_a_signal_is_in_one_hand_and_nothing_is_left_over(hands: list[list[Arrival]]) -> None:
    keys = [{arrival.key for arrival in hand} for hand in hands]
    assert sum(map(len, keys)) == len(set.union(*keys))
    assert min(len(each) for each in keys) > 0
    assert sum(map(len, hands)) == len(generate_region(21, SIGNALS_EACH * SCHEDULES, today()).arrivals)
