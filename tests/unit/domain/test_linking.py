"""What may belong together (R-LINK-02, R-LINK-03), and what people made of it (R-LINK-04, R-LINK-06)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.links.sharing import (
    SAME_PERSON,
    SHARED_CONTEXT,
    Holder,
    cap_of,
    frequency_class,
    kind_of,
    last_day_of,
    link_id,
    pair_of,
    proposing,
)
from signal_exchange.domain.links.states import CHAIN_DIRECTOR, OFFICER, Answer, Facts, LinkState, judge
from signal_exchange.domain.policy import Policy

POLICY, CALENDAR = Policy(), WorkingCalendar()
START = datetime(2026, 11, 18, 9, tzinfo=UTC)
VENLO, WEERT = "GM0983", "GM0988"
LAST_DAY = date(2027, 1, 30)
PERSON = Facts(SAME_PERSON, frozenset({VENLO, WEERT}), {"NAME_DOB": START}, None, LAST_DAY)
INSIDE = replace(PERSON, municipalities=frozenset({VENLO}))
CONTEXT = Facts(SHARED_CONTEXT, frozenset({VENLO, WEERT}), {"PLATE": START}, None, LAST_DAY)


def after(days: float) -> datetime:
    return START + timedelta(days=days)


def answer(kind: str, days: float, who: str = CHAIN_DIRECTOR, types: frozenset[str] = frozenset()) -> Answer:
    role, municipality = (CHAIN_DIRECTOR, None) if who == CHAIN_DIRECTOR else (OFFICER, who)
    return Answer(f"{kind}-{who}-{days}", kind, role, municipality, types, after(days))


def state_of(facts: Facts, *answers: Answer, days: float = 5) -> LinkState:
    return judge(facts, answers, CALENDAR, after(days))


def name_of(facts: Facts, *answers: Answer, days: float = 5) -> str:
    return state_of(facts, *answers, days=days).state


BOTH = (answer("RELEASE", 1), answer("CONFIRM", 2, VENLO), answer("CONFIRM", 3, WEERT))


@pytest.mark.parametrize(
    ("key_type", "kind"),
    [
        *((each, SAME_PERSON) for each in ("BSN", "NAME_DOB", "NAME_DOB_SOFT")),
        *((each, SHARED_CONTEXT) for each in ("PHONE", "PLATE", "IBAN", "KVK", "ADDRESS_PC", "ADDRESS_BAG")),
    ],
)
def test_r_link_02_only_a_person_type_proposes_the_same_person(key_type: str, kind: str) -> None:
    assert kind_of(key_type) == kind


@pytest.mark.parametrize(
    ("key_type", "cap", "pairs"),
    [
        ("NAME_DOB_SOFT", 8, 28),
        ("BSN", 10, 45),
        ("PHONE", 10, 45),
        ("KVK", 15, 105),
        ("ADDRESS_PC", 20, 190),
        ("ADDRESS_BAG", 20, 190),
    ],
)
def test_r_link_03_a_cap_bounds_the_pairs_and_the_next_signal_proposes_nothing(key_type: str, cap: int, pairs: int) -> None:
    holders = [Holder(after(number), f"s{number:03}") for number in range(cap + 5)]
    chosen = proposing(holders, cap_of(key_type, POLICY))
    assert (cap_of(key_type, POLICY), len(list(combinations(chosen, 2)))) == (cap, pairs)
    assert holders[cap].signal_id not in chosen


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=30), st.randoms(use_true_random=False))
def test_r_link_03_what_proposes_does_not_depend_on_the_order_in_which_signals_come(
    pairs: list[tuple[int, int]], chance: object
) -> None:
    holders = [Holder(after(day), f"s{number}") for day, number in pairs]
    shuffled = [*holders, *holders]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # a Random
    assert proposing(shuffled, 8) == proposing(holders, 8)


def test_a_link_has_one_id_whoever_comes_first() -> None:
    assert pair_of("b", "a") == pair_of("a", "b") == ("a", "b")
    assert link_id(("a", "b"), SAME_PERSON) == link_id(pair_of("b", "a"), SAME_PERSON) != link_id(("a", "b"), SHARED_CONTEXT)


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "2"), (2, "2"), (3, "3-5"), (5, "3-5"), (6, "6-10"), (10, "6-10"), (11, "MORE"), (20, "MORE")]
)
def test_r_link_05_the_frequency_of_a_value_is_shown_as_a_class(count: int, shown: str) -> None:
    assert frequency_class([count] if count else [], common=False) == shown
    assert frequency_class([2, count], common=True) == "COMMON"


@pytest.mark.parametrize(("epoch", "last"), [("2026H2", LAST_DAY), ("2026H1", date(2026, 7, 30)), ("2027H1", date(2027, 7, 30))])
def test_r_link_01_tokens_of_an_epoch_propose_until_30_days_into_the_next(epoch: str, last: date) -> None:
    assert last_day_of(epoch, POLICY) == last


def test_what_is_no_epoch_has_no_last_day() -> None:
    with pytest.raises(ValueError, match="no epoch"):
        last_day_of("2026Q1", POLICY)


def test_r_link_04_two_municipalities_confirm_after_the_chain_director_released_the_question() -> None:
    assert name_of(PERSON, *BOTH) == "CONFIRMED"
    assert name_of(PERSON, *BOTH[:2]) == "CANDIDATE"
    assert state_of(PERSON, *BOTH[:2]).awaits == {WEERT}
    assert name_of(PERSON, *BOTH[1:]) == "CANDIDATE"
    assert state_of(PERSON).answer_by is None


def test_r_link_04_inside_one_municipality_its_officer_confirms_alone_and_needs_no_release() -> None:
    assert name_of(INSIDE, answer("CONFIRM", 1, VENLO)) == "CONFIRMED"
    assert name_of(INSIDE, answer("CONFIRM", 1, WEERT)) == "CANDIDATE"
    assert name_of(INSIDE, answer("CONFIRM", 1)) == "CANDIDATE"
    assert state_of(INSIDE, answer("RELEASE", 1)).released_at is None


def test_r_link_04_a_shared_context_is_confirmed_by_the_chain_director_and_by_nobody_else() -> None:
    assert name_of(CONTEXT, answer("CONFIRM", 1)) == "CONFIRMED"
    assert name_of(CONTEXT, answer("CONFIRM", 1, VENLO), answer("CONFIRM", 2, WEERT)) == "CANDIDATE"


def test_r_link_04_both_compare_before_the_other_signal_is_shown() -> None:
    asked = (answer("RELEASE", 1), answer("COMPARE", 2, VENLO))
    assert state_of(PERSON, *asked).compared == {VENLO}
    assert state_of(PERSON, *asked, answer("COMPARE", 3, WEERT)).compared == {VENLO, WEERT}
    assert state_of(PERSON, *asked[1:]).compared == set()


def test_r_link_04_a_rejected_pair_returns_only_on_a_new_token_type() -> None:
    rejected = (answer("RELEASE", 1), answer("REJECT", 2, WEERT))
    with_soft = replace(PERSON, shared={"NAME_DOB": START, "NAME_DOB_SOFT": START})
    with_bsn = replace(PERSON, shared={"NAME_DOB": START, "BSN": after(3)})
    assert name_of(PERSON, *rejected) == name_of(with_soft, *rejected) == "REJECTED"
    assert name_of(PERSON, *rejected, answer("CONFIRM", 4, VENLO)) == "REJECTED"
    back = state_of(with_bsn, *rejected)
    assert (back.state, back.released_at, back.awaits) == ("CANDIDATE", None, frozenset({VENLO, WEERT}))
    assert (
        name_of(with_bsn, *rejected, answer("RELEASE", 3.5), answer("CONFIRM", 4, VENLO), answer("CONFIRM", 5, WEERT))
        == "CONFIRMED"
    )


def test_r_link_04_a_rejection_holds_for_the_types_that_were_shown() -> None:
    rejected = answer("REJECT", 2, VENLO, frozenset({"NAME_DOB"}))
    assert name_of(INSIDE, rejected) == "REJECTED"
    assert name_of(replace(INSIDE, shared={"NAME_DOB": START, "BSN": START}), rejected) == "CANDIDATE"


def test_r_link_04_no_answer_in_10_working_days_is_overdue_and_stays_a_candidate() -> None:
    released = answer("RELEASE", 0)
    state = state_of(PERSON, released, days=13)
    assert (state.answer_by, state.overdue) == (datetime(2026, 12, 2, 16, tzinfo=UTC), False)
    late = state_of(PERSON, released, days=15)
    assert (late.state, late.overdue) == ("CANDIDATE", True)
    assert name_of(PERSON, released, answer("CONFIRM", 20, VENLO), answer("CONFIRM", 21, WEERT), days=22) == "CONFIRMED"


def test_r_link_04_a_candidate_expires_with_its_epoch_and_a_confirmed_link_lives_on() -> None:
    assert name_of(PERSON, days=80) == "EXPIRED"
    assert name_of(INSIDE, answer("CONFIRM", 80, VENLO), days=81) == "EXPIRED"
    assert name_of(PERSON, *BOTH, days=400) == "CONFIRMED"


def test_r_link_04_a_context_expires_when_a_side_is_closed_and_a_person_can_still_be_confirmed() -> None:
    closed = replace(CONTEXT, closed_at=after(1))
    assert name_of(closed) == name_of(closed, answer("CONFIRM", 2)) == "EXPIRED"
    assert name_of(closed, answer("CONFIRM", 0.5)) == "CONFIRMED"
    assert name_of(replace(PERSON, closed_at=after(1)), *BOTH) == "CONFIRMED"


def test_r_link_04_a_confirmed_link_without_evidence_is_a_candidate_that_nobody_can_confirm() -> None:
    gone = state_of(replace(PERSON, shared={}), *BOTH)
    assert (gone.state, gone.evidence_gone, gone.awaits) == ("CANDIDATE", True, frozenset())
    assert name_of(replace(PERSON, shared={})) == "EXPIRED"


def test_r_link_06_undo_and_split_revoke_what_was_confirmed_and_nothing_else() -> None:
    assert name_of(PERSON, *BOTH, answer("UNDO", 4)) == "REVOKED"
    assert name_of(PERSON, *BOTH, answer("UNDO", 4, VENLO)) == "REVOKED"
    assert name_of(PERSON, *BOTH, answer("SPLIT", 4)) == "REVOKED"
    assert name_of(PERSON, *BOTH, answer("SPLIT", 4, VENLO)) == "CONFIRMED"
    assert name_of(CONTEXT, answer("CONFIRM", 1), answer("UNDO", 2, VENLO)) == "CONFIRMED"
    assert name_of(PERSON, answer("RELEASE", 1), answer("UNDO", 2)) == "CANDIDATE"


def test_an_answer_that_nobody_knows_changes_nothing() -> None:
    assert state_of(INSIDE, answer("SHRUG", 1, VENLO)) == state_of(INSIDE)


answers = st.builds(
    answer,
    st.sampled_from(["RELEASE", "COMPARE", "CONFIRM", "REJECT", "UNDO", "SPLIT"]),
    st.integers(0, 90),
    st.sampled_from([CHAIN_DIRECTOR, VENLO, WEERT]),
    st.sampled_from([frozenset(), frozenset({"NAME_DOB"}), frozenset({"BSN"})]),
)
facts = st.builds(
    Facts,
    st.sampled_from([SAME_PERSON, SHARED_CONTEXT]),
    st.sampled_from([frozenset({VENLO}), frozenset({VENLO, WEERT})]),
    st.dictionaries(st.sampled_from(["BSN", "NAME_DOB", "PLATE"]), st.integers(0, 40).map(after), max_size=3),
    st.none() | st.integers(0, 40).map(after),
    st.just(LAST_DAY),
)


@given(facts, st.lists(answers, max_size=8), st.data())
def test_r_link_06_answers_in_any_order_and_repeated_end_in_the_same_state(
    known: Facts, told: list[Answer], data: st.DataObject
) -> None:
    told = list({each.answer_id: each for each in told}.values())
    again = data.draw(st.permutations([*told, *told]))
    assert state_of(known, *again, days=95) == state_of(known, *told, days=95)


@given(facts, st.lists(answers, max_size=8))
def test_a_link_is_confirmed_only_when_everybody_concerned_confirmed(known: Facts, told: list[Answer]) -> None:
    state = state_of(known, *told, days=95)
    if state.state == "CONFIRMED":
        assert known.required <= {each.who for each in told if each.kind == "CONFIRM"}
        assert known.shared
