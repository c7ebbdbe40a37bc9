"""What schemas/WRITING.md tells a vendor is so: steps.json is held to the code and to a second reading of the text.

The second reading uses fastavro, Ed25519 and RFC 9180 as they are, with the schemas from their files, and nothing of the product.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import rfc9180
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastavro import parse_schema, schemaless_reader
from fastavro.schema import fingerprint, to_parsing_canonical_form
from jsonschema import Draft202012Validator
from written_steps import AT, LINK, RUN, SIGNAL, STEPS, SUMMARY, VENLO, build, published_steps, register

from signal_exchange.contracts.codec import decode
from signal_exchange.contracts.records import SealedPart
from signal_exchange.contracts.topics import PARTITIONS
from signal_exchange.participants.requests import read_request
from signal_exchange.privacy.register import load_register
from signal_exchange.privacy.sealing import SealingPrivateKey
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.routing.composition import rulebook
from signal_exchange.routing.handler import RoutingHandler
from signal_exchange.routing.tables import TABLES
from signal_exchange.runtime.database import Database
from signal_exchange.stream.messages import Incoming, Message
from signal_exchange.stream.work import Work

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "schemas"
FILE = published_steps()
ALL_STEPS = FILE["steps"]
PUBLISHING = [step for step in ALL_STEPS if step["record"] == "SignalPublished"]
TEXT = (SCHEMAS / "WRITING.md").read_text(encoding="utf-8")


def names(step: dict[str, Any]) -> str:
    return str(step["step"])


def test_the_steps_are_what_the_code_makes() -> None:
    assert build(FILE) == FILE, "run `make docs`"


# A second reading of the text.


def parsed_schemas() -> dict[str, Any]:
    """Read schemas/types and schemas/ as a vendor does: each record with the types that it names."""
    named: dict[str, Any] = {}
    waiting = [
        json.loads(file.read_text(encoding="utf-8")) for folder in ("types", ".") for file in (SCHEMAS / folder).glob("*.avsc")
    ]
    while waiting:
        waiting = [schema for schema in waiting if not _parsed(schema, named)]
    return named


def _parsed(schema: dict[str, Any], named: dict[str, Any]) -> bool:
    try:
        parse_schema(schema, named_schemas=named)
    except Exception:  # noqa: BLE001 - it names a type that is read later
        return False
    return True


def header_of(record: str) -> bytes:
    return bytes.fromhex("c301" + fingerprint(to_parsing_canonical_form(whole_schema(record)), "CRC-64-AVRO"))


@cache
def whole_schema(record: str) -> Any:
    named = parsed_schemas()
    return parse_schema(_inlined(named[f"nl.mensenhandelsignalen.{record}"], named, set()))


def _inlined(schema: Any, named: dict[str, Any], seen: set[str]) -> Any:
    """Return a schema with each named type written out where it is named first."""
    if isinstance(schema, str):
        return _inlined(named[schema], named, seen) if schema in named and schema not in seen else schema
    if isinstance(schema, list):
        return [_inlined(each, named, seen) for each in schema]
    if schema.get("type") == "record":
        seen.add(schema["name"])
        fields = [{**each, "type": _inlined(each["type"], named, seen)} for each in schema["fields"]]
        return {"type": "record", "name": schema["name"], "fields": fields}
    if schema.get("type") == "array":
        return {**schema, "items": _inlined(schema["items"], named, seen)}
    return schema


def read(value: bytes, record: str) -> dict[str, Any]:
    stream = BytesIO(value[10:])
    fields = schemaless_reader(stream, whole_schema(record), None)
    assert stream.read() == b""
    assert isinstance(fields, dict)
    return fields


@pytest.mark.parametrize("record", sorted(FILE["fingerprints"]))
def test_the_printed_first_ten_bytes_are_those_of_the_schema_files(record: str) -> None:
    assert FILE["fingerprints"][record] == header_of(record).hex()
    assert f"| `{record}` | `{FILE['fingerprints'][record]}` |" in TEXT


@pytest.mark.parametrize("step", ALL_STEPS, ids=names)
def test_another_reader_verifies_the_signature_and_finds_the_fields(step: dict[str, Any]) -> None:
    value = bytes.fromhex(step["value"])
    [member] = FILE["register"]["register"]["municipalities"]
    [key] = [each for each in member["signing_keys"] if each["key_id"] == step["headers"]["signing-key"]]
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(key["public_key"])).verify(
        bytes.fromhex(step["headers"]["signature"]), value
    )
    assert value[:10] == header_of(step["record"])
    fields = read(value, step["record"])
    envelope = fields["envelope"]
    assert (envelope["key_id"], envelope["publisher_run"], envelope["sequence"]) == (key["key_id"], RUN, step["sequence"])
    assert envelope["event_type"] == step["headers"]["ce_type"]
    assert f"| `{step['record']}` | `{step['headers']['ce_type']}` |" in TEXT


def test_every_record_that_a_municipality_may_send_is_a_step() -> None:
    from signal_exchange.contracts.signed import SIGNED  # noqa: PLC0415 - the promise of this test alone

    assert {step["record"] for step in ALL_STEPS} == SIGNED


def test_a_record_lies_where_kafkas_default_partitioner_puts_its_key() -> None:
    for step in ALL_STEPS:
        assert step["partition_of_6"] == (_murmur2(step["key"].encode()) & 0x7FFFFFFF) % PARTITIONS


def _murmur2(data: bytes) -> int:
    """Return Kafka's murmur2 of a key, the plain way."""
    multiplier, mask = 0x5BD1E995, 0xFFFFFFFF
    state = 0x9747B28C ^ len(data)
    whole = len(data) // 4 * 4
    for start in range(0, whole, 4):
        block = int.from_bytes(data[start : start + 4], "little") * multiplier & mask
        state = (state * multiplier & mask) ^ ((block ^ block >> 24) * multiplier & mask)
    rest = data[whole:]
    if rest:
        state = (state ^ int.from_bytes(rest, "little")) * multiplier & mask
    state = (state ^ state >> 13) * multiplier & mask
    return state ^ state >> 15


def opened(group: str, sealed: bytes, bound_to: str) -> bytes:
    [key] = [each for each in FILE["sealing_keys"] if each["group"] == group and each["key_id"].endswith("2026-1")]
    parts = ("signal-exchange", "sealing/v1", group, key["key_id"], bound_to)
    info = b"".join(len(part).to_bytes(2, "big") + part.encode() for part in parts)
    return rfc9180.open_sealed(bytes.fromhex(key["mlkem768_seed"]), bytes.fromhex(key["x25519_private"]), info, sealed)


@pytest.mark.parametrize("step", PUBLISHING, ids=names)
def test_each_sealed_part_opens_with_its_groups_key_bound_to_id_and_version(step: dict[str, Any]) -> None:
    fields = read(bytes.fromhex(step["value"]), "SignalPublished")
    bound_to = f"{SIGNAL}.{fields['signal']['version']}"
    plain = {part["group"]: opened(part["group"], part["ciphertext"], bound_to) for part in fields["sealed"]}
    assert set(plain) == {"care", "table", "linking"}
    assert plain["care"] == plain["table"] == (len(SUMMARY.encode()).to_bytes(2, "big") + SUMMARY.encode()).ljust(2048, b"\0")
    assert (len(plain["linking"]), plain["linking"].rstrip(b"\0")[:10]) == (2048, b"subject:s1")
    assert all(len(part["ciphertext"]) == 3184 for part in fields["sealed"])


def test_the_detail_that_comes_home_opens_bound_to_signal_and_outcome() -> None:
    feedback = FILE["feedback"]
    view = read(bytes.fromhex(feedback["value"]), "SignalView")
    [outcome] = view["outcomes"]
    plain = opened(f"gm:{VENLO}", outcome["detail"]["ciphertext"], f"{SIGNAL}/{outcome['outcome_id']}")
    assert (len(plain) % 512, json.loads(plain)) == (0, feedback["detail"])


def canonical(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def signed_bytes(kind: str, document: Any) -> bytes:
    return len(kind).to_bytes(2, "big") + kind.encode() + canonical(document)


def test_another_reader_verifies_the_register_by_the_text() -> None:
    region = Ed25519PublicKey.from_public_bytes(bytes.fromhex(FILE["region_key"]["public_key"]))
    whole = FILE["register"]
    region.verify(bytes.fromhex(whole["signature"]), signed_bytes("signal-exchange/register/v1", whole["register"]))
    public = SigningKey.from_mapping(FILE["region_key"]).public
    assert load_register(json.dumps(whole).encode(), public) == register()


def test_another_writer_makes_the_request_for_keys_by_the_text() -> None:
    whole = FILE["key_request"]
    message = signed_bytes("signal-exchange/key-request/v1", whole["request"])
    in_use, new = (SigningKey.from_mapping(each) for each in FILE["signing_keys"])
    assert (new.sign(message).hex(), in_use.sign(message).hex()) == (whole["signature"], whole["continues"])
    assert read_request(json.dumps(whole)).is_continued_by(in_use.public)


@pytest.mark.parametrize("name", ["register", "key_request"])
def test_the_published_json_schemas_fit_and_refuse_an_unknown_name(name: str) -> None:
    schema = json.loads((SCHEMAS / f"{name.replace('_', '-')}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    assert list(Draft202012Validator(schema).iter_errors(FILE[name])) == []
    assert list(Draft202012Validator(schema).iter_errors({**FILE[name], "surplus": 1})) != []


# The product takes these bytes as they stand.


def messages() -> Iterator[Message]:
    for offset, step in enumerate(ALL_STEPS):
        headers = {name: _header(name, text) for name, text in step["headers"].items()}
        value, at = bytes.fromhex(step["value"]), AT + timedelta(hours=1)
        decoded = decode(value, "routing")
        yield Message(decoded.record, decoded.fields, Incoming("signals", 0, offset, step["key"].encode(), value, headers, at))


def _header(name: str, text: str) -> bytes:
    return bytes.fromhex(text) if name == "signature" else text.encode()


def test_r_flow_01_routing_takes_every_step_as_it_stands() -> None:
    public = {each["group"]: SealingPrivateKey.from_mapping(each).public for each in FILE["sealing_keys"]}

    def seal_to(group: str, plaintext: bytes, bound_to: str) -> SealedPart:
        key = public[group]
        return SealedPart(group=group, key_id=key.key_id, ciphertext=key.encrypt(plaintext, bound_to=bound_to))

    database = Database("sqlite+pysqlite:///:memory:", TABLES)
    database.create_tables()
    told: dict[int, Any] = {}
    for message in messages():
        with database.transaction() as connection:
            work = Work("routing", connection, lambda plain, bound: seal_to("care", plain, bound))
            RoutingHandler(lambda: rulebook(register()), seal_to)([message], work)
        assert work.parked == [], message.record
        for record in work.outgoing:
            if record.topic == "signal-trace":
                fact = decode(record.value, "oversight").fields
                if fact["stage"] in ("RECEIVED", "CHECKPOINT"):
                    told.setdefault(fact["sequence"] + 100 * (fact["stage"] == "CHECKPOINT"), fact["verdict"])
    assert told == {1: "routed", 2: "routed", 3: "renewed", 4: "answer", 5: "withdrawn", 6: "erased", 106: None}


def test_the_file_holds_no_key_but_test_keys() -> None:
    assert (LINK in STEPS.read_text(encoding="utf-8"), "Every key is a test key" in FILE["about"]) == (True, True)
    assert base64.b64decode(FILE["key_request"]["request"]["sealing"]["public_key"], validate=True)
