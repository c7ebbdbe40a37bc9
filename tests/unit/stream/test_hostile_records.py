"""Whatever a member or a service writes, nothing stops, nothing is lost, and no handler meets what it did not foresee."""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile_exchange import HostileExchange, told
from senders import a_region

from signal_exchange.participants.region import Region
from signal_exchange.routing import verifying
from signal_exchange.runtime import logs
from signal_exchange.stream import consumer

CASES_OF_A_SEED = 500


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Region:
    return a_region(tmp_path_factory.mktemp("region"))


@pytest.fixture(autouse=True)
def _logs() -> None:
    logs.configure("test", "WARNING")


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_no_hostile_record_stops_a_service_or_goes_astray(region: Region, tmp_path: Path, seed: int) -> None:
    exchange = HostileExchange(region, tmp_path / "exchange", seed)
    found = exchange.run(CASES_OF_A_SEED)
    print(told(found))  # noqa: T201 - what `pytest -s` shows
    assert found.faults == []
    assert exchange.unaccounted() == []
    assert exchange.balance()["numbers"]["parked"] > 0
    exchange.close()


def test_without_the_border_the_same_records_make_services_fail(
    region: Region, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (consumer, verifying):
        monkeypatch.setattr(module, "breaches", lambda *_: ())
    exchange = HostileExchange(region, tmp_path / "exchange", 2)
    assert exchange.run(CASES_OF_A_SEED).faults
    exchange.close()
