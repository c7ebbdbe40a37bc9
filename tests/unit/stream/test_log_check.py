"""Which keys still have a record with content: only that says that an erasure is done."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from kafka.errors import KafkaConnectionError  # type: ignore[import-untyped]  # ships no types

from signal_exchange.recovery.log_check import keys_left
from signal_exchange.runtime import kafka
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.faults import BrokerUnavailableError

NOWHERE = KafkaConnection("127.0.0.1:1", "routing", "synthetic")


class Log:
    """A consumer at the start of one part of a topic."""

    def __init__(self, *records: tuple[str, bytes | None, bytes | None]) -> None:
        self.records = [SimpleNamespace(topic=topic, key=key, value=value) for topic, key, value in records]
        self.asked: tuple[str, ...] = ()
        self.given = 0

    def partitions_for_topic(self, topic: str) -> set[int]:
        self.asked = (*self.asked, topic)
        return {0}

    def assign(self, parts: list[Any]) -> None:
        self.parts = parts

    def seek_to_beginning(self, *_parts: Any) -> None:
        self.given = 0

    def assignment(self) -> set[str]:
        return {"part", "empty"}

    def close(self) -> None:
        self.closed = True

    def end_offsets(self, _parts: list[str]) -> dict[str, int]:
        return {"part": len(self.records), "empty": 0}

    def position(self, _part: str) -> int:
        return self.given

    def poll(self, _milliseconds: int) -> dict[str, list[Any]]:
        self.given += 1
        return {"part": [self.records[self.given - 1]]}


def with_log(monkeypatch: pytest.MonkeyPatch, log: Log) -> Log:
    monkeypatch.setattr(kafka, "connect", lambda *_, **__: log)
    return log


def test_a_key_is_left_as_long_as_any_record_under_it_has_content(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log(("accepted", b"a", b"x"), ("accepted", b"a", None), ("accepted", b"b", None), ("accepted", None, b"x"))
    with_log(monkeypatch, log)
    assert keys_left(NOWHERE, {"accepted": {"a", "b", "c"}, "links": set()}) == {"accepted": {"a"}}
    assert log.asked == ("accepted",)


def test_nothing_is_read_when_nothing_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    log = with_log(monkeypatch, Log(("accepted", b"a", b"x")))
    assert keys_left(NOWHERE, {"accepted": set()}) == {}
    assert log.given == 0


def test_a_broker_that_does_not_answer_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Log):
        def poll(self, _milliseconds: int) -> dict[str, list[Any]]:
            raise KafkaConnectionError

    log = with_log(monkeypatch, Broken(("accepted", b"a", b"x")))
    with pytest.raises(BrokerUnavailableError):
        keys_left(NOWHERE, {"accepted": {"a"}})
    assert log.closed
