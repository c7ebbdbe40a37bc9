"""No user takes more of a real Kafka than its quota, and no batch on `signals` is larger than the catalogue says."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from handmade_batches import GZIP, LZ4, NONE, SNAPPY, ZSTD, batch, bomb, record
from raw_kafka import RawKafka
from real_exchange import MUNICIPALITIES, Exchange
from whole_exchange import resident_megabytes

from signal_exchange.contracts.quotas import LONGEST_BATCH_BYTES, MEMBER, SERVICE
from signal_exchange.contracts.topics import catalogue, municipality_principal
from signal_exchange.participants.access import admit, dismiss
from signal_exchange.runtime.administration import Applied, apply_catalogue
from signal_exchange.runtime.kafka import admin_client
from signal_exchange.runtime.quotas import quotas_in_force, set_quotas

FIRST, SECOND = map(municipality_principal, MUNICIPALITIES)
BROKER_MEGABYTES = 600
"""What the broker may have resident: its Java has a heap of 512 MB."""
MANY_BYTES = int(MEMBER["producer_byte_rate"]) * 30


@pytest.fixture
def changed(own_exchange: Exchange) -> Iterator[Exchange]:
    """Give an exchange that a test may change; afterwards it is as the catalogue says."""
    yield own_exchange
    apply(own_exchange)


def apply(exchange: Exchange, municipalities: tuple[str, ...] = MUNICIPALITIES) -> Applied:
    return apply_catalogue(exchange.admin, catalogue(municipalities), exchange.passwords)


def in_force(exchange: Exchange) -> dict[str, dict[str, float]]:
    with admin_client(exchange.admin) as admin:
        return quotas_in_force(admin)


def a_batch(value_bytes: int) -> bytes:
    return batch(record(bytes(value_bytes)), 1)


def test_every_principal_has_the_quota_of_the_catalogue(own_exchange: Exchange) -> None:
    found = in_force(own_exchange)
    assert {name: found[name] for name in own_exchange.catalogue.principals} == own_exchange.catalogue.quotas
    assert (found[FIRST], found["routing"]) == (MEMBER, SERVICE)


def test_a_changed_quota_is_put_back_and_a_strange_limit_goes(changed: Exchange) -> None:
    with admin_client(changed.admin) as admin:
        set_quotas(admin, {FIRST: {"producer_byte_rate": 1e9, "controller_mutation_rate": 5.0}, "routing": {}})
    assert apply(changed).quotas_changed == (FIRST, "routing")
    assert (in_force(changed)[FIRST], in_force(changed)["routing"]) == (MEMBER, SERVICE)
    assert apply(changed).quotas_changed == ()


def test_who_leaves_keeps_no_quota_and_who_joins_gets_one(changed: Exchange) -> None:
    dismiss(changed.admin, MUNICIPALITIES[1])
    assert SECOND not in in_force(changed)
    admit(changed.admin, MUNICIPALITIES[1], changed.passwords[SECOND])
    assert in_force(changed)[SECOND] == MEMBER
    apply(changed, MUNICIPALITIES[:1])
    assert SECOND not in in_force(changed)


def test_a_member_that_floods_must_wait_and_its_neighbour_need_not(changed: Exchange) -> None:
    flood = a_batch(65_000)
    with RawKafka(changed.connect(FIRST)) as hostile, RawKafka(changed.connect(SECOND)) as honest:
        sent, waits = 0, [0]
        while sent < MANY_BYTES and not waits[-1]:
            waits.append(hostile.append("signals", flood)[1])
            sent += len(flood)
        assert waits[-1] > 0
        assert honest.append("signals", a_batch(1_000)) == ("NoError", 0)


@pytest.mark.parametrize("excess", [0, 1])
def test_no_batch_on_signals_is_longer_than_the_catalogue_says(own_exchange: Exchange, excess: int) -> None:
    empty = len(a_batch(100_000)) - 100_000
    longest = a_batch(LONGEST_BATCH_BYTES + excess - empty)
    assert len(longest) == LONGEST_BATCH_BYTES + excess
    with RawKafka(own_exchange.admin) as raw:
        assert raw.append("signals", longest)[0] == ("MessageSizeTooLargeError" if excess else "NoError")


@pytest.mark.timeout(180)
def test_ten_bombs_of_each_codec_at_once_leave_the_broker_as_it_was(own_exchange: Exchange) -> None:
    bombs = [bomb(codec, LONGEST_BATCH_BYTES) for codec in (GZIP, SNAPPY, LZ4, ZSTD)]
    before = own_exchange.broker.pid
    with ThreadPoolExecutor(10) as pool:
        for each in bombs:
            assert set(pool.map(lambda _, sent=each: thrown(own_exchange, sent), range(10))) == {"NoError"}
    with RawKafka(own_exchange.admin) as raw:
        assert raw.append("signals", batch(record(b"after"), 1, NONE))[0] == "NoError"
    assert own_exchange.broker.pid == before is not None
    assert resident_megabytes(before) < BROKER_MEGABYTES


def thrown(exchange: Exchange, batch_bytes: bytes) -> str:
    """Write a batch on a connection of its own, and return the error."""
    with RawKafka(exchange.admin) as raw:
        return raw.append("signals", batch_bytes)[0]
