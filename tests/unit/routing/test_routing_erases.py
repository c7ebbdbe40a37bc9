"""R-RET-03: an erasure reaches every receiver, waits for each receipt, leaves nothing, and cannot be undone by anything late."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from routing_bench import Bench, an_outcome, sender_of
from senders import AT, Sender, coded_example, identity_in
from trying import examples

from signal_exchange.contracts.topics import PARTITIONS
from signal_exchange.participants.region import Region
from signal_exchange.routing.erasing import KEYED_BY_SIGNAL, MARKED, Terms
from signal_exchange.routing.erasures import ASKED, ErasureStore
from signal_exchange.routing.store import RoutingStore
from signal_exchange.stream.messages import Incoming, Message
from signal_exchange.stream.outcomes import outcome_id_of
from signal_exchange.stream.work import Work

LATER = AT + timedelta(hours=1)
TERMS = Terms(segment_seconds=60.0, clean_seconds=60.0)
SIGNAL = coded_example("01_sexual")
SIGNAL_ID = str(SIGNAL["signal_id"])


def a_receipt(service: str, state: str = "DONE", at: datetime = LATER) -> Message:
    """Give the receipt of a service as routing reads it."""
    outcome_id = outcome_id_of(SIGNAL_ID, service, "RECEIPT", 1)
    fields: dict[str, Any] = {
        "outcome_id": outcome_id,
        "signal_id": SIGNAL_ID,
        "source": service,
        "kind": "RECEIPT",
        "state": state,
    }
    fields |= {"version": 2, "revision": 1, "outcome": None, "occurred_at": at}
    return Message("Outcome", fields, Incoming("outcomes", 0, 1, b"k", b"v", {}, at))


def erased(bench: Bench, *, receipts: Sequence[str] = ASKED) -> Sender:
    """Publish the signal, erase it and let these services answer."""
    sender = sender_of(bench, "01_sexual")
    bench.run(sender.published(SIGNAL), sender.erased(SIGNAL_ID, 2))
    bench.run(*map(a_receipt, receipts))
    return sender


def look(bench: Bench, now: datetime) -> dict[str, set[str]]:
    """Bring the erasures further, and give the keys that must be gone by now."""
    with bench.database.transaction() as connection:
        work = Work("routing", connection, bench.seal)
        wanted = dict(bench.handler.saga(work).look(now, TERMS))
    bench.outgoing += work.outgoing
    return wanted


def certify(bench: Bench, now: datetime, left: dict[str, set[str]]) -> int:
    with bench.database.transaction() as connection:
        work = Work("routing", connection, bench.seal)
        count = bench.handler.saga(work).certify(now, TERMS, left)
    bench.outgoing += work.outgoing
    return count


def sagas(bench: Bench) -> list[dict[str, Any]]:
    return [each for each in bench.sent("outcomes") if each["kind"] == "ERASURE"]


def test_every_receiver_is_asked_also_who_got_nothing_and_the_accepted_state_says_nothing_any_more(bench: Bench) -> None:
    erased(bench, receipts=())
    assert bench.verdicts() == {1: "superseded", 2: "erased"}
    for topic in ("referrals", "referrals-youth", "agenda-items", "link-tokens"):
        last = bench.sent(topic)[-1]
        assert (last["signal_id"], last["status"], last["version"], last.get("signal"), last.get("summary")) == (
            SIGNAL_ID, "ERASED", 2, None, None,
        )  # fmt: skip
        revisions = [each["revision"] for each in bench.sent(topic)]
        assert revisions == sorted(set(revisions))
    accepted = bench.sent("accepted")[-1]
    nothing: dict[str, Any] = {
        "state": "ERASED",
        "signal": None,
        "sealed": [],
        "deliveries": [],
        "own_ref": b"",
        "observation_id": None,
    }
    assert {name: accepted[name] for name in nothing} == nothing
    assert [(each["state"], each["detail"]) for each in sagas(bench)] == [("REQUESTED", None)]
    assert bench.sent("observations")[-1]["counted"] is True  # R-STAT-01: an erased signal still counts


def test_each_service_and_routing_itself_has_five_working_days_in_the_trace(bench: Bench) -> None:
    erased(bench, receipts=())
    asked = [fact for fact in bench.sent("signal-trace") if fact["stage"] == "RECEIPT"]
    assert {fact["service"] for fact in asked} == {*ASKED, "routing"}
    assert {(fact["owner_role"], fact["next_date"]) for fact in asked} == {("PRIVACY_OFFICER", "2026-11-27")}


def test_nothing_is_buried_before_the_last_receipt_and_then_everything(bench: Bench) -> None:
    erased(bench, receipts=ASKED[:-1])
    assert bench.tombstones() == set()
    routed = outcome_id_of(SIGNAL_ID, "routing", "ROUTED", 1)
    bench.run(an_outcome(SIGNAL, "REFERRAL", "ACCEPTED"))  # its own reports stand in the topic as well
    bench.run(a_receipt(ASKED[-1], "NOTHING_HELD"))
    wanted = {(topic, SIGNAL_ID) for topic in KEYED_BY_SIGNAL}
    assert wanted <= bench.tombstones()
    assert ("outcomes", f"{SIGNAL_ID}/{routed}") not in bench.tombstones()  # routing had not read its own report back yet
    assert bench.stored() == []
    assert sagas(bench)[-1]["state"] == "DONE"


def test_an_outcome_that_routing_reads_before_or_after_the_erasure_is_buried_and_receipts_are_not(bench: Bench) -> None:
    sender = sender_of(bench, "01_sexual")
    early, late = an_outcome(SIGNAL, "REFERRAL", "ACCEPTED"), an_outcome(SIGNAL, "DECISION", "DECIDED")
    bench.run(sender.published(SIGNAL), early)
    bench.run(sender.erased(SIGNAL_ID, 2))
    bench.run(*map(a_receipt, ASKED), late)
    buried = {key for topic, key in bench.tombstones() if topic == "outcomes"}
    assert buried == {f"{SIGNAL_ID}/{each.fields['outcome_id']}" for each in (early, late)}


def test_the_saga_goes_on_by_time_marks_checks_and_certifies(bench: Bench) -> None:
    erased(bench)
    assert look(bench, LATER + timedelta(seconds=59)) == {}
    assert look(bench, LATER + timedelta(seconds=60)) == {}
    markers = [(each.topic, each.key) for each in bench.outgoing if each.key.startswith("marker/")]
    assert len(set(markers)) == len(markers) == PARTITIONS * len(MARKED)
    then = LATER + timedelta(seconds=120)
    wanted = look(bench, then)
    assert wanted["accepted"] == wanted["links"] == {SIGNAL_ID}
    assert certify(bench, then, {"referrals": {SIGNAL_ID}}) == 0
    again = [(each.topic, each.key) for each in bench.outgoing if each.key.startswith("marker/")]
    assert again == [*markers, *markers], "what is left came after the markers, and stays until a record comes after it"
    assert look(bench, then + timedelta(seconds=59)) == {}
    then += timedelta(seconds=60)
    assert look(bench, then) == wanted
    assert certify(bench, then, {}) == 1
    assert certify(bench, then, {}) == 0
    done = [fact for fact in bench.sent("signal-trace") if fact["stage"] == "RECEIPT" and fact["next_date"] is None]
    assert [fact["service"] for fact in done] == ["routing"]


def test_what_the_check_finds_is_buried_again_but_what_routing_may_not_write(bench: Bench) -> None:
    erased(bench)
    look(bench, LATER + timedelta(seconds=60))
    bench.outgoing.clear()
    key = f"{SIGNAL_ID}/{outcome_id_of(SIGNAL_ID, 'agenda', 'DECISION', 1)}"
    certify(bench, LATER + timedelta(seconds=120), {"accepted": {SIGNAL_ID}, "outcomes": {key}, "links": {SIGNAL_ID}})
    assert bench.tombstones() == {("accepted", SIGNAL_ID), ("outcomes", key)}
    assert {each.partition_by for each in bench.outgoing if each.key in (SIGNAL_ID, key)} == {SIGNAL_ID}
    first = [each.key.partition("/")[0] for each in bench.outgoing]
    assert first == sorted(first, key=lambda each: each == "marker"), "the markers come after"


def test_the_certificate_is_sealed_to_the_municipality_and_names_receipts_and_dates(bench: Bench, region: Region) -> None:
    erased(bench)
    look(bench, LATER + timedelta(seconds=60))
    certify(bench, LATER + timedelta(seconds=120), {})
    last = sagas(bench)[-1]
    assert (last["state"], last["detail"]["group"]) == ("CERTIFIED", f"gm:{SIGNAL['municipality']}")
    identity = identity_in(region, f"municipality-{SIGNAL['municipality'].lower()}")
    certificate = json.loads(identity.opened(last["detail"], f"{SIGNAL_ID}/{last['outcome_id']}"))
    assert certificate["receipts"].keys() == {*ASKED}
    ends = [certificate[f"{name}_end{'s' * (name == 'trace')}_on"] for name in ("logs", "trace", "backups")]
    assert ends == ["2026-11-28", "2031-10-26", "2026-12-25"]  # 7 days and 60 months, each with a segment of a day; 35 days
    assert certificate["topics_buried_by_their_writers"] == ["feedback.gm0983", "link-candidates", "parked"]
    assert datetime.fromisoformat(certificate["checked_at"]) == LATER + timedelta(seconds=120)


def test_who_does_not_answer_is_asked_again_each_day_and_nobody_else(bench: Bench) -> None:
    erased(bench, receipts=[each for each in ASKED if each != "worklist"])
    before = len(bench.sent("agenda-items")), len(bench.sent("referrals"))
    look(bench, AT + timedelta(hours=23))
    assert (len(bench.sent("agenda-items")), len(bench.sent("referrals"))) == before
    look(bench, AT + timedelta(days=1))
    assert (len(bench.sent("agenda-items")), len(bench.sent("referrals"))) == (before[0], before[1] + 1)
    revisions = [each["revision"] for each in bench.sent("referrals")]
    assert revisions == sorted(set(revisions))
    bench.run(a_receipt("worklist"))
    assert sagas(bench)[-1]["state"] == "DONE"


@pytest.mark.parametrize("case", ["unknown", "gap", "after a withdrawal", "only parked"])
def test_a_municipality_can_always_erase_what_is_its_own(bench: Bench, case: str) -> None:
    sender = sender_of(bench, "01_sexual")
    wrong = {**SIGNAL, "sector": "NO_SECTOR"}
    before = {
        "unknown": [],
        "gap": [sender.published(SIGNAL)],
        "after a withdrawal": [sender.published(SIGNAL), sender.withdrawn(SIGNAL, 2)],
        "only parked": [sender.published(wrong)],
    }[case]
    bench.run(*before)
    bench.run(sender.erased(SIGNAL_ID, 9))
    assert list(bench.verdicts().values())[-1] == "erased"
    assert bench.sent("agenda-items")[-1]["status"] == "ERASED"
    if case == "only parked":
        assert list(bench.verdicts().values()) == ["superseded", "erased"]


def test_another_municipality_cannot_erase_it_and_an_older_version_does_not(bench: Bench) -> None:
    sender, other = sender_of(bench, "01_sexual"), Sender.of(bench.region, "GM1507")
    bench.run(sender.published(SIGNAL), other.erased(SIGNAL_ID, 2), sender.erased(SIGNAL_ID, 1))
    assert bench.reasons == ["VERSION_CONFLICT", "VERSION_CONFLICT"]
    assert all(each["status"] != "ERASED" for each in bench.sent("agenda-items"))


def test_what_comes_after_the_erasure_is_parked_without_its_content_and_erasing_again_is_a_repeat(bench: Bench) -> None:
    sender = erased(bench)
    bench.run(sender.published({**SIGNAL, "version": 2, "supersedes": 1}), sender.erased(SIGNAL_ID, 7))
    assert bench.reasons == ["VERSION_CONFLICT"]
    [parked] = bench.sent("parked")
    kept = json.loads(identity_in(bench.region, "routing").opened(parked["record"], parked["parked_id"]))
    assert (kept["value"], kept["headers"]) == (None, {})
    assert bench.verdicts()[4] == "repeat"
    assert bench.stored() == []


def test_a_re_screen_or_a_cluster_never_judges_an_erased_signal_again(bench: Bench) -> None:
    erased(bench, receipts=())
    before = len(bench.outgoing)
    with bench.database.transaction() as connection:
        work = Work("routing", connection, bench.seal)
        bench.handler.recheck(datetime(2027, 6, 1, tzinfo=UTC), work)
    assert (work.outgoing, len(bench.outgoing)) == ([], before)


def test_a_receipt_of_nobody_asked_or_about_no_erasure_does_nothing(bench: Bench) -> None:
    sender = sender_of(bench, "01_sexual")
    bench.run(sender.published(SIGNAL))
    assert bench.run(a_receipt("worklist")) == []
    bench.run(sender.erased(SIGNAL_ID, 2))
    assert bench.run(a_receipt("statistics")) == []


def test_the_memberships_of_gone_signals_are_forgotten(bench: Bench) -> None:
    told = {"signal_id": SIGNAL_ID, "revision": 3, "cluster_id": "G-2222222222"}
    bench.run(Message("ClusterMembership", told, Incoming("links", 0, 1, b"k", b"v", {}, AT)))
    with bench.database.transaction() as connection:
        work = Work("routing", connection, bench.seal)
        bench.handler.on_tombstones([Incoming("links", 0, 2, SIGNAL_ID.encode(), None, {}, AT)], work)
        assert RoutingStore(connection).memberships([SIGNAL_ID]) == {}


def end_state(bench: Bench) -> tuple[object, ...]:
    """Give what must be the same however the events came: the erasure, the states of the topics, and what else is known."""
    with bench.database.reading() as connection:
        [erasure] = ErasureStore(connection).erasures().values()
        answers = sorted(ErasureStore(connection).answers(SIGNAL_ID))
    states = {topic: bench.sent(topic)[-1]["status"] for topic in ("referrals", "referrals-youth", "agenda-items", "link-tokens")}
    return erasure.state, answers, states, bench.stored(), sagas(bench)[-1]["state"]


_FOLDERS = itertools.count()


@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(5)), batches=st.integers(1, 5), again=st.booleans())
def test_late_and_repeated_events_in_any_order_end_in_the_same_state(
    region: Region, tmp_path: Path, order: list[int], batches: int, *, again: bool
) -> None:
    bench = Bench(region, tmp_path / f"routing-{next(_FOLDERS)}.sqlite")
    sender = Sender.of(region, str(SIGNAL["municipality"]))
    second = {**SIGNAL, "version": 2, "supersedes": 1, "urgency": "URGENT"}
    events = [
        sender.published(SIGNAL),
        sender.published(second),
        sender.withdrawn(SIGNAL, 3),
        sender.erased(SIGNAL_ID, 4),
        an_outcome(SIGNAL, "REFERRAL", "COMPLETED"),
    ]
    told = [events[place] for place in order]
    for start in range(0, len(told), batches):
        batch = told[start : start + batches]
        bench.run(*batch)
        if again:
            bench.run(*batch)
    bench.run(*map(a_receipt, ASKED))
    expected = {"referrals": "ERASED", "referrals-youth": "ERASED", "agenda-items": "ERASED", "link-tokens": "ERASED"}
    assert end_state(bench) == ("DONE", sorted(ASKED), expected, [], "DONE")
    bench.database.close()
