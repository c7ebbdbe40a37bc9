"""A municipality's node for tests: founded in a folder of its own, with a broker and keepers that obey. All is synthetic."""

from __future__ import annotations

import copy
import io
import json
import logging
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import structlog
from sqlalchemy import Table, select

from signal_exchange.contracts.codec import Decoded, decode
from signal_exchange.domain.destinations import GROUP_OF
from signal_exchange.municipality.actions import MunicipalityActions
from signal_exchange.municipality.composition import serve
from signal_exchange.municipality.node import Node, node_of, rulebook
from signal_exchange.municipality.publishing.checking import Rulebook
from signal_exchange.municipality.publishing.importing import Line, source_of
from signal_exchange.municipality.publishing.preparing import Preparer
from signal_exchange.municipality.publishing.publisher import Publisher
from signal_exchange.municipality.publishing.recording import Recorder
from signal_exchange.municipality.publishing.submissions import Result
from signal_exchange.municipality.sending.outbox import Outbox, Waiting
from signal_exchange.municipality.sending.relay import Relay
from signal_exchange.municipality.threads import Wait, Worker
from signal_exchange.participants.region import Region, init_region
from signal_exchange.privacy.keeper_client import NoTokens
from signal_exchange.privacy.normalising import LinkValue
from signal_exchange.privacy.sealing import LinkToken, SealingKeyRing, SealingPrivateKey
from signal_exchange.reference.loading import load_example
from signal_exchange.runtime.faults import BrokerUnavailableError
from signal_exchange.runtime.settings import PREFIX, MunicipalitySettings
from signal_exchange.stream.outbox import OutgoingRecord

EXAMPLES = ("01_sexual", "02_labour", "03_criminal", "04_organ", "05_minor", "06_anonymous_tip")
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
VENLO = "GM0983"


def example(name: str = "01_sexual", **changed: Any) -> dict[str, Any]:
    """Give a municipal record, with these fields changed."""
    return {**copy.deepcopy(load_example(name, "inside")), **changed}


def read_lines(stream: BinaryIO, *, is_csv: bool = False) -> Iterator[Line]:
    """Give each record of a file in order."""
    yield from source_of(stream, is_csv=is_csv).lines


def lines_of(*records: object) -> list[Line]:
    """Give records as the lines of a file."""
    text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    return list(read_lines(io.BytesIO(text.encode())))


@dataclass
class Clock:
    """A clock that stands until a test moves it."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


@dataclass
class ObedientBroker:
    """A broker in memory: acknowledges all it gets, unless it is down, or refuses the event ids in `refused`."""

    outgoing: list[OutgoingRecord] = field(default_factory=list)
    down: bool = False
    refused: set[str] = field(default_factory=set)

    def send(self, outgoing: Sequence[OutgoingRecord]) -> list[bool]:
        if self.down:
            raise BrokerUnavailableError("Down")
        arrived = [dict(outgoing_record.headers)["ce_id"].decode() not in self.refused for outgoing_record in outgoing]
        self.outgoing += [outgoing_record for outgoing_record, came in zip(outgoing, arrived, strict=True) if came]
        return arrived

    def close(self) -> None:
        """Nothing is open."""

    def records(self, record: str | None = None) -> list[dict[str, Any]]:
        """Give the fields of what arrived, of one record or of all."""
        found = [self.read(outgoing_record) for outgoing_record in self.outgoing]
        return [each.fields for each in found if record in (None, each.record)]

    def read(self, outgoing_record: OutgoingRecord) -> Decoded:
        """Decode an outgoing record as routing does."""
        return decode(outgoing_record.value, "routing")

    def numbers(self) -> list[int]:
        """Give the numbers of what arrived, checkpoints apart."""
        return [each["envelope"]["sequence"] for each in self.records() if each["envelope"]["sequence"]]


@dataclass
class ObedientKeepers:
    """Both keepers in memory: a token is made of its value, so that equal values give equal tokens. `refusal` is their answer."""

    refusal: NoTokens | None = None
    asked: list[Sequence[Sequence[LinkValue]]] = field(default_factory=list)

    def tokens_for_many(self, records: Sequence[Sequence[LinkValue]], *, epoch: str) -> list[tuple[LinkToken, ...] | NoTokens]:
        self.asked.append(records)
        if self.refusal is not None:
            return [self.refusal if values else () for values in records]
        return [tuple(LinkToken(each.carrier, each.type, epoch, _token(each)) for each in values) for values in records]


def _token(value: LinkValue) -> bytes:
    return hash((value.type, value.value)).to_bytes(16, "big", signed=True)


@dataclass
class Town:
    """One municipality with its node, broker, keepers and clock."""

    region: Region
    node: Node
    broker: ObedientBroker = field(default_factory=ObedientBroker)
    keepers: ObedientKeepers = field(default_factory=ObedientKeepers)
    clock: Clock = field(default_factory=Clock)
    rules: Rulebook | None = None
    barred: frozenset[tuple[str, str]] = frozenset()

    @property
    def actions(self) -> MunicipalityActions:
        """Give the acts of this municipality, at the time and with the keepers of the test."""
        return MunicipalityActions(self.node, self.clock, self.keepers)

    def publisher(self, **changed: Any) -> Publisher:
        """Give the publisher of this node."""
        node = self.node
        rules = self.rules or rulebook(node.settings.municipality)
        preparer = Preparer(node.identity.sealed_part, self.keepers, self.barred)
        recorder = Recorder(node.database, node.vault_key)
        return Publisher(rules, preparer, node.vault_key, recorder, node.metrics, self.clock, **changed)

    def publish(self, *records: object, changes: bool = True, **changed: Any) -> list[Result]:
        """Publish records as the lines of one file."""
        return list(self.publisher(**changed).publish(lines_of(*records), changes=changes))

    def relay(self, **changed: Any) -> Relay:
        """Give a relay of this node, which may be one of several."""
        return replace(self.node.relay(), sender=self.broker, now=self.clock, **changed)

    def waiting(self) -> list[Waiting]:
        """Give the rows of the outbox."""
        with self.node.database.reading() as connection:
            return Outbox(connection).waiting()

    def rows(self, table: Table) -> list[dict[str, Any]]:
        """Give the rows of a table."""
        with self.node.database.reading() as connection:
            return [dict(row._mapping) for row in connection.execute(select(table))]

    def opened(self, group: str, part: Mapping[str, Any], bound_to: str) -> bytes:
        """Open a sealed part with the private key of its group, which a node never has."""
        holder = {own: service for service, own in GROUP_OF.items()}[group]
        keys = json.loads((self.region.process_folder(holder) / "keys.json").read_text(encoding="utf-8"))
        ring = SealingKeyRing(SealingPrivateKey.from_mapping(each) for each in keys["sealing"])
        return ring.open(part["key_id"], part["ciphertext"], bound_to=bound_to)


def settings_in(environment: Mapping[str, str]) -> dict[str, Any]:
    """Give settings by their names, from the environment of a process."""
    return {name.removeprefix(PREFIX).lower(): value for name, value in environment.items()}


def settings_of(region: Region, code: str, bootstrap: str = "127.0.0.1:1", **changed: Any) -> MunicipalitySettings:
    """Give the settings of a node of this region."""
    environment = region.environment(f"municipality-{code.lower()}", bootstrap)
    return MunicipalitySettings(**{**settings_in(environment), **changed})


def a_town(folder: Path, code: str = VENLO, **changed: Any) -> Town:
    """Found a region with one municipality in a folder, and give its node."""
    region = init_region(folder / "region", [code], NOW.date())
    return Town(region, node_of(settings_of(region, code, **changed)))


def together(*jobs: Callable[[], object]) -> list[object]:
    """Do jobs at the same time in threads of their own, and give what they gave; the first failure is raised."""
    results: list[object] = [None] * len(jobs)
    start = threading.Barrier(len(jobs))

    def run(place: int, job: Callable[[], object]) -> None:
        start.wait()
        try:
            results[place] = job()
        except BaseException as error:  # noqa: BLE001 - raised below, in the test's own thread
            results[place] = error

    threads = [threading.Thread(target=run, args=(place, job)) for place, job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


@contextmanager
def served(apps: Iterable[tuple[Any, int]]) -> Iterator[list[str]]:
    """Serve web applications, each in a thread, for a `with` block; give their addresses. Port 0: any that is free."""

    def serving(app: Any, listener: socket.socket) -> Callable[[Wait], None]:
        return lambda wait: serve(app, listener, wait)

    with ExitStack() as stack:
        addresses = []
        for app, port in apps:
            listener = socket.create_server(("127.0.0.1", port))
            stack.enter_context(Worker("app", serving(app, listener)))
            addresses.append(f"http://127.0.0.1:{listener.getsockname()[1]}")
        yield addresses


@contextmanager
def own_logging() -> Iterator[None]:
    """Let a command configure the log as a process does, and put everything back afterwards."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    root.handlers = []  # else configuring closes those of pytest
    try:
        yield
    finally:
        root.handlers = handlers
        root.setLevel(level)
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()
