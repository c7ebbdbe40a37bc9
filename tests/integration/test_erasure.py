"""An erasure on real parts: every store and every topic is searched, byte by byte, for what the signal was (R-RET-03)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from injecting import Injector
from kafka.admin import ConfigResource, ConfigResourceType  # type: ignore[import-untyped]  # ships no types
from schedules import Fault
from schedules import Kind as FaultKind
from whole_exchange import KILLED, QUICK, an_exchange, await_rest, eventually, spoken

from signal_exchange.contracts.topics import CONSUMERS, Kind, municipality_principal
from signal_exchange.reference.loading import load_example
from signal_exchange.runtime.kafka import admin_client
from signal_exchange_demo.broker import EmbeddedBroker
from signal_exchange_demo.exchange import Exchange, kafka_libs
from signal_exchange_demo.watching import states_until_now

pytestmark = [pytest.mark.broker, pytest.mark.timeout(500)]
CODE, OTHER = "GM0983", "GM0988"
NODE = municipality_principal(CODE)
QUICK_CLEANER = {
    "segment.ms": "1000",
    "max.compaction.lag.ms": "1000",
    "min.cleanable.dirty.ratio": "0.001",
    "delete.retention.ms": "60000",
    "file.delete.delay.ms": "1000",
}
QUICK_BROKER = {"log.cleaner.backoff.ms": "500", "log.retention.check.interval.ms": "1000"}
SETTINGS = {
    **QUICK,
    "SIGNAL_EXCHANGE_ERASURE_LOOK_SECONDS": "1",
    "SIGNAL_EXCHANGE_ERASURE_SEGMENT_SECONDS": "2",
    "SIGNAL_EXCHANGE_ERASURE_CLEAN_SECONDS": "10",
}
STATES_OF_SIGNAL = ("accepted", "referrals", "referrals-youth", "agenda-items", "link-tokens")


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    folder = tmp_path_factory.mktemp("erasure") / "exchange"
    broker = EmbeddedBroker(folder / "kafka", kafka_libs(), settings=QUICK_BROKER)
    with an_exchange(folder, nodes=(CODE, OTHER), settings=SETTINGS, broker=broker) as running:
        clean_quickly(running)
        yield running


def clean_quickly(exchange: Exchange) -> None:
    """Let this Kafka clean in seconds what takes days elsewhere; the logs are deleted in seconds as well."""
    resources = []
    for topic in exchange.region.catalogue.topics:
        log = {"segment.ms": "1000", "retention.ms": "5000", "file.delete.delay.ms": "1000"} if topic.name == "signals" else {}
        configs = QUICK_CLEANER if topic.kind is Kind.STATE else log
        resources += (
            [ConfigResource(ConfigResourceType.TOPIC, topic.name, configs={**topic.settings, **configs})] if configs else []
        )
    with admin_client(exchange.admin) as admin:
        admin.alter_configs(resources)


def published(exchange: Exchange, record: dict[str, Any], folder: Path) -> str:
    """Publish a record with the ordinary command, and return the id of its signal."""
    file = folder / f"{record['local_ref'].replace('/', '-')}.jsonl"
    file.write_text(json.dumps(record) + "\n", encoding="utf-8")
    node = municipality_principal(record["municipality"])
    [result] = spoken(exchange, node, "publish", str(file), "--json")["results"]
    return str(result["signal_id"])


def what_it_was(exchange: Exchange, signal_id: str) -> dict[str, bytes]:
    """Return the bytes by which the signal could be known again: its sealed parts, the hash of its content, its reference."""
    accepted = states_until_now(exchange.admin, "accepted")[signal_id]
    sealed = {f"sealed {part['group']}": part["ciphertext"][:48] for part in accepted["sealed"]}
    return {**sealed, "own reference": accepted["own_ref"], "content": accepted["content_hash"]}


def files_of(exchange: Exchange) -> list[Path]:
    """Return every file of stores and topics, as they lie there: nothing is cleaned up here."""
    return [path for path in exchange.folder.rglob("*") if path.is_file() and "logs" not in path.parent.parts[-1:]]


def content_of(path: Path) -> bytes:
    """Return what a file holds; nothing when Kafka deleted it meanwhile."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def where(exchange: Exchange, marks: dict[str, bytes]) -> dict[str, list[str]]:
    """Return in which files each of these byte strings stands."""
    contents = {str(path.relative_to(exchange.folder)): content_of(path) for path in files_of(exchange)}
    found = {name: [file for file, content in contents.items() if mark in content] for name, mark in marks.items()}
    return {name: files for name, files in found.items() if files}


def states_of(exchange: Exchange, process: str, *words: str) -> dict[str, str]:
    return {row["signal_id"]: row["state"] for row in spoken(exchange, process, *words, "list", "--json")}


def erase(exchange: Exchange, references: Sequence[str]) -> list[str]:
    """Ask for the erasure of signals of one municipality, and return the ids."""
    return [spoken(exchange, NODE, "erase", each, "--by", "officer", "--yes", "--json")["signal_id"] for each in references]


def is_certified(exchange: Exchange, signal_ids: Sequence[str]) -> bool:
    """Say whether the erasures are done, and the municipality has the certificates."""
    certified = dict.fromkeys(signal_ids, "CERTIFIED").items()
    return all(certified <= states_of(exchange, *each).items() for each in (("routing", "erasures"), (NODE, "certificates")))


def killed_in_turn(exchange: Exchange) -> list[Fault]:
    """Give a kill -9 of every consumer and node, one after the other."""
    return [Fault(at, 0, FaultKind.KILL, name) for at, name in enumerate((*CONSUMERS, *exchange.nodes))]


def receipts_came_home(exchange: Exchange, signal_ids: Sequence[str]) -> None:
    done = {each["signal_id"]: each for each in spoken(exchange, NODE, "certificates", "list", "--json")}
    for signal_id in signal_ids:
        receipts = done[signal_id]["receipts"]
        assert set(receipts) == {"linking", "worklist", "worklist-youth", "agenda", "feedback"}
        assert (receipts["agenda"], receipts["linking"], receipts["feedback"]) == ("DONE", "DONE", "DONE")
        assert done[signal_id]["certificate"]["checked_at"]
        assert spoken(exchange, "routing", "erasures", "check", signal_id, "--json") == {"signal_id": signal_id, "left": {}}


def no_byte_is_left(exchange: Exchange, signal_ids: Sequence[str], marks: dict[str, bytes]) -> None:
    for topic in STATES_OF_SIGNAL:
        assert not set(signal_ids) & states_until_now(exchange.admin, topic).keys(), topic
    assert eventually(lambda: where(exchange, marks), lambda found: not found, 120) == {}


@pytest.mark.parametrize("killed", [False, True], ids=["quietly", "while everybody is killed"])
def test_an_erased_signal_leaves_no_byte_in_any_store_or_topic_and_the_certificate_comes_home(
    exchange: Exchange, tmp_path: Path, *, killed: bool
) -> None:
    references = [f"ERASE-{number}-{killed}" for number in (1, 2)]
    minor = {**load_example("05_minor", "inside"), "municipality": CODE, "local_ref": references[0]}
    record = {**load_example("01_sexual", "inside"), "municipality": CODE, "local_ref": references[1]}
    stays = {**load_example("02_labour", "inside"), "municipality": OTHER, "local_ref": f"STAYS-{killed}"}
    ids = [published(exchange, each, tmp_path) for each in (minor, record)]
    other = published(exchange, stays, tmp_path)
    before = await_rest(exchange).ledger.signals["erased"]
    marks = {f"{name} of {number}": mark for number, each in enumerate(ids) for name, mark in what_it_was(exchange, each).items()}
    kept = what_it_was(exchange, other)
    assert where(exchange, marks).keys() == marks.keys()

    assert erase(exchange, references) == ids
    if killed:
        injector = Injector(exchange)
        injector.run(killed_in_turn(exchange), until=lambda: is_certified(exchange, ids))
        assert {name for name, code in injector.ended if code == KILLED} == {*CONSUMERS, *exchange.nodes}
    eventually(lambda: is_certified(exchange, ids), bool, 180)
    receipts_came_home(exchange, ids)
    no_byte_is_left(exchange, ids, marks)
    assert where(exchange, kept).keys() == kept.keys()
    picture = await_rest(exchange)
    assert picture.ledger.conserved
    assert picture.ledger.signals["erased"] == before + 2
    assert spoken(exchange, "oversight", "ledger", "conservation", "--json")["conserved"]
    exchange.processes.check()
