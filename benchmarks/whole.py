"""The whole exchange with every service: its start, its latency, its memory, and how its stores come back from the topics."""

from __future__ import annotations

import json
import os
import sqlite3
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

from senders import SIX, Sender, coded_example

from ground import Ground, a_producer, fill_signals
from signal_exchange.contracts.topics import CONSUMERS
from signal_exchange.runtime import clock
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.watching import lag

REBUILT = ("routing", "linking", "worklist", "agenda", "statistics", "feedback", "oversight")
PER_SECOND = 20
WARM_UP = 100
LOOK_SECONDS = 0.005
SESSION_SECONDS = 10
WAIT_SECONDS = 240
EXAMPLE = "01_sexual"
"""An example that goes to the worklist."""


def whole(folder: Path, signals: int, latency_signals: int) -> dict[str, Any]:
    """Return start, latency, memory and rebuild of an exchange of six municipalities, of which one runs its node."""
    settings = {"SIGNAL_EXCHANGE_SESSION_SECONDS": str(SESSION_SECONDS)}
    exchange = Exchange(folder, clock.now().date(), municipalities=SIX, nodes=SIX[:1], settings=settings)
    try:
        started = {"cold_seconds": _started(exchange)}
        exchange.stop()
        started["warm_seconds"] = _started(exchange)
        ground = Ground(folder, exchange.region, exchange.admin)
        latency = _latency(ground, latency_signals)
        fill_signals(ground, signals)
        _await_rest(exchange)
        memory = _memory(exchange)
        sys.stderr.write(f"{started} {latency} {memory}\n")
        exchange.processes.stop()
        return {"start": started, "latency": latency, "memory": memory, "rebuild": _rebuilt(exchange)}
    finally:
        exchange.stop()


def _started(exchange: Exchange) -> float:
    began = time.perf_counter()
    exchange.start()
    return round(time.perf_counter() - began, 2)


def _latency(ground: Ground, count: int) -> dict[str, float]:
    """Publish at a steady rate, and return how long after its sending each signal stood in the store of the worklist.

    The first ones warm up what has just started, and do not count.
    """
    example = coded_example(EXAMPLE)
    sender = Sender.of(ground.region, example["municipality"])
    sent: dict[str, float] = {}
    with watched(ground.folder / "worklist" / "data" / "worklist.sqlite") as seen, a_producer(ground, linger_ms=0) as producer:
        began = time.perf_counter()
        for number in range(WARM_UP + count):
            time.sleep(max(0.0, began + number / PER_SECOND - time.perf_counter()))
            signal = {**example, "signal_id": str(uuid.uuid4())}
            message = sender.published(signal, at=clock.now()).incoming
            sent[signal["signal_id"]] = time.perf_counter()
            producer.send("signals", message.value, message.key, list(message.headers.items()))
        await_(lambda: sent.keys() <= seen.keys(), "every signal on the worklist")
    took = sorted((seen[signal_id] - at) * 1000 for signal_id, at in list(sent.items())[WARM_UP:])
    p99 = took[min(len(took) - 1, round(0.99 * len(took)))]
    return {"signals": count, "per_second": PER_SECOND, "p50_ms": round(statistics.median(took), 1), "p99_ms": round(p99, 1)}


@contextmanager
def watched(store: Path) -> Iterator[dict[str, float]]:
    """Note when each signal first stands in the store of the worklist."""
    seen: dict[str, float] = {}
    over = Event()

    def look() -> None:
        with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as connection:
            while not over.wait(LOOK_SECONDS):
                last = len(seen)
                rows = connection.execute("SELECT signal_id FROM projection_referrals ORDER BY rowid LIMIT -1 OFFSET ?", (last,))
                found = rows.fetchall()
                seen.update((signal_id, time.perf_counter()) for (signal_id,) in found)

    watcher = Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def await_(ready: Any, what: str) -> None:
    """Wait until something is so."""
    end = time.monotonic() + WAIT_SECONDS
    while not ready():
        if time.monotonic() > end:
            raise SystemExit(f"Not within {WAIT_SECONDS} s: {what}.")
        time.sleep(0.05)


def _await_rest(exchange: Exchange) -> None:
    groups = (*CONSUMERS, *exchange.nodes)
    for _ in range(2):  # seen twice, since one service's output is the next one's input
        await_(lambda: lag(exchange.admin, exchange.region.catalogue, groups) == 0, "no consumer behind")
        time.sleep(1)


def _memory(exchange: Exchange) -> dict[str, Any]:
    """Return the resident megabytes of each process after its work, the highest first."""
    children = exchange.processes.children.items()
    found = {name: megabytes(child.process.pid) for name, child in children if child.process is not None}
    ordered = dict(sorted(found.items(), key=lambda each: -each[1]))
    return {"highest_megabytes": max(found.values()), "megabytes": ordered}


def megabytes(pid: int) -> float:
    """Return what a process has in memory."""
    [resident] = [
        line for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines() if line.startswith("VmRSS")
    ]
    return round(int(resident.split()[1]) / 1024, 1)


def _rebuilt(exchange: Exchange) -> dict[str, Any]:
    """Rebuild each stopped service with its ordinary command, beside a bare loop over the same records and rows."""
    time.sleep(SESSION_SECONDS + 2)  # until no group has a member
    stores = {service: _rebuilt_store(exchange, service) for service in REBUILT}
    lowest = {ratio: min(each[ratio] for each in stores.values()) for ratio in ("ratio_to_bare", "ratio_to_insert_alone")}
    return {**{f"lowest_{name}": value for name, value in lowest.items()}, "stores": stores}


def _rebuilt_store(exchange: Exchange, service: str) -> dict[str, Any]:
    rebuilt = _told(exchange.command(service, "rebuild", service, "--json"))
    bare = _told(_bare(exchange, service))
    sys.stderr.write(f"rebuild {service}: {rebuilt['seconds']} s beside {bare}\n")
    return {
        "records": rebuilt["records"],
        "rows": sum(rebuilt["rows"].values()),
        "rebuild_seconds": rebuilt["seconds"],
        **bare,
        "ratio_to_bare": round(bare["read_decode_insert_seconds"] / rebuilt["seconds"], 3),
        "ratio_to_insert_alone": round(bare["insert_seconds"] / rebuilt["seconds"], 3),
    }


def _bare(exchange: Exchange, service: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(Path(__file__).with_name("bare_rebuild.py")), service]
    environment = {**os.environ, **exchange.environment(service)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False)


def _told(said: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    if said.returncode:
        raise SystemExit(f"Not rebuilt: {said.stderr.strip()[-500:]}")
    return dict(json.loads(said.stdout))
