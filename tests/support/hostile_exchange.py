"""Every consumer of an exchange in one process, fed with records that a hostile hand made. All is synthetic.

Each service is put together by its own composition and takes its batches through the real loop; only the broker is missing. What
a service tells goes on to who subscribes to it, so that what one lets through meets the others.
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hostile import Path as Place
from hostile import fitting, hostile_for, new_id, places, with_value, written
from senders import coded_example, identity_in
from sqlalchemy import select

from signal_exchange.cli.declaring import part_of
from signal_exchange.cli.main import SERVICES
from signal_exchange.contracts.codec import decode_whole
from signal_exchange.contracts.schemas import current_schemas
from signal_exchange.contracts.signed import SIGNED
from signal_exchange.contracts.topics import CONSUMERS, Catalogue, feedback_topic, is_state
from signal_exchange.domain.destinations import recipient_groups
from signal_exchange.municipality import store as municipality
from signal_exchange.municipality.inbox.handler import InboxHandler, ParkInVault
from signal_exchange.oversight.figures import conservation
from signal_exchange.oversight.store import OversightStore
from signal_exchange.participants.region import Region
from signal_exchange.privacy.sealing import (
    CARRIER_BYTES,
    EPOCH_BYTES,
    SEALED_BYTES,
    SLOT_BYTES,
    TOKEN_SLOTS,
    TYPE_BYTES,
)
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.privacy.vault import VaultKey
from signal_exchange.routing.tables import NUMBERS
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.health import Progress
from signal_exchange.runtime.metrics import Metrics
from signal_exchange.runtime.settings import RoutingSettings, ServiceSettings
from signal_exchange.stream.consumer import BatchLoop, ConsumerSpec
from signal_exchange.stream.flood import FloodGate
from signal_exchange.stream.messages import Incoming
from signal_exchange.stream.outbox import OutgoingRecord
from signal_exchange.stream.work import Work

AT = datetime(2026, 11, 20, 10, tzinfo=UTC)
BATCH = 25
GOING_ON = 60
"""Outgoing records of one batch that go on to others; the rest is left, so that a case stays a case."""
CODES = ("GM0983", "GM0984", "GM1507")
TOWN = "municipality-gm0983"
WEIGHTS = {"routing": 6, "linking": 2, "agenda": 2, "feedback": 3, "oversight": 2, TOWN: 2}
"""How often a service gets a batch, beside 1 for the others."""
EXAMPLES = ("01_sexual", "02_labour", "03_criminal", "05_minor", "06_anonymous_tip")
NO_FLOOD = 10**9


def specs(region: Region, folder: Path) -> Iterator[ConsumerSpec]:
    """Give every consumer of the region, with its store in a folder of its own."""
    for name in CONSUMERS:
        data = folder / name
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        (data / "password").write_text("none", encoding="utf-8")
        yield part_of(SERVICES[name].spec)(_settings(region, name, data))


def _town(region: Region, folder: Path) -> ConsumerSpec:
    """Return the inbox of a municipality's node; what runs beside it sends and asks, and reads no record."""
    identity, vault = identity_in(region, TOWN), VaultKey.from_bytes(bytes(range(32)))
    data = folder / TOWN
    data.mkdir(mode=0o700)
    return ConsumerSpec(
        name=TOWN,
        reader="municipality",
        sources=(feedback_topic("GM0983"),),
        database=Database(f"sqlite+pysqlite:///{data / 'store.sqlite'}", municipality.TABLES),
        outbox=municipality.OUTBOX_OF_CONSUMER,
        handle=InboxHandler("GM0983", vault, identity.current_register),
        seal=identity.parking_seal("municipality"),
        park=ParkInVault(vault),
    )


def _settings(region: Region, name: str, data: Path) -> Any:
    common: dict[str, Any] = {
        "mode": "demo",
        "data_dir": data,
        "register_file": region.folder / "register.json",
        "region_key_file": region.folder / "region-key.json",
        "keys_file": region.process_folder(name) / "keys.json",
        "kafka_bootstrap": "127.0.0.1:1",
        "kafka_user": name,
        "kafka_password_file": data / "password",
        "flood_records": NO_FLOOD,
    }
    return RoutingSettings(unattributed_per_hour=NO_FLOOD, **common) if name == "routing" else ServiceSettings(**common)


@dataclass
class Member:
    """A municipality that signs whatever it is told to."""

    code: str
    key: SigningKey
    run: str
    ids: list[str]
    sequence: int = 0
    versions: Counter[str] = field(default_factory=Counter)


@dataclass
class Case:
    """One record on its way to a service: what was changed in it, and what it is worth in the ledger."""

    topic: str
    record: str
    changed: tuple[str, ...]
    raw: Any


@dataclass
class Found:
    """What became of the cases so far."""

    cases: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


class WatchedLoop(BatchLoop):
    """The real loop, which remembers at what it set a record aside."""

    where: str = ""

    def _apply_set_aside(self, incoming: Incoming, fault: Exception) -> Work:
        frames = [each for each in traceback.extract_tb(fault.__traceback__) if "signal_exchange" in each.filename]
        self.where = f"{type(fault).__name__} in " + " < ".join(f"{each.name}:{each.lineno}" for each in reversed(frames[-5:]))
        return super()._apply_set_aside(incoming, fault)


class HostileExchange:
    """The consumers, the members that write to them, and the chance by which they do."""

    def __init__(self, region: Region, folder: Path, seed: int) -> None:
        self.chance, self.folder = random.Random(seed), folder  # noqa: S311 - a seed, no secret
        self.ids = [new_id(self.chance) for _ in range(4)]
        self.members = [self._member(region, code) for code in CODES]
        self.register = identity_in(region, "routing").register
        self.sent: list[OutgoingRecord] = []
        self.specs = {spec.name: spec for spec in specs(region, folder)}
        for spec in self.specs.values():
            spec.database.create_tables()
        self.specs[TOWN] = _town(region, folder)
        self.specs[TOWN].database.create_tables()
        self.loops = {name: self._loop(spec) for name, spec in self.specs.items()}
        self.offsets: Counter[str] = Counter()
        self.catalogue = {topic.name: topic for topic in Catalogue(CODES).topics}
        self.signed: list[Case] = []
        self.found = Found()

    def _member(self, region: Region, code: str) -> Member:
        identity = identity_in(region, f"municipality-{code.lower()}")
        own = [new_id(self.chance) for _ in range(6)]
        self.ids += own[:3]
        return Member(code, identity.keys.signing, new_id(self.chance), own)

    def _loop(self, spec: ConsumerSpec) -> WatchedLoop:
        metrics = Metrics()
        quiet = replace(spec, metrics=metrics, look=lambda: None)
        return WatchedLoop(quiet, self, Progress(metrics), FloodGate(NO_FLOOD), patience_seconds=0.0)

    async def send(self, outgoing: Sequence[OutgoingRecord]) -> None:
        """Stand for the broker: remember what would be sent."""
        self.sent += outgoing

    def run(self, cases: int) -> Found:
        """Send so many records, a batch at a time, to whichever service reads them."""
        done = 0
        while done < cases:
            service = self.chance.choices((*CONSUMERS, TOWN), weights=[WEIGHTS.get(each, 1) for each in (*CONSUMERS, TOWN)])[0]
            batch = [self._case(service) for _ in range(min(BATCH, cases - done))]
            self._take(service, batch)
            done += len(batch)
        return self.found

    def _take(self, service: str, batch: Sequence[Case]) -> None:
        self.signed += [case for case in batch if case.record in SIGNED and case.topic == "signals"]
        self._feed(service, [case.raw for case in batch], [f"{case.record} {' '.join(case.changed)}" for case in batch])
        self.found.cases += len(batch)
        self._pass_on()

    def _feed(self, service: str, records: Sequence[Any], about: Sequence[str]) -> None:
        try:
            asyncio.run(self.loops[service].on_batch(records))
        except Exception as fault:  # noqa: BLE001 - the very thing that must not happen
            self.found.faults.append(f"{service} stopped: {type(fault).__name__} at {about}")
        if self.loops[service].where:
            self.found.faults.append(f"{service} failed at a record: {self.loops[service].where}")
            self.loops[service].where = ""

    def _pass_on(self) -> None:
        told, self.sent = self.sent, []
        for record in told:
            if record.topic == "parked" and record.value is not None:
                self._look_at(decode_whole(record.value).fields)
        for service, spec in self.specs.items():
            own = [record for record in told if record.topic in spec.sources][:GOING_ON]
            if own:
                self._feed(service, [self._arrived(record) for record in own], [record.topic for record in own])
        for record in self.sent:
            if record.topic == "parked" and record.value is not None:
                self._look_at(decode_whole(record.value).fields)
        self.sent = []

    def _look_at(self, parked: Mapping[str, Any]) -> None:
        self.found.reasons[parked["reason"]] += 1

    def _arrived(self, record: OutgoingRecord) -> Any:
        return self._raw(record.topic, record.key.encode(), record.value, record.headers)

    def _raw(self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes | None]]) -> Any:
        self.offsets[topic] += 1
        at = int((AT + timedelta(seconds=self.offsets[topic])).timestamp() * 1000)
        return SimpleNamespace(
            topic=topic, partition=0, offset=self.offsets[topic], key=key, value=value, headers=headers, timestamp=at
        )

    def _case(self, service: str) -> Case:
        topic = self.catalogue[self.chance.choice(self.specs[service].sources)]
        if is_state(topic.name) and self.chance.random() < 0.1:
            return Case(topic.name, "tombstone", (), self._raw(topic.name, self._tombstone_key(topic.name), None, []))
        record = self.chance.choice(topic.records if self.chance.random() > 0.02 else sorted(current_schemas()))
        at = AT + timedelta(seconds=self.offsets[topic.name])
        member = self.chance.choice(self.members)
        fields = self._fields(record, at, member)
        changed = self._changes(record, fields)
        value = None
        while value is None:
            changed_fields = fields
            for path, wrong in changed:
                changed_fields = with_value(changed_fields, path, wrong)
            value = written(record, changed_fields)
            changed = changed[:-1] if value is None else changed
        key = self._key(topic.name, record, changed_fields)
        headers: list[tuple[str, bytes | None]] = [
            ("signing-key", member.key.key_id.encode()),
            ("signature", member.key.sign(value)),
        ]
        names = tuple(".".join(map(str, path)) for path, _ in changed)
        return Case(topic.name, record, names, self._raw(topic.name, key, value, self._headers(headers)))

    def _fields(self, record: str, at: datetime, member: Member) -> dict[str, Any]:
        fields = fitting(record, at, self.chance, self.ids)
        if record in SIGNED:
            number = 0 if record == "Checkpoint" else member.sequence + self.chance.choice((1, 1, 1, 1, 0))
            member.sequence = max(member.sequence, number)
            fields["envelope"] |= {
                "time": at,
                "publisher_run": member.run,
                "sequence": number,
                "key_id": member.key.key_id,
            }
            about = fields
            if record == "SignalPublished":
                fields |= self._published(member)
                about = fields["signal"]
            about["municipality"] = member.code
            if record not in ("SignalPublished", "Checkpoint"):
                about["signal_id"] = self.chance.choice(member.ids)
                known = member.versions[about["signal_id"]]
                about["version"] = known + 1 if record in ("SignalWithdrawn", "SignalErased") else max(1, known)
                if record == "SignalErased":
                    member.ids[member.ids.index(about["signal_id"])] = new_id(self.chance)
        if record == "LinkTokens" and fields["tokens"] is not None:
            fields["tokens"] = self._sealed("linking", self._slots(), f"{fields['signal_id']}.{fields['version']}")
        if record == "TokensRenewed":
            fields["tokens"] = {"group": "linking", "key_id": "linking-2026-1", "ciphertext": bytes(SEALED_BYTES)}
        return fields

    def _published(self, member: Member) -> dict[str, Any]:
        signal = coded_example(self.chance.choice(EXAMPLES)) | {"signal_id": self.chance.choice(member.ids)}
        version = max(1, member.versions[signal["signal_id"]] + self.chance.choice((1, 1, 1, 1, 0, 2)))
        member.versions[signal["signal_id"]] = version
        signal |= {"version": version, "supersedes": version - 1 or None, "municipality": member.code}
        bound_to = f"{signal['signal_id']}.{version}"
        parts = [
            self._sealed(group, self._slots(), bound_to)
            if group == "linking"
            else {"group": group, "key_id": f"{group}-2026-1", "ciphertext": bytes(SEALED_BYTES)}
            for group in recipient_groups(signal)  # type: ignore[arg-type]  # a coded signal
        ]
        return {"signal": signal, "sealed": parts, "own_ref": bytes(32), "tokens_pending": False}

    def _sealed(self, group: str, content: bytes, bound_to: str) -> dict[str, Any]:
        key = self.register.sealing_key(group, AT)
        return {"group": group, "key_id": key.key_id, "ciphertext": key.encrypt(content, bound_to=bound_to)}

    def _slots(self) -> bytes:
        """Give slots as they are sealed: good ones, and what no encoder of ours would write."""
        slots = b""
        for _ in range(self.chance.randint(0, 4)):
            carrier = self.chance.choice(
                [b"subject:s1", b"subject:s2", b"place:0", b"a\0b", b"\xed\xa0\x80", b"\n", b"\xff", b"x" * 24]
            )
            kind = self.chance.choice([b"PHONE", b"PLATE", b"NAME_DOB", b"BSN", b"", b"\x01", b"NOTHING"])
            epoch = self.chance.choice([b"2026-H2", b"2026-H2", b"2026-H1", b"9999-H2", b"x"])
            cells = zip((carrier, kind, epoch), (CARRIER_BYTES, TYPE_BYTES, EPOCH_BYTES), strict=True)
            slots += b"".join(content.ljust(size, b"\0") for content, size in cells) + bytes([self.chance.randint(0, 3)]) * 16
        return slots.ljust(TOKEN_SLOTS * SLOT_BYTES, b"\0")

    def _changes(self, record: str, fields: Mapping[str, Any]) -> list[tuple[Place, Any]]:
        if self.chance.random() < 0.25:
            return []
        found = list(places(fields))
        changed = []
        for path, value in self.chance.sample(found, min(len(found), self.chance.choice((1, 1, 1, 2)))):
            if record in SIGNED and path[:2] == ("envelope", "key_id") and self.chance.random() < 0.9:
                continue
            if wrong := hostile_for(value):
                changed.append((path, self.chance.choice(wrong)))
        return changed

    def _key(self, topic: str, record: str, fields: Mapping[str, Any]) -> bytes | None:
        if self.chance.random() < 0.03:
            return self.chance.choice([None, b"", b"\0", b"\xff", b"marker/0", b"x" * 10_000])
        about = fields.get("signal") if record == "SignalPublished" else fields
        name = self.catalogue[topic].key if record != "Checkpoint" else ""
        holder: Any = about or {}
        parts = [str(holder.get(part, "")) for part in name.split("/")]
        return "/".join(parts if name else [str(fields["envelope"]["publisher_run"])]).encode(errors="replace")

    def _headers(self, headers: list[tuple[str, bytes | None]]) -> list[tuple[str, bytes | None]]:
        if self.chance.random() > 0.03:
            return headers
        return self.chance.choice(
            [[], [("signature", None)], [(name, None) for name, _ in headers], [*headers, ("ce_time", b"\xff")], [("\0", b"x")]]
        )

    def _tombstone_key(self, topic: str) -> bytes | None:
        one, other = self.chance.choice(self.ids), new_id(self.chance)
        good = f"{one}/{other}" if topic == "outcomes" else one
        return self.chance.choice([good.encode(), good.encode(), None, b"", b"\0", b"marker/0", b"\xff", b"/" * 50, b"x" * 5000])

    def unaccounted(self) -> list[str]:
        """Return the signed records whose number has no place in the ledger although it has a proven sender and can have one."""
        with self.specs["routing"].database.reading() as connection:
            used = {(row.publisher_run, row.sequence) for row in connection.execute(select(NUMBERS))}
        missing = []
        for member in self.members:
            missing += [f"{member.code} {number}" for _, number in self._sent_by(member) if (member.run, number) not in used]
        return missing

    def _sent_by(self, member: Member) -> Iterator[tuple[Case, int]]:
        for case in self.signed:
            fields = _whole(case.raw.value)
            if fields is None or case.record == "Checkpoint" or case.raw.headers[:2] != _signed(member, case.raw.value):
                continue
            envelope, about = fields["envelope"], fields.get("signal", fields)
            own = envelope["key_id"] == member.key.key_id and about["municipality"] == member.code
            if own and envelope["publisher_run"] == member.run and 0 < envelope["sequence"] < 2**53:
                yield case, envelope["sequence"]

    def balance(self) -> dict[str, Any]:
        """Return what oversight makes of it: it must be able to."""
        with self.specs["oversight"].database.reading() as connection:
            return conservation(OversightStore(connection), AT + timedelta(days=1))

    def close(self) -> None:
        """Let go of the stores, and of what was kept of them."""
        for spec in self.specs.values():
            spec.database.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _signed(member: Member, value: bytes) -> list[tuple[str, bytes]]:
    return [("signing-key", member.key.key_id.encode()), ("signature", member.key.sign(value))]


def _whole(value: bytes | None) -> dict[str, Any] | None:
    try:
        return decode_whole(value).fields
    except Exception:  # noqa: BLE001 - it is no record then
        return None


def told(found: Found) -> str:
    """Return what was found as one line."""
    return json.dumps({"cases": found.cases, "parked": dict(found.reasons), "faults": len(found.faults)}, sort_keys=True)
