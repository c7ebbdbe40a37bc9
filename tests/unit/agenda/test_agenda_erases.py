"""R-RET-03 at the agenda: an erased signal goes, a frozen agenda keeps order, ids and decisions (R-AGENDA-06)."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from builders import (
    ONE,
    START,
    TWO,
    Consuming,
    a_chair_alert,
    a_message,
    a_register,
    a_summary,
    an_agenda_item,
    erases,
    gone,
    of_record,
)
from people import OFFICER, chain_director

from signal_exchange.agenda.composition import calendar
from signal_exchange.agenda.handler import AgendaHandler
from signal_exchange.agenda.listing import MeetingTable, rows_of_week
from signal_exchange.agenda.printing import details_of, row_of
from signal_exchange.agenda.records import Agenda, RecordedDecision
from signal_exchange.agenda.store import AgendaStore
from signal_exchange.agenda.tables import CANDIDATES, DECISIONS, MEMBERSHIPS, TABLES

DECIDED = RecordedDecision(
    ONE, 1, 1, ONE, 1, "NO_TRAFFICKING", (), ("POLICE",), "PUBLIC_TASK", None, None, None, None, "2026-W47", 1, START, "director",
    a_summary("why", "table", "x.1"),
)  # fmt: skip
AGENDA = {
    "signals": [[ONE, 1, 1]],
    "cluster_id": ONE,
    "urgency": "REGULAR",
    "minor": False,
    "deferrals": 0,
    "reason": "NEW_SIGNAL",
}


HANDLER = AgendaHandler(calendar(), a_register)


def agenda() -> Consuming:
    return Consuming("agenda", TABLES, HANDLER)


def with_people(consumer: Consuming) -> None:
    """Deliver an item and an alert, freeze the agenda and decide."""
    consumer.take(an_agenda_item(1), an_agenda_item(2), a_chair_alert(1))
    content = json.dumps({"week": "2026-W47", "items": [AGENDA], "rolled_over": []}).encode()
    with consumer.database.transaction() as connection:
        store = AgendaStore(connection)
        store.add_agenda(Agenda("2026-W47", 1, "FINAL", content, START, "director"), ())
        store.add_decision(DECIDED, store.items([ONE])[ONE])
        store.add_opening(ONE, 1, START, "director")


def rows(consumer: Consuming) -> list[dict[str, Any]]:
    with consumer.database.reading() as connection:
        found = rows_of_week("2026-W47", MeetingTable.of(AgendaStore(connection), calendar()))
    return [row_of(row) for row in found]


def test_the_item_the_alert_and_the_words_go_and_the_frozen_agenda_says_that_it_was_erased() -> None:
    consumer = agenda()
    with_people(consumer)
    [receipt] = of_record(consumer.take(erases(an_agenda_item(1))), "Outcome")
    assert (receipt["kind"], receipt["state"]) == ("RECEIPT", "DONE")
    [row] = rows(consumer)
    assert (row["signal_id"], row["form"], row["decision"], row["municipality"]) == (ONE, "[vernietigd]", "NO_TRAFFICKING", None)
    [decision] = consumer.rows(DECISIONS)
    assert decision["words"] is None
    others = consumer.everything("record_erased", "record_decisions", "record_agendas")
    assert ONE not in str(others)
    assert TWO in str(others)


def test_a_decision_without_words_is_shown_without_them() -> None:
    consumer = agenda()
    consumer.take(an_agenda_item(1, summary=a_summary("Tekst", "table", f"{ONE}.1")))
    with consumer.database.transaction() as connection:
        store = AgendaStore(connection)
        store.add_decision(dataclasses.replace(DECIDED, words=None), store.items([ONE])[ONE])
    [decision] = details_of(chain_director(consumer).open_words(ONE, OFFICER))["decisions"]
    assert "words" not in decision
    assert "motivation" not in decision


def test_once_only_the_words_of_a_decision_are_left_they_still_go() -> None:
    consumer = agenda()
    with_people(consumer)
    consumer.on_tombstones(HANDLER.on_tombstones, gone("agenda-items", ONE))
    [decision] = consumer.rows(DECISIONS)
    assert decision["words"] is None


def test_nothing_comes_back_late() -> None:
    consumer = agenda()
    [receipt] = of_record(consumer.take(erases(an_agenda_item(1))), "Outcome")
    assert receipt["state"] == "NOTHING_HELD"
    assert consumer.take(an_agenda_item(1, revision=5_000), a_chair_alert(1)) == []
    assert ONE not in str(consumer.everything("record_erased"))


def test_a_gone_membership_and_a_gone_link_are_forgotten() -> None:
    consumer = agenda()
    told = {"signal_id": ONE, "revision": 1, "cluster_id": "G-2222222222", "kinds": [], "link_ids": [], "changed_at": START}
    consumer.take(a_message("ClusterMembership", told, topic="links", reader="agenda", at=START))
    link = {
        "link_id": "l", "revision": 1, "kind": "SHARED_CONTEXT", "key_types": ["PLATE"], "frequency": "2", "state": "CANDIDATE",
        "evidence_gone": False, "signal_a": ONE, "signal_b": TWO, "across": True, "found_at": START, "released_at": None,
        "awaits": [], "answer_by": None, "overdue": False,
    }  # fmt: skip
    consumer.take(a_message("LinkCandidate", link, topic="link-candidates", reader="agenda", at=START))
    assert (len(consumer.rows(MEMBERSHIPS)), len(consumer.rows(CANDIDATES))) == (1, 1)
    consumer.on_tombstones(HANDLER.on_tombstones, gone("links", ONE), gone("link-candidates", "l"))
    assert consumer.rows(MEMBERSHIPS) == consumer.rows(CANDIDATES) == []


def test_what_is_parked_about_a_signal_does_not_end_on_the_word_of_linking() -> None:
    consumer = agenda()
    consumer.parks(an_agenda_item(1))
    consumer.on_tombstones(HANDLER.on_tombstones, gone("links", ONE))
    assert len(consumer.parked()) == 1


def test_what_is_parked_about_a_signal_ends_with_its_tombstone_and_what_is_about_another_waits() -> None:
    consumer = agenda()
    consumer.parks(an_agenda_item(1))
    consumer.on_tombstones(HANDLER.on_tombstones, gone("agenda-items", TWO))
    assert len(consumer.parked()) == 1
    consumer.on_tombstones(HANDLER.on_tombstones, gone("agenda-items", ONE))
    assert consumer.parked() == []
