"""Routing's store comes back without judging anything again, and knows again what it had seen."""

from __future__ import annotations

import pytest
from replays import Part, Record
from routing_bench import Bench, sender_of
from routing_stream import Stream
from senders import AT, Sender, coded_example
from sqlalchemy import select, update

from signal_exchange.recovery.rebuilding import rebuild
from signal_exchange.routing.tables import OUTBOX, TABLES

LABOUR = coded_example("02_labour")
UNKNOWN_CODE = {**coded_example("01_sexual"), "sector": "NO_SUCH_SECTOR"}


@pytest.fixture
def stream(bench: Bench) -> Stream:
    return Stream(bench)


def of_venlo(stream: Stream) -> Sender:
    return sender_of(stream.bench, "02_labour")


def everything(stream: Stream) -> tuple[Sender, Sender]:
    """Send one of each: new, corrected, repeated, withdrawn, parked, in conflict, and one whose sender cannot be proven."""
    labour, sexual = of_venlo(stream), sender_of(stream.bench, "01_sexual")
    second = {**LABOUR, "version": 2, "supersedes": 1}
    other = {**coded_example("05_minor")}
    minor = sender_of(stream.bench, "05_minor")
    stream.came(labour.published(LABOUR), sexual.published(UNKNOWN_CODE))
    stream.came(labour.published(second), labour.published(LABOUR))
    stream.came(labour.published({**second, "sector": "LAB_TRANSPORT"}), minor.published(other))
    stream.came(minor.withdrawn(other, 2), labour.checkpoint(4))
    stream.came(minor.message("SignalPublished", minor.published(LABOUR).fields | {}, key="wrong"))
    return labour, sexual


def test_every_row_comes_back(stream: Stream) -> None:
    everything(stream)
    before = stream.rows()
    assert {row["verdict"] for row in before["projection_numbers"]} >= {"routed", "superseded", "repeat", "parked", "withdrawn"}
    stream.rebuilt()
    assert stream.rows() == before


def test_a_rebuild_sends_nothing_and_judges_nothing(stream: Stream) -> None:
    everything(stream)
    ends = stream.topics.ends(stream.topics.topics)
    stream.rebuilt()
    assert stream.topics.ends(stream.topics.topics) == ends
    with stream.bench.database.reading() as connection:
        assert connection.execute(select(OUTBOX)).all() == []


def test_after_a_week_the_same_bytes_hear_again_what_became_of_them_and_other_bytes_under_a_used_number_are_parked(
    stream: Stream,
) -> None:
    sender = of_venlo(stream)
    first, other = sender.published(LABOUR), {**coded_example("02_labour"), "signal_id": "99999999-9999-4999-8999-999999999999"}
    stream.came(first)
    stream.a_week_passes()
    stream.rebuilt()
    accepted, parked = len(stream.bench.sent("accepted")), len(stream.bench.sent("parked"))
    stream.came(first)
    assert stream.bench.verdicts() == {1: "routed"}
    assert (len(stream.bench.sent("accepted")), len(stream.bench.sent("parked"))) == (accepted, parked)
    stream.came(sender.published(other, sequence=1))
    assert (len(stream.bench.sent("accepted")), len(stream.bench.sent("parked"))) == (accepted, parked + 1)


def test_after_a_week_the_same_content_under_another_number_is_still_a_repeat(stream: Stream) -> None:
    sender = of_venlo(stream)
    stream.came(sender.published(LABOUR))
    stream.a_week_passes()
    stream.rebuilt()
    stream.came(sender.published(LABOUR))
    assert stream.bench.verdicts() == {1: "routed", 2: "repeat"}


def test_after_a_week_a_parked_record_is_known_by_what_was_kept_of_it(stream: Stream) -> None:
    sender = sender_of(stream.bench, "01_sexual")
    stream.came(sender.published(UNKNOWN_CODE, at=AT))
    before = stream.rows()
    stream.a_week_passes()
    stream.rebuilt()
    assert stream.rows() == before


def test_the_rows_do_not_come_from_the_rows_that_were_there(stream: Stream) -> None:
    everything(stream)
    before = stream.rows()
    with stream.bench.database.transaction() as connection:
        connection.execute(update(TABLES.tables["projection_signals"]).values(state="ERASED", revision=99))
    rebuild(stream.plan, stream.topics)
    assert stream.rows() == before


def test_what_members_wrote_and_nobody_can_read_does_not_stop_a_rebuild(stream: Stream) -> None:
    sender = sender_of(stream.bench, "01_sexual")
    stream.came(sender.published(coded_example("01_sexual")))
    stream.topics.topics["signals"].append(Record("signals", 1, b"x", b"only counted, and not kept", 0))
    stream.topics.done[Part("signals", 0)] = 2
    before = stream.rows()
    stream.rebuilt()
    assert stream.rows() == before
