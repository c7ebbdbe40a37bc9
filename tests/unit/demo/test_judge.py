"""The demo's judge finds nothing wrong in a right exchange, and each of six planted faults (R-ROUTE, R-AGENDA, R-REF, R-LINK)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from domain_cases import CALENDAR
from routing_bench import Bench, an_outcome
from senders import AT, Sender, a_region

from signal_exchange.agenda.items import Item, Known, OfferHistory
from signal_exchange.agenda.listing import MeetingTable, all_rows
from signal_exchange.agenda.printing import row_of as agenda_row_of
from signal_exchange.contracts.codec import decode, encode
from signal_exchange.domain.links.sharing import kind_of
from signal_exchange.domain.meetings import agenda
from signal_exchange.domain.policy import Term
from signal_exchange.domain.referrals import clocks as referral_clocks
from signal_exchange.domain.rules import pruning
from signal_exchange.domain.signals.fields import CARE_ONLY
from signal_exchange.domain.times import local_day
from signal_exchange.participants.region import SIX
from signal_exchange.privacy import normalising
from signal_exchange.privacy.normalising import link_values
from signal_exchange.reference.loading import load_example
from signal_exchange.routing import delivering
from signal_exchange.runtime.database import Database
from signal_exchange.stream.deliveries import LatestDelivery
from signal_exchange.stream.messages import Incoming, Message
from signal_exchange.stream.work import Work
from signal_exchange.worklist.cases import Case, delivered, received
from signal_exchange.worklist.listing import rows_of
from signal_exchange.worklist.printing import row_of
from signal_exchange.worklist.store import TABLES, WorklistStore
from signal_exchange_demo.comparing import differences, wrong_links, wrong_refusals
from signal_exchange_demo.expecting import expected_links, expected_refusals
from signal_exchange_demo.oracle.coding import coded
from signal_exchange_demo.oracle.story import story_of
from signal_exchange_demo.probing import ALONE, MIXED, TIP, WEAK, changed, probes
from signal_exchange_demo.recording import Recorded
from signal_exchange_demo.region.generating import generate_region
from signal_exchange_demo.region.model import Arrival

EXAMPLES = ("01_sexual", "02_labour", "03_criminal", "04_organ", "05_minor", "06_anonymous_tip")
DAY = AT.date()
_DELIVERY = tuple(LatestDelivery.__dataclass_fields__)
_ITEM = tuple(name for name in Item.__dataclass_fields__ if name != "cluster_id")


def arrivals() -> list[Arrival]:
    examples = (dict(load_example(name, "inside")) for name in EXAMPLES)
    made = (Arrival(one["local_ref"], "new", 1, datetime.fromisoformat(one["received_at"]), one) for one in examples)
    return [*made, *probes()]


class Played:
    """Everything published through routing's own handler and store, an hour apart, and what its receivers make of it."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench(a_region(folder), folder / "routing.sqlite")
        self.ids: dict[str, str] = {}
        self.events: list[dict[str, Any]] = []
        self.records: dict[str, dict[str, Any]] = {}
        self.versions: dict[str, dict[str, Any]] = {}
        self.past: dict[tuple[str, int], OfferHistory] = {}
        self.revision, self.now = 0, AT
        for arrival in arrivals():
            self._publish(arrival)

    def _publish(self, arrival: Arrival) -> None:
        signal_id, day = load_id(arrival), local_day(self.now)
        data = coded(arrival.record, day, signal_id=signal_id, version=arrival.version, supersedes=arrival.version - 1 or None)
        self.bench.run(Sender.of(self.bench.region, arrival.key.municipality).published(data, at=self.now))
        self.ids[arrival.key.local_ref] = signal_id
        self.records[signal_id] = arrival.record
        self.versions.setdefault(signal_id, {})[str(arrival.version)] = {"record": arrival.record}
        self._happened("published", arrival.key.local_ref, version=arrival.version, publish_day=day.isoformat())

    def _happened(self, what: str, name: str, **facts: Any) -> None:
        self.events.append({"what": what, "signal_id": self.ids[name], "at": self.now.isoformat(), **facts})
        self.now += timedelta(hours=1)

    def second_act(self) -> None:
        """Do what the demo's people do: link, help, decide, undo, wait out the re-screens, decide on one, and change it."""
        self._put_together("G-1")
        self._care(WEAK, "COMPLETED", None)
        self._care(MIXED, "REJECTED", "MORE_INFO_ASKED")
        self._decide(WEAK)
        self._decide(TIP)
        self._put_together(None)
        self.now = AT + timedelta(days=35)
        with self.bench.database.transaction() as connection:
            work = Work("routing", connection, self.bench.seal)
            self.bench.handler.recheck(self.now, work)
        self.bench.outgoing += work.outgoing
        self._decide(ALONE)
        self._publish(changed(next(each for each in probes() if each.key.local_ref == ALONE)))

    def _put_together(self, cluster_id: str | None) -> None:
        self.revision += 1
        self.bench.run(*(a_membership(self.ids[name], self.revision, cluster_id, self.now) for name in (WEAK, TIP)))
        at = self.now
        for name in (WEAK, TIP):
            self.now = at
            self._happened("linked", name, cluster_id=cluster_id)

    def _care(self, name: str, state: str, outcome: str | None) -> None:
        told = an_outcome({"signal_id": self.ids[name]}, "REFERRAL", state, outcome=outcome, at=self.now)
        self.bench.run(told)
        self._happened("care", name, offer=1, state=state, lacks_data=outcome == "MORE_INFO_ASKED")

    def _decide(self, name: str) -> None:
        self.bench.run(an_outcome({"signal_id": self.ids[name]}, "DECISION", "DECIDED", at=self.now))
        self.past[self.ids[name], 1] = OfferHistory(decided=True)
        self._happened("meeting", name, offer=1, decided=True)

    def persons(self) -> Iterator[dict[str, Any]]:
        """Give the fact of each victim, as linking counts persons that no link makes one."""
        for signal_id, record in self.records.items():
            for each in record["subjects"]:
                if each["role"] == "VICTIM":
                    yield {"observation_id": f"{signal_id}/{each['ref']}", "kind": "PERSON", "counted": True}

    def story(self) -> dict[str, Any]:
        return story_of({"versions": self.versions, "events": self.events, "until": self.now.isoformat()})

    def recorded(self) -> Recorded:
        sent = self.bench.sent
        care, items = [*sent("referrals"), *sent("referrals-youth")], sent("agenda-items")
        facts = [fact for fact in sent("signal-trace") if fact["stage"] == "ROUTED"]
        return Recorded(
            events=self.events,
            accepted={each["signal_id"]: each for each in sent("accepted")},
            care={each["signal_id"]: each for each in care},
            agenda={each["signal_id"]: each for each in items},
            retracted=sorted([*_retracted("CARE_COORDINATOR", care), *_retracted("SCREENING_AGENDA", items)]),
            alerts=sorted(each["signal_id"] for each in sent("chair-alerts")),
            observations={each["observation_id"]: each for each in (*sent("observations"), *self.persons())},
            candidates=list(candidates(self.records)),
            kept={fact["signal_id"]: (fact["owner_role"], fact["next_date"]) for fact in facts},
            worklist=as_listed(worklist_rows(care)),
            agenda_list=as_listed(agenda_rows(items, self.past)),
        )


def _retracted(destination: str, states: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    return [[each["signal_id"], destination, each["offer"], each["rule_id"]] for each in states if each["status"] == "RETRACTED"]


def load_id(arrival: Arrival) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, arrival.key.local_ref))


def as_listed(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give rows as `list --json` prints them."""
    listed: list[dict[str, Any]] = json.loads(json.dumps(found, default=lambda moment: moment.isoformat()))
    return listed


def worklist_rows(states: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    cases: dict[str, Case] = {}
    for state in sorted(states, key=lambda each: each["revision"]):
        delivery = delivered({name: state[name] for name in _DELIVERY}, CALENDAR)
        cases[delivery.signal_id] = received(cases.get(delivery.signal_id, Case()), delivery, AT, CALENDAR)
    database = Database("sqlite+pysqlite:///:memory:", TABLES)
    database.create_tables()
    with database.transaction() as connection:
        WorklistStore(connection).put(list(cases.values()))
        return [row_of(row) for row in rows_of(connection, AT)]


def agenda_rows(states: Sequence[Mapping[str, Any]], past: Mapping[tuple[str, int], OfferHistory]) -> list[dict[str, Any]]:
    items = {one["signal_id"]: Item(cluster_id=one["signal_id"], **{name: one[name] for name in _ITEM}) for one in states}
    return [agenda_row_of(row) for row in all_rows(MeetingTable(items, Known(past, {}, CALENDAR), {}, {}))]


def candidates(records: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Give what linking proposes for these records by the values that a municipality makes its tokens of."""
    holders: dict[tuple[str, str], list[str]] = {}
    for signal_id, record in records.items():
        for value in {
            (each.type, each.value) for each in link_values(record, kinds=normalising.KINDS_WITHOUT_DECISION, barred=frozenset())
        }:
            holders.setdefault(value, []).append(signal_id)
    found: dict[tuple[str, str, str], set[str]] = {}
    for (key_type, _), ids in holders.items():
        for one, other in pairwise(ids):
            found.setdefault((*sorted((one, other)), kind_of(key_type)), set()).add(key_type)  # type: ignore[arg-type]
    for (one, other, kind), types in found.items():
        yield {"signal_a": one, "signal_b": other, "kind": kind, "key_types": sorted(types), "state": "CANDIDATE"}


def a_membership(signal_id: str, revision: int, cluster_id: str | None, at: datetime) -> Message:
    kinds = ["SHARED_CONTEXT"] if cluster_id else []
    fields = {"signal_id": signal_id, "revision": revision, "cluster_id": cluster_id, "kinds": kinds, "link_ids": []}
    value = encode("ClusterMembership", {**fields, "changed_at": at})
    return Message("ClusterMembership", decode(value, "routing").fields, Incoming("links", 0, revision, b"k", value, {}, at))


def judged(played: Played) -> list[str]:
    seen = played.recorded()
    return [*differences(seen, played.story()), *wrong_links(expected_links(played.records, ()), seen, ())]


def test_a_right_exchange_has_no_difference_and_the_probes_show_what_must_be_seen(tmp_path: Path) -> None:
    played = Played(tmp_path)
    assert judged(played) == []
    seen, ids = played.recorded(), played.ids
    assert seen.care[ids[MIXED]]["deliver_as"] == "FULL_PSEUDONYMOUS"
    assert seen.agenda[ids[MIXED]]["deliver_as"] == "MINOR_STUB"
    assert {ids[WEAK], ids[TIP]} in [{each["signal_a"], each["signal_b"]} for each in seen.candidates]
    assert len(seen.agenda_list) > 2


def test_after_people_acted_and_four_weeks_passed_there_is_no_difference_either(tmp_path: Path) -> None:
    played = Played(tmp_path)
    played.second_act()
    assert judged(played) == []
    seen, ids = played.recorded(), played.ids
    rules = {each["destination"]: each["rule_id"] for each in seen.accepted[ids[ALONE]]["deliveries"]}
    assert rules["SCREENING_AGENDA"] == "A10"
    assert [each[3] for each in seen.retracted if each[0] in (ids[TIP], ids[ALONE])] == ["A10", "A10"]


def test_planted_a_person_is_counted_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played(tmp_path)
    twice = [*played.persons(), {"observation_id": "again", "kind": "PERSON", "counted": True}]
    monkeypatch.setattr(played, "persons", lambda: iter(twice))
    assert judged(played) == [f"persons: {len(twice) - 1} expected, {len(twice)} found"]


@pytest.mark.parametrize("ended", ["care", "meeting"])
def test_planted_what_ended_is_offered_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended: str) -> None:
    played = Played(tmp_path)
    played.second_act()
    forgotten = [each for each in played.events if each["what"] != ended]
    monkeypatch.setattr(played, "events", forgotten)
    assert judged(played)


def test_planted_urgent_gets_nine_working_days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played(tmp_path)
    right = referral_clocks._term
    monkeypatch.setattr(
        referral_clocks, "_term", lambda urgency, policy: Term(9, 2) if urgency == "URGENT" else right(urgency, policy)
    )
    assert any(each.startswith("decide_by of") for each in judged(played))


def test_planted_the_order_of_the_agenda_is_turned_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played, right = Played(tmp_path), agenda.order
    monkeypatch.setattr(agenda, "order", lambda entries: tuple(reversed(right(entries))))
    assert any(each.startswith("order of the agenda") for each in judged(played))


def test_planted_adult_care_sees_the_fields_of_a_minor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = pruning._person

    def shown(subject: Mapping[str, Any], sight: Any) -> dict[str, Any]:
        return dict(subject) if sight.audience in CARE_ONLY else right(subject, sight)

    monkeypatch.setattr(pruning, "_person", shown)
    played = Played(tmp_path)
    said = judged(played)
    assert f"what CARE_COORDINATOR sees of {played.ids[MIXED]}: subjects differs from what its form may show" in said
    assert all(each.startswith("what CARE_COORDINATOR sees of") for each in said)


def test_planted_no_phone_ever_links(tmp_path: Path) -> None:
    played = Played(tmp_path)
    seen = played.recorded()
    without = replace(seen, candidates=[each for each in seen.candidates if "PHONE" not in each["key_types"]])
    [said] = wrong_links(expected_links(played.records, ()), without, ())
    assert "SHARED_CONTEXT" in said
    assert "expected, not found" in said


def test_planted_the_publish_day_is_of_another_century(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = delivering.observe
    planted = lambda accepted, signal, urgency, _day, *, work: right(accepted, signal, urgency, date(1999, 1, 1), work=work)  # noqa: E731
    monkeypatch.setattr(delivering, "observe", planted)
    said = judged(Played(tmp_path))
    assert said
    assert all(each.startswith("publish day of") for each in said)


def test_planted_every_labour_record_is_refused() -> None:
    region = generate_region(5, 60, DAY)
    files = {code: [each for each in region.arrivals if each.key.municipality == code] for code in SIX}
    expected = expected_refusals(region, files)
    right = {place: [_error(wanted)] for place, wanted in expected.items() if wanted is not None}
    assert list(wrong_refusals(expected, right)) == []
    lines = _lines(files)
    labour = {
        place: [_error(("forms", "R-VAL-04", "V04_FORMS"))]
        for place, each in lines
        if each.record["forms"]["primary"] == "LABOUR"
    }
    said = list(wrong_refusals(expected, {**labour, **right}))
    assert len(said) == len(labour.keys() - right.keys()) > 0


def _lines(files: Mapping[str, Sequence[Arrival]]) -> Iterator[tuple[tuple[str, int], Arrival]]:
    for code, own in files.items():
        yield from (((code, number), each) for number, each in enumerate(own, start=1))


def _error(wanted: tuple[str, str, str]) -> dict[str, str]:
    return dict(zip(("field", "rule", "code"), wanted, strict=True))
