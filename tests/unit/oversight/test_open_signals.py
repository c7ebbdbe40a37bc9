"""Which open signals need a person: what the store picks out is what the rule, told plainly over every clock, says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from builders import START
from hypothesis import given
from hypothesis import strategies as st
from oversight_bench import Bench, a_fact, open_clocks

from signal_exchange.domain.times import local_day
from signal_exchange.oversight.open_signals import HELD_STAGES, SKEW
from signal_exchange.oversight.store import Clock
from signal_exchange.stream.messages import Message

Late = tuple[str, str, str | None]
PATIENCE = timedelta(minutes=10)
RECEIVERS = {"worklist": "CARE_COORDINATOR", "worklist-youth": "CARE_COORDINATOR", "agenda": "SCREENING_AGENDA"}


def late_by_the_rule(clocks: Sequence[Clock], now: datetime) -> set[Late]:
    ordered = sorted(clocks, key=lambda clock: clock.signal_id)
    signals = (list(own) for _, own in groupby(ordered, key=lambda clock: clock.signal_id))
    return {late for own in signals for late in (*past(own, now), *ownerless(own, now))}


def past(own: Sequence[Clock], now: datetime) -> Iterator[Late]:
    newest = max((clock.version for clock in own if clock.keeper == "routing"), default=0)
    for clock in own:
        answered = clock.owner_role == "ATTENTION_OFFICER" and clock.version < newest
        if clock.next_date and clock.next_date < local_day(now).isoformat() and not answered:
            yield clock.signal_id, clock.keeper, clock.next_date


def ownerless(own: Sequence[Clock], now: datetime) -> Iterator[Late]:
    old = [clock for clock in own if now - clock.told_at > PATIENCE]
    unheard = [clock for clock in old if clock.stage == "SENT" and not heard(own, clock)]
    yield from ((clock.signal_id, clock.keeper, None) for clock in unheard)
    if not unheard and not any(clock.next_date or clock.stage == "OUTCOME" for clock in own):
        yield from ((clock.signal_id, clock.keeper, None) for clock in old if clock.keeper == "routing")


def heard(own: Sequence[Clock], sent: Clock) -> bool:
    receiver = sent.keeper.partition("/")[2]
    told = (clock for clock in own if clock.stage in HELD_STAGES and clock.keeper.endswith(f"/{receiver}"))
    return any(clock.told_at >= sent.told_at - SKEW for clock in told)


signals, versions = st.sampled_from(["signal-1", "signal-2"]), st.integers(1, 3)
moments = st.integers(0, 24).map(lambda number: START + timedelta(minutes=number))
dates = st.sampled_from([None, "2026-11-01", "2027-12-20"])
owners = st.sampled_from([None, "ATTENTION_OFFICER", "CARE_COORDINATOR"])


def told_by(service: str, destination: str) -> st.SearchStrategy[Message]:
    where = {"service": st.just(service), "signal_id": signals, "version": versions, "at": moments, "next_date": dates}
    held = st.builds(a_fact, st.sampled_from(HELD_STAGES), destination=st.just(destination), owner_role=owners, **where)
    return st.one_of(held, st.builds(a_fact, st.just("RECEIPT"), owner_role=st.sampled_from([None, "PRIVACY_OFFICER"]), **where))


facts = st.one_of(
    st.builds(
        a_fact,
        st.just("ROUTED"),
        at=moments,
        signal_id=signals,
        version=versions,
        destination=st.sampled_from([*sorted(set(RECEIVERS.values())), "STATISTICS"]),
        verdict=st.sampled_from(["SEND", "DENY"]),
        owner_role=owners,
        next_date=dates,
    ),
    st.one_of(*(told_by(*each) for each in RECEIVERS.items())),
    st.builds(
        a_fact,
        verdict=st.sampled_from(["routed", "withdrawn", "erased", "superseded"]),
        signal_id=signals,
        version=versions,
        sequence=st.integers(1, 9),
    ),
)


@given(st.lists(facts, max_size=14), st.integers(0, 60))
def test_r_flow_02_what_the_store_picks_out_is_what_the_rule_says(told: Sequence[Message], later: int) -> None:
    bench, now = Bench(), START + timedelta(minutes=later)
    bench.run(*told)
    found = bench.figures(now)
    with bench.engine.begin() as connection:
        expected = late_by_the_rule(open_clocks(connection), now)
    assert sorted((each.signal_id, each.keeper, each.next_date or "") for each in (*found.late, *found.receipts)) == sorted(
        (signal_id, keeper, date or "") for signal_id, keeper, date in expected
    )
    bench.engine.dispose()
