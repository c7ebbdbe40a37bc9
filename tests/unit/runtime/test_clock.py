"""The one clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from refusing import refused

from signal_exchange.runtime import clock
from signal_exchange.runtime.settings import ProcessSettings, loaded


def test_now_is_aware_in_utc_and_is_the_machines_time() -> None:
    before, now, after = time.time(), clock.now(), time.time()
    assert now.tzinfo is UTC
    assert before <= now.timestamp() <= after


@pytest.fixture
def driven(tmp_path: Path) -> Iterator[Path]:
    clock.follow(tmp_path / "clock")
    yield tmp_path / "clock"
    clock.follow(None)


def test_a_driven_clock_goes_on_from_where_it_was_set(driven: Path) -> None:
    until = clock.now() + timedelta(days=29)
    clock.drive(driven, until)
    assert until <= clock.now() < until + timedelta(minutes=1)
    stamp = clock.stamp()
    assert stamp is not None
    assert abs(stamp / 1000 - until.timestamp()) < 60


def test_a_driven_clock_that_nobody_set_yet_is_the_machines(driven: Path) -> None:
    assert not driven.exists()
    assert abs(clock.now().timestamp() - time.time()) < 60


def test_a_driven_clock_never_goes_back(driven: Path) -> None:
    clock.drive(driven, clock.now() + timedelta(days=1))
    with pytest.raises(ValueError, match="forward"):
        clock.drive(driven, clock.now() - timedelta(hours=1))


def test_who_follows_no_file_leaves_the_stamp_to_the_broker() -> None:
    assert clock.stamp() is None
    assert not clock.is_driven()


def test_a_clock_file_is_refused_in_production_and_followed_in_a_demo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("data_dir", "register_file", "region_key_file", "clock_file"):
        monkeypatch.setenv(f"SIGNAL_EXCHANGE_{name.upper()}", str(tmp_path / name))
    with refused("SIGNAL_EXCHANGE_CLOCK_FILE", "en"):
        loaded(ProcessSettings)
    assert not clock.is_driven()
    monkeypatch.setenv("SIGNAL_EXCHANGE_MODE", "demo")
    loaded(ProcessSettings)
    assert clock.is_driven()
    clock.follow(None)
