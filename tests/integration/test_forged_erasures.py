"""R-RET-03: who holds the password of a service, or of the broker, empties nobody's vault; shown on real parts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer  # type: ignore[import-untyped]  # ships no types
from whole_exchange import an_exchange, await_rest, eventually, spoken

from signal_exchange.contracts.codec import encode
from signal_exchange.contracts.topics import feedback_topic, municipality_principal
from signal_exchange.municipality.sending.envelopes import Signer
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.reference.loading import load_example
from signal_exchange.runtime import clock
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.stream.outcomes import outcome_id_of
from signal_exchange_demo.exchange import Exchange

pytestmark = [pytest.mark.broker, pytest.mark.timeout(500)]
CODE, OTHER = "GM0983", "GM0988"
NODE = municipality_principal(CODE)
LATER = 10**15
"""A revision that is beyond every true one."""
REFERENCES = [f"FORGED-{number}" for number in (1, 2, 3)]


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Exchange]:
    with an_exchange(tmp_path / "exchange", nodes=(CODE,)) as running:
        yield running


def published(exchange: Exchange, folder: Path) -> list[str]:
    file = folder / "records.jsonl"
    records = [{**load_example("01_sexual", "inside"), "municipality": CODE, "local_ref": each} for each in REFERENCES]
    file.write_text("".join(json.dumps(each) + "\n" for each in records), encoding="utf-8")
    return [str(each["signal_id"]) for each in spoken(exchange, NODE, "publish", str(file), "--json")["results"]]


def anothers_word(exchange: Exchange, signal_id: str) -> dict[str, Any]:
    """Give a word to erase a signal of ours that another municipality signed with its own key."""
    keys = json.loads((exchange.region.process_folder(municipality_principal(OTHER)) / "keys.json").read_text(encoding="utf-8"))
    signer = Signer(SigningKey.from_mapping(keys["signing"]), "urn:nld:oin:00000099000000000000:systeem:test")
    fields = {"signal_id": signal_id, "version": 2, "municipality": CODE}
    signed = signer.sign("SignalErased", fields, at=clock.now(), run="00000000-0000-4000-8000-000000000001", sequence=1)
    return {"value": signed.value, "signature": signed.signature, "key_id": signed.key_id}


def an_outcome(signal_id: str, word: dict[str, Any] | None) -> dict[str, Any]:
    own = {"outcome_id": outcome_id_of(signal_id, "routing", "ERASURE", 1), "source": "routing", "kind": "ERASURE"}
    return {**own, "state": "REQUESTED", "outcome": None, "version": 2, "occurred_at": clock.now(), "detail": None, "word": word}


def a_view(signal_id: str, word: dict[str, Any] | None) -> bytes:
    empty: dict[str, Any] = {"own_ref": None, "received": [], "steps": []}
    outcomes = [an_outcome(signal_id, word)]
    return encode("SignalView", {"signal_id": signal_id, "revision": LATER, "version": 2, **empty, "outcomes": outcomes})


def write(connection: KafkaConnection, topic: str, records: Iterable[tuple[str, bytes | None]]) -> None:
    producer = KafkaProducer(acks="all", **connection.for_kafka_python())
    try:
        for each in [producer.send(topic, key=key.encode(), value=value) for key, value in records]:
            each.get(30)
    finally:
        producer.close()


def waiting(exchange: Exchange, principal: str, *words: str) -> list[str]:
    return [str(each["reason"]) for each in spoken(exchange, principal, *words, "list", "--json")]


def test_an_order_to_erase_by_who_holds_a_services_password_empties_no_vault(exchange: Exchange, tmp_path: Path) -> None:
    ids = published(exchange, tmp_path)
    await_rest(exchange)
    about = {"municipality": CODE, "revision": LATER, "own_ref": None}
    words = {signal_id: anothers_word(exchange, signal_id) for signal_id in ids}
    outcomes = {each: encode("Outcome", {**an_outcome(each, words[each]), "signal_id": each, **about}) for each in ids}
    keyed = [(f"{each}/{outcome_id_of(each, 'routing', 'ERASURE', 1)}", value) for each, value in outcomes.items()]
    write(exchange.connection("worklist"), "outcomes", keyed)
    write(exchange.connection("feedback"), feedback_topic(CODE), [(each, a_view(each, words[each])) for each in ids])
    write(exchange.admin, feedback_topic(CODE), [(each, a_view(each, None)) for each in ids])

    eventually(lambda: waiting(exchange, NODE, "inbox"), lambda found: found == ["ERASURE_UNPROVEN"] * 6)
    eventually(lambda: waiting(exchange, "oversight", "parked"), lambda found: found == ["ERASURE_UNPROVEN"] * 3)
    alarms = {each["alarm"]: each["count"] for each in spoken(exchange, "oversight", "alarms", "--json")}
    assert alarms["ErasureRefused"] == 3
    for reference, signal_id in zip(REFERENCES, ids, strict=True):
        assert spoken(exchange, NODE, "trace", reference, "--json")["signal_id"] == signal_id
    assert spoken(exchange, NODE, "certificates", "list", "--json") == []

    spoken(exchange, NODE, "erase", REFERENCES[0], "--by", "officer", "--yes", "--json")
    [told] = eventually(
        lambda: spoken(exchange, NODE, "certificates", "list", "--json"), lambda found: found[0]["state"] == "DONE"
    )
    assert told["signal_id"] == ids[0]
    exchange.processes.check()
