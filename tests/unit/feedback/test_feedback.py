from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import (
    MUNICIPALITIES,
    ONE,
    ROERMOND,
    RUN,
    START,
    TWO,
    VENLO,
    WEERT,
    Consuming,
    Sent,
    a_register,
    a_trace_fact,
    a_word,
    an_environment,
    an_outcome,
    gone,
    minutes,
    of_record,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from signal_exchange.feedback.composition import consumer_spec
from signal_exchange.feedback.handler import FeedbackHandler
from signal_exchange.feedback.store import TABLES, VIEWS, FeedbackStore
from signal_exchange.feedback.views import NUMBERS_SHOWN
from signal_exchange.runtime.settings import ServiceSettings, loaded
from signal_exchange.stream.erasing import _marker_keys
from signal_exchange.stream.messages import Message


def feedback() -> Consuming:
    return Consuming("feedback", TABLES, FeedbackHandler(a_register))


def views(sent: list[Sent]) -> list[dict[str, Any]]:
    return of_record(sent, "SignalView")


def a_detail(code: str, size: int = 100) -> dict[str, object]:
    return {"group": f"gm:{code}", "key_id": "k", "ciphertext": b"x" * size}


def test_a_received_number_reaches_its_own_municipality() -> None:
    (sent,) = feedback().take(a_trace_fact(at=START))
    assert (sent.topic, sent.key) == ("feedback.gm0983", ONE)
    assert sent.fields["received"] == [{"publisher_run": RUN, "sequence": 1, "verdict": "routed"}]
    assert [(step["service"], step["stage"], step["at"]) for step in sent.fields["steps"]] == [("routing", "RECEIVED", START)]
    assert (sent.fields["signal_id"], sent.fields["version"], sent.fields["own_ref"]) == (ONE, 1, None)


def test_same_signal_twice_is_one_item() -> None:
    consumer = feedback()
    batch = (a_trace_fact(), an_outcome(own_ref=b"ref"))
    assert len(consumer.take(*batch)) == 1
    before = consumer.rows(VIEWS)
    assert consumer.take(*batch) == []
    assert consumer.rows(VIEWS) == before


def test_one_record_per_changed_signal_however_many_messages_tell_of_it() -> None:
    messages = [a_trace_fact(number, sequence=number * 10 + step) for number in (1, 2) for step in range(5)]
    assert [view["signal_id"] for view in views(feedback().take(*messages))] == [ONE, messages[-1].fields["signal_id"]]


def test_the_revision_grows_and_never_starts_again_after_a_rebuild() -> None:
    consumer = feedback()
    (first,) = views(consumer.take(a_trace_fact(at=START)))
    (second,) = views(consumer.take(a_trace_fact(at=START, sequence=2)))
    (third,) = views(consumer.take(a_trace_fact(at=minutes(1), sequence=3)))
    assert first["revision"] < second["revision"] < third["revision"]
    (rebuilt,) = views(feedback().take(*(a_trace_fact(at=minutes(n), sequence=n) for n in (1, 2, 3))))
    assert rebuilt["revision"] > third["revision"]


def test_a_later_verdict_on_a_number_replaces_the_earlier_one() -> None:
    consumer = feedback()
    consumer.take(a_trace_fact(at=START, verdict="routed"))
    (view,) = views(consumer.take(a_trace_fact(at=minutes(5), verdict="superseded"), a_trace_fact(at=START, verdict="routed")))
    assert [number["verdict"] for number in view["received"]] == ["superseded"]


def test_a_parked_number_is_accounted_for() -> None:
    (view,) = views(feedback().take(a_trace_fact(stage="PARKED", verdict="parked")))
    assert [number["verdict"] for number in view["received"]] == ["parked"]


def test_the_latest_step_per_service_stage_and_destination_stands_in_the_view() -> None:
    routed: dict[str, Any] = {"stage": "ROUTED", "publisher_run": None, "sequence": None}
    agenda, care = {**routed, "destination": "SCREENING_AGENDA"}, {**routed, "destination": "CARE_COORDINATOR"}
    (view,) = views(
        feedback().take(
            a_trace_fact(),
            a_trace_fact(at=minutes(2), verdict="SEND", version=2, **agenda),
            a_trace_fact(at=minutes(1), verdict="DENY", owner_role="ATTENTION_OFFICER", next_date="2026-12-16", **agenda),
            a_trace_fact(at=minutes(1), verdict="DENY", **care),
        )
    )
    told = {(step["stage"], step["destination"]): (step["verdict"], step["version"]) for step in view["steps"]}
    assert told == {
        ("RECEIVED", None): ("routed", 1),
        ("ROUTED", "SCREENING_AGENDA"): ("SEND", 2),
        ("ROUTED", "CARE_COORDINATOR"): ("DENY", 1),
    }
    assert view["version"] == 2


def test_r_agenda_09_outcomes_are_copied_latest_by_revision_with_their_sealed_detail() -> None:
    accepted = an_outcome(
        name="care",
        kind="REFERRAL",
        source="worklist",
        state="ACCEPTED",
        outcome="IN_TREATMENT",
        revision=3,
        detail=a_detail(VENLO),
    )
    seen = an_outcome(name="care", kind="REFERRAL", source="worklist", state="SEEN", revision=2)
    (view,) = views(feedback().take(an_outcome(at=minutes(-1), own_ref=b"own", detail=a_detail(VENLO)), accepted, seen))
    assert [(each["kind"], each["state"], each["outcome"]) for each in view["outcomes"]] == [
        ("ROUTED", "ROUTED", None),
        ("REFERRAL", "ACCEPTED", "IN_TREATMENT"),
    ]
    assert view["outcomes"][1]["detail"] == a_detail(VENLO)
    assert view["own_ref"] == b"own"


def test_r_agenda_08_nothing_of_another_municipality_gets_in() -> None:
    # Weert signs a record with the id of a signal of Venlo: routing parks it, and the number is Weert's own.
    consumer = feedback()
    consumer.take(a_trace_fact(), an_outcome(own_ref=b"venlo", detail=a_detail(VENLO)))
    (sent,) = consumer.take(a_trace_fact(stage="PARKED", verdict="parked", municipality=WEERT, version=2, sequence=7))
    assert sent.topic == "feedback.gm0988"
    assert sent.fields["outcomes"] == []
    assert sent.fields["own_ref"] is None
    assert [number["sequence"] for number in sent.fields["received"]] == [7]
    assert [view["topic"] for view in _both(consumer)] == ["feedback.gm0983"]


def _both(consumer: Consuming) -> list[dict[str, Any]]:
    sent = consumer.take(a_trace_fact(at=minutes(9), sequence=2))
    assert [number["sequence"] for number in sent[0].fields["received"]] == [1, 2]
    return [{"topic": each.topic} for each in sent]


def test_the_store_gives_the_views_of_the_municipalities_that_were_asked_for() -> None:
    consumer = feedback()
    consumer.take(a_trace_fact(), a_trace_fact(municipality=WEERT))
    with consumer.database.reading() as connection:
        assert set(FeedbackStore(connection).views([(WEERT, ONE)])) == {(WEERT, ONE)}


def test_a_service_that_names_the_wrong_municipality_tells_it_nothing() -> None:
    consumer = feedback()
    consumer.take(a_trace_fact())
    wrong = an_outcome(name="agenda", source="agenda", kind="DECISION", municipality=ROERMOND, state="DECIDED")
    assert consumer.take(wrong) == []


def test_an_outcome_that_comes_before_the_trace_is_told_with_it() -> None:
    consumer = feedback()
    assert consumer.take(an_outcome(name="care", source="worklist", kind="REFERRAL", state="SEEN")) == []
    (view,) = views(consumer.take(a_trace_fact()))
    assert [outcome["state"] for outcome in view["outcomes"]] == ["SEEN"]


def test_a_step_without_municipality_or_signal_is_ignored() -> None:
    consumer = feedback()
    unattributed = a_trace_fact(None, stage="PARKED", municipality=None, verdict="unattributed")
    assert consumer.take(unattributed, a_trace_fact(None, stage="CHECKPOINT", sequence=9), a_trace_fact(municipality=None)) == []
    assert consumer.rows(VIEWS) == []


def test_an_unknown_municipality_or_a_detail_for_another_group_is_parked_and_the_rest_goes_on() -> None:
    sent = feedback().take(an_outcome(municipality="GM9999"), an_outcome(detail=a_detail(WEERT)), a_trace_fact())
    assert [parked["errors"] for parked in of_record(sent, "ParkedRecord")] == [
        ["municipality R-VAL-02"],
        ["detail.group R-AGENDA-08"],
    ]
    assert len(views(sent)) == 1
    assert {step["municipality"] for step in of_record(sent, "TraceFact")} == {None}


def test_a_view_always_fits_a_record() -> None:
    outcomes = [an_outcome(name=str(n), source="worklist", at=minutes(n), detail=a_detail(VENLO, 2_500)) for n in range(30)]
    numbers = [a_trace_fact(sequence=n, at=minutes(n)) for n in range(1, NUMBERS_SHOWN + 101)]
    (view,) = views(feedback().take(*outcomes, *numbers))  # a record that is too large would not decode
    assert [number["sequence"] for number in view["received"]] == list(range(101, NUMBERS_SHOWN + 101))
    assert [outcome["detail"] is not None for outcome in view["outcomes"]] == [False] * 16 + [True] * 14


def test_a_batch_takes_a_handful_of_statements() -> None:
    consumer, statements = feedback(), list[str]()
    event.listen(consumer.database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    consumer.take(*(a_trace_fact(number, sequence=number) for number in range(1, 501)))
    assert len([each for each in statements if not each.startswith("BEGIN")]) == 3


told = st.lists(
    st.one_of(
        st.builds(
            lambda number, at, verdict, code: a_trace_fact(number, at=minutes(at), verdict=verdict, municipality=code),
            st.integers(1, 2),
            st.integers(0, 3),
            st.sampled_from(["routed", "superseded"]),
            st.sampled_from([VENLO, WEERT]),
        ),
        st.builds(
            lambda number, revision: an_outcome(number, revision=revision, state=f"STATE{revision}"),
            st.integers(1, 2),
            st.integers(1, 4),
        ),
    ),
    max_size=8,
)


def content(consumer: Consuming) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "revision"} for row in consumer.rows(VIEWS)]


@settings(deadline=None)
@given(told, st.data())
def test_any_order_and_repetition_of_the_same_records_ends_in_the_same_views(
    messages: list[Message], data: st.DataObject
) -> None:
    once, again = feedback(), feedback()
    once.take(*messages)
    for message in [*data.draw(st.permutations(messages)), *data.draw(st.permutations(messages))]:
        again.take(message)
    assert content(once) == content(again)


def test_the_service_reads_outcomes_and_the_trace_and_knows_every_municipality(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in an_environment(tmp_path, "feedback").items():
        monkeypatch.setenv(name, value)
    spec = consumer_spec(loaded(ServiceSettings))
    assert spec.sources == ("outcomes", "signal-trace", "retry.feedback")
    assert isinstance(spec.handle, FeedbackHandler)
    assert spec.handle.current_register() == a_register()


def an_erasure(**changed: Any) -> Message:
    """Give what routing tells of an erasure."""
    own = {"kind": "ERASURE", "state": "REQUESTED", "version": 2, "revision": 7, "word": a_word()}
    return an_outcome(name="erasure", **{**own, **changed})


def test_of_an_erased_signal_the_view_keeps_its_numbers_the_erasure_and_the_receipts_and_nothing_else() -> None:
    consumer = feedback()
    detail = a_detail(VENLO)
    consumer.take(a_trace_fact(), an_outcome(own_ref=b"ref", detail=detail), an_outcome(name="x", kind="DECISION", detail=detail))
    sent = consumer.take(an_erasure(), an_outcome(name="late", kind="REFERRAL", source="worklist", detail=detail))
    [view] = views(sent)
    assert (view["own_ref"], view["steps"], [each["kind"] for each in view["outcomes"]]) == (None, [], ["ERASURE"])
    assert view["received"]
    [receipt] = of_record(sent, "Outcome")
    assert (receipt["kind"], receipt["state"], receipt["source"]) == ("RECEIPT", "DONE", "feedback")
    told = an_outcome(name="r", kind="RECEIPT", state="DONE", source="worklist")
    [view] = views(consumer.take(told, a_trace_fact(sequence=2, verdict="erased", at=minutes(9))))
    assert sorted(each["kind"] for each in view["outcomes"]) == ["ERASURE", "RECEIPT"]
    assert [each["verdict"] for each in view["received"]] == ["routed", "erased"]
    assert b"x" * 100 not in str(consumer.rows(VIEWS)).encode()


@pytest.mark.parametrize("stage", ["RECEIVED", "PARKED"])
def test_only_routing_accounts_for_a_number_after_which_its_municipality_lets_go_of_it(stage: str) -> None:
    consumer = feedback()
    [view] = views(consumer.take(a_trace_fact(), a_trace_fact(service="worklist", stage=stage, sequence=2, trace_id="x")))
    assert [each["sequence"] for each in view["received"]] == [1]


FORGED: dict[str, dict[str, Any]] = {
    "by another service": {"source": "agenda"},
    "without a word": {"word": None},
    "with the word about another signal": {"word": a_word(TWO)},
    "with another municipality's word": {"word": a_word(ONE, WEERT)},
    "of another municipality's signal": {"municipality": WEERT},
    "with a signature that is not the key's": {"word": a_word(signature=bytes(64))},
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_an_order_to_erase_without_the_municipalitys_own_word_is_parked_and_changes_nothing(forged: dict[str, Any]) -> None:
    consumer = feedback()
    consumer.take(a_trace_fact(), an_outcome(own_ref=b"ref"))
    before = consumer.everything()
    sent = consumer.take(an_erasure(**forged))
    [parked] = of_record(sent, "ParkedRecord")
    assert parked["reason"] == "ERASURE_UNPROVEN"
    assert (of_record(sent, "Outcome"), views(sent), consumer.everything()) == ([], [], before)


def test_the_word_goes_on_to_the_municipality_byte_for_byte() -> None:
    consumer, word = feedback(), a_word()
    [view] = views(consumer.take(a_trace_fact(), an_erasure(word=word), an_outcome(name="late", word=a_word())))
    assert {each["kind"]: each["word"] for each in view["outcomes"]} == {"ERASURE": word}


def test_an_erasure_of_what_is_not_known_here_is_answered_too() -> None:
    [receipt] = of_record(feedback().take(an_erasure()), "Outcome")
    assert receipt["state"] == "NOTHING_HELD"


def test_when_the_outcomes_are_marked_every_municipalitys_topic_is_marked() -> None:
    consumer = feedback()
    handler = FeedbackHandler(a_register)
    work_letters: list[Sent] = []
    for key in _marker_keys():
        work_letters += consumer.on_tombstones(handler.on_tombstones, gone("outcomes", key))
    assert {each.topic for each in work_letters} == {f"feedback.{code.lower()}" for code in MUNICIPALITIES}
    assert len(work_letters) == 6 * len(MUNICIPALITIES)
