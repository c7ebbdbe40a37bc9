"""R-RET-03 at the source: the record and its data key are destroyed, what never left never leaves, the exchange is told once."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from pathlib import Path

import pytest
from node_views import a_view, an_erasure, an_outcome_of, hear, work_of
from nodes import NOW, Town, a_town, example

from signal_exchange.domain.people import Person
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.municipality.inbox.handler import ParkInVault
from signal_exchange.municipality.publishing.submissions import Outcome
from signal_exchange.municipality.sending.outbox import OUTBOX
from signal_exchange.municipality.store import OUTBOX_OF_CONSUMER, PARKED, SIGNALS, VIEWS, Erased
from signal_exchange.stream.messages import Incoming, Unreadable
from signal_exchange.stream.scrubbing import Scrubber


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return a_town(tmp_path)


def published(town: Town, reference: str = "A-1") -> str:
    """Publish a signal and send it; give its id."""
    (result,) = town.publish(example(local_ref=reference))
    town.relay().send_all()
    return str(result.signal_id)


def erase(town: Town, reference: str = "A-1") -> Erased:
    return town.actions.erase(reference, Person("officer"))


def test_the_record_goes_at_once_and_the_exchange_is_told_of_the_next_version(town: Town) -> None:
    signal_id = published(town)
    erased = erase(town)
    assert (erased.signal_id, erased.version, erased.left) == (signal_id, 2, True)
    assert town.rows(SIGNALS) == []
    town.relay().send_all()
    [told] = town.broker.records("SignalErased")
    assert (told["signal_id"], told["version"], told["envelope"]["sequence"]) == (signal_id, 2, 2)


def test_erasing_twice_is_once_by_its_id_and_the_reference_is_free_again(town: Town) -> None:
    signal_id = published(town)
    assert erase(town) == erase(town, signal_id)
    with pytest.raises(RefusedError):
        erase(town)
    town.relay().send_all()
    assert len(town.broker.records("SignalErased")) == 1
    (again,) = town.publish(example(local_ref="A-1"))
    assert (again.outcome, again.signal_id == signal_id) == (Outcome.PUBLISHED, False)


def test_what_never_left_is_gone_and_nobody_is_told(town: Town) -> None:
    town.publish(example(local_ref="A-1"))
    assert not erase(town).left
    assert town.rows(OUTBOX) == []
    assert town.actions.certificates()[0]["state"] == "NEVER_LEFT"


def test_what_the_exchange_told_of_has_left_although_a_restored_outbox_has_it_without_a_number(town: Town) -> None:
    (result,) = town.publish(example(local_ref="A-1"))
    hear(town, a_view(str(result.signal_id), (str(uuid.uuid4()), 1, "routed")))
    assert erase(town).left
    assert [(row.record, row.version) for row in town.waiting()] == [("SignalErased", 2)]
    town.relay().send_all()
    assert [each["version"] for each in town.broker.records("SignalErased")] == [2]
    assert town.broker.records("SignalPublished") == []


def test_a_version_that_waits_never_leaves_and_one_on_its_way_stays_until_it_is_accounted_for(town: Town) -> None:
    signal_id = published(town)
    town.publish(example(local_ref="A-1", estimated_victims=7))
    assert erase(town).version == 3
    assert [(row.record, row.version) for row in town.waiting()] == [("SignalPublished", 1), ("SignalErased", 3)]
    run = str(town.waiting()[0].publisher_run)
    hear(town, a_view(signal_id, (run, 1, "routed")))
    assert [row.record for row in town.waiting()] == ["SignalErased"]


@pytest.mark.sqlite
def test_the_bytes_of_the_record_are_gone_from_the_file(town: Town) -> None:
    signal_id = published(town)
    hear(town, a_view(signal_id, (str(town.waiting()[0].publisher_run), 1, "routed")))
    [row] = town.rows(SIGNALS)
    marks = {row[name] for name in ("wrapped_key", "ciphertext", "reference_mac")}
    assert left(town, marks) == marks
    erase(town)
    assert left(town, marks) == set()


def left(town: Town, marks: set[bytes]) -> set[bytes]:
    """Give which of these bytes stand in the store's file or in a file beside it."""
    file = Path(str(town.node.database.engine.url.database))
    content = b"".join(each.read_bytes() for each in file.parent.glob(file.name + "*"))
    return {mark for mark in marks if mark in content}


@pytest.mark.sqlite
def test_bytes_that_were_on_their_way_leave_the_store_when_the_exchange_has_accounted_for_them(town: Town) -> None:
    signal_id = published(town)
    [sent] = town.rows(OUTBOX)
    erase(town)
    assert left(town, {sent["signature"]})
    handled = hear(town, a_view(signal_id, (str(sent["publisher_run"]), 1, "routed")))
    assert handled.erased == {signal_id}
    Scrubber(town.node.database, OUTBOX_OF_CONSUMER).settle()
    assert not left(town, {sent["signature"]})


@pytest.mark.sqlite
def test_what_a_reader_keeps_in_the_log_is_owed_and_leaves_when_the_node_looks_again(town: Town) -> None:
    published(town)
    [row] = town.rows(SIGNALS)
    reader = sqlite3.connect(str(town.node.database.engine.url.database), isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM record_signals").fetchone()
    with closing(town.node.database.engine.raw_connection()) as connection:
        connection.cursor().execute("PRAGMA busy_timeout=1")
    erase(town)
    assert left(town, {row["wrapped_key"]})
    reader.close()
    Scrubber(town.node.database, OUTBOX_OF_CONSUMER).look()
    assert not left(town, {row["wrapped_key"]})


def test_the_certificate_comes_home_sealed_and_tells_who_answered(town: Town) -> None:
    signal_id = published(town)
    erase(town)
    assert town.actions.certificate(signal_id)["state"] == "SENT"
    receipt = {**an_outcome_of(town, signal_id, None, kind="RECEIPT", state="DONE", source="agenda"), "outcome_id": "r"}
    hear(town, a_view(signal_id, revision=9, version=2, outcomes=[an_erasure(town, signal_id, "DONE"), receipt]))
    found = town.actions.certificate(signal_id)
    assert (found["state"], found["receipts"], found["certificate"]) == ("DONE", {"agenda": "DONE"}, None)
    certified = an_erasure(town, signal_id, "CERTIFIED", {"logs_end_on": "2026-11-29"})
    hear(town, a_view(signal_id, revision=10, version=2, outcomes=[certified]))
    assert town.actions.certificate(signal_id)["certificate"] == {"logs_end_on": "2026-11-29"}


def test_a_certificate_that_does_not_open_is_said_so(town: Town) -> None:
    signal_id = published(town)
    erase(town)
    certified = {**an_erasure(town, signal_id, "CERTIFIED", {"a": 1}), "outcome_id": "another"}
    hear(town, a_view(signal_id, revision=10, outcomes=[certified]))
    assert town.actions.certificate(signal_id)["certificate"] == {"unreadable": True}


def test_a_view_from_before_the_erasure_is_not_kept(town: Town) -> None:
    signal_id = published(town)
    erase(town)
    hear(town, a_view(signal_id, revision=3))
    assert town.rows(VIEWS) == []


def test_what_the_inbox_could_not_read_about_the_signal_goes_too(town: Town) -> None:
    signal_id, other = published(town), "another-signal"
    with town.node.database.transaction() as connection:
        for offset, key in enumerate((signal_id.encode(), other.encode(), None)):
            incoming = Incoming("feedback.gm0983", 0, offset, key, b"?", {}, NOW)
            ParkInVault(town.node.vault_key)(work_of(town, connection), Unreadable(incoming, "SCHEMA_INVALID"))
        connection.execute(PARKED.update().where(PARKED.c.offset == 2).values(wrapped_key=b"broken"))
    erase(town)
    assert sorted(row["offset"] for row in town.rows(PARKED)) == [1, 2]


def test_an_erased_signal_cannot_be_withdrawn_or_traced_and_the_message_says_where_to_look(town: Town) -> None:
    signal_id = published(town)
    erase(town)
    with pytest.raises(RefusedError, match="SIGNAL_ERASED"):
        town.actions.withdraw(signal_id, "MISTAKE")
    with pytest.raises(RefusedError, match="SIGNAL_ERASED"):
        town.actions.trace(signal_id)
    with pytest.raises(RefusedError, match="ERASED_SIGNAL_UNKNOWN"):
        town.actions.certificate("unknown")
