"""Services on a store of their own with their real loop and handler, a signal that can be known again, and its erasure."""

from __future__ import annotations

import asyncio
import os
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from builders import (
    Consuming,
    a_delivered_signal,
    a_referral,
    a_register,
    a_word,
    an_agenda_item,
    an_identity,
    an_outcome,
    erases,
    minutes,
)
from link_records import PERSON, a_signal, linking, token_of

from signal_exchange.agenda.handler import AgendaHandler
from signal_exchange.agenda.tables import TABLES as AGENDA
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.feedback.handler import FeedbackHandler
from signal_exchange.feedback.store import TABLES as FEEDBACK
from signal_exchange.runtime.health import Progress
from signal_exchange.runtime.metrics import Metrics
from signal_exchange.stream.consumer import BatchLoop, ConsumerSpec
from signal_exchange.stream.flood import FloodGate
from signal_exchange.stream.messages import Incoming, Message
from signal_exchange.stream.outbox import Outbox, OutgoingRecord
from signal_exchange.stream.scrubbing import Scrubber, is_owed
from signal_exchange.stream.tables import PARKED
from signal_exchange.worklist.handler import WorklistHandler
from signal_exchange.worklist.store import TABLES as WORKLIST

Marks = Mapping[str, bytes]


@dataclass
class Sender:
    """Takes the place of the broker, and remembers what it got."""

    sent: list[OutgoingRecord] = field(default_factory=list)

    async def send(self, outgoing: Sequence[OutgoingRecord]) -> None:
        self.sent += outgoing

    def receipts(self) -> list[str]:
        """Give the topics on which the service said that it was done."""
        return [each.topic for each in self.sent if each.held or (each.value is not None and b"RECEIPT" in each.value)]


class Running:
    """One service with its loop: records in, outgoing records out."""

    def __init__(self, consumer: Consuming) -> None:
        self.consumer, self.sender, self._offset = consumer, Sender(), 0
        self.scrubber = Scrubber(consumer.database, consumer.outbox)
        self.loop = self._loop()

    def _loop(self) -> BatchLoop:
        metrics, name = Metrics(), self.consumer.service
        return BatchLoop(
            ConsumerSpec(
                name,
                sources=(),
                reader=name,
                database=self.consumer.database,
                outbox=self.consumer.outbox,
                handle=self.consumer.handle,
                seal=an_identity().parking_seal(name),
                unseal=an_identity(f"parking:{name}").opened,
                metrics=metrics,
            ),
            self.sender,
            Progress(metrics),
            FloodGate(1000),
            patience_seconds=60.0,
        )

    def take(self, *messages: Message) -> None:
        """Let the loop take one batch."""
        asyncio.run(self.loop.on_batch([self._record(each.incoming) for each in messages]))

    def parks(self, message: Message) -> Marks:
        """Leave a record parked, and give bytes of it as the store has them: sealed to the service itself."""
        self.consumer.parks(message)
        [row] = self.consumer.rows(PARKED)
        return {"parked record": row["value"][600:640]}

    def starts_again(self) -> None:
        """Let another process take over, and send what it finds."""
        self.loop = self._loop()
        asyncio.run(self.loop.flush())

    def _record(self, incoming: Incoming) -> Any:
        self._offset += 1
        at = round(incoming.appended_at.timestamp() * 1000)
        where = {"topic": incoming.topic, "partition": 0, "offset": self._offset}
        return SimpleNamespace(**where, key=incoming.key, value=incoming.value, headers=(), timestamp=at)

    def owes(self) -> bool:
        with self.consumer.database.reading() as connection:
            return is_owed(connection)

    def waiting(self) -> int:
        with self.consumer.database.reading() as connection:
            return len(Outbox(connection, self.consumer.outbox).waiting(10_000))


@dataclass(frozen=True)
class Story:
    """A service, the records of a signal that is erased and of others, what asks to erase it, and the bytes it is known by."""

    service: Callable[[str], Consuming]
    comes: Callable[[], Iterable[Message]]
    erased: Callable[[], Message]
    marks: Marks


def _worklist(url: str) -> Consuming:
    return Consuming(
        "worklist", WORKLIST, WorklistHandler("CARE_COORDINATOR", WorkingCalendar(), an_identity().sealed_part, a_register), url
    )


def _agenda(url: str) -> Consuming:
    return Consuming("agenda", AGENDA, AgendaHandler(WorkingCalendar(), a_register), url)


def _feedback(url: str) -> Consuming:
    return Consuming("feedback", FEEDBACK, FeedbackHandler(a_register), url)


def _sealed(group: str, content: bytes) -> dict[str, object]:
    return {"group": group, "key_id": f"{group}-1", "ciphertext": content}


def _of_delivery(build: Callable[..., Message], service: Callable[[str], Consuming], group: str) -> Story:
    summary, code = os.urandom(300), f"LAB_{uuid.uuid4().hex.upper()}"  # a code that no other signal has
    one = build(1, signal=a_delivered_signal(sector=code), summary=_sealed(group, summary))
    marks = {"coded field": code.encode(), "sealed summary": b64encode(summary)[:40]}
    return Story(service, lambda: [one, *(build(number) for number in range(2, 20))], lambda: erases(one), marks)


def _of_feedback() -> Story:
    detail, own_ref = os.urandom(300), os.urandom(32)
    told = an_outcome(1, name="agenda", source="agenda", kind="DECISION", state="DECIDED", detail=_sealed("gm:GM0983", detail))
    begun = an_outcome(1, own_ref=own_ref)
    others = [an_outcome(number) for number in range(2, 20)]
    asks = an_outcome(1, name="erasure", kind="ERASURE", state="REQUESTED", version=2, at=minutes(60), word=a_word())
    return Story(_feedback, lambda: [begun, told, *others], lambda: asks, {"sealed detail": b64encode(detail)[:40]})


def _of_linking() -> Story:
    person = (PERSON[0], PERSON[1], uuid.uuid4().hex)
    others = [a_signal(number, (*PERSON[:2], f"v{number}")) for number in range(2, 20)]
    asks = a_signal(1, status="ERASED", version=2, revision=50, form=None, subjects=[])
    marks = {"link token": token_of(*person[1:], "2026H2")}
    return Story(linking, lambda: [a_signal(1, person), *others], lambda: asks, marks)


def stories() -> dict[str, Story]:
    """Give what each service that answers for an erasure holds, fresh."""
    return {
        "worklist": _of_delivery(a_referral, _worklist, "care"),
        "agenda": _of_delivery(an_agenda_item, _agenda, "table"),
        "feedback": _of_feedback(),
        "linking": _of_linking(),
    }
