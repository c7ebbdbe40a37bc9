"""Every kind of poison on the real broker, at the first, a middle and the last position: parked or handled, and nothing stops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from handmade_batches import GZIP, LZ4, SNAPPY, ZSTD, batch, bomb, record
from raw_kafka import RawKafka
from raw_signals import VENLO, Raw, raw, send, settled
from senders import Sender, coded_example
from whole_exchange import an_exchange, resident_megabytes

from signal_exchange.contracts.quotas import LONGEST_BATCH_BYTES
from signal_exchange.contracts.schemas import SINGLE_OBJECT_MARK
from signal_exchange.contracts.topics import municipality_principal
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.runtime import clock
from signal_exchange_demo.broker import EmbeddedBroker
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.watching import states_until_now

pytestmark = [pytest.mark.broker, pytest.mark.faults, pytest.mark.timeout(600)]

BROKER_MEGABYTES = 600
"""What the broker may have resident: its Java has a heap of 512 MB."""
ROUTING_MAY_GROW = 100
"""Megabytes. Of a batch of 200 records each may stand for 272 kB, and one bomb of zstd alone holds 200 MB."""


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Exchange]:
    with an_exchange(tmp_path / "exchange", services=("routing",), nodes=()) as exchange:
        yield exchange


def poison(sender: Sender) -> list[tuple[Raw, str]]:
    """Return one record of each kind, with the reason under which it must be parked."""
    signal = {**coded_example("01_sexual"), "signal_id": "11111111-1111-4111-8111-111111111111"}
    good_key, good, headers = raw(sender.published(signal, at=clock.now(), sequence=999_999))
    assert good is not None
    stranger = SigningKey("stranger-2026-1", SigningKey.generate("stranger-2026-1").secret)
    return [
        ((b"k", b"garbage", []), "SCHEMA_INVALID"),
        ((b"k", b"", []), "SCHEMA_INVALID"),
        ((b"k", None, []), "SCHEMA_INVALID"),
        ((good_key, good[:-5], headers), "SCHEMA_INVALID"),
        ((good_key, good + b"x", headers), "SCHEMA_INVALID"),
        ((b"k", SINGLE_OBJECT_MARK + b"12345678" + b"body", []), "SCHEMA_INVALID"),
        ((good_key, good, [("signature", bytes(64)), ("signing-key", sender.key.key_id.encode())]), "SIGNATURE_INVALID"),
        (raw(sender.published(signal, at=clock.now(), sequence=999_999, signing=stranger)), "SENDER_NOT_ALLOWED"),
        ((b"another key", good, headers), "SENDER_NOT_ALLOWED"),
        ((b"\xff\xfe", good, headers), "SENDER_NOT_ALLOWED"),
    ]


def test_every_poison_is_parked_wherever_it_stands_and_good_signals_go_on(whole: Exchange) -> None:
    sender = Sender.of(whole.region, VENLO)
    bad = poison(sender)
    signals = [{**coded_example("01_sexual"), "signal_id": f"2222222{number}-2222-4222-8222-222222222222"} for number in range(2)]
    goods = [raw(sender.published(signal, at=clock.now())) for signal in signals]
    records = [*(each for each, _ in bad), goods[0], *(each for each, _ in bad), goods[1], *(each for each, _ in bad)]
    send(whole, [*((record, 3) for record in records), (bad[0][0], 5)])
    checkpoint = raw(sender.checkpoint(2, at=clock.now()))
    send(whole, [(checkpoint, 1)])
    wanted = Counter({reason: 3 * count for reason, count in Counter(reason for _, reason in bad).items()})
    wanted["SCHEMA_INVALID"] += 1
    # Under a wrong key its sender is certain: of the six with these bytes the first takes the number (R-VAL-23).
    wanted["SENDER_NOT_ALLOWED"] -= 5
    picture = settled(whole)
    parked = states_until_now(whole.admin, "parked").values()
    assert Counter(each["reason"] for each in parked) == wanted
    assert [each["sequence"] for each in parked if each["attributed"]] == [999_999]
    assert (picture.ledger.counts["routed"], picture.ledger.counts["parked"]) == (2, 1)
    assert picture.ledger.unattributed == sum(wanted.values()) - 1
    assert picture.ledger.conserved
    assert set(states_until_now(whole.admin, "accepted")) == {signal["signal_id"] for signal in signals}


def test_nulls_that_no_ordinary_client_sends_stop_nothing(whole: Exchange) -> None:
    """A header without a value, a record without a key or without anything, each made by hand and well signed where it can be."""
    sender = Sender.of(whole.region, VENLO)
    signal = {**coded_example("01_sexual"), "signal_id": "55555555-5555-4555-8555-555555555555"}
    key, good, signed = raw(sender.published(signal, at=clock.now(), sequence=1))
    named = [(name.encode(), content) for name, content in signed]
    bad = [
        record(b"garbage", headers=[(b"h", None)]),
        record(good, key=key, headers=[(name, None) for name, _ in named]),
        record(good, key=key, headers=[*named, (b"signature", None)]),
        record(None, key=None, headers=[(b"", None)]),
        record(b"", key=None),
    ]
    assert [thrown(whole, batch(each, 1), 3) for each in bad] == ["NoError"] * len(bad)
    assert thrown(whole, batch(record(good, key=key, headers=[*named, (b"of-a-proxy", None)]), 1), 3) == "NoError"
    send(whole, [(raw(sender.checkpoint(1, at=clock.now())), 1)])
    picture = settled(whole)
    assert (picture.ledger.counts["routed"], picture.ledger.unattributed) == (1, len(bad))
    assert set(states_until_now(whole.admin, "accepted")) == {signal["signal_id"]}


def test_a_gap_in_the_numbers_shows_and_an_older_version_after_a_newer_one_is_parked(whole: Exchange) -> None:
    sender = Sender.of(whole.region, "GM1507")
    signal = {**coded_example("02_labour"), "signal_id": "33333333-3333-4333-8333-333333333333"}
    first = raw(sender.published(signal, at=clock.now()))
    newer = raw(sender.published({**signal, "version": 2, "supersedes": 1, "estimated_victims": 10}, at=clock.now()))
    sender.sequence += 1  # number 3 is given out and never arrives
    older = raw(sender.published({**signal, "estimated_victims": 11}, at=clock.now()))
    send(whole, [(first, 2), (newer, 2), (older, 2), (raw(sender.checkpoint(4, at=clock.now())), 2)], VENLO)
    picture = settled(whole)
    mine = {entry.number[2]: entry.verdict for entry in picture.entries if entry.number and entry.number[0] == "GM1507"}
    assert mine == {1: "superseded", 2: "routed", 4: "parked"}
    assert picture.ledger.counts["in_flight"] == 1


def test_forty_bombs_at_once_grow_neither_broker_nor_routing_without_bound(whole: Exchange) -> None:
    sender = Sender.of(whole.region, VENLO)
    bombs = [bomb(codec, LONGEST_BATCH_BYTES) for codec in (GZIP, SNAPPY, LZ4, ZSTD)]
    routing = whole.processes.children["routing"].process
    assert isinstance(whole.broker, EmbeddedBroker)
    assert routing is not None
    processes = {"kafka": whole.broker.pid, "routing": routing.pid}
    before = {name: resident_megabytes(pid) for name, pid in processes.items()}
    with ThreadPoolExecutor(10) as pool:
        for each in bombs:
            assert set(pool.map(lambda part, sent=each: thrown(whole, sent, part), [part % 6 for part in range(10)])) == {
                "NoError"
            }
    signal = {**coded_example("01_sexual"), "signal_id": "44444444-4444-4444-8444-444444444444"}
    send(whole, [(raw(sender.published(signal, at=clock.now())), 2), (raw(sender.checkpoint(1, at=clock.now())), 2)])
    picture = settled(whole)
    assert picture.ledger.counts["routed"] == 1
    assert picture.ledger.unattributed == 40
    after = {name: resident_megabytes(pid) for name, pid in processes.items()}
    assert after["routing"] - before["routing"] < ROUTING_MAY_GROW
    assert after["kafka"] < BROKER_MEGABYTES


def thrown(whole: Exchange, one: bytes, partition: int) -> str:
    """Write a batch to `signals` as a municipality, on a connection of its own, and return the error."""
    with RawKafka(whole.connection(municipality_principal(VENLO))) as hostile:
        return hostile.append("signals", one, partition)[0]
