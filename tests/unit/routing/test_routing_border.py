"""What a proven sender's record may not hold, and how it is wrapped: parked under its number, and routing goes on."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from routing_bench import Bench, sender_of
from senders import AT, Sender, coded_example

from signal_exchange.contracts import cloud_events
from signal_exchange.contracts.codec import decode
from signal_exchange.routing import faults
from signal_exchange.stream.messages import Incoming, Message

Signal = dict[str, Any]
ONE: Signal = coded_example("01_sexual")
MINOR: Signal = coded_example("05_minor")


def another() -> Signal:
    return {**ONE, "signal_id": str(uuid.uuid4())}


def sent(sender: Sender, message: Message, **changes: Any) -> Message:
    """Give a signed record with other fields, signed anew."""
    content = {name: value for name, value in message.fields.items() if name != "envelope"}
    return sender.message(message.record, content | changes, key=message.incoming.key_text)


def parts(sender: Sender, signal: Signal) -> list[dict[str, Any]]:
    return list(sender.published(signal).fields["sealed"])


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda sender: sender.published(ONE | {"sector": "a\0b"}), "sector R-VAL-22"),
        (lambda sender: sender.published(ONE | {"version": -1}), "version R-VAL-22"),
        (lambda sender: sender.published(ONE | {"estimated_victims": -1}), "estimated_victims R-VAL-22"),
        (lambda sender: sender.answered(ONE, "no uuid", "CONFIRM"), "link_id R-VAL-22"),
        (lambda sender: sender.renewed(ONE, renewal_id="\0"), "renewal_id R-VAL-22"),
        (lambda sender: sender.withdrawn(ONE | {"signal_id": "marker/0"}, 2), "signal_id R-VAL-22"),
        (lambda sender: sender.erased("marker/0", 1), "signal_id R-VAL-22"),
        (lambda sender: sender.erased("x" * 60_000, 1), "signal_id R-VAL-22"),
    ],
)
def test_r_val_22_what_may_not_pass_is_parked_under_its_senders_number(
    bench: Bench, make: Callable[[Sender], Message], error: str
) -> None:
    sender = sender_of(bench, "01_sexual")
    good = another()
    bench.run(make(sender), sender.published(good))
    [parked] = bench.sent("parked")
    assert (parked["reason"], parked["errors"][0], parked["attributed"]) == ("SCHEMA_INVALID", error, True)
    assert bench.verdicts() == {1: "parked", 2: "routed"}


def test_r_val_22_a_run_that_no_ledger_can_hold_is_nobodys(bench: Bench) -> None:
    sender = sender_of(bench, "01_sexual")
    for run in ("a\0b", "x" * 60_000):
        bench.run(replace(sender, run=run).published(ONE))
    bench.run(replace(sender, run="\0").checkpoint(1))
    assert [each["attributed"] for each in bench.sent("parked")] == [False] * 3
    assert bench.verdicts() == {}


@pytest.mark.parametrize(
    "make",
    [
        lambda sender, at: sender.message(
            "MunicipalAnswer", _content(sender.answered(ONE, str(uuid.uuid4()), "CONFIRM")), sent_at=at
        ),
        lambda sender, at: sender.message("TokensRenewed", _content(sender.renewed(ONE)), sent_at=at),
        lambda sender, at: sender.message("SignalErased", _content(sender.erased(ONE["signal_id"], 2)), sent_at=at),
        lambda sender, at: sender.message("SignalPublished", _content(sender.published(ONE)), sent_at=at),
        lambda sender, at: sender.message("Checkpoint", _content(sender.checkpoint(1)), sent_at=at, key=sender.run, sequence=0),
    ],
)
@pytest.mark.parametrize("at", [datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)])
def test_r_val_01_an_incredible_time_is_parked_and_stops_nothing(
    bench: Bench, make: Callable[[Sender, datetime], Message], at: datetime
) -> None:
    sender = sender_of(bench, "01_sexual")
    message = make(sender, at)
    own_key = Message(message.record, message.fields, replace(message.incoming, key=_key(message)))
    bench.run(own_key)
    assert bench.reasons == ["CONTENT_INVALID"]
    assert bench.sent("parked")[0]["errors"] == ["envelope.time R-VAL-01"]


def _content(message: Message) -> dict[str, Any]:
    return {name: value for name, value in message.fields.items() if name != "envelope"}


def _key(message: Message) -> bytes:
    about = message.fields.get("signal", message.fields)
    return str(about.get("signal_id", message.fields["envelope"]["publisher_run"])).encode()


def test_r_val_23_parts_must_be_those_that_the_signal_names_and_whole(bench: Bench) -> None:
    sender = sender_of(bench, "01_sexual")
    good = parts(sender, ONE)
    wrong = {
        "two for one group": [*good, good[0]],
        "none for linking": [each for each in good if each["group"] != "linking"],
        "one for a group that is not named": [*good, {**good[0], "group": "youth"}],
        "one for a group that is none": [*good, {**good[0], "group": "gm:GM0983"}],
        "cut": [{**good[0], "ciphertext": good[0]["ciphertext"][:3000]}, *good[1:]],
        "empty": [{**good[0], "ciphertext": b""}, *good[1:]],
    }
    for sealed in wrong.values():
        bench.run(sent(sender, sender.published(another(), sequence=0), sealed=sealed))
    assert bench.reasons == ["CONTENT_INVALID"] * len(wrong)
    errors = [each["errors"] for each in bench.sent("parked")]
    assert errors == [["sealed.group R-VAL-23"]] * 4 + [["sealed.ciphertext R-VAL-23"]] * 2
    assert set(bench.verdicts().values()) == {"parked"}
    assert bench.sent("referrals") == []


def test_r_val_23_a_minors_summary_is_for_the_youth_route_alone(bench: Bench) -> None:
    sender = sender_of(bench, "05_minor")
    bench.run(sender.published(MINOR))
    table = [{**each, "group": "table"} if each["group"] == "youth" else each for each in parts(sender, MINOR)]
    bench.run(sent(sender, sender.published({**MINOR, "signal_id": str(uuid.uuid4())}, sequence=0), sealed=table))
    assert bench.reasons == ["CONTENT_INVALID"]


def test_r_val_23_a_record_calls_itself_what_it_is(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    sender = sender_of(bench, "01_sexual")
    monkeypatch.setitem(
        cloud_events.EVENT_TYPES,
        "SignalPublished",
        "nl.mensenhandelsignalen.signaal.ingetrokken.v1",
    )
    message = sender.published(ONE)
    monkeypatch.undo()
    bench.run(message)
    [parked] = bench.sent("parked")
    assert (parked["reason"], parked["errors"]) == ("CONTENT_INVALID", ["envelope.event_type R-VAL-23"])
    assert bench.verdicts() == {1: "parked"}


@pytest.mark.parametrize(
    ("highest", "told"), [(0, True), (100_001, True), (100_002, False), (2**53 - 1, False), (2**62, False), (-1, False)]
)
def test_r_flow_01_a_checkpoint_names_no_more_than_a_run_can_have_sent(bench: Bench, highest: int, told: bool) -> None:  # noqa: FBT001 - a column of the table
    sender = sender_of(bench, "01_sexual")
    bench.run(sender.published(ONE), sender.checkpoint(highest))
    found = [each["sequence"] for each in bench.sent("signal-trace") if each["stage"] == "CHECKPOINT"]
    assert (found, bench.reasons != []) == ([highest] if told else [], not told)


def test_r_ret_03_a_municipality_erases_so_many_unknown_signals_a_day(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "UNKNOWN_ERASURES", 3)
    sender = sender_of(bench, "01_sexual")
    known = another()
    bench.run(sender.published(known))
    bench.run(*(sender.erased(str(uuid.uuid4()), 1) for _ in range(4)), sender.erased(known["signal_id"], 2))
    assert bench.reasons == ["CONTENT_INVALID"]
    assert bench.sent("parked")[0]["errors"] == ["signal_id R-RET-03"]
    assert list(bench.verdicts().values()) == ["superseded", "erased", "erased", "erased", "parked", "erased"]
    bench.run(sender.erased(str(uuid.uuid4()), 1, at=AT + timedelta(days=1, seconds=1)))
    assert bench.reasons == ["CONTENT_INVALID"]
    again = sender.erased(str(uuid.uuid4()), 1)
    tried = Message(again.record, again.fields, replace(again.incoming, attempt=1))
    bench.run(tried)
    assert bench.verdicts()[8] == "erased"


class Record:
    """A record as a consumer gives it, with every header that a sender forgot to fill."""

    topic, partition, offset, timestamp = "signals", 0, 0, int(AT.timestamp() * 1000)

    def __init__(self, message: Message, headers: list[tuple[str, bytes | None]], timestamp: int | None = None) -> None:
        self.key, self.value, self.headers = message.incoming.key, message.incoming.value, headers
        self.timestamp = self.timestamp if timestamp is None else timestamp


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("signature", None)],
        [("signing-key", None)],
        [("signature", None), ("signing-key", None)],
        [("signing-key", b"\xff\xfe"), ("signature", b"\xff")],
    ],
)
def test_a_header_without_a_value_is_parked(bench: Bench, headers: list[tuple[str, bytes | None]]) -> None:
    message = sender_of(bench, "01_sexual").published(ONE)
    incoming = Incoming.of(Record(message, headers))
    bench.run(Message(message.record, decode(incoming.value, "routing").fields, incoming))
    assert bench.reasons == ["SIGNATURE_INVALID"]


@pytest.mark.parametrize("timestamp", [-1, -(2**63), 2**63 - 1])
def test_an_append_time_that_is_none_is_believed_by_no_rule(bench: Bench, timestamp: int) -> None:
    message = sender_of(bench, "01_sexual").published(ONE)
    incoming = Incoming.of(Record(message, list(message.incoming.headers.items()), timestamp))
    bench.run(Message(message.record, message.fields, incoming))
    assert bench.reasons == ["SENDER_NOT_ALLOWED"]
