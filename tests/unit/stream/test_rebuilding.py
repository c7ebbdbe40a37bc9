"""A rebuild gives back what was there, takes nothing that people entered, and changes nothing when it does not end well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import Consuming, a_referral, an_identity, an_observation, minutes, signal_id
from hypothesis import given
from hypothesis import strategies as st
from refusing import refused
from replays import MemoryReplay, Part, Record
from sqlalchemy import delete, insert, update

from signal_exchange.contracts.records import PARKED_RECORD, ParkedRecord
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.recovery.rebuilding import Plan, rebuild
from signal_exchange.runtime.database import Database
from signal_exchange.statistics import store as statistics
from signal_exchange.statistics.handler import handle
from signal_exchange.stream.consumer import ConsumerSpec
from signal_exchange.stream.messages import Message, Unreadable
from signal_exchange.stream.outbox import Outbox
from signal_exchange.stream.parking import ParkedStore
from signal_exchange.stream.seen_register import SEEN_TABLE
from signal_exchange.stream.work import Work
from signal_exchange.web.sittings import SITTINGS
from signal_exchange.worklist import store as worklist
from signal_exchange.worklist.handler import WorklistHandler
from signal_exchange.worklist.rebuilding import take as take_deliveries

SEAL = an_identity("parking:statistics").parking_seal("statistics")


def spec_of(consumer: Consuming, *sources: str, handler: Any = handle) -> ConsumerSpec:
    return ConsumerSpec(
        name=consumer.service,
        reader=consumer.service,
        sources=(*sources, f"retry.{consumer.service}"),
        database=consumer.database,
        outbox=consumer.outbox,
        handle=handler,
        seal=an_identity().parking_seal(consumer.service),
    )


class Facts:
    """Statistics with its topic: everything that came in was handled and committed."""

    def __init__(self, folder: Path | None = None) -> None:
        url = f"sqlite+pysqlite:///{folder / 'store.sqlite'}" if folder else "sqlite+pysqlite:///:memory:"
        self.consumer = Consuming("statistics", statistics.TABLES, handle, url)
        self.topics = MemoryReplay()
        self.plan = Plan(spec_of(self.consumer, "observations"))

    def came(self, *messages: Message) -> None:
        self.consumer.take(*map(self.topics.add, messages))
        self.topics.commit()

    def rows(self) -> dict[str, Any]:
        return self.consumer.everything()

    def rebuilt(self) -> Any:
        return rebuild(self.plan, self.topics)


observations = st.lists(
    st.tuples(st.integers(1, 4), st.integers(1, 5), st.booleans()).map(
        lambda told: an_observation(told[0], revision=told[1], counted=told[2] or told[1] > 1)
    ),
    max_size=12,
)


@given(told=observations)
def test_a_rebuild_gives_the_rows_that_were_there(told: list[Message]) -> None:
    facts = Facts()
    for message in told:
        facts.came(message)
    before = facts.rows()
    with facts.consumer.database.transaction() as connection:
        connection.execute(update(statistics.OBSERVATIONS).values(form="DAMAGED"))
    assert facts.rebuilt().records == len(told)
    assert facts.rows() == before


def test_what_the_group_has_not_committed_is_left_to_the_service_and_its_letters() -> None:
    facts = Facts()
    facts.came(an_observation(1), an_observation(2))
    facts.topics.add(an_observation(3))
    assert facts.rebuilt().rows["projection_observations"] == 2


def test_a_service_that_runs_is_not_rebuilt_nor_one_that_starts_meanwhile() -> None:
    facts = Facts()
    facts.came(an_observation(1))
    facts.topics.runs = True
    with refused("draait nog"):
        facts.rebuilt()
    facts.topics.runs = False
    looks = iter([{}, {"other": 1}])
    facts.topics.standing = lambda _: next(looks)  # type: ignore[method-assign,assignment]  # starts and commits meanwhile
    before = facts.rows()
    with refused("intussen gestart"):
        facts.rebuilt()
    assert facts.rows() == before


@pytest.mark.parametrize("fault", [KeyboardInterrupt, RuntimeError])
def test_a_rebuild_that_is_broken_off_leaves_the_old_rows(tmp_path: Path, fault: type[BaseException]) -> None:
    facts = Facts(tmp_path)
    facts.came(*(an_observation(number) for number in range(1, 8)))
    before = facts.rows()

    def breaks(messages: Sequence[Message], work: Work) -> None:
        handle(messages, work)
        if any(message.incoming.offset == 0 for message in messages):
            raise fault

    with pytest.raises(fault):
        rebuild(replace(facts.plan, take=breaks), facts.topics)
    again = Database(f"sqlite+pysqlite:///{tmp_path / 'store.sqlite'}", statistics.TABLES)
    assert facts.rows() == before
    again.close()


def test_a_record_that_this_program_cannot_read_any_more_stops_the_rebuild() -> None:
    facts = Facts()
    facts.came(an_observation(1))
    facts.topics.topics["observations"].append(Record("observations", 1, b"x", b"no record", 0))
    facts.topics.commit()
    before = facts.rows()
    with refused(r"1 record .*observations SCHEMA_INVALID"):
        facts.rebuilt()
    assert facts.rows() == before


@pytest.mark.parametrize("committed", [1, 2])
def test_what_the_service_will_take_itself_does_not_stop_a_rebuild_when_it_cannot_be_read(committed: int) -> None:
    facts = Facts()
    facts.came(an_observation(1))
    facts.topics.topics["observations"].append(Record("observations", 1, b"x", b"no record", 0))
    facts.topics.done[Part("observations", 0)] = committed
    plan = replace(facts.plan, own=("observations",), sources=())
    if committed == 1:
        assert rebuild(plan, facts.topics).rows["projection_observations"] == 1
    else:
        with refused("niet meer lezen"):
            rebuild(plan, facts.topics)


def test_a_tombstone_gives_nothing_back() -> None:
    facts = Facts()
    facts.came(an_observation(1))
    facts.topics.topics["observations"].append(Record("observations", 1, b"x", None, 0))
    facts.topics.commit()
    assert facts.rebuilt().rows["projection_observations"] == 1


def parked_of(topics: MemoryReplay, offset: int) -> Work:
    """Park the record at an offset, as statistics did once."""
    record = topics.topics["observations"][offset]
    message = an_observation(9)
    incoming = replace(message.incoming, offset=record.offset, value=record.value)
    work = Work("statistics", None, SEAL)  # type: ignore[arg-type]  # writes nothing
    work.park(Unreadable(incoming, "UNKNOWN_CODE"))
    return work


@pytest.mark.parametrize(("state", "rows"), [("PARKED", 1), ("DISCARDED", 1), ("RESOLVED", 2)])
def test_what_waits_for_a_person_or_was_dropped_by_one_does_not_come_back(state: str, rows: int) -> None:
    facts = Facts()
    facts.came(an_observation(1))
    facts.topics.add(an_observation(2))
    parked = parked_of(facts.topics, 1)
    parked_id = next(outgoing_record.key for outgoing_record in parked.outgoing if outgoing_record.topic == "parked")
    with facts.consumer.database.transaction() as connection:
        kept = ParkedStore(connection)
        kept.keep(parked.outgoing)
        fields = kept.parked(parked_id)
        assert fields is not None
        ended = Work("statistics", connection, SEAL)
        record: ParkedRecord = {**fields, "state": state, "revision": 2}
        ended.send("parked", parked_id, PARKED_RECORD, record, event_id="x", at=minutes(1))
        kept.keep(ended.outgoing)
    facts.topics.send(
        [outgoing_record for outgoing_record in (*parked.outgoing, *ended.outgoing) if outgoing_record.topic == "parked"]
    )
    facts.topics.commit()
    before = facts.rows()
    with facts.consumer.database.transaction() as connection:
        connection.execute(delete(statistics.TABLES.tables["projection_parked"]))
    assert facts.rebuilt().rows == {"projection_observations": rows, "projection_parked": 1}
    assert facts.rows()["projection_parked"] == before["projection_parked"]


def test_a_parked_record_whose_letter_still_waits_is_kept_and_those_of_other_services_are_not() -> None:
    facts = Facts()
    facts.came(an_observation(1))
    own = [each for each in parked_of(facts.topics, 0).outgoing if each.topic == "parked"]
    other = Work("feedback", None, SEAL)  # type: ignore[arg-type]  # writes nothing
    other.park(Unreadable(an_observation(1).incoming, "UNKNOWN_CODE"))
    facts.topics.send([each for each in other.outgoing if each.topic == "parked"])
    with facts.consumer.database.transaction() as connection:
        Outbox(connection, facts.consumer.outbox).add(own)
    rebuilt = facts.rebuilt()
    assert [row["parked_id"] for row in facts.rows()["projection_parked"]] == [own[0].key]
    assert (rebuilt.held_back, len(facts.consumer.waiting())) == (1, 1)


def a_worklist() -> tuple[Consuming, MemoryReplay, Plan]:
    identity = an_identity()
    handler = WorklistHandler("CARE_COORDINATOR", WorkingCalendar(frozenset()), identity.sealed_part, identity.current_register)
    consumer = Consuming("worklist", worklist.TABLES, handler)
    return consumer, MemoryReplay(), Plan(spec_of(consumer, "referrals", handler=handler), take=take_deliveries)


def test_what_people_entered_stays_as_it_is_though_the_topic_has_only_the_last_state_of_each_signal() -> None:
    consumer, topics, plan = a_worklist()
    first, then = a_referral(1), a_referral(1, revision=2, version=2, urgency="URGENT")
    consumer.take(first)
    with consumer.database.transaction() as connection:
        step = {"signal_id": signal_id(1), "offer": 1, "row_version": 9, "went_to": "SEEN", "at": minutes(3), "who": "iemand"}
        connection.execute(insert(worklist.TRANSITIONS).values(**step))
    consumer.take(topics.add(then))
    topics.commit()
    waiting = consumer.waiting()
    before = consumer.everything()
    rebuilt = rebuild(plan, topics)
    assert consumer.everything() == before
    assert (consumer.waiting(), bool(waiting)) == ([], True)
    entered = {name for name in worklist.TABLES.tables if not name.startswith("projection_")}
    assert set(rebuilt.unchanged) == entered - {SEEN_TABLE, SITTINGS.name}  # log-ins may come and go meanwhile


def test_a_plan_that_would_touch_what_people_entered_is_refused() -> None:
    consumer, topics, plan = a_worklist()
    consumer.take(topics.add(a_referral(1)))
    topics.commit()
    before = consumer.everything()

    def touches(_: Sequence[Message], work: Work) -> None:
        work.connection.execute(delete(worklist.REFERRALS))

    with refused("wat mensen invoerden"):
        rebuild(replace(plan, take=touches), topics)
    assert consumer.everything() == before
