from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from node_views import a_view, hear, work_of
from nodes import NOW, Town, a_town, example

from signal_exchange.municipality.publishing.submissions import Outcome
from signal_exchange.municipality.sending.outbox import RUNS
from signal_exchange.municipality.store import PARKED, SIGNALS, VIEWS
from signal_exchange.privacy.vault import Encrypted
from signal_exchange.stream.messages import Incoming, Unreadable


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return a_town(tmp_path)


def sent(town: Town, count: int = 1) -> tuple[str, list[str]]:
    """Publish and send some signals; give the run and their ids."""
    results = town.publish(*(example(local_ref=f"A-{number}") for number in range(count)))
    town.relay().send_all()
    return str(town.waiting()[0].publisher_run), [str(result.signal_id) for result in results]


def test_a_confirmed_row_leaves_the_outbox_and_no_other_does(town: Town) -> None:
    run, ids = sent(town, 3)
    hear(town, a_view(ids[1], (run, 2, "routed")))
    assert [row.sequence for row in town.waiting()] == [1, 3]


@pytest.mark.parametrize("verdict", ["routed", "superseded", "repeat", "parked", "withdrawn", "discarded"])
def test_whatever_the_exchange_made_of_it_a_number_it_accounts_for_is_received(town: Town, verdict: str) -> None:
    run, ids = sent(town)
    hear(town, a_view(ids[0], (run, 1, verdict)))
    assert town.waiting() == []


@pytest.mark.parametrize(("run", "sequence"), [("another", 1), (None, 2)])
def test_a_view_confirms_only_its_own_signal_run_and_number(town: Town, run: str | None, sequence: int) -> None:
    own, ids = sent(town)
    hear(town, a_view(ids[0], (run or own, sequence, "routed")), a_view("other", (own, 1, "routed")))
    assert len(town.waiting()) == 1


def test_what_the_broker_never_acknowledged_stays_whoever_says_that_it_came_in_and_goes_once_it_did(town: Town) -> None:
    (result,) = town.publish(example())
    town.broker.refused = {f"{result.signal_id}.1"}
    town.relay().send_due()
    (row,) = town.waiting()
    hear(town, a_view(row.signal_id, (str(row.publisher_run), 1, "routed")))
    assert len(town.waiting()) == 1
    town.broker.refused = set()
    town.relay().send_all()
    assert ([each["signal"]["signal_id"] for each in town.broker.records()], town.waiting()) == ([row.signal_id], [])


def test_same_view_twice_is_one_view_and_an_older_one_never_wins(town: Town) -> None:
    newer, older = a_view("one", revision=7, version=2), a_view("one", revision=6, version=3)
    for message in (newer, newer, older):
        hear(town, message)
    assert [(row["revision"], row["version"]) for row in town.rows(VIEWS)] == [(7, 2)]
    hear(town, a_view("two", revision=9, version=3), a_view("two", revision=8, version=2))
    assert [row["revision"] for row in town.rows(VIEWS)] == [7, 9]


def test_the_inbox_tells_nobody_anything(town: Town) -> None:
    assert hear(town, a_view("one")).outgoing == []


def test_a_restored_node_publishes_nothing_that_the_exchange_already_has(town: Town) -> None:
    own_ref = town.node.vault_key.mac("VEN-2026-0311")
    signal_id = "11111111-1111-4111-8111-111111111111"
    hear(town, a_view(signal_id, own_ref=own_ref, version=2))
    (again,) = town.publish(example())
    assert (again.outcome, again.signal_id, again.version) == (Outcome.UNCHANGED, signal_id, 2)
    assert [row["version"] for row in town.rows(SIGNALS)] == [2]
    (changed,) = town.publish(example(estimated_victims=3))
    assert (changed.outcome, changed.signal_id, changed.version) == (Outcome.NEW_VERSION, signal_id, 3)


def test_a_restored_node_that_lost_a_version_goes_on_after_the_last_one_the_exchange_heard(town: Town) -> None:
    (first,) = town.publish(example())
    own_ref = town.node.vault_key.mac("VEN-2026-0311")
    hear(town, a_view(str(first.signal_id), own_ref=own_ref, version=4))
    (again,) = town.publish(example(estimated_victims=3))
    assert (again.outcome, again.version) == (Outcome.UNCHANGED, 4)
    (changed,) = town.publish(example(estimated_victims=5))
    assert (changed.outcome, changed.version) == (Outcome.NEW_VERSION, 5)


def test_a_restored_node_remembers_from_its_views_what_was_withdrawn(town: Town) -> None:
    own_ref = town.node.vault_key.mac("VEN-2026-0311")
    hear(town, a_view("11111111-1111-4111-8111-111111111111", ("run", 2, "withdrawn"), own_ref=own_ref, version=2))
    (again,) = town.publish(example())
    (changed,) = town.publish(example(estimated_victims=3))
    assert again.outcome is Outcome.UNCHANGED
    assert [(each.field, each.rule) for each in changed.faults] == [("local_ref", "R-VAL-16")]


def test_a_number_that_this_node_never_gave_out_makes_it_begin_a_new_run(town: Town) -> None:
    run, ids = sent(town)
    hear(town, a_view(ids[0], (run, 1, "routed")))
    assert len(town.rows(RUNS)) == 1
    hear(town, a_view("lost", (run, 2, "routed")))
    assert len(town.rows(RUNS)) == 2
    town.publish(example(local_ref="A-9"))
    town.relay().send_all()
    envelope = town.broker.records()[-1]["envelope"]
    assert envelope["publisher_run"] != run
    assert envelope["sequence"] == 1


def test_what_the_inbox_cannot_read_is_kept_encrypted_in_its_own_store_and_twice_is_once(town: Town) -> None:
    incoming = Incoming("feedback.gm0983", 2, 7, b"key", b"Testescu", {}, datetime.fromtimestamp(0, tz=NOW.tzinfo))
    for _ in range(2):
        with town.node.database.transaction() as connection:
            work = work_of(town, connection)
            work.park(Unreadable(incoming, "SCHEMA_INVALID", ("unknown_fingerprint",)))
            assert work.outgoing == [], "a municipality may not write to the topics parked and signal-trace"
            assert len(work.parked) == 1
    (row,) = town.rows(PARKED)
    assert (row["reason"], row["partition"], row["offset"]) == ("SCHEMA_INVALID", 2, 7)
    opened = town.node.vault_key.decrypt(row["parked_id"], Encrypted(row["wrapped_key"], row["ciphertext"]))
    assert b"VGVzdGVzY3U=" in opened
