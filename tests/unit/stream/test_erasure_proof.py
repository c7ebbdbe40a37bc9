"""R-RET-03: no service deletes what people entered on another's word than that of the signal's own municipality."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from builders import (
    ONE,
    SIGNERS,
    TWO,
    VENLO,
    WEERT,
    Consuming,
    Sent,
    a_referral,
    a_register,
    a_word,
    an_agenda_item,
    an_identity,
    erases,
    gone,
    of_record,
)
from link_records import PERSON, a_signal, linking

from signal_exchange.agenda.composition import calendar
from signal_exchange.agenda.handler import AgendaHandler
from signal_exchange.agenda.tables import TABLES as AGENDA
from signal_exchange.linking.handler import LinkingHandler
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.stream.erasing import _marker_keys
from signal_exchange.stream.messages import Message
from signal_exchange.worklist.composition import rules
from signal_exchange.worklist.handler import WorklistHandler
from signal_exchange.worklist.store import TABLES as WORKLIST


@dataclass(frozen=True)
class Service:
    """One service that holds a signal: how it is ordered to erase it, and what takes its tombstones."""

    consumer: Consuming
    topic: str
    order: Callable[..., Message]
    on_tombstones: Callable[..., None]


def worklist() -> Service:
    handler = WorklistHandler("CARE_COORDINATOR", rules().calendar, an_identity().sealed_part, a_register)
    consumer = Consuming("worklist", WORKLIST, handler)
    consumer.take(a_referral(1))
    return Service(consumer, "referrals", lambda **changed: erases(a_referral(1), **changed), handler.on_tombstones)


def agenda() -> Service:
    handler = AgendaHandler(calendar(), a_register)
    consumer = Consuming("agenda", AGENDA, handler)
    consumer.take(an_agenda_item(1))
    return Service(consumer, "agenda-items", lambda **changed: erases(an_agenda_item(1), **changed), handler.on_tombstones)


def the_linking() -> Service:
    consumer = linking()
    assert isinstance(consumer.handle, LinkingHandler)
    consumer.take(a_signal(1, PERSON))
    nothing: dict[str, Any] = {"version": 2, "revision": 9, "status": "ERASED", "form": None, "subjects": []}
    return Service(
        consumer, "link-tokens", lambda **changed: a_signal(1, **{**nothing, **changed}), consumer.handle.on_tombstones
    )


SERVICES = {"worklist": worklist, "agenda": agenda, "linking": the_linking}
FORGED: dict[str, Any] = {
    "no word": None,
    "another signal's": a_word(TWO),
    "another municipality's": a_word(ONE, WEERT),
    "another key's": a_word(key=SigningKey.generate("x")),
    "another municipality's key": a_word(key=SIGNERS[WEERT]),
    "another signature": a_word(signature=bytes(64)),
    "no record": {**a_word(), "value": b"?", "signature": SIGNERS[VENLO].sign(b"?")},
}
each_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
each_forgery = pytest.mark.parametrize("word", FORGED.values(), ids=FORGED)


def reasons(sent: list[Sent]) -> list[str]:
    return [each["reason"] for each in of_record(sent, "ParkedRecord")]


@each_service
@each_forgery
def test_an_order_without_the_word_of_the_signals_municipality_is_parked_and_deletes_nothing(
    service: Callable[[], Service], word: Any
) -> None:
    holding = service()
    before = holding.consumer.everything()
    sent = holding.consumer.take(holding.order(word=word))
    assert reasons(sent) == ["ERASURE_UNPROVEN"]
    assert (of_record(sent, "Outcome"), holding.consumer.everything()) == ([], before)


@each_service
def test_a_municipality_cannot_order_that_of_another_even_in_its_own_name(service: Callable[[], Service]) -> None:
    holding = service()
    before = holding.consumer.everything()
    sent = holding.consumer.take(holding.order(word=a_word(ONE, WEERT), municipality=WEERT))
    assert (reasons(sent), holding.consumer.everything()) == (["ERASURE_UNPROVEN"], before)


@each_service
@each_forgery
def test_a_tombstone_without_that_word_is_parked_and_deletes_nothing(service: Callable[[], Service], word: Any) -> None:
    holding = service()
    before = holding.consumer.everything("projection_parked")
    sent = holding.consumer.on_tombstones(holding.on_tombstones, gone(holding.topic, ONE, word=word))
    assert reasons(sent) == ["ERASURE_UNPROVEN"]
    assert holding.consumer.everything("projection_parked") == before


@each_service
def test_orders_and_tombstones_with_the_word_delete_and_a_marker_needs_none(service: Callable[[], Service]) -> None:
    for act in ("order", "tombstone"):
        holding = service()
        if act == "order":
            assert reasons(holding.consumer.take(holding.order())) == []
        else:
            markers = [gone(holding.topic, key, word=None) for key in _marker_keys()]
            assert reasons(holding.consumer.on_tombstones(holding.on_tombstones, gone(holding.topic, ONE), *markers)) == []
        assert b"NAME_DOB" not in str(holding.consumer.everything("record_erased")).encode()
        assert "FULL_PSEUDONYMOUS" not in str(holding.consumer.everything())


@each_service
def test_a_tombstone_of_what_is_not_held_here_needs_the_word_of_whoever_signed_it(service: Callable[[], Service]) -> None:
    holding = service()
    assert reasons(holding.consumer.on_tombstones(holding.on_tombstones, gone(holding.topic, TWO, WEERT))) == []
    assert reasons(holding.consumer.on_tombstones(holding.on_tombstones, gone(holding.topic, TWO, word=a_word(ONE)))) == [
        "ERASURE_UNPROVEN"
    ]
