"""The one clock."""

from __future__ import annotations

import time
from datetime import UTC

from signal_exchange.runtime import clock


def test_now_is_aware_in_utc_and_is_the_machines_time() -> None:
    before, now, after = time.time(), clock.now(), time.time()
    assert now.tzinfo is UTC
    assert before <= now.timestamp() <= after
