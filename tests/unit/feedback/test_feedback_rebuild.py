"""Views come back under the revisions that municipalities know, or under higher ones: never under one that they would ignore."""

from __future__ import annotations

from typing import Any

import pytest
from builders import Consuming, a_register, a_trace_fact, an_identity, an_outcome, minutes
from replays import MemoryReplay
from sqlalchemy import delete, update

from signal_exchange.feedback.handler import FeedbackHandler
from signal_exchange.feedback.rebuilding import Revisions
from signal_exchange.feedback.store import TABLES, VIEWS
from signal_exchange.recovery.rebuilding import Plan, rebuild
from signal_exchange.runtime import clock
from signal_exchange.stream.consumer import ConsumerSpec
from signal_exchange.stream.messages import Message

NOW = minutes(600)


class Feedback:
    """Feedback with its topics."""

    def __init__(self) -> None:
        handler = FeedbackHandler(a_register)
        self.consumer, self.topics, revisions = Consuming("feedback", TABLES, handler), MemoryReplay(), Revisions()
        spec = ConsumerSpec(
            name="feedback",
            reader="feedback",
            sources=("outcomes", "signal-trace"),
            database=self.consumer.database,
            outbox=self.consumer.outbox,
            handle=handler,
            seal=an_identity().parking_seal("feedback"),
        )
        self.plan = Plan(spec, empty=revisions.empty, finish=revisions.finish)

    def came(self, *messages: Message) -> None:
        self.consumer.take(*map(self.topics.add, messages))
        self.topics.commit()

    def views(self) -> list[dict[str, Any]]:
        return self.consumer.rows(VIEWS)

    def rebuilt(self) -> list[dict[str, Any]]:
        rebuild(self.plan, self.topics)
        return self.views()


@pytest.fixture
def feedback(monkeypatch: pytest.MonkeyPatch) -> Feedback:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    made = Feedback()
    for minute in range(3):  # three records of one moment: the revision is higher than that moment
        made.came(a_trace_fact(1, trace_id=f"{minute:08x}-0000-4000-8000-000000000000", sequence=minute + 1))
    made.came(an_outcome(1, at=minutes(2)), an_outcome(2, at=minutes(3)))
    return made


def test_a_view_that_holds_the_same_keeps_its_revision(feedback: Feedback) -> None:
    before = feedback.views()
    assert feedback.rebuilt() == before


def test_a_view_that_was_wrong_gets_a_revision_above_all_that_was_told(feedback: Feedback) -> None:
    told = feedback.views()
    with feedback.consumer.database.transaction() as connection:
        connection.execute(update(VIEWS).where(VIEWS.c.signal_id == told[0]["signal_id"]).values(steps={}))
    mended, same = feedback.rebuilt()
    assert {**mended, "revision": 0} == {**told[0], "revision": 0}
    assert (mended["revision"], same) == (round(NOW.timestamp() * 1000), told[1])


def test_after_a_loss_every_view_gets_a_revision_above_all_that_was_told(feedback: Feedback) -> None:
    told = feedback.views()
    with feedback.consumer.database.transaction() as connection:
        connection.execute(delete(VIEWS))
    rebuilt = feedback.rebuilt()
    assert all(now["revision"] > was["revision"] for now, was in zip(rebuilt, told, strict=True))
    assert [{**each, "revision": 0} for each in rebuilt] == [{**each, "revision": 0} for each in told]
