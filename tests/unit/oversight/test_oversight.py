"""Oversight keeps the ledger as the trace comes in, and it is the ledger that the rules draw up (R-FLOW-01, R-FLOW-02)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from builders import START, minutes, unsealed
from hypothesis import given
from hypothesis import strategies as st
from kafka import TopicPartition  # type: ignore[import-untyped]  # ships no types
from oversight_bench import STORED, Bench, a_checkpoint, a_fact, a_parked_record

from signal_exchange.contracts.topics import catalogue
from signal_exchange.domain.figures.ledger import VERDICTS, Checkpoint, Entry, Ledger
from signal_exchange.oversight.handler import handle
from signal_exchange.oversight.store import OUTBOX, TABLES, Decision, OversightStore
from signal_exchange.oversight.watch import Watch
from signal_exchange.runtime import logs
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.faults import WorldUnavailableError
from signal_exchange.runtime.metrics import Metrics
from signal_exchange.stream.messages import Message
from signal_exchange.stream.work import Work
from signal_exchange_demo.ledger import balance

numbered = st.fixed_dictionaries(
    {
        "municipality": st.sampled_from(["GM0983", "GM1507"]),
        "publisher_run": st.sampled_from(["run-a", "run-b"]),
        "sequence": st.integers(1, 4),
        "signal_id": st.sampled_from(["signal-1", "signal-2", "signal-3"]),
        "version": st.integers(1, 2),
        "verdict": st.sampled_from(VERDICTS[1:]),
        "at": st.integers(0, 30).map(minutes),
    }
)
facts = st.one_of(
    numbered.map(lambda fields: a_fact(**fields)),
    st.builds(
        lambda parked_id, at: a_fact("PARKED", verdict="unattributed", signal_id=parked_id, sequence=None, at=at),
        st.sampled_from(["a", "b"]),
        st.integers(0, 3).map(minutes),
    ),
    st.builds(
        lambda highest, at, code: a_checkpoint(highest, at=minutes(at), municipality=code),
        st.integers(1, 6),
        st.integers(0, 30),
        st.sampled_from(["GM0983", "GM1507"]),
    ),
)


def by_the_rules(told: Iterable[Message], now: datetime) -> Ledger:
    once = {message.fields["trace_id"]: message.fields for message in told}
    entries, checkpoints = [], []
    for fact in once.values():
        if fact["stage"] == "CHECKPOINT":
            checkpoints.append(Checkpoint(fact["municipality"], fact["publisher_run"], fact["sequence"], fact["at"]))
        else:
            number = None if fact["sequence"] is None else (fact["municipality"], fact["publisher_run"], fact["sequence"])
            entries.append(Entry(number, fact["verdict"], fact["signal_id"], fact["version"] or 0))
    return balance(entries, checkpoints, now=now)


@given(st.lists(st.lists(facts, max_size=6), max_size=6), st.integers(0, 60))
def test_r_flow_01_the_kept_ledger_is_the_one_that_the_rules_draw_up(batches: Sequence[Sequence[Message]], later: int) -> None:
    bench, told = Bench(), [message for batch in batches for message in batch]
    for batch in batches:
        bench.run(*batch)
    assert bench.ledger(minutes(later)) == by_the_rules(told, minutes(later))
    bench.run(*told)
    assert bench.ledger(minutes(later)) == by_the_rules(told, minutes(later))
    bench.engine.dispose()


def test_r_flow_01_of_each_municipality_the_balance_stands_by_itself() -> None:
    bench = Bench()
    bench.run(a_fact(verdict="routed"), a_checkpoint(2), a_fact(verdict="parked", municipality="GM1507", signal_id="signal-2"))
    found = bench.conservation(minutes(20))
    assert {code: (each["conserved"], each["published"]) for code, each in found["municipalities"].items()} == {
        "GM0983": (False, 1),
        "GM1507": (True, 1),
    }
    assert (found["overdue"], found["gaps"]) == (
        1,
        [{"municipality": "GM0983", "publisher_run": "run", "first": 2, "last": 2}],
    )
    assert (found["conserved"], found["published"], found["signals"]["routed"], found["signals"]["parked"]) == (False, 2, 1, 1)


def test_a_retry_moves_the_number_from_parked_to_its_new_place() -> None:
    bench = Bench()
    bench.run(a_fact("PARKED", verdict="parked"), a_checkpoint(1))
    bench.run(a_fact(verdict="routed"))
    assert {place: count for place, count in bench.ledger().counts.items() if count} == {"routed": 1}


def test_what_another_service_parked_is_no_place_of_a_number() -> None:
    bench = Bench()
    bench.run(a_fact(verdict="routed"), a_fact("PARKED", service="worklist", verdict="parked"))
    assert bench.ledger().counts["routed"] == 1


def test_parked_records_alarm_by_count_at_once_and_by_age_after_a_day_until_they_are_resolved() -> None:
    bench = Bench()
    bench.run(a_parked_record(), a_parked_record("parked-2"))
    assert bench.alarms(minutes(1)) == {"RecordsParked": 2}
    assert bench.alarms(START + timedelta(days=2)) == {"RecordsParked": 2, "ParkedTooLong": 1}
    bench.run(a_parked_record(state="RESOLVED", revision=2), a_parked_record("parked-2", "DISCARDED", 2))
    bench.run(a_parked_record())
    assert bench.alarms(START + timedelta(days=2)) == {}


def test_who_discarded_a_record_and_why_stands_in_the_ledger() -> None:
    bench = Bench()
    bench.run(a_parked_record())
    with bench.engine.begin() as connection:
        OversightStore(connection).add_decision(Decision("r", "parked-1", "DISCARD", "FORGED", "beheer", START))
    assert bench.conservation()["discarded_records"] == []
    bench.run(a_parked_record(state="DISCARDED", revision=2))
    [told] = bench.conservation()["discarded_records"]
    assert (told["parked_id"], told["reason"], told["by"]) == ("parked-1", "FORGED", "beheer")


@pytest.mark.parametrize(
    ("later", "late"),
    [
        pytest.param([], [("worklist/CARE_COORDINATOR", "CARE_COORDINATOR", "2026-11-20")], id="nothing happened"),
        pytest.param([a_fact("OUTCOME", service="worklist", at=minutes(5), **STORED)], [], id="decided"),
        pytest.param(
            [
                a_fact("ROUTED", at=minutes(5), owner_role="ATTENTION_OFFICER", next_date="2026-12-20"),
                a_fact("STORED", service="worklist", at=minutes(5), destination="CARE_COORDINATOR", verdict="RETRACTED"),
            ],
            [],
            id="taken back",
        ),
        pytest.param([a_fact(verdict="withdrawn", at=minutes(5))], [], id="withdrawn"),
        pytest.param(
            [a_fact("OUTCOME", service="worklist", at=minutes(5), next_date="2026-11-21", **STORED)],
            [("worklist/CARE_COORDINATOR", "CARE_COORDINATOR", "2026-11-21")],
            id="accepted, and no contact since",
        ),
    ],
)
def test_r_flow_02_an_open_signal_without_outcome_after_its_clock_alarms_by_itself(
    later: list[Message], late: list[tuple[str, str, str]]
) -> None:
    bench = Bench()
    bench.run(a_fact("ROUTED", **STORED), a_fact("STORED", service="worklist", next_date="2026-11-20", **STORED))
    bench.run(*later)
    assert bench.figures(START).late == ()
    found = bench.figures(START + timedelta(days=10)).late
    assert [(each.keeper, each.owner_role, each.next_date) for each in found] == late


def test_an_open_signal_that_nobody_keeps_is_found_out() -> None:
    bench = Bench()
    bench.run(a_fact("ROUTED", **STORED))
    assert bench.alarms(minutes(5)) == {}
    assert bench.alarms(minutes(15)) == {"SignalsWithoutOwner": 1}
    bench.run(a_fact("STORED", service="worklist", next_date="2026-12-20", **STORED))
    assert bench.alarms(minutes(15)) == {}


def test_of_two_words_of_a_keeper_at_one_append_time_the_last_one_counts() -> None:
    bench = Bench()
    taken_back = a_fact("STORED", service="worklist", destination="CARE_COORDINATOR", verdict="RETRACTED")
    offered = a_fact("STORED", service="worklist", next_date="2026-12-20", **STORED)
    bench.run(a_fact("ROUTED", **STORED), taken_back, offered)
    assert bench.alarms(minutes(15)) == {}
    bench.run(a_fact("STORED", service="worklist", destination="CARE_COORDINATOR", verdict="RETRACTED", version=2))
    assert bench.alarms(minutes(15)) == {"SignalsWithoutOwner": 1}


def test_r_val_16_a_withdrawn_signal_that_is_published_again_is_open_again() -> None:
    bench = Bench()
    bench.run(a_fact(verdict="superseded"), a_fact(verdict="withdrawn", version=2, sequence=2))
    bench.run(a_fact("STORED", service="worklist", next_date="2026-11-20", version=3, **STORED))
    assert bench.figures(START + timedelta(days=10)).late == ()
    bench.run(a_fact(verdict="routed", version=3, sequence=3))
    assert [each.next_date for each in bench.figures(START + timedelta(days=10)).late] == ["2026-11-20"]


def test_what_waited_for_the_municipality_ends_with_its_next_version() -> None:
    bench = Bench()
    asked = {**STORED, "owner_role": "ATTENTION_OFFICER", "next_date": "2026-11-20"}
    bench.run(a_fact("ROUTED", **STORED), a_fact("OUTCOME", service="worklist", **asked))
    assert bench.alarms(START + timedelta(days=10)) == {"SignalsPastTheirDate": 1}
    bench.run(a_fact("ROUTED", version=2, owner_role="CHAIN_DIRECTOR", next_date="2026-12-20", **STORED))
    assert bench.alarms(START + timedelta(days=10)) == {}


def test_of_two_receivers_the_one_that_tells_nothing_is_found_out_though_the_other_has_it() -> None:
    bench = Bench()
    both = ("CARE_COORDINATOR", "SCREENING_AGENDA")
    bench.run(*(a_fact("ROUTED", destination=each, verdict="SEND") for each in both))
    bench.run(a_fact("STORED", service="worklist", next_date="2026-12-20", **STORED))
    assert bench.alarms(minutes(5)) == {}
    [found] = bench.figures(minutes(15)).late
    assert (found.keeper, found.owner_role, found.next_date) == ("SENT/SCREENING_AGENDA", "NOBODY", None)
    bench.run(a_fact("STORED", service="agenda", destination="SCREENING_AGENDA", verdict="SEND", next_date="2026-12-20"))
    assert bench.alarms(minutes(15)) == {}
    bench.run(*(a_fact("ROUTED", destination=each, verdict="SEND", version=2, at=minutes(20)) for each in both))
    bench.run(a_fact("STORED", service="agenda", at=minutes(20), destination="SCREENING_AGENDA", next_date="2026-12-20"))
    assert [each.keeper for each in bench.figures(minutes(40)).late] == ["SENT/CARE_COORDINATOR"]
    bench.run(a_fact("ROUTED", destination="CARE_COORDINATOR", verdict="DENY", version=3, at=minutes(41)))
    assert bench.alarms(minutes(60)) == {}


def test_an_alert_to_the_chain_director_is_no_date() -> None:
    bench = Bench()
    bench.run(
        a_fact("ROUTED", **STORED), a_fact("STORED", service="agenda", destination="CHAIR_ALERT", owner_role="CHAIN_DIRECTOR")
    )
    assert bench.alarms(minutes(15)) == {"SignalsWithoutOwner": 1}


def test_a_receipt_that_stays_away_alarms_also_when_the_signal_is_closed() -> None:
    bench = Bench()
    asked = a_fact("RECEIPT", service="agenda", next_date="2026-11-20", destination=None)
    bench.run(asked, a_fact(verdict="erased"))
    assert bench.alarms(START + timedelta(days=10)) == {"ReceiptsOverdue": 1}
    bench.run(a_fact("RECEIPT", service="agenda", at=minutes(5), destination=None))
    assert bench.alarms(START + timedelta(days=10)) == {}


class FakeKafka:
    """Says of each part of each topic where it begins and ends, and what each group has committed."""

    def __init__(self, ends: dict[str, tuple[int, int]], committed: dict[str, dict[str, tuple[int, int]]]) -> None:
        self.ends, self.committed, self.begins = ends, committed, dict[str, int]()

    def describe_topics(self) -> list[dict[str, Any]]:
        return [{"name": name, "partitions": [{"partition_index": 0}, {"partition_index": 1}]} for name in self.ends]

    def list_partition_offsets(self, asked: dict[Any, int]) -> dict[Any, Any]:
        found = {part: self.ends[part.topic][part.partition] for part in asked}
        return {
            part: SimpleNamespace(offset=found[part] if asked[part] == -1 else self.begins.get(part.topic, 0)) for part in asked
        }

    def list_group_offsets(self, group: str) -> dict[str, dict[Any, Any]]:
        own = self.committed.get(group, {})
        pairs = {TopicPartition(name, n): offset for name, offsets in own.items() for n, offset in enumerate(offsets)}
        return {group: {part: SimpleNamespace(offset=offset) for part, offset in pairs.items()}}


def a_watch(kafka: FakeKafka, members: list[str], monkeypatch: pytest.MonkeyPatch) -> Watch:
    monkeypatch.setattr("signal_exchange.oversight.watch.admin_client", lambda _: nullcontext(kafka))
    return Watch(None, Metrics(), None, lambda: catalogue(members))  # type: ignore[arg-type]  # the store is not asked here


def told(watch: Watch, metric: str, group: str, topic: str) -> float | None:
    return watch.metrics.registry.get_sample_value(f"signal_exchange_{metric}", {"group": group, "topic": topic})


def test_one_part_of_a_topic_that_stands_still_is_seen_though_the_other_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = FakeKafka({"signals": (100, 100)}, {"routing": {"signals": (10, 10)}})
    watch = a_watch(kafka, [], monkeypatch)
    for elapsed, moving in ((0, 10), (60, 20), (120, 30)):
        monkeypatch.setattr("signal_exchange.oversight.watch.clock.now", lambda at=elapsed: START + timedelta(seconds=at))
        kafka.committed["routing"]["signals"] = (10, moving)
        watch.look_at_groups()
    assert (told(watch, "consumer_lag", "routing", "signals"), told(watch, "commit_age_seconds", "routing", "signals")) == (
        160,
        120,
    )
    kafka.committed["routing"]["signals"] = (100, 100)
    watch.look_at_groups()
    assert (told(watch, "consumer_lag", "routing", "signals"), told(watch, "commit_age_seconds", "routing", "signals")) == (0, 0)


def test_who_joins_is_seen_at_the_next_look_and_who_left_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    members = ["GM0983"]
    kafka = FakeKafka({"feedback.gm0983": (1, 0), "feedback.gm0907": (2, 0)}, {})
    watch = a_watch(kafka, members, monkeypatch)
    watch.look_at_groups()
    assert told(watch, "consumer_lag", "municipality-gm0907", "feedback.gm0907") is None
    members[:] = ["GM0907"]
    watch.look_at_groups()
    assert told(watch, "consumer_lag", "municipality-gm0907", "feedback.gm0907") == 2
    assert told(watch, "consumer_lag", "municipality-gm0983", "feedback.gm0983") is None


def test_what_a_log_forgot_before_a_group_began_is_no_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = FakeKafka({"signals": (100, 100)}, {})
    kafka.begins["signals"] = 90
    watch = a_watch(kafka, [], monkeypatch)
    watch.look_at_groups()
    assert told(watch, "consumer_lag", "routing", "signals") == 20


@pytest.mark.parametrize("blind", ["look_at_store", "look_at_groups"])
def test_a_look_that_sees_only_half_is_no_look(monkeypatch: pytest.MonkeyPatch, blind: str) -> None:
    def unanswered(_: Watch) -> None:
        raise WorldUnavailableError

    logs.configure("test", "WARNING")
    watch = Watch(None, Metrics(), None, lambda: catalogue(()))  # type: ignore[arg-type]  # neither is asked here
    for each in ("look_at_store", "look_at_groups"):
        monkeypatch.setattr(Watch, each, unanswered if each == blind else lambda _: None)
    asyncio.run(watch.look())
    assert watch.metrics.registry.get_sample_value("signal_exchange_watch_timestamp_seconds") == 0
    monkeypatch.setattr(Watch, blind, lambda _: None)
    asyncio.run(watch.look())
    assert watch.metrics.registry.get_sample_value("signal_exchange_watch_timestamp_seconds") not in (0, None)


def test_the_watch_says_the_figures_as_metrics_and_forgets_what_was_resolved(tmp_path: Path) -> None:
    database = Database(f"sqlite+pysqlite:///{tmp_path / 'store.sqlite'}", TABLES)
    database.create_tables()
    metrics = Metrics()
    watch = Watch(database, metrics, None, None)  # type: ignore[arg-type]  # Kafka is not asked here
    labels = {"service": "routing", "reason": "UNKNOWN_CODE"}
    for state, revision, shown in (("PARKED", 1, 1.0), ("RESOLVED", 2, None)):
        with database.transaction() as connection:
            handle(
                [a_parked_record(state=state, revision=revision)],
                Work("oversight", connection, unsealed),
            )
        watch.look_at_store()
        assert metrics.registry.get_sample_value("signal_exchange_parked_waiting", labels) == shown
    assert OUTBOX.name == "outbox"
    database.close()
