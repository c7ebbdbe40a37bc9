from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from builders import (
    ONE,
    START,
    TWO,
    VENLO,
    Consuming,
    a_chair_alert,
    a_register,
    an_agenda_item,
    an_environment,
    minutes,
    of_record,
    signal_id,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from people import OFFICER, chain_director
from refusing import refused
from sqlalchemy import event
from trying import examples

from signal_exchange.agenda.composition import calendar, consumer_spec
from signal_exchange.agenda.deciding import DecisionRequest
from signal_exchange.agenda.freezing import closing, frozen_of
from signal_exchange.agenda.handler import AgendaHandler
from signal_exchange.agenda.items import Known, OfferHistory, agenda_of, placed, week_after
from signal_exchange.agenda.listing import MeetingTable
from signal_exchange.agenda.store import AgendaStore
from signal_exchange.agenda.tables import ALERTS, ITEMS, NOTES, TABLES
from signal_exchange.contracts.records import SealedPart
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.runtime.settings import ServiceSettings, loaded
from signal_exchange.stream.messages import Message

CALENDAR = calendar()
SEALED = SealedPart(group="table", key_id="k", ciphertext=b"")


def agenda() -> Consuming:
    return Consuming("agenda", TABLES, AgendaHandler(CALENDAR, a_register))


def table(consumer: Consuming) -> MeetingTable:
    with consumer.database.reading() as connection:
        return MeetingTable.of(AgendaStore(connection), CALENDAR)


def weeks(consumer: Consuming) -> dict[str, str]:
    return {each.entry.signal_id: each.week for each in table(consumer).waiting}


def decide(consumer: Consuming, decision: str) -> None:
    request = DecisionRequest(decision, OFFICER, "Besproken.", seats=("RIEC",))
    owned = replace(request, owner="ATTENTION_OFFICER", organisation="gemeente", due=date(2026, 12, 10))
    chain_director(consumer).decide(ONE, owned)


def freeze(consumer: Consuming, week: str) -> bytes:
    return chain_director(consumer, closing(week, CALENDAR)).freeze(week).agenda.content


def test_same_signal_twice_is_one_item() -> None:
    consumer = agenda()
    batch = (an_agenda_item(), an_agenda_item(), a_chair_alert(), a_chair_alert())
    assert len(consumer.take(*batch)) == 2
    before = consumer.everything()
    assert consumer.take(*batch) == []
    assert consumer.everything() == before
    assert (len(consumer.rows(ITEMS)), len(consumer.rows(ALERTS))) == (1, 1)


def test_storing_an_item_and_an_alert_is_told_to_the_trace_with_the_chain_director_and_the_meeting() -> None:
    item, alert = of_record(agenda().take(an_agenda_item(), a_chair_alert(2, at=minutes(1))), "TraceFact")
    names = ("stage", "signal_id", "municipality", "destination", "verdict", "owner_role", "next_date", "at")
    assert [item[name] for name in names] == [
        "STORED", ONE, VENLO, "SCREENING_AGENDA", "SEND", "CHAIN_DIRECTOR", "2026-11-26", START,
    ]  # fmt: skip
    assert [alert[name] for name in names] == [
        "STORED", TWO, VENLO, "CHAIR_ALERT", "SEND", "CHAIN_DIRECTOR", None, minutes(1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("due_from", "week"),
    [
        # 2026-W48: meeting Thu 2026-11-26, cut-off Tue 2026-11-24 12:00
        (datetime(2026, 11, 24, 10, 59, 59, tzinfo=UTC), "2026-W48"),
        (datetime(2026, 11, 24, 11, 0, 0, tzinfo=UTC), "2026-W49"),
        # 2026-W01: meeting Wed 2025-12-31, cut-off Mon 2025-12-29 12:00
        (datetime(2025, 12, 29, 10, 59, tzinfo=UTC), "2026-W01"),
    ],
    ids=["just in time", "12:00 exactly is late", "year's end"],
)
def test_r_agenda_02_an_item_belongs_to_the_first_agenda_that_closes_later(due_from: datetime, week: str) -> None:
    consumer = agenda()
    consumer.take(an_agenda_item(due_from=due_from))
    assert weeks(consumer) == {ONE: week}


def test_r_agenda_02_the_append_time_of_a_later_version_does_not_move_an_item() -> None:
    consumer = agenda()
    consumer.take(an_agenda_item())
    consumer.take(an_agenda_item(revision=2, version=2, at=datetime(2026, 12, 9, 9, 0, tzinfo=UTC), due_from=START))
    assert weeks(consumer) == {ONE: "2026-W48"}


def test_r_agenda_04_urgency_then_minors_then_deferrals_then_the_oldest() -> None:
    # The worked example, with every signal alone: its cluster f of three is one signal here and comes after b.
    def due(text: str) -> datetime:
        return datetime.fromisoformat(f"2026-11-{text}:00+00:00")

    cases = (("a", "URGENT", False, "18T08:20"), ("b", "REGULAR", False, "16T10:00"), ("c", "REGULAR", False, "19T07:45"),
             ("d", "URGENT", False, "19T15:55"), ("e", "URGENT", True, "20T09:30"), ("f", "REGULAR", False, "19T12:00"),
             ("g", "MONITOR", False, "10T12:00"))  # fmt: skip
    names = {signal_id(number): name for number, (name, *_) in enumerate(cases, start=1)}
    consumer = agenda()
    for number, (_, urgency, minor, moment) in enumerate(cases, start=1):
        consumer.take(an_agenda_item(number, urgency=urgency, minor=minor, due_from=due(moment)))
    found = placed(table(consumer).items.values(), Known({(signal_id(3), 1): OfferHistory(put_off=("2026-W46",))}, {}, CALENDAR))
    stays, rolls = agenda_of("2026-W48", found, Known({}, {}, CALENDAR))
    assert [names[each.entry.signal_id] for each in stays] == ["e", "a", "d", "c", "b", "f", "g"]
    assert rolls == []


def test_an_older_revision_after_a_newer_one_changes_nothing() -> None:
    consumer = agenda()
    consumer.take(an_agenda_item(revision=3, version=2))
    before = consumer.everything()
    assert consumer.take(an_agenda_item(revision=1)) == []
    assert consumer.everything() == before


def test_r_route_12_an_undecided_item_is_taken_back() -> None:
    consumer = agenda()
    consumer.take(an_agenda_item())
    (step,) = of_record(consumer.take(an_agenda_item(status="RETRACTED", revision=2)), "TraceFact")
    assert (step["verdict"], step["next_date"]) == ("RETRACTED", None)
    assert weeks(consumer) == {}
    assert consumer.rows(NOTES) == []


def test_r_route_12_a_decided_item_gets_a_note() -> None:
    consumer = agenda()
    consumer.take(an_agenda_item())
    decide(consumer, "CASE_ADMIN")
    consumer.take(an_agenda_item(status="RETRACTED", revision=2, rule_id="A90", at=minutes(5)))
    assert consumer.rows(NOTES) == [{"signal_id": ONE, "offer": 1, "rule_id": "A90", "at": minutes(5)}]


def test_r_route_12_a_deferred_item_is_not_decided_and_is_taken_back() -> None:
    consumer = agenda()
    consumer.take(an_agenda_item())
    decide(consumer, "DEFER")
    consumer.take(an_agenda_item(status="RETRACTED", revision=2))
    assert (weeks(consumer), consumer.rows(NOTES)) == ({}, [])


def test_a_deferred_item_comes_back_next_week_with_that_reason() -> None:
    consumer = agenda()
    consumer.take(an_agenda_item())
    freeze(consumer, "2026-W48")
    decide(consumer, "DEFER")
    (found,) = table(consumer).waiting
    assert (found.week, found.reason, found.entry.deferrals) == ("2026-W49", "DEFERRED", 1)


def test_a_decided_item_leaves_and_a_new_offer_is_a_supplement() -> None:
    consumer = agenda()
    consumer.take(an_agenda_item())
    freeze(consumer, "2026-W48")
    decide(consumer, "ENRICH")
    assert weeks(consumer) == {}
    consumer.take(an_agenda_item(revision=3, version=2, offer=2, due_from=datetime(2026, 11, 30, 9, 0, tzinfo=UTC)))
    (found,) = table(consumer).waiting
    assert (found.week, found.reason, found.entry.deferrals) == ("2026-W49", "SUPPLEMENT", 0)


def test_r_agenda_05_regular_items_above_the_cap_roll_over_and_that_counts_in_the_order() -> None:
    consumer = agenda()
    consumer.take(
        *(an_agenda_item(number, due_from=minutes(number)) for number in range(1, 23)), an_agenda_item(30, urgency="URGENT")
    )
    content = json.loads(freeze(consumer, "2026-W48"))
    assert len(content["items"]) == 21
    assert content["rolled_over"] == [signal_id(21), signal_id(22)]
    put_off = [each for each in table(consumer).waiting if each.week == "2026-W49"]
    assert [(each.entry.signal_id, each.reason, each.entry.deferrals) for each in put_off] == [
        (signal_id(21), "DEFERRED", 1),
        (signal_id(22), "DEFERRED", 1),
    ]


def test_what_comes_in_after_its_agenda_was_frozen_goes_to_the_next() -> None:
    consumer = agenda()
    consumer.take(an_agenda_item(1))
    freeze(consumer, "2026-W48")
    consumer.take(an_agenda_item(2))
    assert weeks(consumer) == {ONE: "2026-W48", TWO: "2026-W49"}


def test_what_an_agenda_that_was_never_made_left_behind_comes_along_once() -> None:
    consumer = agenda()
    consumer.take(an_agenda_item(1))
    consumer.take(an_agenda_item(2, due_from=datetime(2026, 11, 30, 9, 0, tzinfo=UTC)))
    content = json.loads(freeze(consumer, "2026-W49"))
    assert [each["cluster_id"] for each in content["items"]] == [ONE, TWO]
    assert weeks(consumer) == {ONE: "2026-W49", TWO: "2026-W49"}
    now = table(consumer)
    assert agenda_of("2026-W50", now.waiting, now.known) == ([], [])


def test_frozen_agendas_are_known_by_their_clusters() -> None:
    consumer = agenda()
    consumer.take(an_agenda_item())
    freeze(consumer, "2026-W48")
    assert frozen_of(table(consumer).agendas) == {"2026-W48": frozenset({ONE})}


FIVE = [an_agenda_item(number, urgency=("URGENT", "REGULAR")[number % 2], minor=number == 3) for number in range(1, 6)]


def test_a_week_without_a_meeting_has_no_agenda() -> None:
    closed = WorkingCalendar(local_closing_days=frozenset(date(2026, 11, 23) + timedelta(days=day) for day in range(5)))
    with refused("geen overleg"):
        closing("2026-W48", closed)
    with pytest.raises(ValueError, match="no meeting"):
        week_after("2026-W48", closed)
    assert week_after("2026-W47", closed) == "2026-W49"


@settings(deadline=None, max_examples=examples(30))
@given(st.permutations(FIVE))
def test_r_agenda_04_same_input_same_agenda_byte_for_byte(messages: list[Message]) -> None:
    one, other = agenda(), agenda()
    one.take(*FIVE)
    for message in messages:
        other.take(message)
    assert freeze(one, "2026-W48") == freeze(other, "2026-W48")


HISTORY = (
    an_agenda_item(),
    an_agenda_item(revision=2, version=2),
    an_agenda_item(revision=4, status="RETRACTED"),
    an_agenda_item(revision=5, offer=2, version=3, deliver_as="MINOR_STUB", minor=True),
    an_agenda_item(3, urgency="MONITOR"),
    a_chair_alert(),
    a_chair_alert(2),
)


@settings(deadline=None, max_examples=examples(30))
@given(st.permutations(HISTORY), st.lists(st.sampled_from(HISTORY), max_size=5))
def test_any_order_and_repetition_of_the_same_records_ends_in_the_same_store(order: list[Message], again: list[Message]) -> None:
    once, other = agenda(), agenda()
    once.take(*HISTORY)
    for message in (*order, *again):
        other.take(message)
    assert once.everything() == other.everything()


def test_a_batch_takes_a_handful_of_statements() -> None:
    consumer, statements = agenda(), list[str]()
    event.listen(consumer.database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    consumer.take(*(an_agenda_item(number, status="RETRACTED") for number in range(500)), *map(a_chair_alert, range(100)))
    assert len([each for each in statements if not each.startswith("BEGIN")]) <= 10


def test_the_service_reads_items_alerts_and_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in an_environment(tmp_path, "agenda").items():
        monkeypatch.setenv(name, value)
    spec = consumer_spec(loaded(ServiceSettings))
    assert (spec.name, spec.sources, spec.handle) == (
        "agenda",
        ("agenda-items", "chair-alerts", "link-candidates", "links", "retry.agenda"),
        AgendaHandler(CALENDAR, a_register),
    )
