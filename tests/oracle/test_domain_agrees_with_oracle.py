"""The domain and the naive oracle, written apart from the same rules, agree on codes, reasons and routes."""

import copy
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.destinations import recipient_groups
from signal_exchange.domain.policy import Policy
from signal_exchange.domain.rules.facts import facts_of
from signal_exchange.domain.rules.reading import parse_ruleset
from signal_exchange.domain.rules.routing import Route, rescreen_due, routes_for, unassigned
from signal_exchange.domain.signals.coded_types import CodedSignal
from signal_exchange.domain.signals.drafts import coded_signal
from signal_exchange.domain.signals.validation import validate
from signal_exchange.domain.signals.versions import content_hash
from signal_exchange.domain.signals.violations import dead_letter_reason
from signal_exchange.reference.loading import load_code_lists, load_equated_days, load_members
from signal_exchange.routing.deciding import steps
from signal_exchange_demo.oracle import routes as naive
from signal_exchange_demo.oracle.coding import PASSED_GUARD, coded
from signal_exchange_demo.oracle.days import AMSTERDAM, deadline
from signal_exchange_demo.oracle.oracle import content_hash as naive_content_hash
from signal_exchange_demo.oracle.parts import sealed_for
from signal_exchange_demo.oracle.reference import DEFAULT_DATA, load
from signal_exchange_demo.oracle.verdict import codes_of
from signal_exchange_demo.region.generating import generate_region
from signal_exchange_demo.region.model import Arrival

Signal = dict[str, Any]
TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
REFERENCE = load()
CODES, MEMBERS, POLICY = load_code_lists(), load_members(), Policy()
RULESET = parse_ruleset(json.loads((DEFAULT_DATA / "routing_rules.json").read_text(encoding="utf-8")))


def coded_of(arrival: Arrival, day: date = TODAY) -> Signal:
    return coded(
        arrival.record, day, signal_id=arrival.signal_id, version=arrival.version, supersedes=arrival.version - 1 or None
    )


ARRIVALS = [arrival for seed in (1, 2) for arrival in generate_region(seed, 300, TODAY).good]
SIGNALS = [coded_of(arrival) for arrival in ARRIVALS]


def codes_by_domain(signal: Signal, day: date, sender: str) -> tuple[list[str], str | None]:
    found = validate(signal, day=day, sender=sender, members=MEMBERS, codes=CODES, policy=POLICY)
    return sorted({violation.code[:3] for violation in found}), dead_letter_reason(found, CODES) if found else None


def codes_by_oracle(signal: Signal, day: date, sender: str) -> tuple[list[str], str | None]:
    found = codes_of(signal, day, sender, REFERENCE)
    return found, REFERENCE.dead_letter(found[0]) if found else None


# "Rules that need it skip it" does not say whether a rule over several subjects or exchange entries skips one of them or
# all. The message is parked either way, for the reason of V01 or V03, which come first.
OPEN_BESIDE_V01_AND_V03 = {"V07", "V10", "V11", "V12"}


def settled(judged: tuple[list[str], str | None]) -> tuple[list[str], str | None]:
    """Leave out what the rules leave open."""
    codes, reason = judged
    return [code for code in codes if not {"V01", "V03"} & set(codes) or code not in OPEN_BESIDE_V01_AND_V03], reason


def has_place_without_kind(signal: Signal) -> bool:
    """Say whether a place lacks its kind: the domain calls that V01, R-VAL-01 does not list it, the wire cannot show it."""
    places = signal.get("places")
    return isinstance(places, list) and any(isinstance(place, dict) and "kind" not in place for place in places)


def as_rows(routes: dict[str, naive.Route]) -> list[tuple[str | None, ...]]:
    return [(destination, *route.values()) for destination, route in routes.items()]


def rows_of(routes: tuple[Route, ...]) -> list[tuple[str | None, ...]]:
    return [(one.destination, one.effect, one.deliver_as, one.rule_id, one.reason) for one in routes]


def test_both_make_the_same_coded_signal_of_every_record() -> None:
    for arrival, expected in zip(ARRIVALS, SIGNALS, strict=True):
        same = {"signal_id": expected["signal_id"], "version": expected["version"], "supersedes": expected["supersedes"]}
        assert coded_signal(arrival.record, day=TODAY, guard=PASSED_GUARD, **same) == expected, str(arrival.key)


@pytest.mark.parametrize("days", [0, 1, 30, 365, 2000])
def test_both_judge_a_region_alike_on_its_day_and_later(days: int) -> None:
    day = TODAY + timedelta(days=days)
    for arrival in ARRIVALS:
        signal = coded_of(arrival, day)
        assert codes_by_domain(signal, day, signal["municipality"]) == codes_by_oracle(signal, day, signal["municipality"])


def paths(value: object, here: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if here:
        yield here
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, found in inner:
        yield from paths(found, (*here, name))


ALL_CODES = sorted({code for rows in REFERENCE.codes.values() for code in rows})
WEEKS = ["2026-W47", "2026-W48", "2025-W53", "2021-W48", "2021-W47", "2026-W00", "2026-47", "2020-W53", "1-W1", ""]
TEXTS = ["", "NOWHERE", "GM0907", "GM0983", "GM1507", "2026-11-20", "2026-11-21", "2026-02-30", "SYN-WPG-1", *WEEKS]
OTHER_TYPES = [None, 1, 1.5, True, "text", [], {}, ["text"], {"text": 1}, [None]]


@st.composite
def mutated(draw: st.DrawFn) -> Signal:
    """Give a good signal with up to three things changed anywhere in it."""
    signal = copy.deepcopy(draw(st.sampled_from(SIGNALS)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(paths(signal))))
        holder: Any = signal
        for name in path[:-1]:
            holder = holder[name]
        _change(draw, holder, path[-1])
    return signal


def _change(draw: st.DrawFn, holder: Any, name: Any) -> None:
    how = draw(st.sampled_from(["other", "other", "other", "drop", "twice", "type", "extra"]))
    value = holder[name]
    if how == "drop":
        del holder[name]
    elif how == "twice" and isinstance(value, list):
        holder[name] = [*value, *copy.deepcopy(value[:1])]
    elif how == "extra" and isinstance(value, dict):
        value["something_else"] = copy.deepcopy(draw(st.sampled_from(OTHER_TYPES)))
    elif how == "type":
        holder[name] = copy.deepcopy(draw(st.sampled_from(OTHER_TYPES)))
    else:
        holder[name] = _other(draw, name, value)


def _other(draw: st.DrawFn, name: object, value: object) -> object:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return draw(st.integers(-2, 5))
    if isinstance(value, list):
        return value[: draw(st.integers(0, len(value)))]
    if not isinstance(value, str | None):
        return None
    likely = [code for rows in REFERENCE.codes.values() if value in rows for code in rows]
    if name in {"from", "to"}:
        likely = WEEKS
    return draw(st.sampled_from(likely * 3 + ALL_CODES + TEXTS) if likely else st.sampled_from([None, *ALL_CODES, *TEXTS]))


@settings(max_examples=400, deadline=None)
@given(signal=mutated(), sender=st.sampled_from([None, None, None, "GM0907", "GM0983"]), late=st.sampled_from([0, 0, 8, 400]))
def test_both_judge_a_changed_signal_alike(signal: Signal, sender: str | None, late: int) -> None:
    day = TODAY + timedelta(days=late)
    by = sender or str(signal.get("municipality"))
    before = copy.deepcopy(signal)
    if not has_place_without_kind(signal):
        assert settled(codes_by_domain(signal, day, by)) == settled(codes_by_oracle(signal, day, by))
    assert signal == before


@settings(max_examples=300, deadline=None)
@given(signal=mutated(), cluster_size=st.integers(1, 3), rescreen_due=st.booleans())
def test_both_route_a_valid_signal_alike(signal: Signal, cluster_size: int, *, rescreen_due: bool) -> None:
    if codes_of(signal, TODAY, str(signal.get("municipality")), REFERENCE):
        return
    facts = naive.facts_of(signal, cluster_size=cluster_size, rescreen_due=rescreen_due)
    expected = naive.routes_for(signal, facts, TODAY, REFERENCE)
    made = routes_for(signal, facts_of(signal, cluster_size=cluster_size, rescreen_due=rescreen_due), RULESET, TODAY)
    assert rows_of(made) == as_rows(expected)
    keeper = unassigned(made, RULESET)
    assert (keeper and (keeper.owner, keeper.next_wd)) == naive.unassigned(expected, REFERENCE.rules)


def test_r_val_23_both_seal_every_signal_of_a_region_for_the_same_groups() -> None:
    for signal in SIGNALS:
        assert sorted(recipient_groups(cast("CodedSignal", signal))) == sealed_for(signal)


def test_both_route_every_signal_of_a_region_alike() -> None:
    for signal in SIGNALS:
        expected = naive.routes_for(signal, naive.facts_of(signal), TODAY, REFERENCE)
        assert rows_of(routes_for(signal, facts_of(signal), RULESET, TODAY)) == as_rows(expected)
    withdrawn = routes_for(None, facts_of(SIGNALS[0]), RULESET, TODAY)
    assert rows_of(withdrawn) == as_rows(naive.routes_withdrawn())


@settings(max_examples=200, deadline=None)
@given(old=st.sampled_from(SIGNALS), new=st.none() | st.sampled_from(SIGNALS))
def test_both_take_the_same_deliveries_back(old: Signal, new: Signal | None) -> None:
    before = naive.routes_for(old, naive.facts_of(old), TODAY, REFERENCE)
    after = naive.routes_for(new, naive.facts_of(new), TODAY, REFERENCE) if new else naive.routes_withdrawn()
    old_routes = routes_for(old, facts_of(old), RULESET, TODAY)
    new_routes = routes_for(new, facts_of(new or old), RULESET, TODAY)
    held = {step.destination: step.now for step in steps({}, old_routes, NOW, new_version=True)}
    made = {
        (step.destination, step.retract.deliver_as, step.now.rule_id)
        for step in steps(held, new_routes, NOW, new_version=True)
        if step.retract
    }
    expected = naive.retractions(before, after)
    assert made == {(one["destination"], one["deliver_as"], one["changed_by"]) for one in expected}


CALENDAR = WorkingCalendar(load_equated_days())
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2028, 12, 1), timezones=st.just(AMSTERDAM))  # noqa: DTZ001 - bounds


@settings(max_examples=300, deadline=None)
@given(received=MOMENTS, count=st.integers(0, 40))
def test_both_count_the_same_working_days(received: datetime, count: int) -> None:
    assert CALENDAR.deadline(received, count) == deadline(received, count, REFERENCE.equated)


@settings(max_examples=100, deadline=None)
@given(published=MOMENTS, later=st.timedeltas(timedelta(days=20), timedelta(days=40)))
def test_both_find_the_same_re_screens_due(published: datetime, later: timedelta) -> None:
    now = (published.astimezone(UTC) + later).astimezone(AMSTERDAM)
    assert rescreen_due(published, now, CALENDAR) is naive.rescreen_due(published, now, REFERENCE)


@settings(max_examples=100, deadline=None)
@given(signal=mutated())
def test_both_hash_the_same_content_alike(signal: Signal) -> None:
    assert content_hash(signal) == naive_content_hash(signal)
