"""R-RET-03 in every consumer: what is asked is erased and answered, and stays erased, whatever comes late."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import pytest
from builders import ONE, START, TWO, a_referral, minutes, of_record
from builders import _sent as sent_of
from sqlalchemy import Connection, MetaData

from signal_exchange.contracts.topics import PARTITIONS, is_state
from signal_exchange.runtime.database import Database
from signal_exchange.stream.erasing import erase_asked, is_marked, keys_of, markers
from signal_exchange.stream.messages import Incoming, Message
from signal_exchange.stream.sender import partition_of
from signal_exchange.stream.tables import common_tables
from signal_exchange.stream.work import Work

TABLES = MetaData()
common_tables(TABLES)


@dataclass
class Held:
    """What a service holds, and which erasures it was asked for."""

    ids: set[str] = field(default_factory=set)
    asked: list[set[str]] = field(default_factory=list)

    def erase(self, signal_ids: Collection[str]) -> set[str]:
        self.asked.append(set(signal_ids))
        found = self.ids & set(signal_ids)
        self.ids -= found
        return found


@pytest.fixture
def connection() -> Iterator[Connection]:
    database = Database("sqlite+pysqlite:///:memory:", TABLES)
    TABLES.create_all(database.engine)
    with database.transaction() as opened:
        yield opened
    database.close()


def a_work(connection: Connection) -> Work:
    return Work("worklist", connection, lambda content, _: {"group": "x", "key_id": "k", "ciphertext": content})


def an_ask(number: int = 1, revision: int = 9, at: float = 5) -> Message:
    return a_referral(number, at=minutes(at), status="ERASED", revision=revision, offer=0, signal=None, version=2)


def receipts(work: Work) -> list[dict[str, object]]:
    return of_record([sent_of(each.topic, each.key, each.value) for each in work.outgoing], "Outcome")


def test_what_was_held_is_done_and_what_was_not_is_said_so(connection: Connection) -> None:
    work, held = a_work(connection), Held({ONE})
    left = erase_asked([a_referral(1), an_ask(1), an_ask(2), a_referral(3)], work, held.erase)
    assert {(each["signal_id"], each["kind"], each["state"]) for each in receipts(work)} == {
        (ONE, "RECEIPT", "DONE"),
        (TWO, "RECEIPT", "NOTHING_HELD"),
    }
    assert [message.fields["signal_id"] for message in left] == [a_referral(3).fields["signal_id"]]
    assert work.erased == {ONE, TWO}


def test_a_receipt_goes_where_the_signal_is_and_its_step_owes_nothing_any_more(connection: Connection) -> None:
    work = a_work(connection)
    erase_asked([an_ask()], work, Held({ONE}).erase)
    record = next(each for each in work.outgoing if each.topic == "outcomes")
    assert (record.partition_by, record.key.partition("/")[0]) == (ONE, ONE)
    [fact] = of_record([sent_of(each.topic, each.key, each.value) for each in work.outgoing], "TraceFact")
    assert (fact["stage"], fact["service"], fact["next_date"]) == ("RECEIPT", "worklist", None)


def test_the_first_answer_stands_when_it_is_asked_again_or_delivered_again(connection: Connection) -> None:
    held = Held({ONE})
    first, second = a_work(connection), a_work(connection)
    erase_asked([an_ask()], first, held.erase)
    erase_asked([an_ask(), an_ask(revision=11, at=99)], second, held.erase)
    [told], again = receipts(first), receipts(second)
    assert told in again
    assert {each["state"] for each in again} == {"DONE"}
    assert {each["occurred_at"] for each in again} == {minutes(5)}


def test_nothing_about_an_erased_signal_comes_through_later(connection: Connection) -> None:
    erase_asked([an_ask()], a_work(connection), Held().erase)
    later = a_work(connection)
    assert erase_asked([a_referral(1, revision=50)], later, Held().erase) == []
    assert later.outgoing == []


def test_without_an_ask_nothing_is_erased(connection: Connection) -> None:
    held = Held({ONE})
    assert len(erase_asked([a_referral(1)], a_work(connection), held.erase)) == 1
    assert held.asked == []


def test_markers_reach_every_partition_and_their_round_is_seen_once(connection: Connection) -> None:
    work = a_work(connection)
    markers("link-tokens", START, work)
    assert {partition_of(each.key) for each in work.outgoing} == set(range(PARTITIONS))
    seen = [Incoming("link-tokens", 0, 1, each.key.encode(), None, {}, START) for each in work.outgoing]
    assert sum(is_marked([each], "link-tokens") for each in seen) == 1
    assert not is_marked(seen, "outcomes")


def test_tombstones_are_told_by_topic() -> None:
    gone = [Incoming(topic, 0, 1, key.encode(), None, {}, START) for topic, key in (("links", "a"), ("accepted", "b"))]
    assert keys_of(gone, "links") == {"a"}


@pytest.mark.parametrize(
    ("topic", "state"), [("feedback.gm0983", True), ("accepted", True), ("signals", False), ("nothing", False)]
)
def test_only_a_state_topic_has_tombstones(topic: str, *, state: bool) -> None:
    assert is_state(topic) is state
