"""Follows a demo from outside: what a client sends on `signals`, and what routing and linking made of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer  # type: ignore[import-untyped]  # ships no types

from signal_exchange.contracts.codec import decode_whole
from signal_exchange.contracts.faults import UndecodableError
from signal_exchange.contracts.topics import feedback_topic, municipality_principal
from signal_exchange.domain.destinations import GROUP_OF
from signal_exchange.domain.policy import Policy
from signal_exchange.privacy.register import Register, load_register
from signal_exchange.privacy.register_entries import registered_members
from signal_exchange.privacy.sealing import SealingKeyRing, SealingPrivateKey
from signal_exchange.privacy.signing import VerifyingKey
from signal_exchange.reference.loading import load_code_lists, load_members
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.kafka import POLL_MILLISECONDS, admin_client, reader
from signal_exchange.stream.messages import Incoming
from signal_exchange_demo.refusing import DemoError
from signal_exchange_demo.vendor.judging import Judge, Judged, municipality_of
from signal_exchange_demo.vendor.sealed import Opener

Place = tuple[str, int, int]
"""Topic, partition and offset of a record."""


@dataclass(frozen=True, slots=True)
class Said:
    """The word of the exchange on a record: its place in the ledger, and of a parked one the reason and each field and rule."""

    verdict: str
    reason: str | None = None
    errors: tuple[str, ...] = ()


@dataclass(slots=True)
class Answers:
    """The answers of the trace and the topic `parked`, by number and by place."""

    by_number: dict[tuple[str, int], Said] = field(default_factory=dict)
    by_place: dict[Place, Said] = field(default_factory=dict)

    def add(self, fields: Mapping[str, Any]) -> None:
        """Add a TraceFact or a ParkedRecord."""
        if "parked_id" in fields:
            place = (fields["topic"], fields["partition"], fields["offset"])
            self.by_place[place] = Said(fields["state"].lower(), fields["reason"], tuple(fields["errors"]))
        elif fields["stage"] in ("RECEIVED", "CHECKPOINT") and fields["publisher_run"] is not None:
            self.by_number[fields["publisher_run"], fields["sequence"]] = Said(fields["verdict"] or "taken")

    def of(self, judged: Judged) -> Said | None:
        """Return the verdict on a record, None when there is none yet."""
        incoming = judged.incoming
        parked = self.by_place.get((incoming.topic, incoming.partition, incoming.offset))
        if parked is not None or judged.record is None:
            return parked
        envelope = judged.fields["envelope"]
        number = judged.fields["highest"] if judged.record == "Checkpoint" else envelope["sequence"]
        return self.by_number.get((envelope["publisher_run"], number))


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that runs in a folder: how its topics are reached, and what its client is judged by."""

    folder: Path
    municipality: str

    def connection(self, principal: str) -> KafkaConnection:
        """Return the connection of one of the demo's principals.

        Raises:
            DemoError: no demo was started in this folder.
        """
        try:
            lines = (self.folder / principal / "env").read_text(encoding="utf-8").splitlines()
            password = (self.folder / principal / "password").read_text(encoding="utf-8").strip()
        except OSError:
            raise DemoError(
                f"There is no demo in {self.folder}: start one with `make demo`, or name its folder with --dir."
            ) from None
        settings = dict(line.split("=", 1) for line in lines if "=" in line)
        return KafkaConnection(settings["SIGNAL_EXCHANGE_KAFKA_BOOTSTRAP"], principal, password)

    def judge(self) -> Judge:
        """Return the judge of the records of the municipality.

        Raises:
            DemoError: the register does not name it: it has not joined.
        """
        register = self._register()
        if register.municipality(self.municipality) is None:
            raise DemoError(f"The register does not name {self.municipality}: it has not joined (schemas/WRITING.md section 1).")
        members = registered_members(load_members(), register.municipalities)
        return Judge(self.municipality, members, Opener(register, self._keys(), load_code_lists(), Policy()))

    def _register(self) -> Register:
        public = json.loads((self.folder / "region-key.json").read_text(encoding="utf-8"))
        key = VerifyingKey(public["key_id"], bytes.fromhex(public["public_key"]))
        return load_register((self.folder / "register.json").read_bytes(), key)

    def _keys(self) -> SealingKeyRing:
        files = (self.folder / service / "keys.json" for service in GROUP_OF)
        kept = (json.loads(file.read_text(encoding="utf-8"))["sealing"] for file in files)
        return SealingKeyRing([SealingPrivateKey.from_mapping(each) for keys in kept for each in keys])

    def has_heard(self) -> bool:
        """Say whether the client's own consumer group has committed something of its feedback topic."""
        group = municipality_principal(self.municipality)
        with admin_client(self.connection("oversight")) as admin:
            committed = admin.list_group_offsets(group)[group]
        return any(part.topic == feedback_topic(self.municipality) and at.offset > 0 for part, at in committed.items())


@contextmanager
def followed(demo: Demo) -> Iterator[tuple[KafkaConsumer, KafkaConsumer]]:
    """Open what the client sends, and what the exchange says of it, from the beginning.

    Raises:
        BrokerUnavailableError: the demo does not run.
    """
    sent, told = demo.connection("routing"), demo.connection("oversight")
    with reader(sent, "signals") as records, reader(told, "signal-trace", "parked") as answers:
        yield records, answers


def polled(consumer: KafkaConsumer) -> Iterator[Incoming]:
    """Yield the records since the last look, in the order in which it was appended."""
    yield from in_order(record for batch in consumer.poll(POLL_MILLISECONDS).values() for record in batch)


def in_order(records: Iterable[Any]) -> list[Incoming]:
    """Return consumer records in the order in which they were appended, over all partitions."""
    return sorted(map(Incoming.of, records), key=lambda each: (each.appended_at, each.partition, each.offset))


def concerns(incoming: Incoming, municipality: str, register: Register) -> bool:
    """Say whether a record is of this municipality, or of nobody that is known, and so perhaps of its client."""
    named = (incoming.headers.get("signing-key") or b"").decode("ascii", "replace")
    owners = {key.key.key_id: member.code for member in register.municipalities for key in member.signing_keys}
    try:
        return municipality in (municipality_of(decode_whole(incoming.value).fields), owners.get(named))
    except (UndecodableError, AttributeError):
        return owners.get(named) in (None, municipality)


def answers_in(consumer: KafkaConsumer) -> Iterator[Mapping[str, Any]]:
    """Yield the fields of the trace facts and parked records that came since the last look."""
    for incoming in polled(consumer):
        if incoming.value is not None:
            yield decode_whole(incoming.value).fields
