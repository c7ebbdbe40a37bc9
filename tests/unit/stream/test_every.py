"""What a service does by the clock: again and again, also after the world did not answer; and its end when a stop hangs."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from structlog.testing import capture_logs

from signal_exchange.privacy.register import NoSealingKeyError
from signal_exchange.runtime.faults import StoreUnavailableError
from signal_exchange.stream.service import end_in, every


def run_until(enough: asyncio.Event, watching: Any) -> None:
    async def story() -> None:
        task = asyncio.ensure_future(watching())
        await asyncio.wait([asyncio.ensure_future(enough.wait()), task], timeout=60, return_when=asyncio.FIRST_COMPLETED)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(story())


def test_it_looks_again_and_again_also_when_the_store_was_away_for_a_while() -> None:
    looked: list[int] = []
    enough = asyncio.Event()

    def look() -> None:
        looked.append(1)
        if len(looked) == 1:
            raise StoreUnavailableError("OperationalError")
        enough.set()

    with capture_logs() as logged:
        run_until(enough, every(0.01, look))
    assert len(looked) > 1
    assert [entry["event"] for entry in logged] == ["world_unavailable"]


def test_what_lacks_a_key_of_the_register_waits_for_it_and_stops_nothing() -> None:
    looked: list[int] = []
    enough = asyncio.Event()

    def look() -> None:
        looked.append(1)
        if len(looked) == 1:
            raise NoSealingKeyError("gm:GM0983")
        enough.set()

    with capture_logs() as logged:
        run_until(enough, every(0.01, look))
    assert [entry["event"] for entry in logged] == ["sealing_key_missing"]


def test_a_fault_of_our_own_ends_it() -> None:
    def look() -> None:
        raise RuntimeError("ours")

    with pytest.raises(RuntimeError, match="ours"):
        run_until(asyncio.Event(), every(0.01, look))


def test_a_stop_that_hangs_ends_the_process_with_exit_code_1_and_says_so() -> None:
    codes: list[int] = []
    with capture_logs() as logged:
        end_in(0.01, codes.append).join(60)
    assert codes == [1]
    assert [entry["event"] for entry in logged] == ["stop_forced"]
