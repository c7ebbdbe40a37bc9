from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from builders import (
    ONE,
    START,
    TWO,
    VENLO,
    Consuming,
    a_delivered_signal,
    a_referral,
    a_register,
    an_environment,
    an_identity,
    minutes,
    of_record,
    opened_detail,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from people import OFFICER, coordinator
from refusing import refused
from sqlalchemy import event
from trying import examples

from signal_exchange.domain.people import Person
from signal_exchange.runtime.settings import ServiceSettings, loaded
from signal_exchange.stream.messages import Message
from signal_exchange.worklist.actions import WorklistActions
from signal_exchange.worklist.composition import consumer_spec, rules
from signal_exchange.worklist.handler import WorklistHandler
from signal_exchange.worklist.service import WORKLIST, WORKLIST_YOUTH
from signal_exchange.worklist.store import DELIVERIES, REFERRALS, TABLES, TRANSITIONS

RULES = rules()
HANDLER = WorklistHandler("CARE_COORDINATOR", RULES.calendar, an_identity().sealed_part, a_register)
TOMORROW = datetime(2026, 11, 19, tzinfo=UTC).date()


def worklist() -> Consuming:
    return Consuming("worklist", TABLES, HANDLER)


Step = Callable[[WorklistActions], object]


def accepts(actions: WorklistActions) -> object:
    return actions.accept(ONE, OFFICER, planned_contact=TOMORROW)


def starts_care(actions: WorklistActions) -> object:
    return actions.start_care(ONE, OFFICER, first_contact=START.date())


def rejects(actions: WorklistActions, reason: str = "OUTSIDE_REGION") -> object:
    return actions.reject(ONE, OFFICER, reason=reason)


def states(consumer: Consuming) -> list[tuple[int, str]]:
    return [(row["offer"], row["state"]) for row in consumer.rows(REFERRALS)]


def retracted(revision: int, **changed: Any) -> Message:
    return a_referral(status="RETRACTED", revision=revision, rule_id="C40", at=minutes(revision), **changed)


def test_an_offer_opens_a_referral_with_its_terms() -> None:
    # R-REF-04, worked: REGULAR, Wed 2026-04-01 12:00 -> Fri 10 Apr.
    consumer = worklist()
    consumer.take(a_referral(at=datetime(2026, 4, 1, 10, 0, tzinfo=UTC)))
    (row,) = consumer.rows(REFERRALS)
    assert (row["state"], row["row_version"], row["decide_by"]) == ("OFFERED", 1, datetime(2026, 4, 10, 15, 0, tzinfo=UTC))
    (step,) = consumer.rows(TRANSITIONS)
    assert (step["came_from"], step["went_to"], step["who"]) == (None, "OFFERED", "ROUTING")


def test_same_signal_twice_is_one_item() -> None:
    consumer = worklist()
    assert len(consumer.take(a_referral(), a_referral())) == 1
    before = consumer.everything()
    assert consumer.take(a_referral()) == []
    assert consumer.everything() == before
    assert states(consumer) == [(1, "OFFERED")]


def test_storing_a_delivery_is_told_to_the_trace_with_the_coordinator_and_the_next_date() -> None:
    (step,) = of_record(worklist().take(a_referral(urgency="URGENT")), "TraceFact")
    told = {name: step[name] for name in ("service", "stage", "signal_id", "version", "municipality", "destination", "verdict")}
    assert told == {
        "service": "worklist",
        "stage": "STORED",
        "signal_id": ONE,
        "version": 1,
        "municipality": VENLO,
        "destination": "CARE_COORDINATOR",
        "verdict": "SEND",
    }
    assert (step["owner_role"], step["next_date"], step["at"]) == ("CARE_COORDINATOR", "2026-11-19", START)


def test_an_older_revision_after_a_newer_one_changes_nothing() -> None:
    consumer = worklist()
    consumer.take(a_referral(revision=3, version=2))
    before = consumer.everything()
    assert consumer.take(a_referral(revision=1)) == []
    assert consumer.everything() == before


def test_a_new_version_of_an_open_referral_updates_content_and_terms_not_state() -> None:
    consumer = worklist()
    consumer.take(a_referral())
    coordinator(consumer).mark_seen(ONE, OFFICER)
    signal = a_delivered_signal(sector="SECTOR_UNKNOWN")
    consumer.take(a_referral(revision=2, version=2, urgency="URGENT", signal=signal, due_from=START, at=minutes(60)))
    (row,) = consumer.rows(REFERRALS)
    assert (row["state"], row["version"], row["urgency"], row["row_version"]) == ("SEEN", 2, "URGENT", 3)
    assert row["decide_by"] == datetime(2026, 11, 19, 16, 0, tzinfo=UTC)
    assert consumer.rows(DELIVERIES)[0]["signal"]["sector"] == "SECTOR_UNKNOWN"


def test_a_new_version_of_an_accepted_referral_moves_the_term_of_first_contact() -> None:
    consumer = worklist()
    consumer.take(a_referral())
    before = coordinator(consumer).accept(ONE, OFFICER, planned_contact=TOMORROW).referral.contact_by
    consumer.take(a_referral(revision=2, version=2, urgency="ACUTE"))
    after = consumer.rows(REFERRALS)[0]["contact_by"]
    assert (before, after) == (datetime(2026, 12, 2, 16, 0, tzinfo=UTC), datetime(2026, 11, 18, 23, 0, tzinfo=UTC))


def test_a_new_version_of_an_ended_referral_changes_nothing_in_it() -> None:
    consumer = worklist()
    consumer.take(a_referral())
    rejects(coordinator(consumer))
    before = consumer.rows(REFERRALS)
    consumer.take(a_referral(revision=2, version=2))
    assert consumer.rows(REFERRALS) == before


@pytest.mark.parametrize("seen", [False, True], ids=["OFFERED", "SEEN"])
def test_r_route_12_a_retraction_withdraws_what_nobody_decided_on(seen: bool) -> None:  # noqa: FBT001 - a case of the table
    consumer = worklist()
    consumer.take(a_referral())
    if seen:
        coordinator(consumer).mark_seen(ONE, OFFICER)
    sent = consumer.take(retracted(4))
    assert states(consumer) == [(1, "WITHDRAWN")]
    (outcome,) = of_record(sent, "Outcome")
    assert (outcome["kind"], outcome["state"], outcome["outcome"]) == ("REFERRAL", "WITHDRAWN", None)
    assert opened_detail(outcome["detail"], f"{ONE}/{outcome['outcome_id']}") == {"reason": "C40", "text": None}
    assert [step["verdict"] for step in of_record(sent, "TraceFact") if step["stage"] == "STORED"] == ["RETRACTED"]


@pytest.mark.parametrize(("steps", "state"), [((accepts,), "ACCEPTED"), ((accepts, starts_care), "IN_CARE")])
def test_r_route_12_a_retraction_asks_who_accepted_and_the_coordinator_closes(steps: tuple[Step, ...], state: str) -> None:
    consumer = worklist()
    consumer.take(a_referral())
    for step in steps:
        step(coordinator(consumer))
    assert of_record(consumer.take(retracted(4)), "Outcome") == []
    (row,) = consumer.rows(REFERRALS)
    assert (row["state"], row["retraction"]) == (state, "C40")
    coordinator(consumer).withdraw(ONE, OFFICER, reason="CONSENT_WITHDRAWN")
    assert states(consumer) == [(1, "WITHDRAWN")]


def test_a_retraction_of_an_ended_referral_changes_nothing_in_it() -> None:
    consumer = worklist()
    consumer.take(a_referral())
    rejects(coordinator(consumer))
    consumer.take(retracted(4))
    assert states(consumer) == [(1, "REJECTED")]


def test_a_retraction_that_comes_first_opens_nothing_and_neither_does_the_late_offer() -> None:
    consumer = worklist()
    consumer.take(retracted(4))
    consumer.take(a_referral())
    assert states(consumer) == []


def test_r_ref_01_a_new_offer_after_a_retraction_opens_a_new_referral() -> None:
    consumer = worklist()
    consumer.take(a_referral(), retracted(4), a_referral(revision=5, offer=2, at=minutes(9)))
    assert states(consumer) == [(1, "WITHDRAWN"), (2, "OFFERED")]


def test_r_ref_01_a_new_offer_says_by_itself_that_the_old_one_was_taken_back() -> None:
    # A compacted topic need not show the retraction between two offers.
    consumer = worklist()
    consumer.take(a_referral())
    consumer.take(a_referral(revision=5, offer=2, at=minutes(9)))
    assert states(consumer) == [(1, "WITHDRAWN"), (2, "OFFERED")]


def test_r_ref_01_a_second_offer_waits_until_the_first_ends() -> None:
    consumer = worklist()
    consumer.take(a_referral())
    accepts(coordinator(consumer))
    consumer.take(retracted(4), a_referral(revision=5, offer=2, at=minutes(9)))
    assert states(consumer) == [(1, "ACCEPTED")]
    coordinator(consumer).complete(ONE, OFFICER, result="TRANSFERRED")
    assert states(consumer) == [(1, "COMPLETED"), (2, "OFFERED")]


@pytest.mark.parametrize(
    ("reason", "again"), [("INSUFFICIENT_DATA", True), ("OUTSIDE_REGION", False), ("PERSON_DECLINES", False)]
)
def test_r_ref_01_after_a_rejection_only_insufficient_data_is_offered_again(reason: str, again: bool) -> None:  # noqa: FBT001 - a case
    consumer = worklist()
    consumer.take(a_referral())
    rejects(coordinator(consumer), reason)
    consumer.take(a_referral(revision=5, version=2, offer=2))
    assert states(consumer) == ([(1, "REJECTED"), (2, "OFFERED")] if again else [(1, "REJECTED")])


def test_a_consult_has_no_states() -> None:
    consumer = worklist()
    (sent,) = consumer.take(a_referral(deliver_as="CONSULT", rule_id="C60"))
    assert states(consumer) == []
    assert (sent.fields["stage"], sent.fields["owner_role"]) == ("STORED", "CARE_COORDINATOR")


def test_a_consult_that_becomes_a_referral_opens_one_and_back_takes_it_back() -> None:
    consumer = worklist()
    consumer.take(a_referral(deliver_as="CONSULT"), a_referral(revision=3, offer=2))
    assert states(consumer) == [(2, "OFFERED")]
    consumer.take(a_referral(revision=5, offer=3, deliver_as="CONSULT"))
    assert states(consumer) == [(2, "WITHDRAWN")]


def test_a_rebuild_of_the_projection_leaves_what_people_entered_as_it_is() -> None:
    consumer = worklist()
    topic = (a_referral(), a_referral(revision=2, version=2), retracted(4), a_referral(revision=5, offer=2, at=minutes(9)))
    consumer.take(*topic)
    accepts(coordinator(consumer))
    before = consumer.everything()
    with consumer.database.transaction() as connection:
        connection.execute(DELIVERIES.delete())
    assert of_record(consumer.take(*topic), "Outcome") == []
    assert consumer.everything() == before


def test_a_batch_takes_a_handful_of_statements() -> None:
    consumer, statements = worklist(), list[str]()
    event.listen(consumer.database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    consumer.take(*(a_referral(number) for number in range(1, 501)))
    assert len([each for each in statements if not each.startswith("BEGIN")]) == 8


HISTORY = (
    a_referral(),
    a_referral(revision=2, version=2, urgency="URGENT", due_from=START),
    retracted(4, version=3, due_from=START),
    a_referral(revision=5, version=3, offer=2, at=minutes(9)),
    a_referral(2, revision=1, deliver_as="CONSULT"),
    a_referral(2, revision=3, offer=2),
    a_referral(2, revision=4, offer=2, status="RETRACTED"),
)


def present(consumer: Consuming) -> dict[str, Any]:
    """Give what holds now: the latest deliveries and the open referrals, without how many changes led there."""
    referrals = [{**row, "row_version": None} for row in consumer.rows(REFERRALS) if row["state"] == "OFFERED"]
    return {"deliveries": consumer.rows(DELIVERIES), "open": referrals}


@settings(deadline=None, max_examples=examples(30))
@given(st.permutations(HISTORY), st.lists(st.sampled_from(HISTORY), max_size=5))
def test_any_order_and_repetition_of_the_same_records_ends_in_the_same_state(order: list[Message], again: list[Message]) -> None:
    once, other = worklist(), worklist()
    once.take(*HISTORY)
    for message in (*order, *again):
        other.take(message)
    assert present(once) == present(other)


@settings(deadline=None, max_examples=examples(30))
@given(st.lists(st.integers(0, len(HISTORY)), max_size=4), st.integers(1, 4))
def test_redelivery_at_any_point_in_batches_of_any_size_ends_in_the_very_same_store(stops: list[int], size: int) -> None:
    once, other = worklist(), worklist()
    once.take(*HISTORY)
    for stop in (*stops, len(HISTORY)):  # each stop is a crash before the commit: the topic is read again from the start
        for first in range(0, stop, size):
            other.take(*HISTORY[first : min(first + size, stop)])
    assert once.everything() == other.everything()


def test_r_ref_02_every_step_is_kept_with_who_and_when() -> None:
    consumer = worklist()
    consumer.take(a_referral())
    coordinator(consumer, minutes(1)).mark_seen(ONE, Person("officer a", role="CARE_COORDINATOR"))
    accepts(coordinator(consumer, minutes(2)))
    steps = [(row["came_from"], row["went_to"], row["who"], row["at"]) for row in consumer.rows(TRANSITIONS)]
    assert steps == [
        (None, "OFFERED", "ROUTING", START),
        ("OFFERED", "SEEN", "officer a", minutes(1)),
        ("SEEN", "ACCEPTED", "officer", minutes(2)),
    ]


def test_r_ref_02_who_decides_on_an_older_version_is_refused() -> None:
    consumer = worklist()
    consumer.take(a_referral())
    consumer.take(a_referral(revision=2, version=2))
    with refused("intussen veranderd"):
        coordinator(consumer).accept(ONE, OFFICER, planned_contact=TOMORROW, seen_version=1)
    assert states(consumer) == [(1, "OFFERED")]


def test_r_ref_03_every_step_to_the_end_is_told_in_one_record_whose_revision_grows() -> None:
    consumer = worklist()
    consumer.take(a_referral())
    consumer.waiting()
    actions = coordinator(consumer)
    actions.mark_seen(ONE, OFFICER)
    accepts(actions)
    starts_care(actions)
    actions.complete(ONE, OFFICER, result="LOST_CONTACT")
    told = of_record(consumer.waiting(), "Outcome")
    assert len({each["outcome_id"] for each in told}) == 1
    assert [(each["revision"], each["state"], each["outcome"]) for each in told] == [
        (2, "SEEN", None),
        (3, "ACCEPTED", "IN_TREATMENT"),
        (4, "IN_CARE", "IN_TREATMENT"),
        (5, "COMPLETED", "CARE_NOT_STARTED"),
    ]


@pytest.mark.sqlite
def test_the_youth_worklist_is_the_same_code_on_its_own_topic_and_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in an_environment(tmp_path, WORKLIST_YOUTH).items():
        monkeypatch.setenv(name, value)
    care, youth = (consumer_spec(service, loaded(ServiceSettings)) for service in (WORKLIST, WORKLIST_YOUTH))
    assert (care.name, care.sources, youth.name, youth.sources) == (
        WORKLIST,
        ("referrals", "retry.worklist"),
        WORKLIST_YOUTH,
        ("referrals-youth", "retry.worklist-youth"),
    )
    assert str(care.database.engine.url) != str(youth.database.engine.url)
    consumer = Consuming(WORKLIST_YOUTH, TABLES, youth.handle)
    (step,) = of_record(consumer.take(a_referral(2, deliver_as="YOUTH_ROUTE")), "TraceFact")
    assert (step["owner_role"], step["signal_id"]) == ("YOUTH_COORDINATOR", TWO)
