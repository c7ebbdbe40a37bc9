"""Oversight keeps the ledger as the trace comes in, and it is the ledger that the rules draw up (R-FLOW-01, R-FLOW-02)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine

from builders import START, minutes
from signal_exchange.contracts.codec import decode, encode
from signal_exchange.domain.ledger import VERDICTS, Checkpoint, Entry, Ledger, balance
from signal_exchange.oversight.figures import Figures, alarms, conservation, figures
from signal_exchange.oversight.handler import OversightHandler
from signal_exchange.oversight.store import OUTBOX, TABLES, Decision, OversightStore
from signal_exchange.oversight.watch import Watch
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.metrics import Metrics
from signal_exchange.stream.messages import Incoming, Message
from signal_exchange.stream.work import Work

NOTHING = dict.fromkeys(
    (
        "signal_id",
        "version",
        "municipality",
        "publisher_run",
        "sequence",
        "destination",
        "verdict",
        "owner_role",
        "next_date",
    )
)


def received(record: str, fields: Mapping[str, Any]) -> Message:
    value = encode(record, fields)
    incoming = Incoming("signal-trace", 0, 0, b"", value, {}, START)
    return Message(record, decode(value, "oversight").fields, incoming)


def a_fact(stage: str = "RECEIVED", *, service: str = "routing", at: datetime = START, **fields: object) -> Message:
    number = {"municipality": "GM0983", "publisher_run": "run", "sequence": 1, "signal_id": "signal-1", "version": 1}
    given = {**NOTHING, **number, "service": service, "stage": stage, "at": at, **fields}
    return received("TraceFact", {**given, "trace_id": str(uuid.uuid5(uuid.NAMESPACE_OID, repr(sorted(given.items()))))})


def a_checkpoint(highest: int, *, at: datetime = START, municipality: str = "GM0983") -> Message:
    nobody: dict[str, Any] = {"signal_id": None, "version": None}
    return a_fact("CHECKPOINT", at=at, sequence=highest, municipality=municipality, **nobody)


def a_parked_record(parked_id: str = "parked-1", state: str = "PARKED", revision: int = 1, **fields: object) -> Message:
    where = {"service": "routing", "topic": "signals", "partition": 0, "offset": 7, "reason": "UNKNOWN_CODE", "errors": []}
    who = {"attributed": False, "municipality": None, "publisher_run": None, "sequence": None, "signal_id": None, "version": None}
    sealed = {"group": "parking:routing", "key_id": "k", "ciphertext": b"secret"}
    record = {"parked_id": parked_id, **where, **who, "state": state, "revision": revision, "parked_at": START, "record": sealed}
    return received("ParkedRecord", {**record, **fields})


class Bench:
    """Oversight's handler on a store in memory."""

    def __init__(self) -> None:
        self.engine: Engine = create_engine("sqlite://")
        TABLES.create_all(self.engine)

    def run(self, *messages: Message) -> None:
        with self.engine.begin() as connection:
            OversightHandler()(messages, Work("oversight", connection, lambda *_: {}))

    def ledger(self, now: datetime = START) -> Ledger:
        with self.engine.begin() as connection:
            return OversightStore(connection).ledger(now)

    def figures(self, now: datetime = START) -> Figures:
        with self.engine.begin() as connection:
            return figures(OversightStore(connection), now)

    def alarms(self, now: datetime = START) -> dict[str, int]:
        return {each["alarm"]: each["count"] for each in alarms(self.figures(now))}

    def conservation(self, now: datetime = START) -> dict[str, Any]:
        with self.engine.begin() as connection:
            return conservation(OversightStore(connection), now)


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
    assert found["overdue"] == [{"municipality": "GM0983", "publisher_run": "run", "sequence": 2}]
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


STORED: dict[str, Any] = {"destination": "CARE_COORDINATOR", "verdict": "SEND"}


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


def test_a_receipt_that_stays_away_alarms_also_when_the_signal_is_closed() -> None:
    bench = Bench()
    asked = a_fact("RECEIPT", service="agenda", next_date="2026-11-20", destination=None)
    bench.run(asked, a_fact(verdict="erased"))
    assert bench.alarms(START + timedelta(days=10)) == {"ReceiptsOverdue": 1}
    bench.run(a_fact("RECEIPT", service="agenda", at=minutes(5), destination=None))
    assert bench.alarms(START + timedelta(days=10)) == {}


def test_the_watch_says_the_figures_as_metrics_and_forgets_what_was_resolved(tmp_path: Path) -> None:
    database = Database(f"sqlite+pysqlite:///{tmp_path / 'store.sqlite'}", TABLES)
    database.create_tables()
    metrics = Metrics()
    watch = Watch(database, metrics, None, None)  # type: ignore[arg-type]  # Kafka is not asked here
    labels = {"service": "routing", "reason": "UNKNOWN_CODE"}
    for state, revision, shown in (("PARKED", 1, 1.0), ("RESOLVED", 2, None)):
        with database.transaction() as connection:
            OversightHandler()([a_parked_record(state=state, revision=revision)], Work("oversight", connection, lambda *_: {}))
        watch.look_at_store()
        assert metrics.registry.get_sample_value("signal_exchange_parked_waiting", labels) == shown
    assert OUTBOX.name == "outbox"
    database.close()
