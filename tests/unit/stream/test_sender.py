"""The sender: what is not acknowledged was not sent, and after a failure nothing of before arrives late."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.faults import BrokerUnavailableError
from signal_exchange.stream import sender as sender_module
from signal_exchange.stream.outbox import OutgoingRecord
from signal_exchange.stream.sender import KafkaSender, partition_of


class Producer:
    """Takes the place of librdkafka: acknowledges all, or tells of an outgoing record what `answers` says."""

    made: list[Producer]
    answers: list[Any]

    def __init__(self, settings: dict[str, Any], logger: object) -> None:
        self.settings, self.logger, self.purged = settings, logger, False
        self.sent: list[tuple[str, str, dict[str, Any]]] = []
        self.told: list[Callable[[], None]] = []
        Producer.made.append(self)

    def produce(self, topic: str, _value: bytes, key: str, *, on_delivery: Callable[[Any, object], None], **rest: Any) -> None:
        answer = Producer.answers.pop(0) if Producer.answers else None
        if isinstance(answer, Exception):
            raise answer
        self.sent.append((topic, key, rest))
        if answer is not None:
            self.told.append(lambda: on_delivery(answer, object()))

    def poll(self, _seconds: float) -> None:
        self.sent.append(("polled", "", {}))

    def flush(self, _seconds: float) -> int:
        for told in self.told:
            told()
        self.told.clear()
        return len([each for each in self.sent if each[1] == "stays away"])

    def purge(self) -> None:
        self.purged = True


@pytest.fixture(autouse=True)
def _librdkafka(monkeypatch: pytest.MonkeyPatch) -> None:
    Producer.made, Producer.answers = [], []
    monkeypatch.setattr(sender_module, "Producer", Producer)


def a_sender() -> KafkaSender:
    return KafkaSender(KafkaConnection("127.0.0.1:1", "routing", "x"), request_seconds=7)


def send(sender: KafkaSender, *outgoing: OutgoingRecord) -> None:
    asyncio.run(sender.send(outgoing))


def test_letters_go_in_order_and_only_what_asks_for_it_by_another_partition() -> None:
    send(a_sender(), OutgoingRecord("accepted", "a", b"1"), OutgoingRecord("outcomes", "a/b", b"2", partition_by="a"))
    [producer] = Producer.made
    assert [(topic, key, rest.get("partition")) for topic, key, rest in producer.sent] == [
        ("accepted", "a", None),
        ("outcomes", "a/b", partition_of("a")),
    ]
    wanted = {"enable.idempotence": True, "message.timeout.ms": 7000, "delivery.report.only.error": True}
    assert wanted.items() <= producer.settings.items()


@pytest.mark.parametrize(
    ("answer", "name"),
    [(KafkaError(KafkaError._MSG_TIMED_OUT), "_MSG_TIMED_OUT"), (KafkaException(KafkaError(KafkaError._FATAL)), "_FATAL")],
    ids=["told later", "refused at once"],
)
def test_a_letter_that_fails_is_a_fault_of_the_world_and_the_next_producer_is_a_new_one(answer: Any, name: str) -> None:
    sender = a_sender()
    Producer.answers = [answer]
    with pytest.raises(BrokerUnavailableError, match=name):
        send(sender, OutgoingRecord("accepted", "a", b"1"), OutgoingRecord("accepted", "b", b"2"))
    send(sender, OutgoingRecord("accepted", "a", b"1"))
    assert [each.purged for each in Producer.made] == [True, False]


def test_a_letter_that_stays_away_is_a_fault_of_the_world() -> None:
    with pytest.raises(BrokerUnavailableError, match="_TIMED_OUT"):
        send(a_sender(), OutgoingRecord("accepted", "stays away", b"1"))


def test_a_full_queue_is_waited_for() -> None:
    Producer.answers = [BufferError(), BufferError()]
    send(a_sender(), OutgoingRecord("accepted", "a", b"1"))
    assert [topic for topic, _, _ in Producer.made[0].sent] == ["polled", "polled", "accepted"]


def test_a_sender_that_never_started_stops() -> None:
    asyncio.run(a_sender().stop())
    assert Producer.made == []
