"""The whole exchange in a folder of the test's own: real Kafka, real processes, judged from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from signal_exchange.contracts.topics import CONSUMERS
from signal_exchange.domain.times import local_day
from signal_exchange.participants.region import SIX
from signal_exchange.runtime import clock
from signal_exchange.runtime.kafka import reader
from signal_exchange_demo.broker import EmbeddedBroker
from signal_exchange_demo.cluster import EmbeddedCluster
from signal_exchange_demo.databases import Databases
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.judging import Told, mismatches, published_by_key, truth
from signal_exchange_demo.processes import Child
from signal_exchange_demo.region.model import Arrival
from signal_exchange_demo.running import Input, prepare_input
from signal_exchange_demo.watching import Picture, Watch, lag, picture_until_now, records_until_now

TESTS = Path(__file__).resolve().parents[1]
KILLED = -9
QUICK = {"SIGNAL_EXCHANGE_SESSION_SECONDS": "10", "SIGNAL_EXCHANGE_BATCH_RECORDS": "10", "SIGNAL_EXCHANGE_RESEND_SECONDS": "15"}
"""Settings that make faults quick to heal and batches small enough to be interrupted."""
T = TypeVar("T")


def today() -> date:
    """Return the publish day of what the test publishes now."""
    return local_day(clock.now())


@contextmanager
def an_exchange(
    folder: Path,
    *,
    services: Sequence[str] = CONSUMERS,
    nodes: Sequence[str] | None = None,
    settings: Mapping[str, str] = QUICK,
    broker: EmbeddedBroker | EmbeddedCluster | None = None,
    databases: Databases | None = None,
) -> Iterator[Exchange]:
    """Run an exchange of the six municipalities."""
    parts: dict[str, Any] = {"services": services, "nodes": nodes, "settings": dict(settings), "broker": broker}
    with Exchange(folder, today(), municipalities=SIX, databases=databases, **parts) as exchange:
        yield exchange


def _nothing() -> None:
    pass


def eventually(
    look: Callable[[], T], until: Callable[[T], bool], seconds: float = 120.0, meanwhile: Callable[[], object] = _nothing
) -> T:
    """Look until it is as it should be, and return what was seen; fail with the last look when time runs out."""
    end = time.monotonic() + seconds
    while True:
        seen = look()
        if until(seen):
            return seen
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {seen}"
        meanwhile()
        time.sleep(0.3)


def an_input(folder: Path, seed: int, signals: int) -> Input:
    """Return a synthetic region and the examples as files."""
    return prepare_input(folder, seed, signals, today())


def publish(exchange: Exchange, given: Input) -> dict[str, Any]:
    """Publish everything with the ordinary command, corrections last; return what it said per municipality."""
    told: dict[str, Any] = {}
    for files, options in ((given.files, ()), (given.corrections, ("--yes",))):
        said = exchange.publish(files, *options)
        assert all(each.returncode in (0, 2) for each in said.values()), {code: each.stderr[-500:] for code, each in said.items()}
        for code, each in said.items():
            found = json.loads(each.stdout)
            told.setdefault(code, {"results": []})["results"] += found.pop("results")
            told[code] |= found
    return told


def await_rest(exchange: Exchange, seconds: float = 300.0, meanwhile: Callable[[], object] = _nothing) -> Picture:
    """Wait until every number is accounted for and no consumer has anything left to do."""
    groups = (*CONSUMERS, *exchange.nodes)
    with reader(exchange.connection("oversight"), "signal-trace") as trace:
        watch = Watch(trace)

        def look() -> tuple[int, int, int]:
            picture = watch.look()
            behind = lag(exchange.admin, exchange.region.catalogue, groups)
            return picture.ledger.sent, picture.ledger.counts["in_flight"], behind

        for _ in range(2):
            eventually(look, lambda seen: seen[0] > 0 and seen[1:] == (0, 0), seconds, meanwhile)
            time.sleep(0.5)
    return picture_until_now(exchange.connection("oversight"))


def every_signal_arrived(exchange: Exchange, given: Input, seconds: float = 240.0) -> None:
    """Wait until every new signal that a node took in stands on the stream."""
    await_arrival(exchange, given.arrivals, seconds)


def await_arrival(
    exchange: Exchange, arrivals: Sequence[Arrival], seconds: float = 240.0, meanwhile: Callable[[], object] = _nothing
) -> None:
    """Wait until every new signal among these stands on the stream."""
    wanted = {arrival.key for arrival in arrivals if arrival.kind == "new"}
    eventually(lambda: wanted - set(published_by_key(exchange, wanted)), lambda missing: not missing, seconds, meanwhile)


def nothing_lost_and_nothing_twice(exchange: Exchange, given: Input) -> None:
    """Judge from outside what became of an input."""
    judge(exchange, given.arrivals)


def judge(exchange: Exchange, arrivals: Sequence[Arrival], meanwhile: Callable[[], object] = _nothing) -> None:
    """Judge from outside: the ledger balances, topics and stores hold what the oracle says, each receiver each signal once.

    `arrivals` are all that this exchange ever took in.
    """
    picture = await_rest(exchange, meanwhile=meanwhile)
    found = published_by_key(exchange, [arrival.key for arrival in arrivals])
    expected = truth(Told(tuple(arrivals), (), {}, today()), found)
    assert picture.ledger.conserved
    assert picture.ledger.counts["in_flight"] == 0
    assert mismatches(exchange, picture, expected) == []
    assert {arrival.key for arrival in arrivals if arrival.kind == "new"} <= set(found)
    _each_store_has_each_signal_once(exchange, expected)
    assert told_two_ways(exchange) == []


def told_two_ways(exchange: Exchange) -> list[str]:
    """Return the events that stand twice on a topic and not with the same content: a repeated effect, not a repeated record.

    Of `signals` the exchange itself judges that, and a checkpoint that is told again has a new time.
    """
    topics = [topic.name for topic in exchange.region.catalogue.topics if topic.name != "signals"]
    contents: dict[tuple[str, bytes], set[bytes | None]] = {}
    for record in records_until_now(exchange.admin, *topics):
        event_id = dict(record.headers).get("ce_id")
        if event_id is not None:
            contents.setdefault((record.topic, event_id), set()).add(record.value)
    return sorted(f"{topic} {event_id!r}" for (topic, event_id), values in contents.items() if len(values) > 1)


def _each_store_has_each_signal_once(exchange: Exchange, expected: dict[str, Any]) -> None:
    last = {entry["signal_id"]: entry["routes"] for entry in expected["entries"]}
    care = {signal_id: routes["CARE_COORDINATOR"]["deliver_as"] for signal_id, routes in last.items()}
    adults = sorted(signal_id for signal_id, form in care.items() if form in ("FULL_PSEUDONYMOUS", "CONSULT"))
    minors = sorted(signal_id for signal_id, form in care.items() if form == "YOUTH_ROUTE")
    with ThreadPoolExecutor(2) as pool:
        offered = pool.map(lambda service: _offered(exchange, service), ("worklist", "worklist-youth"))
        balance = pool.submit(spoken, exchange, "oversight", "ledger", "conservation", "--json")
        assert list(offered) == [adults, minors]
        assert balance.result()["conserved"]


def _offered(exchange: Exchange, service: str) -> list[str]:
    """Return each signal as often as a worklist offers it now; what a correction took back is not offered."""
    return sorted(row["signal_id"] for row in listed_rows(exchange, service) if row["open"])


def listed_rows(exchange: Exchange, service: str) -> list[dict[str, Any]]:
    """Return what a worklist lists."""
    said = exchange.command(service, service, "list", "--all", "--json")
    assert said.returncode == 0, said.stderr
    rows: list[dict[str, Any]] = json.loads(said.stdout)
    return rows


def spoken(exchange: Exchange, name: str, *arguments: str) -> Any:
    """Run a command that must succeed, and return its JSON."""
    said = exchange.command(name, *arguments)
    assert said.returncode == 0, said.stderr
    return json.loads(said.stdout)


def killer(exchange: Exchange, service: str, point: str, nth: int, **settings: str) -> subprocess.Popen[bytes]:
    """Start a service to which something happens at a point of its nth batch (see tests/faults/doomed.py)."""
    environment = {**os.environ, **exchange.environment(service), **settings}
    command = [sys.executable, str(TESTS / "faults" / "doomed.py"), service, point, str(nth)]
    with (exchange.folder / "logs" / f"{service}-{point}.log").open("ab") as log:
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)


def add_service(exchange: Exchange, service: str) -> Child:
    """Start an ordinary process of a service that the exchange was started without, and let the exchange stop it."""
    [child] = [each for each in _children_of(exchange) if each.name == service]
    child.start()
    exchange.processes.children[service] = child
    return child


def another_worker(exchange: Exchange, service: str) -> Child:
    """Start a second worker of a service, on the same store, beside the one that runs."""
    first = exchange.processes.children[service]
    other = {"SIGNAL_EXCHANGE_INSTANCE": "2", "SIGNAL_EXCHANGE_METRICS_PORT": "0"}
    second = Child(f"{service}-2", first.arguments, {**first.environment, **other}, first.log, first.ready_url)
    second.start()
    return second


def waiting_for(ready_url: str) -> str | None:
    """Return what a process says that it waits for; None when it waits for nothing or does not answer."""
    try:
        with urllib.request.urlopen(ready_url, timeout=5) as answer:
            return str(json.load(answer)["waiting_for"])
    except urllib.error.HTTPError as error:
        with error:
            return str(json.load(error)["waiting_for"])
    except OSError:
        return None


def _children_of(exchange: Exchange) -> list[Child]:
    services, exchange.services = exchange.services, CONSUMERS
    try:
        return exchange._children()
    finally:
        exchange.services = services


def resident_megabytes(pid: int | None) -> float:
    """Return what a running process has in memory."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024
