"""A hostile member at full speed beside four honest ones: what the honest ones notice, and what is left on disk."""

from __future__ import annotations

import statistics
import sys
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

from hostile_member import NOBODYS, attacking
from kafka import KafkaProducer  # type: ignore[import-untyped]  # ships no types
from senders import SIX, Sender, coded_example

from signal_exchange.contracts.topics import CONSUMERS, municipality_principal
from signal_exchange.runtime import clock
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.watching import lag, picture_until_now
from whole import EXAMPLE, await_, megabytes, watched

HOSTILE, HONEST = SIX[0], SIX[1:5]
WARMING_SECONDS = 20.0
"""How long the honest ones send until every file has its first size. They are measured alone for as long as the attack lasts."""
PAUSE_SECONDS = 1.0
"""Between two signals of one honest member."""
Sent = dict[str, float]
Disk = dict[str, float]


def beside_a_hostile_member(folder: Path, seconds: float) -> dict[str, Any]:
    """Return what four honest members notice of a fifth one that sends for so many seconds whatever it can."""
    with Exchange(folder, clock.now().date(), municipalities=SIX, nodes=()) as exchange:
        with watched(folder / "worklist" / "data" / "worklist.sqlite") as seen:
            warming = _sent_beside(exchange, WARMING_SECONDS)
            await_(lambda: warming.keys() <= seen.keys(), "every honest signal on the worklist")
            first = _disk_megabytes(folder)
            quiet = _sent_beside(exchange, seconds)
            await_(lambda: quiet.keys() <= seen.keys(), "every honest signal on the worklist")
            before, began = _disk_megabytes(folder), time.monotonic()
            with attacking(exchange, HOSTILE, seconds) as end, _sending(exchange) as beside:
                attack = end()
            lasted = time.monotonic() - began
            await_(lambda: beside.keys() <= seen.keys(), "every honest signal on the worklist")
            after = _disk_megabytes(folder)
        figures = {
            "seconds": round(lasted, 1),
            "sent_by_the_hostile": attack,
            "alone": _latency(quiet, seen),
            "beside_the_hostile": _latency(beside, seen),
            "disk_megabytes": _grown(first, before, after, len(quiet), len(beside)),
            "megabytes": _memory(exchange),
            "ledger": _ledger(exchange, attack, len(warming) + len(quiet) + len(beside)),
        }
        sys.stderr.write(f"{figures}\n")
        return figures


def _sent_beside(exchange: Exchange, seconds: float) -> Sent:
    with _sending(exchange) as sent:
        time.sleep(seconds)
    return sent


@contextmanager
def _sending(exchange: Exchange) -> Iterator[Sent]:
    """Let each honest member send a signal a second; give the moment at which each was given to its producer."""
    sent: Sent = {}
    over = Event()
    with ThreadPoolExecutor(len(HONEST)) as pool:
        running = [pool.submit(_send, exchange, code, sent, over) for code in HONEST]
        try:
            yield sent
        finally:
            over.set()
            for each in running:
                each.result()


def _send(exchange: Exchange, code: str, sent: Sent, over: Event) -> None:
    sender, example = Sender.of(exchange.region, code), {**coded_example(EXAMPLE), "municipality": code}
    connection = exchange.connection(municipality_principal(code))
    producer = KafkaProducer(linger_ms=0, acks="all", **connection.for_kafka_python())

    def put(message: Any) -> None:
        producer.send("signals", message.value, message.key, list(message.headers.items()))

    while not over.wait(PAUSE_SECONDS):
        signal = {**example, "signal_id": str(uuid.uuid4())}
        incoming = sender.published(signal, at=clock.now()).incoming
        sent[signal["signal_id"]] = time.perf_counter()
        put(incoming)
    put(sender.checkpoint(sender.sequence, at=clock.now()).incoming)
    producer.flush(60)
    producer.close()


def _latency(sent: Sent, seen: dict[str, float]) -> dict[str, float]:
    took = sorted((seen[signal_id] - at) * 1000 for signal_id, at in sent.items())
    p99 = took[min(len(took) - 1, round(0.99 * len(took)))]
    return {
        "signals": len(took),
        "p50_ms": round(statistics.median(took), 1),
        "p99_ms": round(p99, 1),
        "max_ms": round(took[-1], 1),
    }


def _disk_megabytes(folder: Path) -> dict[str, float]:
    """Return what is written in each folder, whatever the files say of their size: Kafka's indexes are made large and empty."""
    found: dict[str, float] = defaultdict(float)
    for each in folder.rglob("*"):
        if each.is_file():
            found[str(each.parent.relative_to(folder))] += each.stat().st_blocks * 512 / 1e6
    return found


def _grown(first: Disk, before: Disk, after: Disk, alone: int, honest: int) -> dict[str, Any]:
    """Return the growth, and the hostile member's part of it: without what as many honest signals took when they were alone."""
    each = (sum(before.values()) - sum(first.values())) / alone
    grown = sum(after.values()) - sum(before.values())
    by_folder = Counter({name: round(after[name] - before.get(name, 0), 1) for name in after})
    return {
        "grown": round(grown, 1),
        "each_honest_signal_alone": round(each, 4),
        "of_the_hostile": round(grown - each * honest, 1),
        "largest": dict(by_folder.most_common(12)),
    }


def _memory(exchange: Exchange) -> dict[str, float]:
    """Return the resident megabytes of what a hostile member meets first."""
    routing = exchange.processes.children["routing"].process
    pids = {"kafka": getattr(exchange.broker, "pid", None), "routing": routing.pid if routing else None}
    return {name: megabytes(pid) for name, pid in pids.items() if pid}


def _ledger(exchange: Exchange, attack: dict[str, int], honest: int) -> dict[str, Any]:
    """Return whether everything that was sent has its place."""
    for _ in range(2):  # seen twice, since one service's output is the next one's input
        await_(lambda: lag(exchange.admin, exchange.region.catalogue, CONSUMERS) == 0, "no consumer behind")
        time.sleep(1)
    found = picture_until_now(exchange.connection("oversight")).ledger
    nobodys = sum(attack[kind] for kind in NOBODYS)
    return {
        "conserved": found.conserved,
        "in_flight": found.counts["in_flight"],
        "nobodys_sent": nobodys,
        "nobodys_in_the_ledger": found.unattributed,
        "honest_sent": honest,
        "routed": found.counts["routed"],
        "parked": found.counts["parked"],
    }
