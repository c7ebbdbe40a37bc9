from datetime import timedelta

import pytest
from domain_cases import amsterdam
from hypothesis import given
from hypothesis import strategies as st

from signal_exchange.domain.figures.ledger import GAPS_SHOWN, VERDICTS, Checkpoint, Entry, Gap, Ledger
from signal_exchange_demo.ledger import balance, gaps_between

AT = amsterdam("2026-11-20T10:00")
RUN = ("GM0983", "run-1")

verdicts = st.sampled_from([verdict for verdict in VERDICTS if verdict != "in_flight"])
facts = st.lists(
    st.builds(
        lambda run, sequence, verdict, signal, version: Entry(("GM0983", run, sequence), verdict, signal, version),
        st.sampled_from(["run-1", "run-2"]),
        st.integers(1, 6),
        verdicts,
        st.sampled_from(["a", "b", "c"]),
        st.integers(1, 3),
    ),
    max_size=20,
)


def entry(sequence: int, verdict: str, signal_id: str | None = None, version: int = 1) -> Entry:
    return Entry((*RUN, sequence), verdict, signal_id or f"s{sequence}", version)


def checkpoint(highest: int, minutes: int = 0, run: str = "run-1") -> Checkpoint:
    return Checkpoint("GM0983", run, highest, AT + timedelta(minutes=minutes))


def places(ledger: Ledger) -> dict[str, int]:
    return {verdict: count for verdict, count in ledger.counts.items() if count}


def test_r_flow_01_every_number_is_in_exactly_one_place() -> None:
    entries = [entry(number, verdict) for number, verdict in enumerate(VERDICTS, start=1)]
    ledger = balance(entries, [checkpoint(10)])
    assert places(ledger) == dict.fromkeys(VERDICTS, 1)
    assert (ledger.sent, ledger.early, ledger.conserved) == (10, 0, True)


def test_r_flow_01_the_sent_count_comes_from_the_checkpoints_and_not_from_the_trace() -> None:
    ledger = balance([entry(1, "routed")], [checkpoint(3), checkpoint(2), checkpoint(4, run="run-2")])
    assert (ledger.sent, places(ledger)) == (7, {"routed": 1, "in_flight": 6})
    assert ledger.conserved


def test_r_flow_01_what_is_seen_before_its_checkpoint_is_early() -> None:
    ledger = balance([entry(1, "routed"), entry(2, "parked")], [checkpoint(1)])
    assert (ledger.sent, ledger.early, places(ledger)) == (1, 1, {"routed": 1, "parked": 1})


def test_r_flow_01_a_later_fact_moves_a_number() -> None:
    ledger = balance([entry(1, "in_flight"), entry(1, "parked"), entry(1, "routed")], [checkpoint(1)])
    assert places(ledger) == {"routed": 1}


def test_r_flow_01_a_second_record_under_a_used_number_is_unattributed_and_leaves_the_first_alone() -> None:
    ledger = balance([entry(1, "routed", "a"), entry(1, "parked", "b"), entry(1, "routed", "a", 2)], [checkpoint(1)])
    assert (places(ledger), ledger.unattributed, ledger.published) == ({"routed": 1}, 2, 1)


def test_r_flow_01_forged_and_unknown_records_blame_nobody() -> None:
    forged = [Entry(None, "parked"), Entry((*RUN, 1), "unattributed", "a", 1)]
    ledger = balance(forged, [checkpoint(1)])
    assert (ledger.unattributed, ledger.published, places(ledger)) == (2, 0, {"in_flight": 1})


@pytest.mark.parametrize(
    ("entries", "state"),
    [
        ([entry(1, "superseded", "a", 1), entry(2, "routed", "a", 2)], "routed"),
        ([entry(1, "routed", "a", 1), entry(2, "parked", "a", 2)], "routed"),
        ([entry(1, "parked", "a", 1), entry(2, "parked", "a", 2)], "parked"),
        ([entry(1, "parked", "a", 1), entry(2, "discarded", "a", 2)], "discarded"),
        ([entry(1, "superseded", "a", 1), entry(2, "withdrawn", "a", 2)], "withdrawn"),
        ([entry(1, "superseded", "a", 1), entry(2, "withdrawn", "a", 2), entry(3, "erased", "a", 3)], "erased"),
        ([entry(1, "routed", "a", 1), entry(2, "repeat", "a", 1), entry(3, "renewed", "a", 1)], "routed"),
        ([entry(1, "in_flight", "a", 1)], "in_flight"),
        ([entry(1, "superseded", "a", 1)], "in_flight"),
    ],
)
def test_r_flow_01_a_signal_is_where_its_last_accepted_version_is(entries: list[Entry], state: str) -> None:
    ledger = balance(entries, [checkpoint(len(entries))])
    assert {place for place, count in ledger.signals.items() if count} == {state}
    assert (ledger.published, ledger.conserved) == (1, True)


def test_r_flow_01_a_number_still_missing_ten_minutes_after_its_checkpoint_is_an_alarm() -> None:
    seen = [entry(1, "routed"), entry(3, "routed")]
    named = [checkpoint(2), checkpoint(4, minutes=15)]
    assert balance(seen, named, now=AT + timedelta(minutes=10)).conserved
    late = balance(seen, named, now=AT + timedelta(minutes=10, seconds=1))
    assert (late.overdue, late.gaps, late.conserved) == (1, (Gap(*RUN, 2, 2),), False)
    assert balance(seen, named, now=AT + timedelta(minutes=26)).gaps == (Gap(*RUN, 2, 2), Gap(*RUN, 4, 4))
    assert balance(seen, named).conserved


def test_a_number_may_speak_of_no_signal() -> None:
    ledger = balance([Entry((*RUN, 1), "answer")], [checkpoint(1)])
    assert (places(ledger), ledger.published, ledger.conserved) == ({"answer": 1}, 0, True)


def test_a_ledger_that_does_not_add_up_says_so() -> None:
    whole = balance([entry(1, "routed")], [checkpoint(1)])
    assert not Ledger(2, 0, whole.counts, whole.signals, 1, 0, 0, ()).conserved
    assert not Ledger(1, 0, whole.counts, whole.signals, 2, 0, 0, ()).conserved


@given(facts, st.integers(0, 8), st.integers(0, 8))
def test_r_flow_01_published_equals_the_sum_of_its_places_whatever_happens(entries: list[Entry], first: int, second: int) -> None:
    ledger = balance(entries, [checkpoint(first), checkpoint(second, run="run-2")])
    assert ledger.conserved
    assert sum(ledger.counts.values()) == first + second + ledger.early
    numbers = {found.number for found in entries}
    assert sum(ledger.counts.values()) - ledger.counts["in_flight"] == len(numbers)
    assert ledger.published <= 3


@pytest.mark.parametrize(
    ("ranges", "highest", "expected"),
    [
        ([], 0, []),
        ([], 2**62, [(1, 2**62)]),
        ([(1, 1), (3, 3)], 4, [(2, 2), (4, 4)]),
        ([(2, 9), (3, 4), (12, 12)], 13, [(1, 1), (10, 11), (13, 13)]),
        ([(5, 7)], 3, [(1, 3)]),
        ([(1, 2**53)], 7, []),
    ],
)
def test_r_flow_01_gaps_are_ranges(ranges: list[tuple[int, int]], highest: int, expected: list[tuple[int, int]]) -> None:
    assert list(gaps_between(ranges, highest)) == expected


def test_r_flow_01_a_checkpoint_of_any_size_costs_nothing() -> None:
    ledger = balance([entry(1, "routed")], [checkpoint(2**53)], now=AT + timedelta(hours=1))
    assert (ledger.sent, ledger.overdue, ledger.gaps) == (2**53, 2**53 - 1, (Gap(*RUN, 2, 2**53),))


def test_r_flow_01_of_many_gaps_the_first_are_named_and_all_counted() -> None:
    seen = [entry(number, "routed") for number in range(2, 1000, 2)]
    ledger = balance(seen, [checkpoint(1000)], now=AT + timedelta(hours=1))
    assert (len(ledger.gaps), ledger.overdue) == (GAPS_SHOWN, 501)
