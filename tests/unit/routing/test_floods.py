"""A flood of one sender stops that sender's records only, and what nobody can be named for stops nobody (docs/decisions/0022)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from builders import unsealed
from hypothesis import given
from hypothesis import strategies as st
from routing_bench import Bench
from senders import AT, Sender, coded_example
from sqlalchemy import select

from signal_exchange.contracts.codec import decode_whole
from signal_exchange.participants.region import Region
from signal_exchange.routing.senders import HOLD, SENDER_HELD, Tally
from signal_exchange.routing.sparing import KEPT_BYTES, park_sparingly
from signal_exchange.routing.tables import SENDERS
from signal_exchange.stream.messages import Attribution, Incoming, Message, Unreadable
from signal_exchange.stream.outbox import OutgoingRecord
from signal_exchange.stream.parking import ParkedStore, Retries, once
from signal_exchange.stream.work import Work, packed

LIMIT = 5
HOSTILE, HONEST = "01_sexual", "02_labour"
A_SECOND = timedelta(seconds=1)


@pytest.fixture
def bench(region: Region, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(region, tmp_path / "routing.sqlite")
    made.handler = replace(made.handler, flood_records=LIMIT)
    yield made
    made.database.close()


def sender(bench: Bench, example: str) -> Sender:
    return Sender.of(bench.region, coded_example(example)["municipality"])


def published(who: Sender, example: str, number: int, at: datetime = AT, **changed: Any) -> Message:
    """Return a signal of this sender; `changed` makes it a bad one."""
    signal = {**coded_example(example), "signal_id": f"{number:08d}-0000-4000-8000-0000000000{example[:2]}", **changed}
    return who.published(signal, at=at)


def bad(who: Sender, number: int, at: datetime = AT) -> Message:
    return published(who, HOSTILE, number, at, sector="NO_SECTOR")


def verdicts_of(bench: Bench, who: Sender) -> dict[int, str]:
    facts = [each for each in bench.sent("signal-trace") if each["municipality"] == who.municipality and each["sequence"]]
    return {each["sequence"]: each["verdict"] for each in facts if each["stage"] in ("RECEIVED", "PARKED")}


def test_a_flood_of_one_sender_sets_aside_its_records_and_no_others(bench: Bench) -> None:
    hostile, honest = sender(bench, HOSTILE), sender(bench, HONEST)
    flood = [bad(hostile, number) for number in range(LIMIT)]
    bench.run(*flood, published(hostile, HOSTILE, 90), published(honest, HONEST, 1), bad(hostile, 91))
    assert Counter(bench.reasons) == {"UNKNOWN_CODE": LIMIT, SENDER_HELD: 2}
    assert verdicts_of(bench, honest) == {1: "routed"}
    assert verdicts_of(bench, hostile) == dict.fromkeys(range(1, LIMIT + 3), "parked"), "every number has its place"


def test_who_is_set_aside_is_so_in_the_next_batch_too_and_for_ten_minutes(bench: Bench) -> None:
    hostile = sender(bench, HOSTILE)
    bench.run(*[bad(hostile, number) for number in range(LIMIT)])
    for number, after in ((90, HOLD - A_SECOND), (91, HOLD)):
        bench.run(published(hostile, HOSTILE, number, AT + after))
    assert list(verdicts_of(bench, hostile).values())[LIMIT:] == ["parked", "routed"]


def test_what_was_set_aside_is_routed_when_a_person_has_it_tried_again(bench: Bench) -> None:
    hostile = sender(bench, HOSTILE)
    held = published(hostile, HOSTILE, 90)
    bench.run(*[bad(hostile, number) for number in range(LIMIT)], held)
    bench.run(replace(held, incoming=replace(held.incoming, attempt=1)))
    assert (bench.reasons[LIMIT:], verdicts_of(bench, hostile)[1]) == ([SENDER_HELD], "routed")


def test_a_checkpoint_and_the_answer_to_a_resend_are_not_set_aside(bench: Bench) -> None:
    hostile = sender(bench, HOSTILE)
    good = published(hostile, HOSTILE, 90)
    bench.run(good, *[bad(hostile, number) for number in range(LIMIT)])
    before = len(bench.reasons)
    bench.run(good, hostile.checkpoint(6))
    assert len(bench.reasons) == before
    assert [each["stage"] for each in bench.sent("signal-trace")][-2:] == ["RECEIVED", "CHECKPOINT"]


def test_only_a_valid_signature_counts_against_a_sender(bench: Bench) -> None:
    hostile, victim = sender(bench, HOSTILE), sender(bench, HONEST)
    forged = [published(victim, HONEST, number) for number in range(LIMIT * 2)]
    bench.run(*[replace(each, incoming=replace(each.incoming, headers={})) for each in forged])
    assert set(bench.reasons) == {"SIGNATURE_INVALID"}
    bench.run(published(victim, HONEST, 90), published(hostile, HOSTILE, 91))
    with bench.database.reading() as connection:
        assert all(row.held_until is None for row in connection.execute(select(SENDERS)))


MOMENTS = st.integers(0, 300).map(lambda seconds: AT + timedelta(seconds=seconds))
COMING = st.lists(st.tuples(st.sampled_from("AB"), MOMENTS, st.booleans()), max_size=80)


@given(coming=COMING, limit=st.integers(1, 8))
def test_the_gate_holds_one_sender_for_its_own_parked_records_only(coming: list[tuple[str, datetime, bool]], limit: int) -> None:
    both, alone = {name: Tally(name) for name in "AB"}, Tally("A")
    for name, at, parked in coming:
        both[name] = both[name].counted(at, parked=parked, limit=limit)
        alone = alone.counted(at, parked=parked, limit=limit) if name == "A" else alone
    assert both["A"] == alone
    for name in "AB":
        own = [parked for who, _, parked in coming if who == name]
        if sum(own) < limit:
            assert both[name].held_until is None


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 10))
def test_within_a_minute_a_flood_is_so_many_bad_ones_that_are_the_larger_part(records: list[bool], limit: int) -> None:
    tally, seen, floods = Tally("A"), list[bool](), 0
    for parked in records:
        seen.append(parked)
        tally = tally.counted(AT, parked=parked, limit=limit)
        if parked and sum(seen) >= limit and sum(seen) * 2 > len(seen):
            floods, seen = floods + 1, []
            assert tally.held_until == AT + HOLD
    assert (tally.held_until is None) == (floods == 0)
    assert (tally.records, tally.parked) == (len(seen), sum(seen))


def test_good_records_bring_no_sender_to_its_limit() -> None:
    tally = Tally("A")
    for number in range(1_000):
        tally = tally.counted(AT + timedelta(milliseconds=number), parked=number % 2 == 1, limit=LIMIT)
    assert tally.held_until is None, "half of them is not the larger part"


# What nobody can be named for.


class Parking:
    """Parks as routing does, on a store, with so many records an hour that are kept."""

    def __init__(self, bench: Bench, an_hour: int) -> None:
        self.bench, self.park, self.outgoing = bench, park_sparingly(an_hour), list[OutgoingRecord]()

    def batch(self, *unreadable: Unreadable) -> Work:
        with self.bench.database.transaction() as connection:
            kept = ParkedStore(connection)
            work = Work(
                "routing",
                connection,
                unsealed,
                once(self.park, kept),
            )
            for each in unreadable:
                work.park(each)
            Retries(work, kept, None).finish([])
            work.tell_counted()
        self.outgoing += work.outgoing
        return work

    def sent(self, topic: str) -> list[dict[str, Any]]:
        return [decode_whole(record.value).fields for record in self.outgoing if record.topic == topic and record.value]


def nobodys(offset: int, value: bytes = b"x", at: datetime = AT, partition: int = 0, topic: str = "signals") -> Unreadable:
    return Unreadable(Incoming(topic, partition, offset, b"key", value, {}, at), "SCHEMA_INVALID")


def accounted(parking: Parking) -> int:
    return sum(each["records"] or 1 for each in parking.sent("signal-trace"))


def test_of_the_first_ones_of_an_hour_a_part_is_kept_and_the_others_are_counted(bench: Bench) -> None:
    parking = Parking(bench, an_hour=3)
    value = b"z" * 170_000
    work = parking.batch(*[nobodys(offset, value) for offset in range(500)])
    assert (len(work.parked), len(work.counted)) == (3, 497)
    assert len(parking.sent("parked")) == 3
    assert len(parking.outgoing) == 3 + 3 + 1, "one fact for all that were only counted"
    assert accounted(parking) == 500
    kept = json.loads(parking.sent("parked")[0]["record"]["ciphertext"])
    assert (kept["complete"], kept["size"], kept["sha256"]) == (False, 170_000, sha256(value).hexdigest())
    assert sum(len(record.value or b"") for record in parking.outgoing) < 3 * (KEPT_BYTES + 1_000) + 1_000


def test_the_next_hour_keeps_some_again(bench: Bench) -> None:
    parking = Parking(bench, an_hour=1)
    parking.batch(nobodys(1), nobodys(2), nobodys(3, at=AT + timedelta(hours=1)), nobodys(4, at=AT + timedelta(hours=1)))
    assert [each["offset"] for each in parking.sent("parked")] == [1, 3]


def test_a_batch_that_comes_again_is_counted_once_however_it_is_cut(bench: Bench) -> None:
    parking = Parking(bench, an_hour=2)
    coming = [nobodys(offset, partition=offset % 2) for offset in range(10)]
    parking.batch(*coming)
    parking.batch(*coming[:3])
    parking.batch(*coming[1:], nobodys(10))
    assert accounted(parking) == 11
    assert len(parking.sent("parked")) == 2


@pytest.mark.parametrize("topic", ["outcomes", "links"])
def test_what_services_write_is_kept_whole_however_much_it_is(bench: Bench, topic: str) -> None:
    parking = Parking(bench, an_hour=1)
    parking.batch(*[nobodys(offset, b"z" * 50_000, topic=topic) for offset in range(5)])
    assert [json.loads(each["record"]["ciphertext"])["complete"] for each in parking.sent("parked")] == [True] * 5


def test_what_has_a_sender_is_kept_whole_however_much_it_is(bench: Bench) -> None:
    parking = Parking(bench, an_hour=1)
    who = Attribution("GM0983", "run", 1, "11111111-1111-4111-8111-111111111111", 1)
    parking.batch(*[replace(nobodys(offset, b"z" * 50_000), attribution=who) for offset in range(5)])
    assert [json.loads(each["record"]["ciphertext"])["complete"] for each in parking.sent("parked")] == [True] * 5


@given(size=st.integers(0, 300_000), key=st.binary(max_size=2_000), headers=st.dictionaries(st.text(max_size=20), st.binary()))
def test_what_is_kept_of_one_record_is_never_more_than_it_may_be(size: int, key: bytes, headers: dict[str, bytes]) -> None:
    incoming = Incoming("signals", 0, 1, key, b"\xff" * size, headers, AT)
    document = packed(incoming, KEPT_BYTES)
    assert len(document) <= KEPT_BYTES
    assert json.loads(document)["complete"] == (len(packed(incoming, None)) <= KEPT_BYTES)
