"""Erasure in every consumer: delete what is held of a signal, remember that it is gone, and say so (R-RET-03)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import count
from typing import Final, TypeVar

from sqlalchemy import Connection, select

from signal_exchange.contracts.topics import PARTITIONS
from signal_exchange.runtime.database import add_once
from signal_exchange.stream import tables
from signal_exchange.stream.messages import Incoming, Message
from signal_exchange.stream.outcomes import send_outcome
from signal_exchange.stream.sender import partition_of
from signal_exchange.stream.work import AboutSignal, Work, about_signal

ERASED: Final = "ERASED"
"""The status in which a derived record asks its receiver to erase the signal."""
RECEIPT: Final = "RECEIPT"
DONE, NOTHING_HELD = "DONE", "NOTHING_HELD"
"""What a service answers: codes of erasure_receipt_state.csv."""
M = TypeVar("M", bound=Message)
Erase = Callable[[set[str]], Collection[str]]
"""Deletes what a service holds of these signals, and returns those of which it held something."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer of one service when it was asked first: that answer stands, however often it is asked again."""

    signal_id: str
    state: str
    at: datetime


class ErasedSignals:
    """The signals that one service erased, in one open transaction; nothing brings them back, not even a record tried again."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def receipts(self, signal_ids: Iterable[str]) -> dict[str, Receipt]:
        """Return the receipts of those of these signals that were erased."""
        rows = self._connection.execute(select(tables.ERASED).where(tables.ERASED.c.signal_id.in_(set(signal_ids))))
        return {row.signal_id: Receipt(row.signal_id, row.state, row.at) for row in rows}

    def remember(self, asked: Mapping[str, datetime], held: Collection[str]) -> dict[str, Receipt]:
        """Keep that these signals were erased at these moments, and return the receipt of each."""
        states = {signal_id: DONE if signal_id in held else NOTHING_HELD for signal_id in asked}
        rows = [{"signal_id": each, "state": states[each], "at": at} for each, at in sorted(asked.items())]
        add_once(self._connection, tables.ERASED, rows)
        return self.receipts(asked)


def erase_asked(messages: Sequence[M], work: Work, erase: Erase) -> list[M]:
    """Erase what a batch asks to erase and answer for each; return the messages that are about no erased signal.

    A record about a signal that comes after its erasure, as one that is tried again, is left out.
    """
    asks = [message for message in messages if message.fields.get("status") == ERASED]
    answer_asked(asks, work, erase)
    return not_erased(messages, work)


def not_erased(messages: Sequence[M], work: Work) -> list[M]:
    """Return the messages that are about no erased signal, and do not ask to erase one."""
    gone = ErasedSignals(work.connection).receipts(str(message.fields.get("signal_id")) for message in messages)
    left = (message for message in messages if message.fields.get("signal_id") not in gone)
    return [message for message in left if message.fields.get("status") != ERASED]


def answer_asked(asks: Sequence[Message[str, AboutSignal]], work: Work, erase: Erase) -> None:
    """Erase the signals that these records ask to erase, and answer with a receipt and a step in the trace.

    Both leave when the bytes have left the store, and not before.

    In a rebuild nothing is asked again: what was erased stays so, and was answered.
    """
    if not asks or work.replays:
        return
    asked = {ask.fields["signal_id"]: ask.appended_at for ask in reversed(asks)}
    receipts = ErasedSignals(work.connection).remember(asked, erase(set(asked)))
    work.erased |= asked.keys()
    with work.holding():
        for ask in asks:
            _answer(ask, receipts[ask.fields["signal_id"]], work)


def _answer(ask: Message[str, AboutSignal], receipt: Receipt, work: Work) -> None:
    about = about_signal(ask.fields)
    send_outcome(work, **about, kind=RECEIPT, number=1, revision=1, state=receipt.state, occurred_at=receipt.at)
    work.trace(RECEIPT, at=ask.appended_at, key=receipt.signal_id, verdict=receipt.state, **about)


def is_marker(gone: Incoming) -> bool:
    """Say whether a tombstone is a marker, under a key that nothing ever has."""
    return gone.key_text in _marker_keys()


def keys_of(gone: Iterable[Incoming], topic: str) -> set[str]:
    """Return the keys of the tombstones on one topic."""
    return {each.key_text for each in gone if each.topic == topic}


def markers(topic: str, at: datetime, work: Work) -> None:
    """Append one tombstone to each partition of a topic, under keys that nothing ever has.

    Kafka cleans only closed segments, and closes one when a record comes after its time: without these the last record before a
    quiet time would stay.
    """
    for key in _marker_keys():
        work.tombstone(topic, key, at=at)


def is_marked(gone: Iterable[Incoming], topic: str) -> bool:
    """Say whether a topic was marked: then a service that reads it marks its own topics as well. Once per round of markers."""
    first = _marker_keys()[0]
    return any(each.topic == topic and each.key_text == first for each in gone)


@cache
def _marker_keys() -> tuple[str, ...]:
    """Return a key for each partition, in the order of the partitions."""
    found: dict[int, str] = {}
    numbers = count()
    while len(found) < PARTITIONS:
        key = f"marker/{next(numbers)}"
        found.setdefault(partition_of(key), key)
    return tuple(found[number] for number in range(PARTITIONS))
