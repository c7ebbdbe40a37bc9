"""Synthetic records of every kind, as they travel."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from senders import EXAMPLES, coded_example

from signal_exchange.contracts.cloud_events import Headers, headers, new_traceparent, signature_headers, source_of
from signal_exchange.contracts.codec import encode
from signal_exchange.privacy.signing import SigningKey

AT = datetime(2026, 11, 20, 10, 0, 0, 123000, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sample:
    """One record: its name, its fields as Python has them, and key, value and headers as they travel."""

    record: str
    fields: Mapping[str, Any]
    key: bytes
    value: bytes
    headers: Headers


def signals_samples() -> list[Sample]:
    """Return a signed SignalPublished of every example and one of each other signed record, under fresh ids."""
    run, key = str(uuid.uuid4()), SigningKey.generate("GM0983-2026-1")
    published = [{**coded_example(name), "signal_id": str(uuid.uuid4())} for name in EXAMPLES]
    samples = [
        _signed("SignalPublished", _published(each), topic_key=each["signal_id"], run=run, key=key, sequence=number)
        for number, each in enumerate(published, 1)
    ]
    last, count = published[-1], len(published) + 4
    own = {"signal_id": last["signal_id"], "version": 1, "municipality": last["municipality"]}
    asked = {"answer_id": str(uuid.uuid4()), "link_id": str(uuid.uuid4()), "kind": "CONFIRM", "key_types": ["NAME_DOB"]}
    samples.append(_signed("MunicipalAnswer", own | asked, topic_key=last["signal_id"], run=run, key=key, sequence=count - 3))
    renewed = own | {"renewal_id": str(uuid.uuid4()), "tokens": _sealed("linking")}
    samples.append(_signed("TokensRenewed", renewed, topic_key=last["signal_id"], run=run, key=key, sequence=count - 2))
    withdrawn = {"signal_id": last["signal_id"], "version": 2, "municipality": last["municipality"], "reason": "MISTAKE"}
    samples.append(_signed("SignalWithdrawn", withdrawn, topic_key=last["signal_id"], run=run, key=key, sequence=count - 1))
    erased = {"signal_id": last["signal_id"], "version": 3, "municipality": last["municipality"]}
    samples.append(_signed("SignalErased", erased, topic_key=last["signal_id"], run=run, key=key, sequence=count))
    checkpoint = {"municipality": last["municipality"], "highest": count}
    return [*samples, _signed("Checkpoint", checkpoint, topic_key=run, run=run, key=key, sequence=0)]


def _published(signal: Mapping[str, Any]) -> dict[str, Any]:
    sealed = [_sealed(group) for group in ("care", "linking")]
    return {"own_ref": bytes(32), "tokens_pending": False, "signal": dict(signal), "sealed": sealed}


def _sealed(group: str) -> dict[str, Any]:
    return {"group": group, "key_id": f"{group}-2026-1", "ciphertext": bytes(range(256))}


def _signed(record: str, content: Mapping[str, Any], *, topic_key: str, run: str, key: SigningKey, sequence: int) -> Sample:
    envelope = {"event_type": record, "time": AT, "publisher_run": run, "sequence": sequence, "key_id": key.key_id}
    fields = {"envelope": envelope, **content}
    value = encode(record, fields)
    source = source_of("00000099000000000000")
    plain = headers(record, event_id=f"{topic_key}.{sequence}", at=AT, source=source, traceparent=new_traceparent())
    return Sample(record, fields, topic_key.encode(), value, [*plain, *signature_headers(key.sign(value), key.key_id)])


def filled(schema: Any, *, full: bool) -> Any:
    """Return a datum for a schema: with every optional part and two of each item, or with none of them."""
    if isinstance(schema, list):
        return filled(schema[-1], full=full) if full else None
    kind = schema["type"] if isinstance(schema, dict) else schema
    if kind == "record":
        return {field["name"]: filled(field["type"], full=full) for field in schema["fields"]}
    if kind == "array":
        return [filled(schema["items"], full=full) for _ in range(2 * full)]
    if kind == "enum":
        return schema["symbols"][-1]
    return AT if isinstance(schema, dict) and "logicalType" in schema else _PRIMITIVES[kind][full]


_PRIMITIVES: dict[str, tuple[object, object]] = {
    "string": ("", "élève 🙂"),
    "bytes": (b"", b"\x00\xff\xc3\x01"),
    "boolean": (False, True),
    "int": (-(2**31), 2**31 - 1),
    "long": (-(2**63), 2**63 - 1),
}
