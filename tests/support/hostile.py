"""Records that fit their schema and mean something, and what a hostile or careless hand can put in their place."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

from fastavro import schemaless_writer

from signal_exchange.contracts.border import DAYS, UUIDS, WEEKS
from signal_exchange.contracts.cloud_events import EVENT_TYPES
from signal_exchange.contracts.schemas import current_schemas
from signal_exchange.contracts.topics import CONSUMERS
from signal_exchange.domain.destinations import CODES, GROUP_OF
from signal_exchange.reference.loading import load_code_lists

Path = tuple[Any, ...]
NAMED: Mapping[str, Sequence[str]] = {
    "kind": (
        "REFERRAL",
        "DECISION",
        "RECEIPT",
        "ERASURE",
        "LINK_QUESTION",
        "ROUTED",
        "PERSON",
        "REPORT",
        "SAME_PERSON",
        "CONFIRM",
    ),
    "state": (
        "PARKED",
        "ROUTED",
        "DONE",
        "NOTHING_HELD",
        "CERTIFIED",
        "CANDIDATE",
        "CONFIRMED",
        "COMPLETED",
        "REJECTED",
        "DECIDED",
    ),
    "status": ("OPEN", "OFFERED", "RETRACTED", "WITHDRAWN", "ERASED", "CLOSED"),
    "stage": ("RECEIVED", "ROUTED", "STORED", "PARKED", "RETRACTED", "OUTCOME", "RECEIPT", "CHECKPOINT"),
    "service": CONSUMERS,
    "source": ("routing", "linking", "worklist", "worklist-youth", "agenda", "feedback"),
    "verdict": ("routed", "superseded", "repeat", "parked", "withdrawn", "erased", "unattributed", "SEND", "DENY"),
    "deliver_as": ("FULL_PSEUDONYMOUS", "MINOR_STUB", "CONSULT", "YOUTH_ROUTE"),
    "destination": CODES,
    "action": ("RETRY", "DISCARD"),
    "by_role": ("ATTENTION_OFFICER", "CHAIN_DIRECTOR"),
    "group": (*GROUP_OF.values(), "gm:GM0983"),
    "municipality": ("GM0983", "GM0984", "GM1507"),
    "cluster_id": ("G-aaaaaaaaaaaaaaaa", "G-bbbbbbbbbbbbbbbb"),
    "ref": ("s1", "s2"),
    "age_class": ("MINOR", "AGE_18_22", "AGE_23_PLUS", "UNKNOWN"),
    "awaits": ("GM0983", "CHAIN_DIRECTOR"),
    "frequency": ("2", "3-5", "COMMON"),
    "form": ("SEXUAL", "LABOUR", "CRIMINAL"),
    "urgency": ("ACUTE", "URGENT", "REGULAR", "MONITOR"),
    "role": ("VICTIM", "SUSPECT"),
    "key_types": ("NAME_DOB", "PHONE", "PLATE"),
    "topic": ("signals", "outcomes"),
    "reason": ("UNKNOWN_CODE", "MISTAKE"),
}
"""Words that the services know, by the name of the field."""
_SURROGATE = "\uabcd"
"""Stands for half a surrogate pair, which no encoder writes; as long in UTF-8."""
STRINGS = (
    "",
    "\0",
    "a\0b",
    "\n",
    "\x1b[2J",
    "\u2028",
    "\u202egnp",
    _SURROGATE,
    "a" * 100,
    "a" * 101,
    "é" * 3000,
    "🙂" * 25_000,
    "x" * 100_000,
    "marker/0",
    "null",
    "NaN",
    "[]",
    "-1",
    "9" * 40,
    "0001-01-01",
    "9999-12-31",
    "2026-02-30",
    "2026-W99",
    "0000-W00",
    "GM0000",
    "GM0983\n",
    "00000000-0000-0000-0000-000000000000",
    "A0000000-0000-4000-8000-00000000000A",
    "' OR 1=1 --",
    "ERASED",
    "__class__",
)
INTEGERS = (0, 1, -1, 2**31 - 1, 2**31, -(2**31), 2**53 - 1, 2**53, 2**62, 2**63 - 1, -(2**63))
MOMENTS = (
    0,
    -1,
    946_684_799_999,
    1_795_000_000_000,
    253_402_300_799_000,
    -62_135_596_800_000,
    2**62,
    -(2**63),
    4_102_444_800_000,
)
"""In milliseconds since 1970: also the years 1 and 9999, and what is no year."""
LONGEST_OF_KAFKA = 1_048_588
"""What a broker takes at most; a longer record reaches nobody."""
BYTES = (b"", b"\0", b"\xff" * 10, bytes(100_000))


def fitting(record: str, at: datetime, chance: random.Random | None = None, ids: Sequence[str] = ()) -> dict[str, Any]:
    """Return a record that passes the border; without a chance the same one every time. `ids` are known signals."""
    return dict(_Fitting(record, at, chance or random.Random(record), ids).of(current_schemas()[record].parsed, ""))  # noqa: S311 - no secret


class _Fitting:
    def __init__(self, record: str, at: datetime, chance: random.Random, ids: Sequence[str]) -> None:
        self._record, self._at, self._chance, self._ids = record, at, chance, ids
        self._named: dict[str, Any] = {}

    def of(self, schema: Any, name: str) -> Any:
        if isinstance(schema, list):
            return None if self._chance.random() < 0.3 else self.of(schema[1], name)
        if isinstance(schema, str) and schema in self._named:
            return self.of(self._named[schema], name)
        if isinstance(schema, dict) and schema["type"] in ("record", "enum"):
            self._named[schema["name"]] = schema
        kind = schema["type"] if isinstance(schema, dict) else schema
        if kind == "record":
            return {field["name"]: self.of(field["type"], field["name"]) for field in schema["fields"]}
        if kind == "array":
            return [self.of(schema["items"], name) for _ in range(self._chance.randint(0, 2))]
        if kind == "enum":
            return self._chance.choice(schema["symbols"])
        return self._moment() if isinstance(schema, dict) and "logicalType" in schema else self._primitive(kind, name)

    def _moment(self) -> datetime:
        return self._at - timedelta(milliseconds=self._chance.randint(0, 10**9))

    def _primitive(self, kind: str, name: str) -> Any:
        chance = self._chance
        if kind == "string":
            return self._string(name)
        values = {"boolean": chance.random() < 0.5, "bytes": chance.randbytes(32)}
        return values.get(kind, chance.randint(1, 3))

    def _string(self, name: str) -> str:
        chance = self._chance
        if name in UUIDS:
            return chance.choice(self._ids) if self._ids and name.startswith("signal_") else new_id(chance)
        if name in DAYS:
            return (self._at - timedelta(days=chance.randint(0, 300))).date().isoformat()
        if name in WEEKS:
            return f"2026-W{chance.randint(1, 47):02d}"
        if name == "event_type":
            return EVENT_TYPES[self._record]
        return chance.choice(NAMED.get(name, ("x",)))


def new_id(chance: random.Random) -> str:
    """Return a UUID of this chance."""
    digits = f"{chance.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def places(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Give the path and the value of everything in a record, lists and inner records too."""
    if path:
        yield path, value
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inside:
        yield from places(each, (*path, name))


def hostile_for(value: Any) -> Sequence[Any]:
    """Return what a hostile hand can put in the place of a value, as far as its Avro type can hold it."""
    if isinstance(value, bool | dict) or value is None:
        return ()
    if isinstance(value, str):
        return STRINGS
    if isinstance(value, datetime):
        return MOMENTS
    if isinstance(value, int):
        return INTEGERS
    if isinstance(value, bytes):
        return BYTES
    return ([], value * 2, value * 1000, value * 1001, value * 3_000)


def with_value(fields: Mapping[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """Return the fields with one value in another's place; as they are when that place is gone."""
    made: dict[str, Any] = copy.deepcopy(dict(fields))
    holder: Any = made
    try:
        for name in path[:-1]:
            holder = holder[name]
        holder[path[-1]] = value
    except (IndexError, KeyError, TypeError):
        return dict(fields)
    return made


def written(record: str, fields: Mapping[str, Any]) -> bytes | None:
    """Encode a record as a hostile writer does, who has no border and no checks; None when not even that works."""
    schema, out = current_schemas()[record], BytesIO()
    out.write(schema.header)
    try:
        schemaless_writer(out, schema.parsed, _moments_as_written(fields))
    except Exception:  # noqa: BLE001 - what cannot be written is no case
        return None
    encoded = out.getvalue().replace(_SURROGATE.encode(), b"\xed\xa0\x80")
    return encoded if len(encoded) <= LONGEST_OF_KAFKA else None


def _moments_as_written(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _moments_as_written(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_moments_as_written(each) for each in value]
    return round((value - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000) if isinstance(value, datetime) else value


def codes() -> frozenset[str]:
    """Return every code of every list."""
    return frozenset(code for each in load_code_lists().lists.values() for code in each.codes)
