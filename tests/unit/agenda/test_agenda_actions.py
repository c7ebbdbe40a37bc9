"""The promises of the agenda to who acts at it: each act is judged, kept, reported, or refused and nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from agenda_records import LINK, TOGETHER, a_candidate, a_membership
from builders import (
    ONE,
    START,
    THREE,
    TWO,
    VENLO,
    Consuming,
    a_chair_alert,
    a_register,
    a_summary,
    an_agenda_item,
    an_environment,
    minutes,
    of_record,
    opened_detail,
    signal_id,
)
from people import OFFICER, chain_director

from signal_exchange.agenda.actions import AgendaActions, LinkAct
from signal_exchange.agenda.composition import actions_in, calendar
from signal_exchange.agenda.deciding import DecisionRequest
from signal_exchange.agenda.handler import AgendaHandler
from signal_exchange.agenda.tables import ACKNOWLEDGEMENTS, AGENDAS, DECISIONS, LINK_ACTS, NOTES, OPENINGS, TABLES
from signal_exchange.domain.people import Person
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.runtime.settings import ServiceSettings, loaded
from signal_exchange.stream.acting import ActionStore

NOW, CUTOFF = minutes(60), datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
NO_CASE = DecisionRequest("NO_TRAFFICKING", OFFICER, "Geen aanwijzingen.", seats=("POLICE_AVIM", "RIEC"))
CASE = replace(NO_CASE, decision="CASE_ADMIN", owner="ATTENTION_OFFICER", organisation="gemeente", due=date(2026, 12, 10))
Act = Callable[[AgendaActions], object]


@pytest.fixture
def consumer() -> Consuming:
    return Consuming("agenda", TABLES, AgendaHandler(calendar(), a_register))


@pytest.fixture
def actions(consumer: Consuming) -> AgendaActions:
    return chain_director(consumer, NOW)


def decides(decision: str, **changed: Any) -> DecisionRequest:
    return replace(CASE, decision=decision, **changed)


def test_the_list_has_the_items_in_rule_order_with_the_reason(consumer: Consuming, actions: AgendaActions) -> None:
    consumer.take(an_agenda_item(1), an_agenda_item(2, urgency="URGENT"), an_agenda_item(3, urgency="ACUTE", due_from=CUTOFF))
    rows = actions.items()
    assert [(row.week, row.position, row.signal_id, row.reason, row.decision) for row in rows] == [
        ("2026-W48", 1, TWO, "NEW_SIGNAL", None),
        ("2026-W48", 2, ONE, "NEW_SIGNAL", None),
        ("2026-W49", 1, THREE, "NEW_SIGNAL", None),
    ]
    assert (rows[0].urgency, rows[0].municipality, rows[0].agenda_state, rows[0].version) == ("URGENT", VENLO, "COLLECTING", 1)
    # Nobody froze week 48 yet: asked for week 49, what week 48 would leave behind comes along.
    assert [row.signal_id for row in actions.items("2026-W49")] == [THREE, TWO, ONE]


def test_r_agenda_05_what_rolls_over_is_shown_as_such(consumer: Consuming, actions: AgendaActions) -> None:
    consumer.take(*(an_agenda_item(number, due_from=minutes(number)) for number in range(1, 22)))
    assert [row.rolled_over for row in actions.items("2026-W48")] == [False] * 20 + [True]


def test_r_route_07_of_a_minor_only_id_age_band_and_form_are_shown(consumer: Consuming, actions: AgendaActions) -> None:
    consumer.take(an_agenda_item(deliver_as="MINOR_STUB", minor=True, urgency="URGENT"))
    (row,) = actions.items()
    assert (row.urgency, row.municipality, row.due_from, row.minor) == (None, None, None, True)


def test_r_agenda_06_the_draft_is_made_once_after_the_cutoff_and_then_final(consumer: Consuming, actions: AgendaActions) -> None:
    consumer.take(an_agenda_item())
    with pytest.raises(RefusedError, match="AGENDA_STILL_OPEN") as refusal:
        actions.freeze("2026-W48")
    assert refusal.value.facts == {"until": CUTOFF}
    later = chain_director(consumer, CUTOFF)
    draft = later.freeze("2026-W48")
    assert (draft.agenda.state, draft.agenda.version, draft.items, draft.put_off) == ("DRAFT", 1, 1, 0)
    with pytest.raises(RefusedError, match="AGENDA_UNSIGNED"):
        later.freeze("2026-W48")
    final = later.freeze("2026-W48", OFFICER)
    assert (final.agenda.state, final.agenda.version) == ("FINAL", 2)
    with pytest.raises(RefusedError, match="AGENDA_FINAL"):
        later.freeze("2026-W48", OFFICER)
    kept = consumer.rows(AGENDAS)
    assert kept[0]["content"] == kept[1]["content"]
    assert [(row["state"], row["who"]) for row in kept] == [("DRAFT", None), ("FINAL", "officer")]
    assert [(row.agenda_state, row.agenda_version) for row in later.items("2026-W48")] == [("FINAL", 2)]


@pytest.mark.parametrize("week", ["2026-48", "2025-W53"])
def test_a_week_that_does_not_exist_is_refused(actions: AgendaActions, week: str) -> None:
    for act in (actions.freeze, actions.items):
        with pytest.raises(RefusedError, match="NO_SUCH_WEEK"):
            act(week)


def test_r_agenda_06_a_frozen_agenda_keeps_its_order_and_hides_what_is_gone_or_a_minor(consumer: Consuming) -> None:
    consumer.take(*(an_agenda_item(number) for number in (1, 2, 3)))
    actions = chain_director(consumer, CUTOFF)
    actions.freeze("2026-W48")
    consumer.take(an_agenda_item(1, revision=5, version=2, urgency="MONITOR"))
    consumer.take(an_agenda_item(2, revision=5, version=2, deliver_as="MINOR_STUB", minor=True, urgency="URGENT"))
    with consumer.database.transaction() as connection:
        table = TABLES.tables["projection_items"]
        connection.execute(table.delete().where(table.c.signal_id == THREE))
    rows = actions.items("2026-W48")
    assert [(row.signal_id, row.version, row.hidden) for row in rows] == [
        (ONE, 1, None),
        (TWO, 1, "SHIELDED"),
        (THREE, 1, "ERASED"),
    ]
    assert [row.signal is None for row in rows] == [False, True, True]


def test_r_agenda_09_a_criminal_case_goes_home_as_taken_over_and_the_decision_stays(
    consumer: Consuming, actions: AgendaActions
) -> None:
    consumer.take(an_agenda_item())
    consumer.waiting()
    words = {"instruments": ("HANDOVER_POLICE",), "feedback": "Een partner pakt dit op.", "seen_version": 1}
    actions.decide(ONE, decides("CASE_CRIMINAL", **words))
    sent = consumer.waiting()
    (outcome,) = of_record(sent, "Outcome")
    assert [outcome[name] for name in ("kind", "state", "outcome", "revision")] == ["DECISION", "DECIDED", "TAKEN_OVER", 1]
    assert opened_detail(outcome["detail"], f"{ONE}/{outcome['outcome_id']}") == {"feedback_text": "Een partner pakt dit op."}
    (step,) = of_record(sent, "TraceFact")
    assert (step["stage"], step["destination"], step["verdict"]) == ("OUTCOME", "SCREENING_AGENDA", None)
    assert not any(b"CRIMINAL" in str(each.fields).encode() for each in sent)
    (row,) = consumer.rows(DECISIONS)
    assert (row["decision"], row["version"], row["due_date"], row["legal_basis"], row["week"], row["agenda_version"]) == (
        "CASE_CRIMINAL", 1, "2026-12-10", "PUBLIC_TASK", "2026-W48", 0,
    )  # fmt: skip
    assert (row["instruments"], row["seats_present"], row["who"]) == (["HANDOVER_POLICE"], ["POLICE_AVIM", "RIEC"], "officer")
    assert actions.items() == []


@pytest.mark.parametrize(
    ("decision", "outcome"),
    [
        ("ENRICH", "ACTION_BY_MUNICIPALITY"),
        ("CASE_ADMIN", "IN_TREATMENT"),
        ("CASE_CARE", "IN_TREATMENT"),
        ("CASE_COMBINED", "IN_TREATMENT"),
        ("OTHER_PROBLEM", "REFERRED_ELSEWHERE"),
        ("TRANSFER_REGION", "REFERRED_ELSEWHERE"),
        ("NO_TRAFFICKING", "NO_FURTHER_ACTION"),
    ],
)
def test_r_agenda_09_each_decision_has_its_outcome(
    consumer: Consuming, actions: AgendaActions, decision: str, outcome: str
) -> None:
    consumer.take(an_agenda_item())
    consumer.waiting()
    actions.decide(ONE, decides(decision))
    assert [(each["outcome"], each["state"]) for each in of_record(consumer.waiting(), "Outcome")] == [(outcome, "DECIDED")]


def test_r_agenda_07_defer_at_most_twice_in_a_row(consumer: Consuming, actions: AgendaActions) -> None:
    consumer.take(an_agenda_item())
    consumer.waiting()
    deferred = replace(NO_CASE, decision="DEFER")
    for _ in range(2):
        actions.decide(ONE, deferred)
    with pytest.raises(RefusedError, match="DEFERRED_TOO_OFTEN"):
        actions.decide(ONE, deferred)
    outcomes = of_record(consumer.waiting(), "Outcome")
    assert [(each["state"], each["outcome"], each["revision"]) for each in outcomes] == [
        ("DEFERRED", "IN_TREATMENT", 1),
        ("DEFERRED", "IN_TREATMENT", 2),
    ]
    assert len({each["outcome_id"] for each in outcomes}) == 1
    assert [(row.week, row.reason, row.deferrals) for row in actions.items()] == [("2026-W50", "DEFERRED", 2)]
    actions.decide(ONE, NO_CASE)
    assert [each["revision"] for each in of_record(consumer.waiting(), "Outcome")] == [3]


def test_a_duplicate_names_the_signal_that_stays_and_its_municipality_hears_no_number(
    consumer: Consuming, actions: AgendaActions
) -> None:
    consumer.take(an_agenda_item(1), an_agenda_item(2))
    consumer.waiting()
    actions.decide(ONE, replace(NO_CASE, decision="DUPLICATE"), keeps="P-00000002")
    (outcome,) = of_record(consumer.waiting(), "Outcome")
    assert outcome["outcome"] == "CLOSED_DUPLICATE"
    assert TWO not in str(opened_detail(outcome["detail"], f"{ONE}/{outcome['outcome_id']}"))
    assert [row["kept_signal"] for row in consumer.rows(DECISIONS)] == [TWO]


@pytest.mark.parametrize(
    ("request_", "keeps", "fields"),
    [
        (DecisionRequest("CASE_ADMIN", OFFICER), None, "seats_present motivation owner_role owner_organisation due_date"),
        (replace(NO_CASE, decision="ENRICH"), None, "owner_role owner_organisation due_date"),
        (replace(NO_CASE, decision="NONSENSE"), None, "decision"),
        (replace(NO_CASE, instruments=("NONSENSE",)), None, "instruments"),
        (replace(NO_CASE, seats=("NONSENSE",)), None, "seats_present"),
        (replace(NO_CASE, basis="NONSENSE"), None, "legal_basis"),
        (replace(NO_CASE, decision="DUPLICATE"), None, "kept_signal"),
        (replace(NO_CASE, decision="DUPLICATE"), ONE, "kept_signal"),
        (replace(CASE, owner="NONSENSE"), None, "owner_role"),
        (replace(CASE, owner="CLIENT"), None, "owner_role"),
    ],
)
def test_r_agenda_07_every_field_to_correct_is_named_and_nothing_changes(
    consumer: Consuming, actions: AgendaActions, request_: DecisionRequest, keeps: str | None, fields: str
) -> None:
    consumer.take(an_agenda_item())
    before = consumer.everything()
    consumer.waiting()
    with pytest.raises(RefusedError, match="DECISION_INCOMPLETE") as refusal:
        actions.decide(ONE, request_, keeps=keeps)
    assert [each.key for each in refusal.value.facts["fields"]] == [f"field_{name}" for name in fields.split()]  # type: ignore[attr-defined]  # Phrases
    assert consumer.everything() == before
    assert consumer.waiting() == []


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda to: to.decide(ONE, replace(NO_CASE, seen_version=7)), "CHANGED_SINCE_SEEN"),
        (lambda to: to.decide(ONE, replace(NO_CASE, decision="DUPLICATE"), keeps=signal_id(9)), "NUMBER_UNKNOWN"),
        (lambda to: to.decide(ONE, replace(NO_CASE, feedback="Bel 06-00001234.")), "TEXT_POINTS_AT_PERSON"),
        (lambda to: to.decide(ONE, replace(NO_CASE, motivation="BSN 999990019")), "TEXT_POINTS_AT_PERSON"),
        (lambda to: to.follow_up(ONE, OFFICER), "NOTHING_TO_FOLLOW_UP"),
        (lambda to: to.open_words(ONE, OFFICER), "NO_SUMMARY"),
        (lambda to: to.acknowledge("A-00000000", OFFICER), "NUMBER_UNKNOWN"),
        (lambda to: to.decide_link("K-00000000", "CONFIRM", OFFICER), "NUMBER_UNKNOWN"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_refused_has_a_code_and_changes_nothing(consumer: Consuming, actions: AgendaActions, act: Act, code: str) -> None:
    consumer.take(an_agenda_item())
    before = consumer.everything()
    consumer.waiting()
    with pytest.raises(RefusedError) as refusal:
        act(actions)
    assert refusal.value.code == code
    assert consumer.everything() == before
    assert consumer.waiting() == []


def test_what_is_decided_or_taken_back_cannot_be_decided_again(consumer: Consuming, actions: AgendaActions) -> None:
    consumer.take(an_agenda_item(1), an_agenda_item(2))
    actions.decide(ONE, NO_CASE)
    with pytest.raises(RefusedError, match="ITEM_DECIDED"):
        actions.decide(ONE, NO_CASE)
    consumer.take(an_agenda_item(2, status="RETRACTED", revision=2))
    with pytest.raises(RefusedError, match="ITEM_TAKEN_BACK"):
        actions.decide(TWO, NO_CASE)


def test_r_flow_02_a_decision_with_a_date_is_followed_up_until_it_is_done(consumer: Consuming, actions: AgendaActions) -> None:
    consumer.take(an_agenda_item())
    actions.decide(ONE, CASE)
    [decided] = of_record(consumer.waiting(), "TraceFact")[-1:]
    assert (decided["owner_role"], decided["next_date"]) == ("CHAIN_DIRECTOR", "2026-12-10")
    actions.follow_up(ONE, OFFICER, next_date=date(2027, 1, 20))
    actions.follow_up(ONE, OFFICER)
    steps = of_record(consumer.waiting(), "TraceFact")
    assert [(step["stage"], step["owner_role"], step["next_date"]) for step in steps] == [
        ("OUTCOME", "CHAIN_DIRECTOR", "2027-01-20"),
        ("OUTCOME", None, None),
    ]
    kept = actions.show(ONE).follow_ups
    assert [(each.number, each.next_date, each.who) for each in kept] == [(1, "2027-01-20", "officer"), (2, None, "officer")]


def test_r_flow_02_a_decision_on_an_earlier_offer_is_not_followed_up_once_a_new_one_waits(
    consumer: Consuming, actions: AgendaActions
) -> None:
    consumer.take(an_agenda_item())
    actions.decide(ONE, decides("ENRICH"))
    consumer.take(an_agenda_item(offer=2, revision=2, version=2))
    consumer.waiting()
    with pytest.raises(RefusedError, match="ITEM_OFFERED_AGAIN"):
        actions.follow_up(ONE, OFFICER)
    assert consumer.waiting() == []
    actions.decide(ONE, CASE)
    assert actions.follow_up(ONE, OFFICER).offer == 2


def test_a_decision_names_the_version_of_its_frozen_agenda(consumer: Consuming) -> None:
    consumer.take(an_agenda_item())
    actions = chain_director(consumer, CUTOFF)
    actions.freeze("2026-W48")
    actions.freeze("2026-W48", OFFICER)
    actions.decide(ONE, CASE)
    assert [row["agenda_version"] for row in consumer.rows(DECISIONS)] == [2]
    assert [row.decision for row in actions.items("2026-W48")] == ["CASE_ADMIN"]


def test_the_words_of_an_item_are_opened_only_for_a_person_who_is_recorded(consumer: Consuming, actions: AgendaActions) -> None:
    consumer.take(an_agenda_item(summary=a_summary("Wat er speelt.", "table", f"{ONE}.1")))
    actions.decide(ONE, replace(CASE, feedback="Vraag de melder om meer."))
    assert actions.show("P-00000001").opened is None
    opened = actions.open_words(ONE, OFFICER).opened
    assert opened is not None
    assert opened.summary == "Wat er speelt."
    assert opened.words == {(1, 1): {"motivation": "Geen aanwijzingen.", "feedback_text": "Vraag de melder om meer."}}
    assert [row["who"] for row in consumer.rows(OPENINGS)] == ["officer"]


def test_a_stub_has_no_summary_to_open(consumer: Consuming, actions: AgendaActions) -> None:
    consumer.take(an_agenda_item(deliver_as="MINOR_STUB", minor=True))
    opened = actions.open_words(ONE, OFFICER).opened
    assert opened is not None
    assert opened.summary is None


def test_alerts_that_nobody_saw_come_first_and_are_late_after_fifteen_minutes(
    consumer: Consuming, actions: AgendaActions
) -> None:
    consumer.take(a_chair_alert(1, at=minutes(44)), a_chair_alert(2, at=minutes(45)), a_chair_alert(3, at=minutes(59)))
    rows = actions.alerts()
    assert [(row.alert.signal_id, row.late, row.alert.acknowledged_by) for row in rows] == [
        (THREE, False, None),
        (TWO, False, None),
        (ONE, True, None),
    ]
    actions.acknowledge(rows[0].alert.alert_id, OFFICER)
    rows = actions.alerts()
    assert [(row.alert.signal_id, row.alert.acknowledged_by) for row in rows] == [(TWO, None), (ONE, None), (THREE, "officer")]
    with pytest.raises(RefusedError, match="ALERT_ACKNOWLEDGED"):
        actions.acknowledge(rows[-1].alert.alert_id, Person("deputy"))
    assert [row["who"] for row in consumer.rows(ACKNOWLEDGEMENTS)] == ["officer"]


def test_r_agenda_02_a_decided_item_that_another_rule_sends_stays_decided_with_a_note(
    consumer: Consuming, actions: AgendaActions
) -> None:
    consumer.take(an_agenda_item(rule_id="A40"))
    actions.decide(ONE, decides("ENRICH"))
    consumer.take(an_agenda_item(revision=2, rule_id="A60"), an_agenda_item(revision=3, rule_id="A60"))
    assert [note.rule_id for note in actions.show(ONE).notes] == ["R-AGENDA-02"]
    assert actions.items() == []


def test_a_decided_item_that_comes_again_by_the_same_rule_gets_no_note(consumer: Consuming, actions: AgendaActions) -> None:
    consumer.take(an_agenda_item(rule_id="A40"))
    actions.decide(ONE, decides("ENRICH"))
    consumer.take(an_agenda_item(revision=2, rule_id="A40"))
    assert actions.show(ONE).notes == []


@pytest.mark.parametrize(("due", "missed"), [(date(2006, 12, 1), "day_in_past"), (date(2206, 12, 1), "day_too_far_ahead")])
def test_r_val_24_a_due_date_that_cannot_be_is_refused(
    consumer: Consuming, actions: AgendaActions, due: date, missed: str
) -> None:
    consumer.take(an_agenda_item())
    with pytest.raises(RefusedError, match="DUE_DATE_OUTSIDE_WINDOW") as first:
        actions.decide(ONE, replace(CASE, due=due))
    actions.decide(ONE, CASE)
    with pytest.raises(RefusedError, match="DUE_DATE_OUTSIDE_WINDOW") as second:
        actions.follow_up(ONE, OFFICER, next_date=due)
    assert [each.value.field for each in (first, second)] == ["due", "next_date"]
    assert {each.value.facts["missed"].key for each in (first, second)} == {missed}  # type: ignore[attr-defined]  # Phrases


def test_r_agenda_07_a_decision_names_every_signal_of_the_cluster_and_each_gets_one_outcome(
    consumer: Consuming, actions: AgendaActions
) -> None:
    consumer.take(an_agenda_item(1), an_agenda_item(2), an_agenda_item(3))
    consumer.take(a_membership(1, 1, TOGETHER), a_membership(2, 1, TOGETHER))
    consumer.waiting()
    assert [each.signal_id for each in actions.decide(ONE, replace(NO_CASE, seen_version=1))] == [ONE, TWO]
    assert {(row["signal_id"], row["cluster_id"]) for row in consumer.rows(DECISIONS)} == {(ONE, TOGETHER), (TWO, TOGETHER)}
    outcomes = of_record([each for each in consumer.waiting() if each.topic == "outcomes"], "Outcome")
    assert sorted(each["signal_id"] for each in outcomes) == [ONE, TWO]
    assert [row.signal_id for row in actions.items()] == [THREE]


def test_a_duplicate_is_decided_by_itself_and_the_signal_that_stays_remains(consumer: Consuming, actions: AgendaActions) -> None:
    consumer.take(an_agenda_item(1), an_agenda_item(2))
    consumer.take(a_membership(1, 1, TOGETHER), a_membership(2, 1, TOGETHER))
    actions.decide(TWO, replace(NO_CASE, decision="DUPLICATE"), keeps=ONE)
    assert [row["signal_id"] for row in consumer.rows(DECISIONS)] == [TWO]
    assert [row.signal_id for row in actions.items()] == [ONE]


@pytest.mark.parametrize(
    ("act", "changed"),
    [("CONFIRM", {}), ("REJECT", {}), ("UNDO", {"state": "CONFIRMED"}), ("RELEASE", {"kind": "SAME_PERSON"})],
)
def test_r_link_04_an_allowed_act_on_a_link_is_recorded_and_told_to_linking(
    consumer: Consuming, actions: AgendaActions, act: LinkAct, changed: dict[str, Any]
) -> None:
    consumer.take(a_candidate(**changed))
    actions.decide_link("K-5d1f0c0a", act, OFFICER, seen_version=1)
    [row] = consumer.rows(LINK_ACTS)
    assert (row["link_id"], row["kind"], row["who"]) == (LINK, act, "officer")
    with consumer.database.transaction() as connection:
        [letter] = [dict(each._mapping) for each in connection.execute(consumer.outbox.select())]
    assert (letter["topic"], letter["key"]) == ("link-answers", LINK)


@pytest.mark.parametrize(
    ("act", "changed"),
    [
        ("CONFIRM", {"kind": "SAME_PERSON"}),
        ("CONFIRM", {"state": "REJECTED"}),
        ("CONFIRM", {"evidence_gone": True}),
        ("REJECT", {"state": "CONFIRMED"}),
        ("UNDO", {}),
        ("RELEASE", {}),
        ("RELEASE", {"kind": "SAME_PERSON", "across": False}),
        ("RELEASE", {"kind": "SAME_PERSON", "released_at": CUTOFF}),
    ],
)
def test_r_link_04_what_the_rules_do_not_allow_is_refused_and_tells_nobody(
    consumer: Consuming, actions: AgendaActions, act: LinkAct, changed: dict[str, Any]
) -> None:
    consumer.take(a_candidate(**changed))
    with pytest.raises(RefusedError, match="R-LINK-04"):
        actions.decide_link(LINK, act, OFFICER)
    assert (consumer.rows(LINK_ACTS), consumer.waiting()) == ([], [])


def test_r_link_04_who_saw_an_older_state_of_a_link_is_refused(consumer: Consuming, actions: AgendaActions) -> None:
    consumer.take(a_candidate(), a_candidate(revision=2, frequency="3-5"))
    with pytest.raises(RefusedError, match="CHANGED_SINCE_SEEN"):
        actions.decide_link(LINK, "CONFIRM", OFFICER, seen_version=1)
    assert consumer.rows(LINK_ACTS) == []


def test_r_link_06_a_decided_item_gets_a_note_when_its_link_is_undone_and_an_undecided_one_does_not(
    consumer: Consuming, actions: AgendaActions
) -> None:
    consumer.take(an_agenda_item(), an_agenda_item(signal_id=TWO), a_candidate(state="CONFIRMED"))
    actions.decide(ONE, CASE)
    undone = a_candidate(revision=2, state="REVOKED")
    consumer.take(undone, undone)
    consumer.take(a_candidate(revision=3, state="REVOKED", frequency="3-5"), a_candidate(revision=1, state="CONFIRMED"))
    assert [(row["signal_id"], row["rule_id"]) for row in consumer.rows(NOTES)] == [(ONE, "R-LINK-06")]


def test_what_is_decided_after_the_undo_needs_no_note(consumer: Consuming, actions: AgendaActions) -> None:
    consumer.take(an_agenda_item(), a_candidate(state="CONFIRMED"), a_candidate(revision=2, state="REVOKED"))
    actions.decide(ONE, CASE)
    consumer.take(a_candidate(revision=3, state="REVOKED", frequency="3-5"))
    assert consumer.rows(NOTES) == []


def test_one_object_serves_several_people_at_once_and_one_decision_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a server does: opened once from the settings of the process, and called by the threads of its requests.
    for name, value in an_environment(tmp_path, "agenda", "table").items():
        monkeypatch.setenv(name, value)
    store = ActionStore.opened("agenda", TABLES, loaded(ServiceSettings))
    actions, together = replace(actions_in(store), now=lambda: NOW), Barrier(2)
    url = f"sqlite+pysqlite:///{tmp_path / 'agenda.sqlite'}"
    consumer = Consuming("agenda", TABLES, AgendaHandler(calendar(), a_register), url)
    consumer.take(*(an_agenda_item(number, due_from=START) for number in range(1, 7)))
    consumer.waiting()

    def all_of(name: str) -> list[str]:
        refused = []
        for number in range(1, 7):
            together.wait(60)
            try:
                actions.decide(signal_id(number), replace(NO_CASE, who=Person(name)))
            except RefusedError as refusal:
                refused.append(refusal.code)
        return refused

    with ThreadPoolExecutor(2) as pool:
        refused = [each for found in pool.map(all_of, ("one", "other")) for each in found]
    assert refused == ["ITEM_DECIDED"] * 6
    assert actions.items() == []
    assert len(consumer.rows(DECISIONS)) == len(of_record(consumer.waiting(), "Outcome")) == 6
    store.close()
