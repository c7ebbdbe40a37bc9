"""No process stands still: the watchdog ends what shows no sign of life while the world answers (docs/decisions/0020)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import MetaData
from structlog.testing import capture_logs

from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.health import Progress
from signal_exchange.runtime.metrics import Metrics
from signal_exchange.stream.watchdog import LOOKS, Watchdog, answers_within, world_answers

NOWHERE = KafkaConnection("127.0.0.1:1", "nobody", "x")


class Ended:
    """Remembers with which exit codes a process would have ended."""

    def __init__(self) -> None:
        self.codes: list[int] = []
        self.told = threading.Event()

    def __call__(self, code: int) -> None:
        self.codes.append(code)
        self.told.set()


def a_watchdog(progress: Progress, ended: Ended, *, world: bool = True, seconds: float = 60.0) -> Watchdog:
    return Watchdog({"consumer": lambda: progress.signs}, seconds, lambda: world, ended)


@pytest.fixture
def progress() -> Progress:
    return Progress(Metrics())


def test_a_process_that_shows_nothing_for_ten_looks_ends_with_exit_code_1_and_says_why(progress: Progress) -> None:
    ended = Ended()
    dog = a_watchdog(progress, ended)
    with capture_logs() as logged:
        for _ in range(LOOKS - 1):
            dog.look()
        assert (ended.codes, logged) == ([], [])
        dog.look()
    assert ended.codes == [1]
    told = {"reason": "STANDS_STILL", "step": "consumer", "seconds": 60.0}
    assert logged == [{"event": "consumer_stopped", **told, "log_level": "warning"}]


def test_one_part_that_stands_still_ends_the_process_however_well_the_others_are(progress: Progress) -> None:
    ended = Ended()
    dog = Watchdog({"consumer": lambda: progress.signs, "relay": lambda: 7}, 60.0, lambda: True, ended)
    with capture_logs() as logged:
        for _ in range(LOOKS):
            progress.moved()
            dog.look()
    assert (ended.codes, [entry["step"] for entry in logged]) == ([1], ["relay"])


SIGNS: tuple[Any, ...] = (Progress.moved, Progress.steps, lambda progress: progress.waits("store"))


@given(st.lists(st.sampled_from([None, *SIGNS]), max_size=60))
def test_it_ends_exactly_when_so_many_looks_in_a_row_saw_no_sign(happening: list[Any]) -> None:
    progress, ended = Progress(Metrics()), Ended()
    dog, still = a_watchdog(progress, ended), 0
    for sign in happening:
        if sign is not None:
            sign(progress)
        dog.look()
        still = 0 if sign is not None else still + 1
        assert bool(ended.codes) == (still >= LOOKS)
        if ended.codes:
            return


def test_time_in_which_the_world_does_not_answer_does_not_count(progress: Progress) -> None:
    answering, ended = iter([True] * (LOOKS - 1) + [False] * 50 + [True] * LOOKS), Ended()
    dog = Watchdog({"consumer": lambda: progress.signs}, 60.0, lambda: next(answering), ended)
    for _ in range(LOOKS - 1 + 50 + LOOKS - 1):
        dog.look()
    assert ended.codes == []
    dog.look()
    assert ended.codes == [1]


def test_the_world_is_asked_only_where_nothing_moves(progress: Progress) -> None:
    asked: list[int] = []
    dog = Watchdog({"consumer": lambda: progress.signs}, 60.0, lambda: not asked.append(1), Ended())  # type: ignore[func-returns-value]
    for _ in range(20):
        progress.moved()
        dog.look()
    assert asked == []


def test_it_looks_by_itself_while_the_main_thread_is_blocked(progress: Progress) -> None:
    ended = Ended()
    dog = a_watchdog(progress, ended, seconds=0.1)
    dog.start()
    assert ended.told.wait(60)  # this thread does nothing else meanwhile, as a blocked event loop
    dog.stop()


def test_while_a_stop_takes_its_time_it_looks_no_more(progress: Progress) -> None:
    ended = Ended()
    dog = a_watchdog(progress, ended)
    for _ in range(LOOKS - 1):
        dog.look()
    dog.stop()
    dog.look()
    assert ended.codes == []


def test_a_world_that_does_not_answer_at_all_keeps_nobody_waiting() -> None:
    forever = threading.Event()
    assert not answers_within(0.05, forever.wait)
    forever.set()
    assert not answers_within(0.05, lambda: False)
    assert answers_within(60, lambda: True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite+pysqlite:///{tmp_path / 'store.sqlite'}", MetaData())
    yield database
    database.close()


def test_without_kafka_the_world_does_not_answer(store: Database) -> None:
    assert not world_answers(NOWHERE, store, 1)


def test_a_store_answers_also_when_every_connection_is_in_the_hands_of_who_stands_still(store: Database) -> None:
    with store.reading(), store.transaction():
        assert store.answers()


def test_a_postgresql_that_is_away_does_not_answer() -> None:
    assert not Database("postgresql+psycopg://nobody@127.0.0.1:1/none", MetaData()).answers()
