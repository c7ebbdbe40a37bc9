"""The acts of an operator without a command line: one object, opened once, on which a screen can stand as well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from builders import an_identity, minutes
from oversight_bench import a_checkpoint, a_fact, a_parked_record
from oversight_desk import Desk

from signal_exchange.domain.people import Person
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.oversight.actions import DiscardReason, LostReason, OversightActions, RetryReason
from signal_exchange.oversight.choosing import NumberChoice, ParkedChoice
from signal_exchange.stream.acting import ActionStore

OPERATOR = Person("beheer")
RUN = NumberChoice("GM0983", "run", 1, 7)


@dataclass
class Today:
    """The clock of a test."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    made.take(a_fact(verdict="routed", sequence=3), a_checkpoint(7))
    made.take(a_parked_record("a"), a_parked_record("b", service="agenda"))
    yield made
    made.database.close()


@pytest.fixture
def today() -> Today:
    return Today(minutes(15))


@pytest.fixture
def actions(desk: Desk, today: Today) -> OversightActions:
    return OversightActions(ActionStore("oversight", desk.database, lambda: an_identity("parking:oversight")), today)


def test_r_flow_01_numbers_are_given_up_by_who_looked_at_them_first(actions: OversightActions) -> None:
    assert [(each.first, each.last, each.count) for each in actions.overdue_numbers(RUN)] == [(1, 7, 6)]
    assert actions.ledger()["numbers"]["discarded"] == 0
    actions.give_up(RUN, LostReason.SENDER_AGREES, OPERATOR)
    found = actions.ledger()
    assert (found["conserved"], found["numbers"]["discarded"], found["given_up_numbers"][0]["by"]) == (True, 6, "beheer")


def test_the_same_object_sees_what_time_brings(actions: OversightActions, today: Today) -> None:
    today.now = minutes(1)
    assert [each["alarm"] for each in actions.alarms()] == ["RecordsParked"]
    today.now = minutes(15)
    assert [each["alarm"] for each in actions.alarms()] == ["NumbersOverdue", "RecordsParked"]


def test_a_decision_is_about_what_still_waits_and_says_how_far_it_is(actions: OversightActions, desk: Desk) -> None:
    chosen = [record["parked_id"] for record in actions.chosen(ParkedChoice(everything=True))]
    assert chosen == ["a", "b"]
    desk.take(a_parked_record("a", "RESOLVED", 2))  # meanwhile
    seen: list[int] = []
    assert actions.retry(chosen, RetryReason.CAUSE_GONE, OPERATOR, seen.append) == 1
    assert (seen, [topic for topic, _ in desk.requests()]) == ([1], ["retry.agenda"])
    assert [each.who for each in actions.show("b").decisions] == ["beheer"]


def test_nothing_is_decided_about_what_nobody_chose(actions: OversightActions, desk: Desk) -> None:
    for choice, code in ((ParkedChoice(), "NO_RECORDS_CHOSEN"), (ParkedChoice(ids=("unknown",)), "PARKED_RECORD_UNKNOWN")):
        with pytest.raises(RefusedError, match=code):
            actions.chosen(choice)
    with pytest.raises(RefusedError, match="NO_NUMBERS_CHOSEN"):
        actions.give_up(NumberChoice("GM0983", "run"), LostReason.SENDER_AGREES, OPERATOR)
    assert actions.discard([], DiscardReason.FORGED, OPERATOR) == 0
    assert desk.requests() == []
