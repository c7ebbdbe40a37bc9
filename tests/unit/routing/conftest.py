"""The region and the bench that the tests of routing share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from routing_bench import Bench
from senders import a_region

from signal_exchange.participants.region import Region


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Region:
    return a_region(tmp_path_factory.mktemp("region"))


@pytest.fixture
def bench(region: Region, tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(region, tmp_path / "routing.sqlite")
    yield bench
    bench.database.close()
