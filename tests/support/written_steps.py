"""Makes schemas/steps.json: the whole way of a signal for a vendor, in bytes. Run as a program it writes the file.

Ed25519 and Avro give the same bytes each time. What is sealed differs at each sealing: parts that stand in the file are kept.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256, sha512
from pathlib import Path
from typing import Any

from kafka.partitioner import murmur2  # type: ignore[import-untyped]  # ships no types

from signal_exchange.contracts.cloud_events import source_of
from signal_exchange.contracts.codec import encode
from signal_exchange.contracts.schemas import current_schemas
from signal_exchange.contracts.topics import PARTITIONS
from signal_exchange.domain.ids import parse_municipality_code
from signal_exchange.municipality.sending.envelopes import Signer
from signal_exchange.participants.requests import request_text
from signal_exchange.privacy.register import Register, sign_register
from signal_exchange.privacy.register_entries import GroupKey, KeeperKey, MemberKey, Participant, Period, RegisteredKeeper
from signal_exchange.privacy.sealing import LinkToken, SealingPrivateKey, encode_tokens, pad_summary
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.stream.outcomes import padded

ROOT = Path(__file__).parents[2]
STEPS = ROOT / "schemas" / "steps.json"
TEXT = ROOT / "schemas" / "WRITING.md"
VECTORS = ROOT / "schemas" / "tokens" / "vectors.json"
EXAMPLE = ROOT / "services" / "signal_exchange" / "reference" / "data" / "examples" / "published" / "02_labour.json"
VENLO, OIN = parse_municipality_code("GM0983"), "00000099000000983000"
AT = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
SIGNAL, RUN = "d6df0d5e-1dd6-4e6d-854a-26fa6515fcdb", "6d5b1f0a-3c52-4c8e-9a54-0f6f0c3b7a01"
LINK, OUTCOME = "1b0f2a55-5d9c-4f0e-8d7e-2f6f3f1f9c11", "7a3f7e0c-93c5-5a2e-9d15-4b6f0a0f2c22"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ALWAYS = Period(datetime(2022, 1, 1, tzinfo=UTC))
SUMMARY = "Bij een controle bleken negen bedden in een te kleine woning."


def secret(name: str) -> bytes:
    """Return 32 bytes that everybody can make: a test key and nothing more."""
    return sha256(f"test key of {name}".encode()).digest()


def sealing_key(key_id: str, group: str) -> SealingPrivateKey:
    return SealingPrivateKey(key_id, group, sha512(f"test seed of {key_id}".encode()).digest(), secret(key_id))


REGION = SigningKey("region-2026-1", secret("region-2026-1"))
SIGNING = SigningKey("gm0983-2026-1", secret("gm0983-2026-1"))
NEXT_SIGNING = SigningKey("gm0983-2027-1", secret("gm0983-2027-1"))
SEALING = {group: sealing_key(f"{group}-2026-1", group) for group in ("care", "youth", "table", "linking", f"gm:{VENLO}")}
NEXT_SEALING = sealing_key(f"gm:{VENLO}-2027-1", f"gm:{VENLO}")


def register() -> Register:
    members = (Participant(VENLO, "ACCEDED", date(2022, 4, 21), None, OIN, (MemberKey(SIGNING.public, ALWAYS),)),)
    keys = json.loads(VECTORS.read_text(encoding="utf-8"))["keeper_keys"]
    keepers = tuple(
        RegisteredKeeper(f"keeper-{name.lower()}", f"https://keeper-{name.lower()}.example.nl", tuple(_keeper_keys(keys, name)))
        for name in "AB"
    )
    return Register(7, members, tuple(GroupKey(key.public, ALWAYS) for key in SEALING.values()), keepers)


def _keeper_keys(keys: list[dict[str, str]], name: str) -> list[KeeperKey]:
    return [KeeperKey(key["epoch"], bytes.fromhex(key["public_key"]), ALWAYS) for key in keys if key["keeper"] == name]


@dataclass
class Maker:
    """Makes the steps in order; `known` holds the parts that were sealed before, by their name."""

    known: Mapping[str, str]
    sealed: dict[str, str] = field(default_factory=dict)
    highest: int = 0

    def part(self, group: str, plaintext: bytes, bound_to: str) -> dict[str, Any]:
        name = f"{group} {bound_to} {sha256(plaintext).hexdigest()[:8]}"
        key = SEALING[group]
        made = self.known.get(name) or base64.b64encode(key.public.encrypt(plaintext, bound_to=bound_to)).decode()
        self.sealed[name] = made
        return {"group": group, "key_id": key.key_id, "ciphertext": base64.b64decode(made)}

    def step(self, name: str, record: str, fields: dict[str, Any], *, key: str, minute: int, event: str) -> dict[str, Any]:
        numbered = record != "Checkpoint"
        self.highest += numbered
        at, signer = AT + timedelta(minutes=minute), Signer(SIGNING, source_of(OIN))
        signed = signer.sign(record, fields, at=at, run=RUN, sequence=self.highest if numbered else 0)
        headers = signer.headers(record, signed, event_id=event, at=at, traceparent=TRACE)
        return {
            "step": name,
            "record": record,
            "topic": "signals",
            "key": key,
            "partition_of_6": partition(key),
            "headers": {each: shown_header(each, content) for each, content in headers},
            "sequence": self.highest if numbered else 0,
            "fields": shown(fields),
            "value": signed.value.hex(),
        }


def partition(key: str) -> int:
    """Return where Kafka's default partitioner puts a key: murmur2, without its sign."""
    return int(murmur2(key.encode()) & 0x7FFFFFFF) % PARTITIONS


def shown_header(name: str, content: bytes) -> str:
    return content.hex() if name == "signature" else content.decode()


def shown(value: Any) -> Any:
    """Return fields as JSON shows them; bytes as hexadecimal text, what is sealed by its length."""
    if isinstance(value, dict):
        return {name: shown(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shown(each) for each in value]
    if isinstance(value, bytes):
        return value.hex() if len(value) < 100 else f"{len(value)} bytes"
    return value


def tokens(*chosen: tuple[str, str, str]) -> bytes:
    """Return the slots of these values, whose tokens the vectors of the tokens hold: (carrier, type, value)."""
    made = {
        (each["type"], each["value"]): each
        for each in json.loads(VECTORS.read_text(encoding="utf-8"))["tokens"]
        if each["epoch"] == "2026H2"
    }
    found = [(carrier, made[kind, value]) for carrier, kind, value in chosen]
    return encode_tokens([LinkToken(carrier, each["type"], "2026H2", bytes.fromhex(each["token"])) for carrier, each in found])


NAMES = (("subject:s1", "NAME_DOB", "meer|anna|19990714"), ("subject:s1", "NAME_DOB_SOFT", "mr|a|19990714"))
PLATE = (("object:0", "PLATE", "NL:GX123B"),)


def coded(version: int, **changed: Any) -> dict[str, Any]:
    """Return example 02_labour as a municipality's node codes it."""
    data = json.loads(EXAMPLE.read_text(encoding="utf-8"))["data"]
    del data["summary"], data["objects"]
    for holder in (*data["subjects"], *data["places"]):
        del holder["link_tokens"]
    return {**data, "municipality": VENLO, "version": version, "supersedes": version - 1 or None, **changed}


def published(maker: Maker, version: int, summary: str, slots: bytes, **changed: Any) -> dict[str, Any]:
    bound_to = f"{SIGNAL}.{version}"
    texts = [maker.part(group, pad_summary(summary), bound_to) for group in ("care", "table")]
    linking = maker.part("linking", slots, bound_to)
    own_ref = sha256(b"test own_ref").digest()
    return {"own_ref": own_ref, "tokens_pending": False, "signal": coded(version, **changed), "sealed": [*texts, linking]}


def steps(maker: Maker) -> list[dict[str, Any]]:
    """Return every step of a signal that its municipality takes, in their order."""
    about = {"signal_id": SIGNAL, "municipality": VENLO}
    renewal, answer = "4f0e3b7e-0d0d-4a63-8d7e-0c1d2e3f4a5b", "0b9a8c7d-6e5f-4a3b-9c2d-1e0f2a3b4c5d"
    renewed = {"renewal_id": renewal, **about, "version": 2, "tokens": maker.part("linking", tokens(*NAMES), f"{SIGNAL}.2")}
    answered = {"answer_id": answer, **about, "version": 2, "link_id": LINK, "kind": "CONFIRM", "key_types": ["PLATE"]}
    first = published(maker, 1, SUMMARY, tokens(*NAMES, *PLATE))
    second = published(maker, 2, SUMMARY, tokens(*NAMES), estimated_victims=8)
    return [
        maker.step("publish", "SignalPublished", first, key=SIGNAL, minute=0, event=f"{SIGNAL}.1"),
        maker.step("correct", "SignalPublished", second, key=SIGNAL, minute=10, event=f"{SIGNAL}.2"),
        maker.step("renew the tokens", "TokensRenewed", renewed, key=SIGNAL, minute=20, event=renewal),
        maker.step("answer a question", "MunicipalAnswer", answered, key=SIGNAL, minute=30, event=answer),
        maker.step(
            "withdraw",
            "SignalWithdrawn",
            {**about, "version": 3, "reason": "MISTAKE"},
            key=SIGNAL,
            minute=40,
            event=f"{SIGNAL}.3",
        ),
        maker.step(
            "erase",
            "SignalErased",
            {**about, "version": 4},
            key=SIGNAL,
            minute=50,
            event=f"{SIGNAL}.4",
        ),
        maker.step(
            "tell the highest number",
            "Checkpoint",
            {"municipality": VENLO, "highest": maker.highest},
            key=RUN,
            minute=51,
            event=f"{RUN}.{maker.highest}",
        ),
    ]


_CARE = {"destination": "CARE_COORDINATOR", "effect": "SEND", "deliver_as": "CONSULT", "rule_id": "C60", "reason": None}
DETAIL = {"urgency": "REGULAR", "deliveries": [_CARE]}


def heard(maker: Maker) -> dict[str, Any]:
    """Return one record of feedback.gm0983, and what its sealed detail says."""
    bound_to = f"{SIGNAL}/{OUTCOME}"
    outcome = {"outcome_id": OUTCOME, "source": "routing", "kind": "ROUTED", "state": "ROUTED", "outcome": None, "version": 1}
    part = maker.part(f"gm:{VENLO}", padded(DETAIL), bound_to)
    step = {"service": "routing", "stage": "ROUTED", "destination": "CARE_COORDINATOR", "verdict": "SEND"}
    view = {
        "signal_id": SIGNAL,
        "own_ref": sha256(b"test own_ref").digest(),
        "revision": 1_794_733_200_000,
        "version": 1,
        "received": [{"publisher_run": RUN, "sequence": 1, "verdict": "routed"}],
        "steps": [{**step, "version": 1, "at": AT, "owner_role": None, "next_date": None}],
        "outcomes": [{**outcome, "occurred_at": AT, "detail": part}],
    }
    return {
        "topic": "feedback.gm0983",
        "key": SIGNAL,
        "value": encode("SignalView", view).hex(),
        "bound_to": bound_to,
        "detail": DETAIL,
    }


def build(known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the file; parts that are sealed in it already are kept."""
    maker = Maker(known.get("sealed", {}))
    made, feedback = steps(maker), heard(maker)
    return {
        "about": "Every step of WRITING.md beside this file, in bytes. Every key is a test key and everything is invented.",
        "region_key": {**REGION.to_mapping(), "public_key": REGION.public.raw.hex()},
        "signing_keys": [key.to_mapping() for key in (SIGNING, NEXT_SIGNING)],
        "sealing_keys": [key.to_mapping() for key in (*SEALING.values(), NEXT_SEALING)],
        "register": json.loads(sign_register(register(), REGION)),
        "key_request": json.loads(request_text(VENLO, NEXT_SIGNING, NEXT_SEALING, SIGNING)),
        "fingerprints": {name: schema.header.hex() for name, schema in sorted(current_schemas().items())},
        "steps": made,
        "feedback": feedback,
        "summary": SUMMARY,
        "sealed": maker.sealed,
    }


def published_steps() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(STEPS.read_text(encoding="utf-8"))
    return read


def write() -> None:
    """Write the file, keeping what is sealed in it, and the table of first bytes at the end of WRITING.md."""
    made = build(published_steps() if STEPS.exists() else {})
    STEPS.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    text, heading, _ = TEXT.read_text(encoding="utf-8").partition("| record | first ten bytes |\n| --- | --- |\n")
    rows = "".join(f"| `{record}` | `{start}` |\n" for record, start in made["fingerprints"].items())
    TEXT.write_text(text + heading + rows, encoding="utf-8")


if __name__ == "__main__":
    write()
