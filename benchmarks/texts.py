"""How long the leak guard takes for the free text of one signal, on the texts of a synthetic region."""

from __future__ import annotations

import statistics
import time
from typing import Any

from signal_exchange.privacy.leak_guard import check_text
from signal_exchange.runtime import clock
from signal_exchange_demo.region.generating import generate_region

SEED = 20261120


def texts(count: int) -> dict[str, Any]:
    """Return median and p99 in milliseconds, each text checked once after a first one that loads the guard's lists."""
    region = generate_region(SEED, count, clock.now().date())
    records = [arrival.record for arrival in region.arrivals if arrival.kind == "new" and arrival.record.get("summary")]
    check_text(records[0]["summary"], records[0])
    took = sorted(_milliseconds(record) for record in records)
    p99 = took[min(len(took) - 1, round(0.99 * len(took)))]
    characters = statistics.median(len(record["summary"]) for record in records)
    return {"texts": len(took), "characters": characters, "p50_ms": round(statistics.median(took), 3), "p99_ms": round(p99, 3)}


def _milliseconds(record: dict[str, Any]) -> float:
    began = time.perf_counter()
    check_text(record["summary"], record)
    return (time.perf_counter() - began) * 1000
