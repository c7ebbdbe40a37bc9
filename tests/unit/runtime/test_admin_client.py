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

from signal_exchange.runtime import admin_client as module
from signal_exchange.runtime.access_rules import AdministrationFailed
from signal_exchange.runtime.admin_client import admin_client, answers
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.faults import BrokerUnavailable

KAFKA = KafkaConnection("127.0.0.1:1", "oversight", "synthetic")


@pytest.fixture(autouse=True)
def _a_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_let_in", lambda *_: SimpleNamespace(close=lambda: None))


@pytest.mark.parametrize("error", [NodeNotReadyError(1), UnknownBrokerIdError(1)])
def test_a_broker_that_the_client_does_not_know_yet_is_waited_for(error: KafkaError) -> None:
    with pytest.raises(BrokerUnavailable, match=type(error).__name__), admin_client(KAFKA):
        raise error


def test_what_kafka_refuses_is_our_fault() -> None:
    with pytest.raises(AdministrationFailed, match="ClusterAuthorizationFailedError"), admin_client(KAFKA):
        raise ClusterAuthorizationFailedError


def test_where_nobody_listens_nobody_is_asked() -> None:
    assert not answers(KAFKA, 1.0)
