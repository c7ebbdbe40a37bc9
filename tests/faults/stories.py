"""One running exchange to which one fault after the other happens, each with signals of its own, judged from outside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Self

from injecting import Injector
from loading import Deliverer
from schedules import Fault
from whole_exchange import QUICK, an_exchange, await_arrival, judge

from signal_exchange.reference.loading import load_example
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.region.model import Arrival
from signal_exchange_demo.running import EXAMPLES

SETTINGS = {**QUICK, "SIGNAL_EXCHANGE_CHECKPOINT_SECONDS": "5"}
"""With checkpoints so often that the ledger soon knows of every number."""


class Story:
    """An exchange that goes on from fault to fault. `delivered` is what municipalities have handed in so far."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange, self.injector = exchange, Injector(exchange)
        self.delivered: list[Arrival] = []
        self._examples = examples_for_ever()

    def next_examples(self, sets: int = 2) -> list[Arrival]:
        """Return the six examples, so many times, under references that are new: something for every consumer."""
        return [next(self._examples) for _ in range(sets * len(EXAMPLES))]

    def deliver(self, arrivals: Sequence[Arrival]) -> None:
        """Deliver at once, while nothing happens."""
        Deliverer(self.exchange, 0.0).deliver(arrivals)
        self.delivered += arrivals

    def deliver_while(self, arrivals: Sequence[Arrival], spread_seconds: float, faults: Sequence[Fault]) -> None:
        """Deliver over some seconds while faults happen; afterwards everything is healed and every process runs."""
        with ThreadPoolExecutor(1) as pool:
            job = pool.submit(Deliverer(self.exchange, spread_seconds).deliver, arrivals)
            self.injector.run(faults, job.done)
            job.result()
        self.delivered += arrivals

    def judge(self) -> None:
        """Hold everything that was delivered until now against the truth, in every place where it should be."""
        await_arrival(self.exchange, self.delivered, meanwhile=self.injector.supervise)
        judge(self.exchange, self.delivered, meanwhile=self.injector.supervise)


def examples_for_ever() -> Iterator[Arrival]:
    """Yield the six examples again and again, each time as signals of their own."""
    turn = 0
    while True:
        turn += 1
        for name in EXAMPLES:
            record = dict(load_example(name, "inside"))
            record["local_ref"] = f"{record['local_ref']}-{turn}"
            yield Arrival(f"{name}-{turn}", "new", 1, datetime.fromisoformat(record["received_at"]), record)


def dealt(arrivals: Sequence[Arrival], hands: int) -> list[list[Arrival]]:
    """Deal arrivals in equal parts, all that is about one signal to the same one and in its order."""
    keys = list(dict.fromkeys(arrival.key for arrival in arrivals))
    hand_of = {key: place * hands // len(keys) for place, key in enumerate(keys)}
    parts: list[list[Arrival]] = [[] for _ in range(hands)]
    for arrival in arrivals:
        parts[hand_of[arrival.key]].append(arrival)
    return parts


class Stories:
    """Lends the story that runs, and begins a new one when the last failed or has had its share.

    A story in which a test failed is over: what it lost would be missed again and again by the tests after it.
    """

    def __init__(self, folder: Path, share: int) -> None:
        self._folder, self._share = folder, share
        self._running = ExitStack()
        self._story: Story | None = None
        self._begun, self._lent = 0, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @contextmanager
    def one(self) -> Iterator[Story]:
        """Lend a story that is at rest."""
        if self._story is None or self._lent >= self._share:
            self._begin()
        assert self._story is not None
        self._lent += 1
        try:
            yield self._story
        except BaseException:
            self._end()
            raise

    def _begin(self) -> None:
        self._end()
        self._begun += 1
        exchange = self._running.enter_context(an_exchange(self._folder / f"exchange-{self._begun}", settings=SETTINGS))
        self._story, self._lent = Story(exchange), 0

    def _end(self) -> None:
        self._story = None
        self._running.close()
        self._running = ExitStack()
