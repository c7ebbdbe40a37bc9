"""Random histories: the routing service and the naive oracle, told the same, say the same after every step (R-ROUTE, R-REF)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from routing_bench import Bench, an_outcome
from senders import AT, Sender, coded_example
from trying import examples

from signal_exchange.contracts.codec import decode, encode
from signal_exchange.participants.region import Region
from signal_exchange.stream.messages import Incoming, Message
from signal_exchange.stream.work import Work
from signal_exchange_demo.oracle.histories import AGENDA, CARE, History
from signal_exchange_demo.oracle.reference import load
from signal_exchange_demo.oracle.routes import facts_of, routes_for
from signal_exchange_demo.oracle.verdict import codes_of

REFERENCE = load()
Signal = dict[str, Any]
GIVEN = {"status": "GIVEN", "given_by": "SELF", "recorded_on": "2026-11-19"}
REFUSED = {"status": "REFUSED", "given_by": None, "recorded_on": None}


def _by_duty(signal: Signal) -> list[dict[str, Any]]:
    care = {"legal_basis": "PUBLIC_TASK"}
    return [{**entry, **(care if entry["purpose"] == "CARE_REFERRAL" else {})} for entry in signal["exchanges"]]


def _variants(signal: Signal) -> dict[str, Signal]:
    """Give a signal as it may stand in a version: with and without consent, need, urgency, confirmation and a minor suspect."""
    exchanges, need = {"exchanges": _by_duty(signal)}, coded_example("01_sexual")["care_needs"][:1]
    suspect = {**coded_example("01_sexual")["subjects"][0], "ref": "s9", "role": "SUSPECT", "age_band": "AGE_16_17"}
    minor = {**suspect, "is_minor": True, "minor_at_event": True}
    weak = {"urgency": "MONITOR", "corroborated": False}
    made = {
        "as it is": signal,
        "weak": {**signal, **weak},
        "confirmed": {**signal, "urgency": "MONITOR", "corroborated": True},
        "in need": {**signal, "consent": GIVEN, "care_needs": need, **exchanges},
        "weak, in need": {**signal, **weak, "consent": GIVEN, "care_needs": need, **exchanges},
        "refused": {**signal, "consent": REFUSED, **exchanges},
        "no need": {**signal, "consent": GIVEN, "care_needs": [], **exchanges},
        "minor suspect": {**signal, "subjects": [*signal["subjects"], minor]},
    }
    return {name: each for name, each in made.items() if not codes_of(each, AT.date(), signal["municipality"], REFERENCE)}


VARIANTS = [_variants(coded_example(name)) for name in ("06_anonymous_tip", "01_sexual", "02_labour", "05_minor")]
NAMES = sorted({name for each in VARIANTS for name in each})


def test_the_histories_begin_with_rules_of_every_kind() -> None:
    routes = [routes_for(each, facts_of(each), AT.date(), REFERENCE) for variants in VARIANTS for each in variants.values()]
    rules = {str(route["rule_id"]) for each in routes for route in (each[CARE], each[AGENDA])}
    assert rules == {"gate", "C20", "C40", "C50", "C60", "C70", "C90", "A10", "A20", "A30", "A60", "A90"}


@dataclass
class Both:
    """The service with its store, and the oracle; each step is told to both. Signals are named by their place."""

    bench: Bench
    oracle: History = field(default_factory=lambda: History(REFERENCE))
    now: datetime = AT
    versions: dict[int, int] = field(default_factory=dict)
    states: dict[int, str] = field(default_factory=dict)
    cluster_of: dict[int, str | None] = field(default_factory=dict)
    revisions: dict[int, int] = field(default_factory=dict)
    ids: list[str] = field(default_factory=lambda: [str(uuid.uuid4()) for _ in VARIANTS])

    def passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    def looks(self) -> None:
        with self.bench.database.transaction() as connection:
            work = Work("routing", connection, self.bench.seal)
            self.bench.handler.recheck(self.now, work)
        self.bench.outgoing += work.outgoing
        self.oracle.passes(self.now)

    def publishes(self, place: int, variant: str) -> None:
        if self.states.get(place) == "ERASED":
            return
        version = self.versions.get(place, 0) + 1
        data = dict(VARIANTS[place].get(variant, VARIANTS[place]["as it is"]))
        numbered = {"signal_id": self.ids[place], "version": version, "supersedes": version - 1 or None}
        self.bench.run(self._sender(place).published({**data, **numbered}, at=self.now))
        self.oracle.published(self.ids[place], data, self.now)
        self.versions[place], self.states[place] = version, "OPEN"

    def withdraws(self, place: int) -> None:
        if self.states.get(place) != "OPEN":
            return
        self.looks()  # a withdrawal does not first offer what was due
        self.versions[place] += 1
        signal = {"signal_id": self.ids[place]}
        self.bench.run(self._sender(place).withdrawn(signal, self.versions[place], at=self.now))
        self.oracle.withdrawn(self.ids[place], self.now)
        self.states[place] = "WITHDRAWN"

    def erases(self, place: int) -> None:
        if self.states.get(place) not in ("OPEN", "WITHDRAWN"):
            return
        self.looks()
        self.versions[place] += 1
        self.bench.run(self._sender(place).erased(self.ids[place], self.versions[place], at=self.now))
        self.oracle.erased(self.ids[place], self.now)
        self.states[place] = "ERASED"

    def links(self, parts: tuple[int, ...], *, again: bool) -> None:
        """Put the signals together whose part is the same number; 0 is nobody's."""
        wanted = {place: f"G-{part}" if parts.count(part) > 1 and part else None for place, part in enumerate(parts)}
        changed = [place for place, name in wanted.items() if name != self.cluster_of.get(place)]
        for place in changed:
            self.revisions[place] = self.revisions.get(place, 0) + 1
        self.cluster_of |= wanted
        told = [self._membership(place) for place in (wanted if again else changed) if self.revisions.get(place)]
        self.bench.run(*told)
        names = {name for name in wanted.values() if name}
        clusters = [{self.ids[place] for place, name in wanted.items() if name == each} for each in names]
        self.oracle.linked(clusters, self.now)

    def care_says(self, place: int, offer: int, state: str, *, lacks_data: bool, times: int) -> None:
        if place not in self.versions:
            return
        outcome = "MORE_INFO_ASKED" if lacks_data else "CARE_DECLINED"
        told = an_outcome({"signal_id": self.ids[place]}, "REFERRAL", state, outcome=outcome, offer=offer, at=self.now)
        self.bench.run(*[told] * times)
        self.oracle.care_ended(self.ids[place], offer, state, lacks_data=lacks_data, at=self.now)

    def meeting_says(self, place: int, offer: int, *, decided: bool) -> None:
        if place not in self.versions:
            return
        state = "DECIDED" if decided else "DEFERRED"
        self.bench.run(an_outcome({"signal_id": self.ids[place]}, "DECISION", state, offer=offer, at=self.now))
        self.oracle.meeting_said(self.ids[place], offer, decided=decided, at=self.now)

    def agree(self) -> None:
        """Hold what stands, and every offer and retraction so far, of the service against the oracle."""
        states = {each["signal_id"]: each for each in self.bench.sent("accepted")}
        standing = {
            signal_id: {each["destination"]: (each["effect"], each["rule_id"], each["offer"], each["due_from"], each["ended"])
                        for each in state["deliveries"]}
            for signal_id, state in states.items() if state["state"] != "ERASED"
        }  # fmt: skip
        expected = {
            signal_id: {name: (at.route["effect"], at.route["rule_id"], at.offer, at.due_from, at.ended)
                        for name, at in life.places.items()}
            for signal_id, life in self.oracle.lives.items()
        }  # fmt: skip
        assert standing == expected
        assert sorted(self._told()) == sorted(each for each in self.oracle.told if each[1] in (CARE, AGENDA))

    def _told(self) -> Iterator[tuple[Any, ...]]:
        """Give each offer the first time, and each retraction."""
        for destination, topics in ((CARE, ("referrals", "referrals-youth")), (AGENDA, ("agenda-items",))):
            sent = [each for topic in topics for each in self.bench.sent(topic)]
            offered: set[tuple[Any, ...]] = set()
            for each in sorted(sent, key=lambda record: record["revision"]):
                named = (each["signal_id"], destination, each["status"], each["offer"])
                if each["status"] == "RETRACTED" or (each["status"] == "OFFERED" and named not in offered):
                    yield (*named, each["deliver_as"], each["rule_id"])
                offered.add(named)

    def _sender(self, place: int) -> Sender:
        return Sender.of(self.bench.region, VARIANTS[place]["as it is"]["municipality"])

    def _membership(self, place: int) -> Message:
        name = self.cluster_of[place]
        kinds = ["SHARED_CONTEXT"] if name else []
        fields = {"signal_id": self.ids[place], "revision": self.revisions[place], "cluster_id": name, "kinds": kinds}
        value = encode("ClusterMembership", {**fields, "link_ids": [], "changed_at": self.now})
        incoming = Incoming("links", 0, self.revisions[place], self.ids[place].encode(), value, {}, self.now)
        return Message("ClusterMembership", decode(value, "routing").fields, incoming)


PLACES, OFFERS = st.integers(0, len(VARIANTS) - 1), st.integers(1, 3)
CARE_STATES = ["SEEN", "ACCEPTED", "IN_CARE", "REJECTED", "REJECTED", "COMPLETED", "WITHDRAWN", "LAPSED"]
STEPS = st.one_of(
    st.tuples(st.just("publishes"), PLACES, st.sampled_from(NAMES)),
    st.tuples(st.just("publishes"), PLACES, st.sampled_from(NAMES)),
    st.tuples(st.just("withdraws"), PLACES),
    st.tuples(st.just("erases"), PLACES),
    st.tuples(st.just("links"), st.tuples(*[st.integers(0, 2)] * len(VARIANTS)), st.fixed_dictionaries({"again": st.booleans()})),
    st.tuples(st.just("links"), st.tuples(*[st.integers(0, 1)] * len(VARIANTS)), st.fixed_dictionaries({"again": st.booleans()})),
    st.tuples(st.just("care_says"), PLACES, OFFERS, st.sampled_from(CARE_STATES),
              st.fixed_dictionaries({"lacks_data": st.booleans(), "times": st.integers(1, 2)})),
    st.tuples(st.just("meeting_says"), PLACES, OFFERS, st.fixed_dictionaries({"decided": st.booleans()})),
    st.tuples(st.just("looks")),
)  # fmt: skip
PAUSES = st.sampled_from([0, 1, 5, 24, 24 * 7, 24 * 28])


def tell(both: Both, step: tuple[Any, ...]) -> None:
    name, *arguments = step
    named: Mapping[str, Any] = arguments.pop() if arguments and isinstance(arguments[-1], dict) else {}
    getattr(both, name)(*arguments, **named)


@settings(max_examples=examples(150), deadline=None, phases=[Phase.generate])
@given(steps=st.lists(st.tuples(PAUSES, STEPS), min_size=4, max_size=14))
def test_r_route_05_service_and_oracle_agree_after_every_step_of_a_history(
    region: Region, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, tuple[Any, ...]]]
) -> None:
    both = Both(Bench(region, tmp_path_factory.mktemp("histories") / f"{uuid.uuid4()}.sqlite"))
    try:
        for place in range(len(VARIANTS)):
            both.publishes(place, "weak, in need")
        for hours, step in steps:
            both.passes(hours)
            tell(both, step)
            both.looks()  # always late: what was due meanwhile has the date on which it was due
            both.agree()
    finally:
        both.bench.database.close()


@pytest.fixture
def both(bench: Bench) -> Both:
    return Both(bench)


DUE = timedelta(days=29)
TIP, ONE = 0, 1


def test_r_ref_ended_care_is_not_offered_again_by_a_link_nor_by_a_re_screen(both: Both) -> None:
    both.publishes(TIP, "as it is")
    both.publishes(ONE, "weak, in need")  # MONITOR, not corroborated, consent given, one need: C50 and A90
    both.care_says(ONE, 1, "COMPLETED", lacks_data=False, times=1)
    both.links((1, 1, 0, 0), again=False)
    both.links((0, 0, 0, 0), again=False)
    both.now = AT + DUE
    both.looks()
    assert {each["offer"] for each in both.bench.sent("referrals")} == {1}
    both.publishes(ONE, "in need")
    assert both.bench.sent("referrals")[-1]["offer"] == 2
    both.agree()


def test_r_route_08_a_re_screen_is_due_no_more_once_the_meeting_decided(both: Both) -> None:
    both.publishes(TIP, "as it is")
    both.now = AT + DUE
    both.looks()
    both.meeting_says(TIP, 1, decided=True)
    both.publishes(TIP, "as it is")
    assert [(each["status"], each["rule_id"]) for each in both.bench.sent("agenda-items")] == [
        ("OFFERED", "A50"),
        ("RETRACTED", "A10"),
    ]
    both.agree()


@pytest.mark.parametrize("linked_first", [True, False])
def test_r_agenda_02_a_decided_item_stays_decided_when_a_link_changes_its_rule(both: Both, *, linked_first: bool) -> None:
    both.publishes(TIP, "as it is")
    both.publishes(ONE, "confirmed")  # MONITOR and corroborated: A60 alone, A40 in a cluster
    together, alone = (1, 1, 0, 0), (0, 0, 0, 0)
    both.links(together if linked_first else alone, again=False)
    both.meeting_says(ONE, 1, decided=True)
    both.passes(24)
    both.links(alone if linked_first else together, again=False)
    mine = [each for each in both.bench.sent("agenda-items") if each["signal_id"] == both.ids[ONE]]
    assert {(each["status"], each["offer"], each["due_from"]) for each in mine} == {("OFFERED", 1, AT)}
    assert mine[-1]["rule_id"] == ("A60" if linked_first else "A40")
    both.agree()


def test_r_agenda_02_who_looks_late_at_a_re_screen_gives_the_same_due_from(both: Both) -> None:
    both.publishes(TIP, "as it is")
    both.now = AT + DUE + timedelta(days=2)
    both.publishes(TIP, "as it is")
    [item] = {each["due_from"] for each in both.bench.sent("agenda-items")}
    assert item == datetime(2026, 12, 18, 16, 0, tzinfo=UTC)
    both.agree()


def test_r_agenda_03_a_cluster_that_gets_another_name_retracts_nothing(both: Both) -> None:
    both.publishes(TIP, "as it is")
    both.publishes(ONE, "weak, in need")
    both.links((1, 1, 0, 0), again=False)
    both.links((2, 2, 0, 0), again=False)
    assert {each["status"] for each in both.bench.sent("agenda-items")} == {"OFFERED"}
    both.agree()
