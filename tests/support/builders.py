"""Builders of synthetic records as the consumers meet them, and of a process's identity; each gives what its name says.

Every message goes through the real codec, so that a test cannot use a field that the wire does not carry.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData, Table, select

from signal_exchange.contracts.cloud_events import EVENT_TYPES
from signal_exchange.contracts.codec import decode, encode
from signal_exchange.contracts.delivered import SIGNAL_FIELDS
from signal_exchange.contracts.records import SealedPart
from signal_exchange.contracts.topics import CONSUMERS
from signal_exchange.domain.destinations import GROUP_OF
from signal_exchange.domain.ids import parse_municipality_code
from signal_exchange.privacy.register import Register, sign_register
from signal_exchange.privacy.register_entries import GroupKey, MemberKey, Participant, Period
from signal_exchange.privacy.sealing import SealingKeyRing, SealingPrivateKey, pad_summary
from signal_exchange.privacy.signing import SigningKey, VerifyingKey
from signal_exchange.runtime.database import Database
from signal_exchange.stream.erasure_word import headers_of
from signal_exchange.stream.identity import Identity, Keys
from signal_exchange.stream.messages import Incoming, Message, Unreadable
from signal_exchange.stream.outbox import Outbox
from signal_exchange.stream.parking import ParkedStore, Retries
from signal_exchange.stream.seen_register import SEEN_TABLE
from signal_exchange.stream.tables import common_tables
from signal_exchange.stream.work import Work

VENLO, WEERT, ROERMOND = "GM0983", "GM0988", "GM0957"
MUNICIPALITIES = (VENLO, WEERT, ROERMOND)
GROUPS = (*GROUP_OF.values(), *(f"gm:{code}" for code in MUNICIPALITIES))
PARKING = tuple(f"parking:{service}" for service in CONSUMERS if service != "routing")
START = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
"""A Wednesday, 10:00 in Amsterdam: the first moment of most tests."""
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
RUN = "6d5b1f0a-3c52-4c8e-9a54-0f6f0c3b7a01"
"""A publisher run."""
NO_SIGNAL = dict.fromkeys(SIGNAL_FIELDS)


def signal_id(number: int) -> str:
    """Give the id of the n-th signal of a test; ids sort as their numbers."""
    return f"{number:08x}-0000-4000-8000-000000000000"


ONE, TWO, THREE = signal_id(1), signal_id(2), signal_id(3)


def minutes(count: float) -> datetime:
    """Give the moment so many minutes after START."""
    return START + timedelta(minutes=count)


def a_message(record: str, fields: Mapping[str, object], *, topic: str, reader: str, at: datetime, offset: int = 0) -> Message:
    """Give a record as a consumer decodes it."""
    value = encode(record, fields)
    incoming = Incoming(topic, 0, offset, str(fields.get("signal_id", "")).encode(), value, {}, at)
    decoded = decode(value, reader)
    return Message(decoded.record, decoded.fields, incoming)


def a_delivered_signal(**changed: object) -> dict[str, object]:
    """Give what a delivery carries of a signal; what is not named is not carried."""
    signal = {"forms": {"primary": "LABOUR", "secondary": []}, "sector": "LAB_AGRICULTURE", "care_needs": ["SHELTER"]}
    return {**NO_SIGNAL, **signal, **changed}


def a_referral(number: int = 1, *, at: datetime = START, **changed: object) -> Message:
    """Give a Referral; a retracted one carries no signal."""
    fields = {
        **_delivery(signal_id(number), at, changed),
        "rule_id": "C50",
        "urgency": "REGULAR",
        "legal_basis": "CONSENT",
        "partnership": "CARE_NETWORK",
        **changed,
    }
    return a_message("Referral", fields, topic="referrals", reader="worklist", at=at)


def erases(message: Message, *, at: float = 60, **changed: Any) -> Message:
    """Give the record that asks the receiver of a delivery to erase its signal."""
    fields = message.fields
    nothing = {"signal": None, "summary": None, "deliver_as": "", "rule_id": "", "urgency": "", "offer": 0}
    build = a_referral if message.record == "Referral" else an_agenda_item
    number = int(fields["signal_id"].partition("-")[0], 16)
    word = a_word(fields["signal_id"], fields["municipality"])
    about = {"municipality": fields["municipality"], "version": fields["version"] + 1, "revision": 1_000}
    return build(number, at=minutes(at), **{**nothing, **about, "status": "ERASED", "word": word, **changed})


BY_SIGNAL = frozenset({"referrals", "referrals-youth", "agenda-items", "link-tokens"})


def gone(topic: str, key: str, municipality: str = VENLO, **changed: Any) -> Incoming:
    """Give a tombstone; that of a signal carries its municipality's word, unless `word` is another."""
    word = changed.get("word", a_word(key, municipality) if topic in BY_SIGNAL else None)
    return Incoming(topic, 0, 999, key.encode(), None, dict(headers_of(word)), minutes(90))


def an_agenda_item(number: int = 1, *, at: datetime = START, **changed: object) -> Message:
    """Give an AgendaItem; a retracted one carries no signal."""
    fields = {
        **_delivery(signal_id(number), at, changed),
        "rule_id": "A30",
        "urgency": "REGULAR",
        "minor": False,
        "legal_basis": "PUBLIC_TASK",
        "partnership": "SCREENING_MEETING",
        **changed,
    }
    return a_message("AgendaItem", fields, topic="agenda-items", reader="agenda", at=at)


def _delivery(identity: str, at: datetime, changed: Mapping[str, object]) -> dict[str, object]:
    retracted = changed.get("status") == "RETRACTED"
    return {
        "signal_id": identity,
        "version": 1,
        "revision": 1,
        "offer": 1,
        "municipality": VENLO,
        "status": "OFFERED",
        "deliver_as": "FULL_PSEUDONYMOUS",
        "due_from": at,
        "signal": None if retracted else a_delivered_signal(),
        "summary": None,
    }


def a_chair_alert(number: int = 1, *, at: datetime = START, **changed: object) -> Message:
    """Give a ChairAlert."""
    fields = {
        "alert_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"alert {number}")),
        "signal_id": signal_id(number),
        "version": 1,
        "municipality": VENLO,
        "urgency": "ACUTE",
        "minor": False,
        "rule_id": "H10",
        "raised_at": at,
        **changed,
    }
    return a_message("ChairAlert", fields, topic="chair-alerts", reader="agenda", at=at)


def an_observation(number: int = 1, *, at: datetime = START, **changed: object) -> Message:
    """Give an Observation of a report."""
    fields = {
        "observation_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"observation {number}")),
        "revision": 1,
        "kind": "REPORT",
        "municipality": VENLO,
        "publish_day": "2026-11-18",
        "form": "LABOUR",
        "sector": "LAB_AGRICULTURE",
        "urgency": "REGULAR",
        "reporter_source": "CARE",
        "victim_age_bands": ["AGE_30_44"],
        "estimated_victims": None,
        "counted": True,
        **changed,
    }
    return a_message("Observation", fields, topic="observations", reader="statistics", at=at)


def an_outcome(number: int = 1, *, at: datetime = START, name: str = "routing", **changed: object) -> Message:
    """Give an Outcome; outcomes of one signal differ by `name`."""
    fields = {
        "outcome_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"outcome {number} {name}")),
        "signal_id": signal_id(number),
        "version": 1,
        "revision": 1,
        "municipality": VENLO,
        "source": "routing",
        "kind": "ROUTED",
        "state": "ROUTED",
        "outcome": None,
        "occurred_at": at,
        "own_ref": None,
        "detail": None,
        **changed,
    }
    return a_message("Outcome", fields, topic="outcomes", reader="feedback", at=at)


def a_trace_fact(number: int | None = 1, *, at: datetime = START, **changed: object) -> Message:
    """Give a TraceFact; without changes: routing received number 1 of the run."""
    fields = {
        "trace_id": "00000000-0000-4000-8000-000000000000",
        "service": "routing",
        "stage": "RECEIVED",
        "signal_id": None if number is None else signal_id(number),
        "version": 1,
        "municipality": VENLO,
        "publisher_run": RUN,
        "sequence": 1,
        "destination": None,
        "verdict": "routed",
        "owner_role": None,
        "next_date": None,
        "at": at,
        **changed,
    }
    return a_message("TraceFact", fields, topic="signal-trace", reader="feedback", at=at)


def _keys() -> dict[str, SealingPrivateKey]:
    names = (*GROUPS, *PARKING)
    return {name: SealingPrivateKey.generate(name.replace(":", "-") + "-1", name) for name in names}


KEYS = _keys()
"""The private key of every group, made anew for each test run."""


SIGNERS = {code: SigningKey.generate(f"{code.lower()}-1") for code in MUNICIPALITIES}
"""The private signing key of each municipality, made anew for each test run."""


def a_register() -> Register:
    """Give the participants' register with a signing key for every municipality and a sealing key for every group."""
    members = tuple(_participant(code, signer.public) for code, signer in SIGNERS.items())
    return Register(1, members, tuple(GroupKey(key.public, Period(LONG_AGO)) for key in KEYS.values()))


def _participant(code: str, key: VerifyingKey) -> Participant:
    keys = (MemberKey(key, Period(LONG_AGO)),)
    return Participant(parse_municipality_code(code), "ACCEDED", date(2022, 1, 1), signing_keys=keys)


def a_word(signal_id: str = ONE, municipality: str = VENLO, *, key: SigningKey | None = None, **changed: Any) -> Any:
    """Give a municipality's own word to erase a signal, as it is carried along; each part can be made wrong."""
    signer = key or SIGNERS[municipality]
    envelope = {"event_type": EVENT_TYPES["SignalErased"], "time": START, "publisher_run": RUN, "sequence": 2}
    fields = {
        "envelope": {**envelope, "key_id": signer.key_id},
        "signal_id": signal_id,
        "version": 2,
        "municipality": municipality,
    }
    value = encode("SignalErased", fields)
    return {"value": value, "signature": signer.sign(value), "key_id": signer.key_id, **changed}


def an_identity(*groups: str) -> Identity:
    """Give the identity of a process that holds the keys of these groups."""
    return Identity(a_register, lambda: Keys(SealingKeyRing(KEYS[group] for group in groups)))


def unsealed(content: bytes, bound_to: str) -> SealedPart:
    """Give a part that is not sealed at all, where nobody opens it."""
    return SealedPart(group="g", key_id=bound_to, ciphertext=content)


def a_summary(text: str | None, group: str, bound_to: str) -> SealedPart:
    """Give a summary sealed for a group."""
    key = KEYS[group]
    return SealedPart(group=group, key_id=key.key_id, ciphertext=key.public.encrypt(pad_summary(text), bound_to=bound_to))


def opened_detail(part: Mapping[str, Any], bound_to: str) -> dict[str, Any]:
    """Give what an outcome's sealed detail tells its municipality."""
    opened: dict[str, Any] = json.loads(KEYS[part["group"]].decrypt(part["ciphertext"], bound_to=bound_to))
    return opened


def an_environment(folder: Path, service: str, *groups: str) -> dict[str, str]:
    """Write the files of a process into a folder, and give the environment in which its commands run."""
    region = SigningKey.generate("region-1")
    public = region.public
    files = {
        "register.json": sign_register(a_register(), region).decode(),
        "region.json": json.dumps({"key_id": public.key_id, "public_key": public.raw.hex()}),
        "keys.json": json.dumps({"sealing": [KEYS[group].to_mapping() for group in groups]}),
        "password": "synthetic",
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o600)
    named = {"REGISTER_FILE": "register.json", "REGION_KEY_FILE": "region.json", "KEYS_FILE": "keys.json"}
    paths = {**named, "KAFKA_PASSWORD_FILE": "password"}
    own = {"DATA_DIR": str(folder), "KAFKA_BOOTSTRAP": "127.0.0.1:1", "KAFKA_USER": service}
    settings = {**own, **{name: str(folder / file) for name, file in paths.items()}}
    return {f"SIGNAL_EXCHANGE_{name}": text for name, text in settings.items()}


@dataclass(frozen=True, slots=True)
class Sent:
    """An outgoing record that a handler or a command left in the outbox, decoded."""

    topic: str
    key: str
    record: str
    fields: dict[str, Any]


Handle = Callable[[Sequence[Message], Work], None]


class Consuming:
    """A consumer without broker: batches go through its real handler into a real database."""

    def __init__(self, service: str, tables: MetaData, handle: Handle, url: str = "sqlite+pysqlite:///:memory:") -> None:
        self.service, self.tables, self.handle = service, tables, handle
        self.outbox = common_tables(tables)
        self.database = Database(url, tables)
        self.database.create_tables()

    def take(self, *messages: Message) -> list[Sent]:
        """Handle one batch in one transaction; give what it leaves to send."""
        with self.database.batch() as connection:
            work = Work(self.service, connection, an_identity().parking_seal(self.service))
            self.handle(messages, work)
            Outbox(connection, self.outbox).add(work.outgoing)
        return [_sent(record.topic, record.key, record.value) for record in work.outgoing]

    def parks(self, message: Message) -> None:
        """Leave a record parked, as it may stand in a store that was restored."""
        with self.database.transaction() as connection:
            work = Work(self.service, connection, an_identity().parking_seal(self.service))
            work.park(Unreadable(message.incoming, "UNKNOWN_CODE"))
            ParkedStore(connection).keep(work.outgoing)

    def parked(self) -> list[str]:
        """Give the id of every parked record that waits for a decision."""
        with self.database.reading() as connection:
            waiting = ParkedStore(connection).all("PARKED")
        return [each["parked_id"] for each in waiting]

    def on_tombstones(self, on_tombstones: Callable[[Sequence[Incoming], Work], None], *tombstones: Incoming) -> list[Sent]:
        """Let the consumer's own work take tombstones, and end what was parked about them; give what that leaves to send."""
        with self.database.transaction() as connection:
            work = Work(self.service, connection, an_identity().parking_seal(self.service))
            on_tombstones(tombstones, work)
            unseal = an_identity(f"parking:{self.service}").opened
            retries = Retries(work, ParkedStore(connection), unseal)
            retries.forget(work.erased)
            retries.finish([])
        return [_sent(record.topic, record.key, record.value) for record in work.outgoing]

    def waiting(self) -> list[Sent]:
        """Give everything in the outbox, in order, and empty it, as the relay does."""
        with self.database.transaction() as connection:
            outbox = Outbox(connection, self.outbox)
            found = outbox.waiting(10_000)
            outbox.remove([each.number for each in found])
        return [_sent(each.record.topic, each.record.key, each.record.value) for each in found]

    def rows(self, table: Table) -> list[dict[str, Any]]:
        """Give the rows of a table, in the order of its key."""
        with self.database.reading() as connection:
            found = connection.execute(select(table).order_by(*table.primary_key.columns))
            return [dict(row._mapping) for row in found]

    def everything(self, *without: str) -> dict[str, list[dict[str, Any]]]:
        """Give every row of every table but the outbox, the serial of the register and these."""
        names = sorted(set(self.tables.tables) - {"outbox", SEEN_TABLE, *without})
        return {name: self.rows(self.tables.tables[name]) for name in names}


_READERS = {
    "outcomes": "feedback",
    "observations": "statistics",
    "link-candidates": "agenda",
    "links": "agenda",
    "signal-trace": "oversight",
    "parked": "oversight",
}


TOMBSTONE = "Tombstone"
"""The record of an outgoing record without value."""


def _sent(topic: str, key: str, value: bytes | None) -> Sent:
    if value is None:
        return Sent(topic, key, TOMBSTONE, {})
    decoded = decode(value, _READERS.get(topic, "municipality"))
    return Sent(topic, key, decoded.record, decoded.fields)


def of_record(sent: Iterable[Sent], record: str) -> list[dict[str, Any]]:
    """Give the fields of the outgoing records with this record."""
    return [each.fields for each in sent if each.record == record]
