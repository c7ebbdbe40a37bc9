"""The demands of WRITING.md section 6 on key, partition and headers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from kafka.partitioner import murmur2  # type: ignore[import-untyped]  # ships no types

from signal_exchange.contracts.cloud_events import EVENT_TYPES, PREFIX, source_of
from signal_exchange.stream.messages import Incoming

_TRACE = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_OWN_ID = {"TokensRenewed": "renewal_id", "MunicipalAnswer": "answer_id"}
_IS_TEXT = ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_dataschema", "content-type", "traceparent")
SIGNATURE_BYTES = 64


def wrong_place(incoming: Incoming, expected_key: str, partitions: int) -> Iterator[str]:
    """Yield the faults of the key and the partition of a record."""
    if incoming.key_text != expected_key:
        yield "the key of the record is not the signal id (of a Checkpoint: the run)"
        return
    wanted = int(murmur2(incoming.key or b"") & 0x7FFFFFFF) % partitions
    if incoming.partition != wanted:
        yield f"it lies in partition {incoming.partition}, and Kafka's default partitioner (murmur2) says {wanted}"


def wrong_headers(incoming: Incoming, record: str, fields: Mapping[str, Any], oin: str) -> Iterator[str]:
    """Yield the faults of the headers of a decoded record; `oin` is that of its municipality in the register."""
    checks = _checks(record, fields, oin)
    for name in (*_IS_TEXT, "signature", "signing-key"):
        content: bytes | None = incoming.headers.get(name)
        if content is None:
            yield f"header {name}: {'it has no value, and null is not allowed' if name in incoming.headers else 'missing'}"
        elif name == "signature":
            if len(content) != SIGNATURE_BYTES:
                yield f"header signature: {len(content)} bytes, and a signature has {SIGNATURE_BYTES}"
        else:
            yield from _wrong_text(name, content, checks[name])


def _wrong_text(name: str, content: bytes, check: tuple[Callable[[str], bool], str]) -> Iterator[str]:
    is_right, expected = check
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError:
        yield f"header {name}: it is no ASCII text"
        return
    if not is_right(text):
        yield f"header {name}: expected {expected}"


def _checks(record: str, fields: Mapping[str, Any], oin: str) -> dict[str, tuple[Callable[[str], bool], str]]:
    envelope = fields["envelope"]
    source = re.compile(re.escape(source_of(oin, "")) + r"[a-z0-9-]+")
    return {
        "ce_specversion": _equal("1.0"),
        "ce_id": _id(record, fields),
        "ce_source": (lambda text: source.fullmatch(text) is not None, f"{source_of(oin, '<name of your system>')}"),
        "ce_type": _equal(EVENT_TYPES[record]),
        "ce_time": (lambda text: _is_moment(text, envelope["time"]), "envelope.time in ISO 8601 with milliseconds and offset"),
        "ce_dataschema": _equal(f"urn:{PREFIX.rstrip('.')}:schema:{record}"),
        "content-type": _equal("application/avro"),
        "traceparent": (lambda text: _TRACE.fullmatch(text) is not None, "a W3C traceparent"),
        "signing-key": _equal(str(envelope["key_id"])),
    }


def _equal(expected: str) -> tuple[Callable[[str], bool], str]:
    return expected.__eq__, expected


def _id(record: str, fields: Mapping[str, Any]) -> tuple[Callable[[str], bool], str]:
    if record == "Checkpoint":
        return _equal(f"{fields['envelope']['publisher_run']}.{fields['highest']}")
    if record in _OWN_ID:
        return _equal(str(fields[_OWN_ID[record]]))
    about = fields.get("signal", fields)
    return _equal(f"{about['signal_id']}.{about['version']}")


def _is_moment(text: str, expected: datetime) -> bool:
    try:
        return datetime.fromisoformat(text) == expected
    except (ValueError, TypeError):
        return False
