"""The list of own signals: where each is, what it asks, and figures that are those of the list."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from node_views import SIGNAL, a_step, an_outcome_of, asked
from nodes import Town, a_town, example
from own_signals import CARE, DUE, LATER, ROUTED, TABLE, US, an_answer, heard, published

from signal_exchange.domain.people import Person
from signal_exchange.municipality.inbox.listing import PAGE, Kind, Listed, Wanted
from signal_exchange.municipality.inbox.standing import Place, standing_of
from signal_exchange.municipality.sending.outbox import OUTBOX
from signal_exchange.municipality.store import EARLIER, SIGNALS, VIEWS

TODAY = date(2026, 11, 22)


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return a_town(tmp_path)


def told(*steps: dict[str, Any], outcomes: list[dict[str, Any]] | None = None, verdict: str = "routed") -> dict[str, Any]:
    plain = [{**each, "at": each["at"].isoformat()} for each in steps]
    return {"steps": plain, "outcomes": outcomes or [], "received": [{"verdict": verdict}]}


def an_outcome(kind: str, state: str, outcome: str | None = None) -> dict[str, Any]:
    return {"kind": kind, "state": state, "outcome": outcome, "occurred_at": LATER.isoformat()}


STANDINGS: dict[str, tuple[dict[str, Any], Place, str | None]] = {
    "received": (told(a_step("RECEIVED")), Place.UNDERWAY, None),
    "sent, not heard of": (told(ROUTED), Place.UNDERWAY, None),
    "at the receiver": (told(ROUTED, DUE), Place.CARE, "2026-11-24"),
    "seen": (
        told(ROUTED, DUE, an_answer(CARE, CARE, "2026-11-24"), outcomes=[an_outcome("REFERRAL", "SEEN")]),
        Place.CARE_SEEN,
        "2026-11-24",
    ),
    "in care": (
        told(ROUTED, DUE, an_answer(CARE, CARE, "2026-12-20"), outcomes=[an_outcome("REFERRAL", "IN_CARE", "IN_TREATMENT")]),
        Place.CARE_TAKEN,
        "2026-12-20",
    ),
    "more is asked": (
        told(
            ROUTED,
            DUE,
            an_answer(CARE, US, "2026-12-18"),
            outcomes=[an_outcome("REFERRAL", "REJECTED", "MORE_INFO_ASKED")],
        ),
        Place.OURS_MORE_INFO,
        "2026-12-18",
    ),
    "advised": (
        told(ROUTED, DUE, an_answer(CARE, US, "2026-12-18"), outcomes=[an_outcome("REFERRAL", "ADVISED")]),
        Place.OURS_ADVISED,
        "2026-12-18",
    ),
    "nobody took it": (
        told(a_step("ROUTED", destination=CARE, verdict="DENY", owner_role=US, next_date="2026-12-21")),
        Place.OURS,
        "2026-12-21",
    ),
    "decided": (
        told(
            a_step("ROUTED", destination=TABLE, verdict="SEND"),
            an_answer(TABLE, "CHAIN_DIRECTOR", "2026-12-01", "agenda"),
            outcomes=[an_outcome("DECISION", "DECIDED", "TAKEN_OVER")],
        ),
        Place.TABLE_DECIDED,
        "2026-12-01",
    ),
    "to enrich": (
        told(
            a_step("ROUTED", destination=TABLE, verdict="SEND"),
            an_answer(TABLE, US, "2026-12-01", "agenda"),
            outcomes=[an_outcome("DECISION", "DECIDED", "ACTION_BY_MUNICIPALITY")],
        ),
        Place.OURS_ACTION,
        "2026-12-01",
    ),
    "ended": (
        told(ROUTED, DUE, an_answer(CARE, None, None), outcomes=[an_outcome("REFERRAL", "COMPLETED", "CARE_ARRANGED")]),
        Place.ENDED,
        None,
    ),
    "parked": (told(ROUTED, DUE, verdict="parked"), Place.PARKED, None),
}


@pytest.mark.parametrize("case", STANDINGS)
def test_r_flow_02_a_view_tells_who_has_a_signal_and_until_when(case: str) -> None:
    view, place, until = STANDINGS[case]
    found = standing_of(view)
    assert (found.place, found.next_date) == (place, until)


def test_what_waits_for_the_municipality_ends_when_a_newer_version_was_routed() -> None:
    asked_more = an_answer(CARE, US, "2026-12-18")
    newer = {**ROUTED, "version": 2, "at": LATER + timedelta(hours=2)}
    again = {**DUE, "version": 2, "at": LATER + timedelta(hours=2)}
    assert standing_of(told(newer, again, asked_more)).place is Place.CARE
    assert standing_of(told(newer, asked_more)).place is not Place.OURS_ADVISED


def rows(town: Town, kind: Kind = Kind.OPEN, **wanted: Any) -> list[Listed]:
    return town.actions.signals(Wanted(kind, **wanted)).rows


def test_a_row_says_where_the_signal_is_and_what_comes_next(town: Town) -> None:
    signal_id = published(town)
    [row] = rows(town)
    assert (row.reference, row.place, row.form, row.urgency) == ("VEN-2026-0311", Place.UNSENT, "SEXUAL", "URGENT")
    town.relay().send_all()
    assert rows(town)[0].place is Place.SENT
    heard(town, signal_id, ROUTED, DUE)
    [row] = rows(town)
    assert (row.place, row.owner_role, row.next_date) == (Place.CARE, CARE, date(2026, 11, 24))
    assert (row.is_late(date(2026, 11, 24)), row.is_late(date(2026, 11, 25))) == (False, True)


def test_what_asks_something_of_the_officer_stands_on_top_and_has_a_kind_of_its_own(town: Town) -> None:
    first, second = published(town, local_ref="A-1"), published(town, local_ref="A-2")
    heard(town, first, ROUTED, DUE, an_answer(CARE, US, "2026-12-18"))
    heard(town, second, ROUTED, DUE)
    assert [(row.signal_id, row.asks) for row in rows(town)] == [(first, True), (second, False)]
    assert [row.signal_id for row in rows(town, Kind.ASKS)] == [first]


def test_an_unanswered_question_about_a_link_asks_something_until_it_is_answered(town: Town) -> None:
    signal_id = published(town)
    with town.node.database.transaction() as connection:
        connection.execute(SIGNALS.update().values(signal_id=SIGNAL, ciphertext=None))
        connection.execute(OUTBOX.delete().where(OUTBOX.c.signal_id == signal_id))
    question = asked(town)
    assert [(row.has_question, row.asks) for row in rows(town, Kind.ASKS)] == [(True, True)]
    town.actions.answer(question, "COMPARE", Person("officer"))
    assert rows(town, Kind.ASKS) == []


def test_figures_are_those_of_the_list_and_say_what_the_filters_left_out(town: Town) -> None:
    for number in range(3):
        published(town, local_ref=f"A-{number}")
    ended = published(town, local_ref="A-9", urgency="REGULAR")
    heard(town, ended, ROUTED, DUE, an_answer(CARE, None, None))
    town.actions.withdraw("A-0", "MISTAKE")
    page = town.actions.signals(Wanted(urgency="REGULAR"))
    assert page.rows == []
    assert page.counts == {Kind.OPEN: 0, Kind.ASKS: 0, Kind.ENDED: 1, Kind.WITHDRAWN: 0}
    assert page.unfiltered == {Kind.OPEN: 2, Kind.ASKS: 0, Kind.ENDED: 1, Kind.WITHDRAWN: 1}
    assert [len(rows(town, each)) for each in Kind] == [2, 0, 1, 1]
    assert len(rows(town, form="LABOUR")) == 0
    assert len(rows(town, since=datetime(2026, 11, 23, tzinfo=UTC))) == 0


def test_a_page_holds_so_many_rows_and_one_after_the_last_is_the_last(town: Town) -> None:
    town.publish(*(example(local_ref=f"A-{number}") for number in range(PAGE + 1)))
    assert [len(rows(town, page=page)) for page in (1, 2, 99)] == [PAGE, 1, 1]


def test_a_version_before_the_last_stays_readable_and_ends_with_its_signal(town: Town) -> None:
    signal_id = published(town)
    town.publish(example(estimated_victims=9))
    [row] = town.rows(EARLIER)
    assert (row["signal_id"], row["version"]) == (signal_id, 1)
    assert b"Testescu" not in row["ciphertext"]
    town.actions.erase(signal_id, Person("officer"))
    assert (town.rows(EARLIER), town.rows(SIGNALS), town.rows(VIEWS)) == ([], [], [])


def test_an_outcome_is_told_by_its_code(town: Town) -> None:
    signal_id = published(town)
    outcome = an_outcome_of(town, signal_id, None, LATER, kind="REFERRAL", state="COMPLETED", outcome="CARE_ARRANGED")
    heard(town, signal_id, ROUTED, DUE, an_answer(CARE, None, None), outcomes=[outcome])
    [row] = rows(town, Kind.ENDED)
    assert (row.place, row.outcome) == (Place.ENDED, "CARE_ARRANGED")
