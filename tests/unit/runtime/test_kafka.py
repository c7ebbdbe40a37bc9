"""Whose fault an error of Kafka's administration is: what the client does not know yet is the world's."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from kafka.errors import (  # type: ignore[import-untyped]  # ships no types
    ClusterAuthorizationFailedError,
    KafkaError,
    NodeNotReadyError,
    UnknownBrokerIdError,
)
from refusing import refused

from signal_exchange.runtime import kafka as module
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.faults import BrokerUnavailableError
from signal_exchange.runtime.kafka import admin_client, answers

KAFKA = KafkaConnection("127.0.0.1:1", "oversight", "synthetic")


@pytest.fixture(autouse=True)
def _a_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_let_in", lambda *_: SimpleNamespace(close=lambda: None))


@pytest.mark.parametrize("error", [NodeNotReadyError(1), UnknownBrokerIdError(1)])
def test_a_broker_that_the_client_does_not_know_yet_is_waited_for(error: KafkaError) -> None:
    with pytest.raises(BrokerUnavailableError, match=type(error).__name__), admin_client(KAFKA):
        raise error


def test_what_kafka_refuses_is_our_fault() -> None:
    with refused("ClusterAuthorizationFailedError", "en"), admin_client(KAFKA):
        raise ClusterAuthorizationFailedError


def test_where_nobody_listens_nobody_is_asked() -> None:
    assert not answers(KAFKA, 1.0)


def test_a_client_that_kafka_does_not_let_in_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    class Net:
        def __init__(self, **_settings: object) -> None:
            self._net = SimpleNamespace(stop=lambda: opened.append("stopped"))

        def close(self) -> None:
            opened.append("closed")

    def refused(*, kafka_client: type, **options: object) -> None:
        kafka_client(**options)
        raise NodeNotReadyError(1)

    monkeypatch.setattr(module, "KafkaNetClient", Net)
    with pytest.raises(BrokerUnavailableError, match=r"^NotListening$"):
        module.connect(refused, KAFKA)
    monkeypatch.setattr(module, "_listens", lambda _: True)
    with pytest.raises(BrokerUnavailableError, match=r"^NodeNotReadyError$"):
        module.connect(refused, KAFKA, 0.5, acks="all")
    assert opened == ["closed", "stopped"]
