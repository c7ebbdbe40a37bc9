"""Records gather after a batch that was not full; a full one is followed by the next at once (decision 18)."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from signal_exchange.stream.batch_app import BatchConsumer


@pytest.mark.parametrize(("handled", "paused"), [(1, [0.25]), (199, [0.25]), (200, [])])
def test_only_after_a_batch_that_was_not_full_records_gather(handled: int, paused: list[float]) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    app = SimpleNamespace(gather_seconds=0.25, conf=SimpleNamespace(broker_max_poll_records=200))
    consumer: Any = SimpleNamespace(app=app, sleep=sleep)
    asyncio.run(BatchConsumer._gather(consumer, handled))
    assert slept == paused
