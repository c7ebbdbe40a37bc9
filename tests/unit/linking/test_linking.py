"""What linking finds, asks and tells (R-LINK), and that late and repeated records end in the same state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from builders import START, TOMBSTONE, VENLO, WEERT, Consuming, Sent, an_identity, gone, of_record, opened_detail, signal_id
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from link_records import LATER, PERSON, PLATE, Carried, a_signal, an_answer, confirmed, linking, sealed_tokens, the_link
from structlog.testing import capture_logs
from trying import examples

from signal_exchange.domain.links.sharing import SAME_PERSON, SHARED_CONTEXT
from signal_exchange.linking.handler import LinkingHandler
from signal_exchange.linking.tables import ANSWERS, FACTS, LINKS, MEMBERSHIPS, MENTIONS, SIGNALS, TABLES, TOKENS
from signal_exchange.recovery.rebuilding import ReplayWork
from signal_exchange.stream.erasing import _marker_keys
from signal_exchange.stream.messages import Message
from signal_exchange.stream.tables import ERASED

LINK = the_link(1, 2)


def candidates(sent: Sequence[Sent]) -> dict[str, dict[str, Any]]:
    return {each["link_id"]: each for each in of_record(sent, "LinkCandidate")}


def clusters_of(consumer: Consuming) -> list[list[str]]:
    named: dict[str, list[str]] = {}
    for row in consumer.rows(MEMBERSHIPS):
        if row["cluster_id"]:
            named.setdefault(row["cluster_id"], []).append(row["signal_id"])
    return sorted(named.values())


def persons(consumer: Consuming) -> Counter[str]:
    return Counter(row["municipality"] for row in consumer.rows(FACTS) if row["counted"])


def test_same_signal_twice_is_one_item() -> None:
    consumer = linking()
    consumer.take(a_signal(1, PERSON), a_signal(2, PERSON))
    before = consumer.everything()
    assert consumer.take(a_signal(1, PERSON), a_signal(2, PERSON)) == []
    assert consumer.everything() == before


def test_r_link_02_two_reports_of_one_person_in_venlo_and_weert_are_a_candidate_that_both_confirm() -> None:
    consumer = linking()
    consumer.take(a_signal(1, PERSON))
    [found] = candidates(consumer.take(a_signal(2, PERSON))).values()
    assert (found["kind"], found["key_types"], found["state"]) == ("SAME_PERSON", ["NAME_DOB"], "CANDIDATE")
    assert (found["across"], found["frequency"], found["awaits"]) == (True, "2", [VENLO, WEERT])
    assert persons(consumer) == {VENLO: 1, WEERT: 1}
    told = consumer.take(*confirmed(LINK))
    assert candidates(told)[LINK]["state"] == "CONFIRMED"
    memberships = of_record(told, "ClusterMembership")
    assert len({each["cluster_id"] for each in memberships}) == 1
    assert [each["signal_id"] for each in memberships] == [signal_id(1), signal_id(2)]
    assert persons(consumer) == {VENLO: 1}


def test_r_link_02_a_shared_plate_is_a_context_that_the_chain_director_confirms() -> None:
    consumer = linking()
    told = consumer.take(a_signal(1, PLATE), a_signal(2, PLATE))
    context = the_link(1, 2, SHARED_CONTEXT)
    assert candidates(told)[context]["awaits"] == ["CHAIN_DIRECTOR"]
    assert of_record(told, "Outcome") == []
    consumer.take(an_answer(context, "CONFIRM"))
    assert clusters_of(consumer) == [[signal_id(1), signal_id(2)]]
    assert persons(consumer) == {VENLO: 1, WEERT: 1}


def test_no_value_and_no_token_leaves_linking() -> None:
    consumer = linking()
    consumer.take(a_signal(1, PERSON, PLATE), a_signal(2, PERSON, PLATE), *confirmed(LINK))
    tokens = [row["token"] for row in consumer.rows(TOKENS)]
    with consumer.database.reading() as connection:
        values = connection.exec_driver_sql("select value from outbox").scalars().all()
    assert tokens
    assert not any(token in value or token.hex().encode() in value for token in tokens for value in values)


@pytest.mark.parametrize(
    ("key_type", "cap", "pairs"), [("NAME_DOB_SOFT", 8, 28), ("NAME_DOB", 10, 45), ("KVK", 15, 105), ("ADDRESS_PC", 20, 190)]
)
def test_r_link_03_a_cap_bounds_the_pairs_and_later_signals_find_nothing(key_type: str, cap: int, pairs: int) -> None:
    consumer, value = linking(), ("object:0", key_type, "5999ZZ|12|")
    for number in range(1, cap + 1):
        consumer.take(a_signal(number, value))
    assert len(consumer.rows(LINKS)) == pairs
    told = consumer.take(a_signal(cap + 1, value))
    assert len(consumer.rows(LINKS)) == pairs
    assert {each["frequency"] for each in candidates(told).values()} == {"COMMON"}
    assert candidates(consumer.take(a_signal(cap + 2, value))) == {}


def test_r_link_04_the_question_goes_out_after_the_release_and_says_nothing_of_the_other_signal() -> None:
    consumer = linking()
    assert of_record(consumer.take(a_signal(1, PERSON), a_signal(2, PERSON)), "Outcome") == []
    asked = of_record(consumer.take(an_answer(LINK, "RELEASE")), "Outcome")
    assert [(each["municipality"], each["kind"], each["state"]) for each in asked] == [
        (VENLO, "LINK_QUESTION", "ASKED"),
        (WEERT, "LINK_QUESTION", "ASKED"),
    ]
    detail = opened_detail(asked[0]["detail"], f"{asked[0]['signal_id']}/{asked[0]['outcome_id']}")
    assert (detail["link_id"], detail["key_types"], detail["other"]) == (LINK, ["NAME_DOB"], None)
    assert signal_id(2) not in str(detail)
    assert WEERT not in str(detail)


def test_r_link_04_the_other_signals_codes_are_shown_only_after_both_chose_to_compare() -> None:
    consumer = linking()
    consumer.take(a_signal(1, PERSON), a_signal(2, PERSON), an_answer(LINK, "RELEASE"))
    assert of_record(consumer.take(an_answer(LINK, "COMPARE", VENLO, days=2)), "Outcome") == []
    shown = of_record(consumer.take(an_answer(LINK, "COMPARE", WEERT, days=3)), "Outcome")
    details = [opened_detail(each["detail"], f"{each['signal_id']}/{each['outcome_id']}") for each in shown]
    assert {each["state"] for each in shown} == {"COMPARING"}
    assert details[0]["other"] == {"form": "LABOUR", "subjects": [{"role": "VICTIM", "age_class": "AGE_23_PLUS"}]}


def test_r_link_04_a_question_is_closed_when_the_link_is_decided() -> None:
    consumer = linking()
    consumer.take(a_signal(1, PERSON), a_signal(2, PERSON), an_answer(LINK, "RELEASE"))
    closed = of_record(consumer.take(an_answer(LINK, "REJECT", WEERT, days=2)), "Outcome")
    assert {each["state"] for each in closed} == {"CLOSED"}
    assert candidates(consumer.take(a_signal(2, PERSON, revision=2))) == {}


def test_r_link_04_a_confirmed_link_whose_value_disappears_is_a_candidate_without_evidence() -> None:
    consumer = linking()
    consumer.take(a_signal(1, PERSON), a_signal(2, PERSON), *confirmed(LINK))
    told = consumer.take(a_signal(2, PLATE, version=2, revision=2))
    assert (candidates(told)[LINK]["state"], candidates(told)[LINK]["evidence_gone"]) == ("CANDIDATE", True)
    assert (clusters_of(consumer), persons(consumer)) == ([[signal_id(1)]], {VENLO: 1, WEERT: 1})


def test_r_link_04_renewed_tokens_keep_a_candidate_and_a_confirmed_link_lives_on_without_tokens() -> None:
    consumer = linking(now=START + timedelta(days=100))
    consumer.take(a_signal(1, PERSON), a_signal(2, PERSON))
    assert consumer.rows(LINKS)[0]["state"] == "EXPIRED"
    came = START + timedelta(days=50)
    renewed = {"epoch": "2027H1", "revision": 2, "tokens_at": came}
    consumer.take(*(a_signal(number, PERSON, **renewed) for number in (1, 2)))  # type: ignore[arg-type]  # fields by name
    assert consumer.rows(LINKS)[0]["state"] == "CANDIDATE"
    consumer.take(*confirmed(LINK))
    with consumer.database.transaction() as connection:
        connection.execute(TOKENS.delete())
    assert candidates(consumer.take(a_signal(1, revision=3))) == {}
    assert consumer.rows(LINKS)[0]["state"] == "CONFIRMED"


def test_r_agenda_03_a_closed_signal_connects_nothing_and_its_person_still_counts_once() -> None:
    consumer = linking()
    pair, other = the_link(1, 2), the_link(2, 3)
    consumer.take(*(a_signal(number, PERSON) for number in (1, 2, 3)), *confirmed(pair), *confirmed(other))
    assert clusters_of(consumer) == [[signal_id(1), signal_id(2), signal_id(3)]]
    consumer.take(a_signal(2, PERSON, revision=2, status="CLOSED", stated_at=LATER))
    assert clusters_of(consumer) == [[signal_id(1)]]
    assert persons(consumer) == {VENLO: 1}


def test_r_link_06_undo_splits_the_cluster_and_the_oldest_part_keeps_the_id() -> None:
    consumer = linking()
    consumer.take(*(a_signal(number, PERSON) for number in (1, 2, 3)), *confirmed(LINK), *confirmed(the_link(2, 3)))
    name = consumer.rows(MEMBERSHIPS)[0]["cluster_id"]
    told = of_record(consumer.take(an_answer(the_link(2, 3), "UNDO", days=4)), "ClusterMembership")
    assert {each["signal_id"]: each["cluster_id"] for each in told} == {signal_id(2): name, signal_id(3): None}
    assert persons(consumer) == {VENLO: 2}


def test_r_stat_01_a_withdrawn_signal_counts_no_person() -> None:
    consumer = linking()
    consumer.take(a_signal(1, PERSON), a_signal(2, PERSON))
    told = consumer.take(a_signal(1, version=2, revision=2, status="WITHDRAWN"))
    assert [each["counted"] for each in of_record(told, "Observation")] == [False]
    assert persons(consumer) == {WEERT: 1}


def test_a_signal_that_is_withdrawn_after_a_question_is_told_without_saying_which() -> None:
    consumer = linking()
    consumer.take(a_signal(1, PERSON), a_signal(2, PERSON))
    with capture_logs() as logged:
        consumer.take(a_signal(3, PLATE), a_signal(3, version=2, revision=2, status="WITHDRAWN"))
        assert logged == []
        consumer.take(an_answer(LINK, "RELEASE"))
        consumer.take(a_signal(2, version=2, revision=2, status="WITHDRAWN"))
    assert logged == [{"event": "withdrawn_after_question", "log_level": "warning", "count": 1}]
    assert isinstance(consumer.handle, LinkingHandler)
    assert consumer.handle.metrics.withdrawn_after_question._value.get() == 1


def test_an_erased_signal_leaves_no_token_and_no_answer_and_its_person_stays_counted() -> None:
    consumer = linking()
    consumer.take(a_signal(1, PERSON), a_signal(2, PERSON), *confirmed(LINK))
    erased = a_signal(1, version=2, revision=9, status="ERASED", form=None, subjects=[])
    told = consumer.take(erased)
    assert candidates(told)[LINK]["state"] == "ERASED"
    assert [(each["kind"], each["state"]) for each in of_record(told, "Outcome") if each["kind"] == "RECEIPT"] == [
        ("RECEIPT", "DONE")
    ]
    assert {("link-candidates", LINK), ("links", signal_id(1))} == {
        (each.topic, each.key) for each in told if each.record == TOMBSTONE
    }
    assert {row["signal_id"] for row in consumer.rows(TOKENS)} == {signal_id(2)}
    assert (consumer.rows(ANSWERS), clusters_of(consumer), persons(consumer)) == ([], [[signal_id(2)]], {VENLO: 1})
    assert signal_id(1) not in str(consumer.rows(FACTS)) + str(consumer.rows(MENTIONS))
    before = consumer.everything("record_mentions")
    consumer.take(a_signal(1, PERSON), an_answer(LINK, "CONFIRM", VENLO, days=4))
    assert consumer.everything("record_mentions") == before


def test_tokens_of_an_old_epoch_are_parked_as_epoch_expired_and_the_signal_still_counts() -> None:
    consumer = linking()
    told = consumer.take(a_signal(1, PERSON, epoch="2026H1"))
    [parked] = of_record(told, "ParkedRecord")
    assert (parked["reason"], consumer.rows(TOKENS), persons(consumer)) == ("EPOCH_EXPIRED", [], {VENLO: 1})


def test_tokens_that_do_not_open_are_parked() -> None:
    consumer = linking()
    [parked] = of_record(consumer.take(a_signal(1, tokens=sealed_tokens([PERSON], "another.1"))), "ParkedRecord")
    assert (parked["reason"], len(consumer.rows(SIGNALS))) == ("DECRYPT_FAILED", 1)


@pytest.mark.parametrize("carrier", ["subject:\n", "subject:\u2028", "\x7f"])
def test_r_val_22_what_was_sealed_passes_the_border_too(carrier: str) -> None:
    consumer = linking()
    [parked] = of_record(consumer.take(a_signal(1, (carrier, *PERSON[1:]))), "ParkedRecord")
    assert (parked["reason"], parked["errors"]) == ("SCHEMA_INVALID", ["carrier R-VAL-22"])
    assert (consumer.rows(TOKENS), len(consumer.rows(SIGNALS))) == ([], 1)


def test_a_value_that_stands_twice_in_one_place_is_parked_by_field_and_rule() -> None:
    [parked] = of_record(linking().take(a_signal(1, PLATE, ("object:1", *PLATE[1:]))), "ParkedRecord")
    assert (parked["reason"], parked["errors"]) == ("CONTENT_INVALID", ["token R-VAL-14"])


VALUES: list[Carried] = [PERSON, ("subject:s1", "BSN", "999990019"), PLATE]
NEXT_EPOCH = START + timedelta(days=50)


def published(number: int, version: int, values: tuple[Carried, ...], status: str) -> Message:
    """Give a version of a signal; corrected is the next one."""
    at = START + timedelta(hours=number + version)
    held = values if status != "WITHDRAWN" else ()
    return a_signal(number, *held, version=version, revision=10 * version, status=status, stated_at=at, tokens_at=at)


def renewed(number: int, version: int, values: tuple[Carried, ...]) -> Message:
    """Give the same version with tokens of the next epoch."""
    state = {"version": version, "revision": 10 * version + 1, "stated_at": NEXT_EPOCH, "tokens_at": NEXT_EPOCH}
    return a_signal(number, *values, epoch="2027H1", **state)


carried = st.lists(st.sampled_from(VALUES), unique=True, max_size=3).map(tuple)
numbers, versions = st.integers(1, 4), st.integers(1, 2)
statuses = st.sampled_from(["OPEN", "OPEN", "CLOSED", "WITHDRAWN"])
signals = st.builds(published, numbers, versions, carried, statuses) | st.builds(renewed, numbers, versions, carried)
answers = st.builds(
    lambda pair, kind, who, days, link_kind: an_answer(the_link(pair[0], pair[1], link_kind), kind, who, days=days),
    st.sampled_from([(1, 2), (1, 3), (2, 3), (2, 4)]),
    st.sampled_from(["RELEASE", "CONFIRM", "CONFIRM", "REJECT", "UNDO", "SPLIT", "COMPARE"]),
    st.sampled_from([None, VENLO, WEERT]),
    st.integers(1, 4),
    st.sampled_from([SAME_PERSON, SHARED_CONTEXT]),
)


def picture(consumer: Consuming) -> object:
    links = [
        {name: value for name, value in row.items() if name not in ("revision", "changed_at")} for row in consumer.rows(LINKS)
    ]
    facts = {row["observation_id"]: (row["municipality"], row["form"]) for row in consumer.rows(FACTS) if row["counted"]}
    return links, clusters_parts(consumer), facts, consumer.rows(TOKENS), consumer.rows(ANSWERS)


def clusters_parts(consumer: Consuming) -> list[list[str]]:
    """Give the clusters of two and more; which lone signal keeps an id depends on what was split."""
    return [part for part in clusters_of(consumer) if len(part) > 1]


def unique(messages: list[Message]) -> list[Message]:
    names = {(each.fields.get("answer_id") or (each.fields["signal_id"], each.fields["revision"])): each for each in messages}
    return list(names.values())


@settings(
    deadline=None, max_examples=examples(40), suppress_health_check=[HealthCheck.too_slow], phases=[Phase.reuse, Phase.generate]
)
@given(st.lists(signals | answers, max_size=10).map(unique), st.permutations(range(20)))
def test_r_link_06_records_in_any_order_and_repeated_end_in_the_same_state(messages: list[Message], order: list[int]) -> None:
    once, again = linking(), linking()
    once.take(*messages)
    twice = [*messages, *messages]
    for message in (twice[place] for place in order if place < len(twice)):
        again.take(message)
    assert picture(once) == picture(again)


def test_nothing_of_an_erased_signal_is_left_once_its_records_are_gone_not_even_by_a_late_answer() -> None:
    consumer = linking()
    assert isinstance(consumer.handle, LinkingHandler)
    consumer.take(a_signal(1, PERSON, PLATE), a_signal(2, PERSON, PLATE), *confirmed(LINK))
    consumer.take(a_signal(1, version=2, revision=9, status="ERASED", form=None, subjects=[]))
    consumer.on_tombstones(consumer.handle.on_tombstones, gone("link-tokens", signal_id(1)))
    consumer.take(an_answer(LINK, "CONFIRM", VENLO, days=4, about=signal_id(1)))
    tables = (SIGNALS, TOKENS, LINKS, ANSWERS, MEMBERSHIPS, MENTIONS, FACTS)
    assert not [table.name for table in tables if signal_id(1) in str(consumer.rows(table))]
    assert (consumer.rows(ANSWERS), persons(consumer)) == ([], {VENLO: 1})


def test_the_rest_of_an_erased_signal_goes_with_its_tombstone_and_linking_marks_its_own_topics() -> None:
    consumer = linking()
    assert isinstance(consumer.handle, LinkingHandler)
    consumer.take(a_signal(1, PERSON), a_signal(1, version=2, revision=9, status="ERASED", form=None, subjects=[]))
    assert len(consumer.rows(SIGNALS)) == 1
    told = consumer.on_tombstones(
        consumer.handle.on_tombstones, gone("link-tokens", signal_id(1)), *(gone("link-tokens", key) for key in _marker_keys())
    )
    assert consumer.rows(SIGNALS) == []
    assert {each.topic for each in told} == {"links", "link-candidates"}
    assert consumer.take(a_signal(1, PERSON, revision=50)) == []
    assert consumer.rows(TOKENS) == consumer.rows(SIGNALS) == []


def erased(number: int) -> Message:
    return a_signal(number, version=2, revision=9, status="ERASED", form=None, subjects=[])


def buried(told: Sequence[Sent]) -> list[tuple[str, str]]:
    return [(each.topic, each.key) for each in told if each.record == TOMBSTONE]


def test_r_ret_03_an_erased_signal_of_which_a_link_was_undone_leaves_nothing_on_links() -> None:
    consumer = linking()
    consumer.take(a_signal(1, PERSON), a_signal(2, PERSON), *confirmed(LINK), an_answer(LINK, "UNDO", days=4))
    told = consumer.take(erased(2))
    assert of_record(told, "ClusterMembership") == []
    assert buried(told) == [("link-candidates", LINK), ("links", signal_id(2))]


def test_r_ret_03_a_membership_that_was_sent_twice_is_buried_again_with_the_signal_and_one_tombstone_is_enough() -> None:
    consumer = linking()
    assert isinstance(consumer.handle, LinkingHandler)
    consumer.take(a_signal(1, PERSON), a_signal(2, PERSON), *confirmed(LINK))
    assert buried(consumer.take(erased(1))).count(("links", signal_id(1))) == 1
    of_one, of_stranger = (gone("link-tokens", signal_id(number)) for number in (1, 9))
    assert buried(consumer.on_tombstones(consumer.handle.on_tombstones, of_one, of_stranger)) == [("links", signal_id(1))]
    assert consumer.on_tombstones(consumer.handle.on_tombstones, of_one, of_stranger) == []


def test_r_ret_03_a_restored_linking_that_sees_a_tombstone_only_erases_the_signal() -> None:
    consumer = linking()
    assert isinstance(consumer.handle, LinkingHandler)
    consumer.take(a_signal(1, PERSON, PLATE), a_signal(2, PERSON, PLATE), *confirmed(LINK))
    told = consumer.on_tombstones(consumer.handle.on_tombstones, gone("link-tokens", signal_id(1)))
    tables = (SIGNALS, TOKENS, LINKS, ANSWERS, MEMBERSHIPS, MENTIONS, FACTS)
    assert not [table.name for table in tables if signal_id(1) in str(consumer.rows(table))]
    assert (consumer.rows(ANSWERS), persons(consumer)) == ([], {VENLO: 1})
    assert candidates(told)[LINK]["state"] == "ERASED"
    assert {("link-candidates", LINK), ("links", signal_id(1))} <= {*buried(told)}
    assert not [each for each in told if each.topic == "outcomes" and each.key.startswith(signal_id(1))]


def test_r_ret_03_a_linking_that_erased_by_a_tombstone_goes_on_and_takes_nothing_of_the_signal_any_more() -> None:
    consumer = linking()
    assert isinstance(consumer.handle, LinkingHandler)
    consumer.take(a_signal(1, PERSON), a_signal(2, PERSON), *confirmed(LINK))
    consumer.on_tombstones(consumer.handle.on_tombstones, gone("link-tokens", signal_id(1)))
    consumer.take(a_signal(2, PLATE, version=2, revision=2), a_signal(3, PERSON))
    assert persons(consumer) == {VENLO: 2}
    assert consumer.take(a_signal(1, PERSON, revision=50)) == []


def test_r_ret_03_that_a_question_is_closed_is_told_about_the_other_signal_and_not_about_the_erased_one() -> None:
    consumer = linking()
    assert isinstance(consumer.handle, LinkingHandler)
    consumer.take(a_signal(1, PERSON), a_signal(3, PERSON))
    told = of_record(consumer.on_tombstones(consumer.handle.on_tombstones, gone("link-tokens", signal_id(1))), "Outcome")
    assert [(each["signal_id"], each["state"]) for each in told] == [(signal_id(3), "CLOSED")]


@pytest.mark.parametrize("answers", [(), (an_answer(LINK, "REJECT", WEERT, days=2),)], ids=["open", "closed before"])
def test_r_ret_03_a_question_between_municipalities_ends_when_one_of_its_signals_is_erased(answers: tuple[Message, ...]) -> None:
    consumer = linking()
    consumer.take(a_signal(1, PERSON), a_signal(2, PERSON), an_answer(LINK, "RELEASE"), *answers)
    told = [each for each in of_record(consumer.take(erased(1)), "Outcome") if each["kind"] == "LINK_QUESTION"]
    assert [(each["municipality"], each["state"]) for each in told] == ([] if answers else [(WEERT, "CLOSED")])


def test_a_rebuild_that_sees_a_tombstone_leaves_what_is_no_projection() -> None:
    consumer, records = linking(), (LINKS, ANSWERS, MEMBERSHIPS, MENTIONS, FACTS, TABLES.tables[ERASED.name])
    assert isinstance(consumer.handle, LinkingHandler)
    consumer.take(a_signal(1, PERSON))
    before = [consumer.rows(table) for table in records]
    with consumer.database.transaction() as connection:
        work = ReplayWork("linking", connection, an_identity().parking_seal("linking"))
        consumer.handle.on_tombstones([gone("link-tokens", signal_id(1))], work)
    assert [consumer.rows(table) for table in records] == before
    assert consumer.rows(SIGNALS) == []


def test_what_is_parked_about_a_signal_ends_with_its_tombstone_and_what_is_about_another_waits() -> None:
    consumer = linking()
    assert isinstance(consumer.handle, LinkingHandler)
    consumer.parks(a_signal(1, PERSON))
    consumer.on_tombstones(consumer.handle.on_tombstones, gone("link-tokens", signal_id(2)))
    assert len(consumer.parked()) == 1
    consumer.on_tombstones(consumer.handle.on_tombstones, gone("link-tokens", signal_id(1)))
    assert consumer.parked() == []
