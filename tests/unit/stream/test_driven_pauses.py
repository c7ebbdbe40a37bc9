"""A pause between two looks ends when the driven clock of a demo says so (docs/decisions/0031)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from signal_exchange.runtime import clock
from signal_exchange.stream import service


@pytest.fixture
def driven(tmp_path: Path) -> Iterator[Path]:
    clock.follow(tmp_path / "clock")
    yield tmp_path / "clock"
    clock.follow(None)


def test_a_jump_of_the_clock_makes_the_next_look_due(driven: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "DRIVEN_LOOK_SECONDS", 0.01)
    looked = asyncio.Event()

    async def watches() -> None:
        await service.every(3600, looked.set)()

    async def drives() -> None:
        watching = asyncio.create_task(watches())
        await asyncio.sleep(0.1)
        assert not looked.is_set()
        clock.drive(driven, clock.now() + timedelta(hours=2))
        await asyncio.wait_for(_seen(looked), 60)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    asyncio.run(drives())


async def _seen(looked: asyncio.Event) -> None:
    while not looked.is_set():  # noqa: ASYNC110 - it is set in another thread, which wakes nobody here
        await asyncio.sleep(0.01)
