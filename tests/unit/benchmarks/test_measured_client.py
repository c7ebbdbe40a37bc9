"""The measured client of the bench is made of today's parts of the product."""

from __future__ import annotations

from pathlib import Path

from jobs import Job, Meter
from ours import ours_app
from works import Transport


def test_the_products_own_loop_can_be_measured(tmp_path: Path) -> None:
    job = Job("ours", "transport", "127.0.0.1:1", "oversight", "sample", "signals", 10, "bench", str(tmp_path), "", "one")
    app = ours_app(job, Transport(), Meter(job.count))
    assert app.sources == ("signals",)
