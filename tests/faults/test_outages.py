"""The broker gone for 90 s, and a full disk under a store: everybody waits, nothing is lost, nothing is done twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from injecting import Injector
from loading import Deliverer
from schedules import Fault, Kind

from whole_exchange import QUICK, an_exchange, an_input, every_signal_arrived, nothing_lost_and_nothing_twice

pytestmark = [pytest.mark.broker, pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(900)]
SETTINGS = {**QUICK, "SIGNAL_EXCHANGE_CHECKPOINT_SECONDS": "5"}
SIGNALS = 20
LONG_OUTAGE = (Fault(3, 90, Kind.KILL_BROKER, ""),)
FULL_DISKS = tuple(
    Fault(1, 15, Kind.FULL_DISK, name) for name in ("routing", "worklist", "agenda", "feedback", "municipality-gm0983")
)


@pytest.mark.parametrize("faults", [LONG_OUTAGE, FULL_DISKS], ids=["broker killed for 90 s", "full disks for 15 s"])
def test_an_outage_is_waited_for_and_loses_nothing(tmp_path: Path, faults: tuple[Fault, ...]) -> None:
    given = an_input(tmp_path / "input", seed=41, signals=SIGNALS)
    with an_exchange(tmp_path / "exchange", settings=SETTINGS) as exchange, ThreadPoolExecutor(1) as pool:
        job = pool.submit(Deliverer(exchange, 10.0).deliver, given.arrivals)
        Injector(exchange).run(faults, job.done)
        job.result()
        every_signal_arrived(exchange, given)
        nothing_lost_and_nothing_twice(exchange, given)
