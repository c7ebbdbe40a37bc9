"""Every consumer under every fault of the matrix, and Kafka away for everybody: nothing lost, no effect twice.

All consumers meet a fault of the matrix together on one exchange, each at the exact point and each seen to have met it. Judged
from outside, as always: the ledger balances, and every topic and store holds what it should.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from matrix import ROWS, table
from schedules import Fault, Kind
from stories import Stories

from signal_exchange.contracts.topics import CONSUMERS

pytestmark = [pytest.mark.broker, pytest.mark.faults, pytest.mark.timeout(900)]
GUARANTEES = Path(__file__).resolve().parents[2] / "docs" / "operator" / "delivery-guarantees.md"
SHARE = 30
"""All of them on one exchange."""
SAMPLE = ("after_store", "term_in_hand")
"""What `make test` runs as well."""


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stories]:
    with Stories(tmp_path_factory.mktemp("matrix"), SHARE) as running:
        yield running


@pytest.mark.parametrize("row", [pytest.param(row, marks=() if row in SAMPLE else pytest.mark.slow) for row in ROWS])
def test_every_consumer_meets_the_fault_and_nothing_is_lost_or_done_twice(stories: Stories, row: str) -> None:
    with stories.one() as story:
        ROWS[row].happens(story)
        story.judge()


@pytest.mark.parametrize("seconds", [20, pytest.param(90, marks=pytest.mark.slow)])
def test_kafka_killed_for_a_while_is_waited_for_and_nothing_is_lost_or_done_twice(stories: Stories, seconds: int) -> None:
    with stories.one() as story:
        story.deliver_while(story.next_examples(), 10.0, [Fault(3, seconds, Kind.KILL_BROKER, "")])
        story.judge()


@pytest.mark.slow
def test_sigterm_to_everybody_in_turn_while_signals_come_in_loses_nothing_and_does_nothing_twice(stories: Stories) -> None:
    with stories.one() as story:
        everybody = (*CONSUMERS, *story.exchange.nodes)
        turns = [Fault(float(turn), 0.5, Kind.TERM, name) for turn, name in enumerate(everybody)]
        story.deliver_while(story.next_examples(4), float(len(everybody)), turns)
        story.judge()


def test_the_operators_document_shows_the_matrix() -> None:
    assert table() in GUARANTEES.read_text(encoding="utf-8")
