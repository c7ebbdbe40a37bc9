"""The promises of a worklist to who acts in it: each act is judged, kept, reported, or refused and nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
from builders import (
    ONE,
    START,
    THREE,
    TWO,
    VENLO,
    Consuming,
    a_referral,
    a_register,
    a_summary,
    an_environment,
    an_identity,
    minutes,
    of_record,
    opened_detail,
)
from people import OFFICER, coordinator

from signal_exchange.domain.people import Person
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.people.tables import AUDIT
from signal_exchange.privacy import leak_guard
from signal_exchange.privacy.register import NoSealingKeyError, Register
from signal_exchange.privacy.sealing import SealingPublicKey
from signal_exchange.runtime.settings import ServiceSettings, loaded
from signal_exchange.stream import texts
from signal_exchange.stream.acting import ActionStore
from signal_exchange.worklist.actions import WorklistActions
from signal_exchange.worklist.composition import actions_in, rules
from signal_exchange.worklist.handler import WorklistHandler
from signal_exchange.worklist.store import OPENINGS, REFERRALS, TABLES, TRANSITIONS

HANDLER = WorklistHandler("CARE_COORDINATOR", rules().calendar, an_identity().sealed_part, a_register)
NOW = minutes(60)
TODAY, TOMORROW = date(2026, 11, 18), date(2026, 11, 19)
Act = Callable[[WorklistActions], object]
LOG = ("record_audit", "record_audit_months")
"""The audit log, in which what is refused stands as well."""


@pytest.fixture
def consumer() -> Consuming:
    return Consuming("worklist", TABLES, HANDLER)


@pytest.fixture
def actions(consumer: Consuming) -> WorklistActions:
    return coordinator(consumer, NOW)


def test_the_list_has_the_open_ones_by_what_is_due_and_the_ended_ones_when_asked(
    consumer: Consuming, actions: WorklistActions
) -> None:
    consumer.take(a_referral(1, urgency="REGULAR"), a_referral(2, urgency="ACUTE"), a_referral(3, urgency="URGENT"))
    actions.reject(ONE, OFFICER, reason="OUTSIDE_REGION")
    assert [row.signal_id for row in actions.referrals()] == [TWO, THREE]
    rows = actions.referrals(ended=True)
    assert [(row.signal_id, row.state, row.open) for row in rows] == [
        (TWO, "OFFERED", True),
        (THREE, "OFFERED", True),
        (ONE, "REJECTED", False),
    ]
    assert (rows[0].row_version, rows[0].municipality, rows[0].overdue) == (1, VENLO, False)


def test_the_list_can_be_of_one_urgency(consumer: Consuming, actions: WorklistActions) -> None:
    consumer.take(a_referral(1, urgency="REGULAR"), a_referral(2, urgency="ACUTE"))
    assert [row.signal_id for row in actions.referrals(urgency="ACUTE")] == [TWO]
    assert actions.referrals(urgency="MONITOR") == []


def test_what_is_past_its_term_is_overdue(consumer: Consuming) -> None:
    consumer.take(a_referral(urgency="ACUTE"))
    assert [row.overdue for at in (120, 121) for row in coordinator(consumer, minutes(at)).referrals()] == [False, True]


def test_r_ref_03_each_step_of_a_referral_is_reported_home(consumer: Consuming, actions: WorklistActions) -> None:
    consumer.take(a_referral())
    consumer.waiting()
    actions.mark_seen(ONE, OFFICER)
    actions.accept(ONE, OFFICER, planned_contact=TOMORROW, seen_version=2)
    actions.start_care("V-00000001", OFFICER, first_contact=TODAY)
    actions.complete(ONE, OFFICER, result="PERSON_STOPPED")
    sent = consumer.waiting()
    outcomes = of_record(sent, "Outcome")
    assert [(each["state"], each["outcome"]) for each in outcomes] == [
        ("SEEN", None),
        ("ACCEPTED", "IN_TREATMENT"),
        ("IN_CARE", "IN_TREATMENT"),
        ("COMPLETED", "CARE_DECLINED"),
    ]
    detail = opened_detail(outcomes[-1]["detail"], f"{ONE}/{outcomes[-1]['outcome_id']}")
    assert detail == {"reason": "PERSON_STOPPED", "text": None}
    assert [(step["stage"], step["verdict"]) for step in of_record(sent, "TraceFact")] == [("OUTCOME", None)] * 4
    assert {each.key for each in sent if each.record == "Outcome"} == {f"{ONE}/{outcomes[0]['outcome_id']}"}


@pytest.mark.parametrize(
    ("act", "code", "field"),
    [
        (lambda to: to.accept(ONE, OFFICER, planned_contact=TOMORROW, seen_version=7), "CHANGED_SINCE_SEEN", "version"),
        (lambda to: to.reject(ONE, OFFICER, reason="NO_CAPACITY"), "NO_CAPACITY_IS_NO_REASON", "reason"),
        (lambda to: to.reject(ONE, OFFICER, reason="NONSENSE"), "REASON_UNKNOWN", "reason"),
        (lambda to: to.start_care(ONE, OFFICER, first_contact=TODAY), "STEP_NOT_NOW", None),
        (lambda to: to.complete(ONE, OFFICER, result="TRANSFERRED"), "STEP_NOT_NOW", None),
        (lambda to: to.withdraw(ONE, OFFICER, reason="MISTAKE"), "STEP_NOT_NOW", None),
        (lambda to: to.note_progress(ONE, OFFICER), "NOT_IN_CARE", None),
        (lambda to: to.mark_seen(TWO, OFFICER), "NUMBER_UNKNOWN", None),
        (lambda to: to.mark_seen("V-000", OFFICER), "NUMBER_INCOMPLETE", None),
        (lambda to: to.advise(ONE, "Neem contact op.", OFFICER), "NO_ADVICE_ASKED", None),
        (lambda to: to.show(TWO), "NUMBER_UNKNOWN", None),
        (lambda to: to.open_summary(ONE, OFFICER), "NO_SUMMARY", None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_r_ref_02_what_is_refused_has_a_code_and_changes_nothing(
    consumer: Consuming, actions: WorklistActions, act: Act, code: str, field: str | None
) -> None:
    consumer.take(a_referral())
    before = consumer.everything(*LOG)
    consumer.waiting()
    with pytest.raises(RefusedError) as refusal:
        act(actions)
    assert (refusal.value.code, refusal.value.field) == (code, field)
    assert consumer.everything(*LOG) == before
    assert consumer.waiting() == []


def test_each_act_stands_in_the_audit_log_and_what_is_refused_as_well(consumer: Consuming, actions: WorklistActions) -> None:
    consumer.take(a_referral(summary=a_summary("Tekst", "care", f"{ONE}.1")), a_referral(2, deliver_as="CONSULT", rule_id="C60"))
    actions.open_summary(ONE, OFFICER)
    actions.accept("V-00000001", OFFICER, planned_contact=TOMORROW)
    actions.start_care(ONE, OFFICER, first_contact=TODAY)
    actions.note_progress(ONE, OFFICER)
    actions.advise(TWO, "Bel eerst.", OFFICER)
    with pytest.raises(RefusedError):
        actions.mark_seen(ONE, OFFICER)
    with pytest.raises(RefusedError, match="NOT_ALLOWED"):
        actions.complete(ONE, Person("admin", role="ORGANISATION_ADMIN"), result="PERSON_STOPPED")
    assert [(row["act"], row["action"], row["about"], row["result"]) for row in consumer.rows(AUDIT)] == [
        ("worklist.open_summary", "READ", ONE, "DONE"),
        ("worklist.accept", "UPDATE", ONE, "DONE"),
        ("worklist.start_care", "UPDATE", ONE, "DONE"),
        ("worklist.note_progress", "UPDATE", ONE, "DONE"),
        ("worklist.advise", "UPDATE", TWO, "DONE"),
        ("worklist.mark_seen", "DENIED", ONE, "STEP_NOT_NOW"),
        ("worklist.complete", "DENIED", "", "NOT_ALLOWED"),
    ]


def test_a_refused_step_says_where_the_referral_stands(consumer: Consuming, actions: WorklistActions) -> None:
    consumer.take(a_referral())
    with pytest.raises(RefusedError) as refusal:
        actions.start_care(ONE, OFFICER, first_contact=TODAY)
    assert [refusal.value.facts[name].code for name in ("before", "after")] == ["OFFERED", "IN_CARE"]  # type: ignore[attr-defined]  # Coded


def test_r_route_12_an_accepted_referral_is_withdrawn_only_after_it_was_asked_back(
    consumer: Consuming, actions: WorklistActions
) -> None:
    consumer.take(a_referral())
    actions.accept(ONE, OFFICER, planned_contact=TOMORROW)
    with pytest.raises(RefusedError, match="WITHDRAWAL_NOT_ASKED"):
        actions.withdraw(ONE, OFFICER, reason="MISTAKE")
    consumer.take(a_referral(status="RETRACTED", revision=4, rule_id="C40"))
    assert [row.retraction_asked_by_rule for row in actions.referrals()] == ["C40"]
    actions.withdraw(ONE, OFFICER, reason="MISTAKE")
    assert [row["state"] for row in consumer.rows(REFERRALS)] == ["WITHDRAWN"]
    with pytest.raises(RefusedError, match="NO_OPEN_REFERRAL"):
        actions.mark_seen(ONE, OFFICER)


def test_r_ref_01_the_offer_that_waited_is_opened_when_the_first_ends(consumer: Consuming, actions: WorklistActions) -> None:
    consumer.take(a_referral())
    assert not actions.accept(ONE, OFFICER, planned_contact=TOMORROW).next_offered
    consumer.take(a_referral(revision=5, offer=2, at=minutes(9)))
    assert actions.complete(ONE, OFFICER, result="TRANSFERRED").next_offered
    assert [(row.offer, row.state) for row in actions.referrals()] == [(2, "OFFERED")]


def test_opening_the_summary_is_recorded_and_marks_an_offer_as_seen(consumer: Consuming, actions: WorklistActions) -> None:
    consumer.take(a_referral(summary=a_summary("Wil graag hulp.", "care", f"{ONE}.1")))
    consumer.waiting()
    assert actions.open_summary(ONE, OFFICER) == "Wil graag hulp."
    assert [(row["who"], row["at"]) for row in consumer.rows(OPENINGS)] == [("officer", NOW)]
    assert [outcome["state"] for outcome in of_record(consumer.waiting(), "Outcome")] == ["SEEN"]
    assert actions.open_summary(ONE, OFFICER) == "Wil graag hulp."
    assert consumer.waiting() == []


def test_a_summary_for_another_group_cannot_be_opened(consumer: Consuming, actions: WorklistActions) -> None:
    consumer.take(a_referral(summary=a_summary("Tekst", "youth", f"{ONE}.1")))
    with pytest.raises(RefusedError, match="SUMMARY_CANNOT_BE_OPENED"):
        actions.open_summary(ONE, OFFICER)
    assert consumer.rows(OPENINGS) == []


def test_show_has_what_was_delivered_and_what_happened(consumer: Consuming, actions: WorklistActions) -> None:
    consumer.take(a_referral())
    actions.mark_seen(ONE, OFFICER)
    found = actions.show("V-00000001")
    assert found.delivered is not None
    assert found.delivered["forms"] is not None
    assert found.delivered["forms"]["primary"] == "LABOUR"
    assert [(row.offer, row.row_version) for row in found.referrals] == [(1, 2)]
    assert [(step.went_to, step.who) for step in found.transitions] == [("OFFERED", "ROUTING"), ("SEEN", "officer")]


def test_advice_on_a_consult_goes_home_sealed_and_takes_it_off_the_list(consumer: Consuming, actions: WorklistActions) -> None:
    consumer.take(a_referral(deliver_as="CONSULT", rule_id="C60"))
    consumer.waiting()
    assert [(row.state, row.due_by is not None) for row in actions.referrals()] == [("CONSULT", True)]
    actions.advise(ONE, "Vraag eerst toestemming en bel dan.", OFFICER, seen_version=1)
    (outcome,) = of_record(consumer.waiting(), "Outcome")
    assert (outcome["kind"], outcome["state"], outcome["outcome"]) == ("REFERRAL", "ADVISED", None)
    detail = opened_detail(outcome["detail"], f"{ONE}/{outcome['outcome_id']}")
    assert detail == {"reason": None, "text": "Vraag eerst toestemming en bel dan."}
    assert actions.referrals() == []
    assert [each.who for each in actions.show(ONE).advice] == ["officer"]
    actions.advise(ONE, "Nog een aanvulling.", OFFICER)
    assert [each["revision"] for each in of_record(consumer.waiting(), "Outcome")] == [2]


def test_r_ref_02_advice_on_an_older_version_is_refused(consumer: Consuming, actions: WorklistActions) -> None:
    consumer.take(a_referral(deliver_as="CONSULT", version=2))
    with pytest.raises(RefusedError, match="CHANGED_SINCE_SEEN"):
        actions.advise(ONE, "Vraag eerst toestemming.", OFFICER, seen_version=1)


def test_r_ref_04_in_care_a_progress_note_is_due_and_each_one_moves_it(consumer: Consuming, actions: WorklistActions) -> None:
    consumer.take(a_referral())
    actions.accept(ONE, OFFICER, planned_contact=TOMORROW)
    actions.start_care(ONE, OFFICER, first_contact=TODAY)
    consumer.waiting()
    [before] = actions.referrals()
    later = coordinator(consumer, NOW + timedelta(days=5))
    with pytest.raises(RefusedError, match="CHANGED_SINCE_SEEN"):
        later.note_progress(ONE, OFFICER, seen_version=1)
    assert later.note_progress(ONE, OFFICER, seen_version=before.row_version).progress_by is not None
    [row] = later.referrals()
    assert before.due_by is not None
    assert row.due_by is not None
    assert (row.state, row.due_by > before.due_by, row.row_version) == ("IN_CARE", True, 4)
    [step] = of_record(consumer.waiting(), "TraceFact")
    assert (step["owner_role"], step["next_date"]) == ("CARE_COORDINATOR", "2026-12-21")


@pytest.mark.parametrize("text", ["Bel 06-00001234 eerst.", "Het gaat om BSN 999990019."])
def test_r_leak_01_a_text_that_may_name_somebody_does_not_go(consumer: Consuming, actions: WorklistActions, text: str) -> None:
    consumer.take(a_referral(deliver_as="CONSULT"))
    consumer.waiting()
    with pytest.raises(RefusedError, match="TEXT_POINTS_AT_PERSON") as refusal:
        actions.advise(ONE, text, OFFICER)
    assert "9999" not in str(refusal.value)
    assert consumer.waiting() == []


def test_r_leak_01_no_answer_of_the_guard_means_that_nothing_goes(
    consumer: Consuming, actions: WorklistActions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_text: str) -> None:
        raise leak_guard.GuardUnavailableError

    monkeypatch.setattr(texts, "check_text", fails)
    consumer.take(a_referral(deliver_as="CONSULT"))
    with pytest.raises(RefusedError, match="LEAK_GUARD_SILENT"):
        actions.advise(ONE, "Vraag eerst toestemming.", OFFICER)


@pytest.mark.parametrize("text", ["", "   ", "a" * 1001])
def test_a_text_has_1_to_1000_signs(consumer: Consuming, actions: WorklistActions, text: str) -> None:
    consumer.take(a_referral(deliver_as="CONSULT"))
    with pytest.raises(RefusedError, match="TEXT_LENGTH"):
        actions.advise(ONE, text, OFFICER)


@pytest.mark.parametrize(
    ("field", "day", "missed"),
    [
        ("planned_contact", date(2006, 12, 1), "day_in_past"),
        ("planned_contact", date(2206, 12, 1), "day_too_far_ahead"),
        ("first_contact", date(1926, 12, 1), "day_too_far_back"),
        ("first_contact", date(2026, 11, 19), "day_in_future"),
    ],
)
def test_r_val_24_a_contact_that_cannot_be_is_refused(
    consumer: Consuming, actions: WorklistActions, field: str, day: date, missed: str
) -> None:
    consumer.take(a_referral())
    if field == "first_contact":
        actions.accept(ONE, OFFICER, planned_contact=TOMORROW)
    act = actions.start_care if field == "first_contact" else actions.accept
    with pytest.raises(RefusedError) as refusal:
        act(ONE, OFFICER, **{field: day})  # type: ignore[arg-type]  # the day by its name
    assert (refusal.value.field, refusal.value.rule) == (field, "R-VAL-24")
    assert refusal.value.facts["missed"].key == missed  # type: ignore[attr-defined]  # a Phrase


def test_what_cannot_be_sealed_to_the_municipality_changes_nothing(
    consumer: Consuming, actions: WorklistActions, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer.take(a_referral())
    before, key_of = consumer.everything(*LOG), Register.sealing_key

    def lacking(register: Register, group: str, at: datetime) -> SealingPublicKey:
        if group == f"gm:{VENLO}":
            raise NoSealingKeyError(group)
        return key_of(register, group, at)

    monkeypatch.setattr(Register, "sealing_key", lacking)
    with pytest.raises(RefusedError):
        actions.mark_seen(ONE, OFFICER)
    assert consumer.everything(*LOG) == before


def test_one_object_serves_several_people_at_once_and_the_first_decision_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a server does: opened once from the settings of the process, and called by the threads of its requests.
    for name, value in an_environment(tmp_path, "worklist", "care").items():
        monkeypatch.setenv(name, value)
    store = ActionStore.opened("worklist", TABLES, loaded(ServiceSettings))
    actions, together = actions_in(store), Barrier(2)
    consumer = Consuming("worklist", TABLES, HANDLER, f"sqlite+pysqlite:///{tmp_path / 'worklist.sqlite'}")
    consumer.take(*(a_referral(number) for number in range(1, 9)))
    seen = {row.signal_id: row.row_version for row in actions.referrals()}

    def rejects(name: str) -> list[str]:
        refused = []
        for signal_id, row_version in seen.items():
            together.wait(60)
            try:
                actions.reject(
                    signal_id, Person(name, role="CARE_COORDINATOR"), reason="OUTSIDE_REGION", seen_version=row_version
                )
            except RefusedError as refusal:
                refused.append(refusal.code)
        return refused

    with ThreadPoolExecutor(2) as pool:
        refused = [each for found in pool.map(rejects, ("one", "other")) for each in found]
    assert refused == ["CHANGED_SINCE_SEEN"] * len(seen)
    assert actions.referrals() == []
    steps = [row for row in consumer.rows(TRANSITIONS) if row["went_to"] == "REJECTED"]
    assert sorted(row["signal_id"] for row in steps) == sorted(seen)
    assert len(of_record(consumer.waiting(), "Outcome")) == len(seen)
    store.close()


def test_r_ref_04_a_step_returns_the_referral_with_its_next_term(consumer: Consuming) -> None:
    consumer.take(a_referral(urgency="URGENT"))
    taken = coordinator(consumer, START).accept(ONE, OFFICER, planned_contact=TOMORROW)
    assert (taken.referral.state, taken.referral.due_by()) == ("ACCEPTED", taken.referral.contact_by)
