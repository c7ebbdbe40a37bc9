"""What an operator types and reads: the ledger, the alarms, open signals, and parked records by their headers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from builders import START, minutes
from oversight_bench import STORED, a_checkpoint, a_fact, a_parked_record
from oversight_desk import BY, Desk

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.runtime import clock


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.database.close()


def it_is(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr(clock, "now", lambda: now)


def test_r_flow_01_conservation_ends_with_exit_code_0_only_when_it_holds(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, minutes(5))
    desk.take(a_fact(verdict="routed"), a_checkpoint(2))
    said = desk.say("ledger", "conservation", "--json")
    found = json.loads(said.stdout)
    assert (said.exit_code, found["conserved"], found["numbers"]["in_flight"]) == (0, True, 1)
    assert found["municipalities"]["GM0983"]["numbers_sent"] == 2
    it_is(monkeypatch, minutes(15))
    said = desk.say("ledger", "conservation", "--json")
    found = json.loads(said.stdout)
    gap = {"municipality": "GM0983", "publisher_run": "run", "first": 2, "last": 2}
    assert (said.exit_code, found["overdue"], found["gaps"]) == (1, 1, [gap])
    in_words = desk.say("ledger", "conservation")
    assert in_words.exit_code == 1
    lines = in_words.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["gemeente", "alle", "GM0983"]
    assert "in_flight 1, routed 1" in lines[1]
    assert lines[1].rstrip().endswith("nee")


def test_r_flow_01_an_overdue_number_that_will_not_come_is_discarded_with_reason_and_name(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide = ("give-up", "GM0983", "run", "2", *BY, "--reason", "LOST_IN_RESTORE")
    it_is(monkeypatch, minutes(5))
    desk.take(a_fact(verdict="routed"), a_checkpoint(2))
    with pytest.raises(RefusedError, match="NUMBER_NOT_OVERDUE"):
        desk.say("ledger", *decide)
    it_is(monkeypatch, minutes(15))
    for _ in range(2):
        assert "als vervallen" in desk.say("ledger", *decide).stdout
    found = json.loads(desk.say("ledger", "conservation", "--json").stdout)
    assert (found["conserved"], found["numbers"]["discarded"], found["overdue"]) == (True, 1, 0)
    assert [(each["first"], each["last"], each["reason"], each["by"]) for each in found["given_up_numbers"]] == [
        (2, 2, "LOST_IN_RESTORE", "beheer")
    ]
    desk.take(a_fact(verdict="routed", sequence=2, signal_id="signal-2"))  # it came after all
    found = json.loads(desk.say("ledger", "conservation", "--json").stdout)
    assert (found["conserved"], found["numbers"]["discarded"], found["numbers"]["routed"]) == (True, 0, 2)


def test_an_empty_ledger_is_conserved(desk: Desk) -> None:
    said = desk.say("ledger", "conservation")
    assert (said.exit_code, said.stdout.splitlines()[1].rstrip().endswith("ja")) == (0, True)


def test_alarms_are_named_as_in_the_runbook(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "geen alarm" in desk.say("alarms").stdout
    desk.take(a_parked_record(), a_parked_record("parked-2"), a_checkpoint(1))
    it_is(monkeypatch, START + timedelta(days=2))
    assert desk.told("alarms") == [
        {"alarm": "NumbersOverdue", "count": 1},
        {"alarm": "RecordsParked", "count": 2},
        {"alarm": "ParkedTooLong", "count": 1},
    ]
    assert "NumbersOverdue" in desk.say("alarms").stdout


def test_r_flow_02_open_signals_past_their_date_or_without_owner_are_listed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, START + timedelta(days=10))
    assert "over zijn datum" in desk.say("overdue").stdout
    desk.take(a_fact("ROUTED", **STORED), a_fact("STORED", service="worklist", next_date="2026-11-20", **STORED))
    desk.take(a_fact("ROUTED", signal_id="signal-2", sequence=2, **STORED))
    assert desk.told("overdue") == [
        {
            "signal_id": "signal-1",
            "municipality": "GM0983",
            "keeper": "worklist/CARE_COORDINATOR",
            "owner_role": "CARE_COORDINATOR",
            "next_date": "2026-11-20",
        },
        {
            "signal_id": "signal-2",
            "municipality": "GM0983",
            "keeper": "SENT/CARE_COORDINATOR",
            "owner_role": "NOBODY",
            "next_date": None,
        },
    ]
    assert "NOBODY" in desk.say("overdue").stdout


def test_parked_records_are_listed_by_their_headers_and_ended_ones_when_asked(desk: Desk) -> None:
    assert "niets geparkeerd" in desk.say("parked", "list").stdout
    desk.take(a_parked_record(), a_parked_record("parked-2", "RESOLVED", 2))
    [row] = desk.told("parked", "list")
    assert (row["parked_id"], row["reason"], {"record", "ciphertext"} & set(row)) == ("parked-1", "UNKNOWN_CODE", set())
    assert [each["parked_id"] for each in desk.told("parked", "list", "--all")] == ["parked-1", "parked-2"]
    assert "UNKNOWN_CODE" in desk.say("parked", "list").stdout


@pytest.mark.parametrize(
    ("action", "reason", "sentence"),
    [("retry", "CAUSE_GONE", "probeert het opnieuw"), ("discard", "FORGED", "laat het vervallen")],
)
def test_a_decision_is_asked_of_the_owner_kept_and_shown_and_names_nobody_on_the_stream(
    desk: Desk, action: str, reason: str, sentence: str
) -> None:
    desk.take(a_parked_record())
    assert "nog niets besloten" in desk.say("parked", "show", "parked-1").stdout
    assert sentence in desk.say("parked", action, "parked-1", *BY, "--reason", reason).stdout
    [(topic, fields)] = desk.requests()
    assert (topic, fields["parked_id"], fields["action"], fields["reason"]) == (
        "retry.routing",
        "parked-1",
        action.upper(),
        reason,
    )
    assert "beheer" not in json.dumps(fields, default=str)
    [decided] = desk.told("parked", "show", "parked-1")["decisions"]
    assert (decided["action"], decided["reason"], decided["by"]) == (action.upper(), reason, "beheer")
    assert "beheer" in desk.say("parked", "show", "parked-1").stdout


@pytest.mark.parametrize(
    "words", [("show", "x"), ("retry", "x", *BY, "--reason", "CAUSE_GONE"), ("discard", "x", *BY, "--reason", "FORGED")]
)
def test_a_record_that_is_not_here_is_refused(desk: Desk, words: tuple[str, ...]) -> None:
    with pytest.raises(RefusedError, match="PARKED_RECORD_UNKNOWN"):
        desk.say("parked", *words)


@pytest.mark.parametrize("state", ["RESOLVED", "DISCARDED"])
def test_what_is_decided_is_decided(desk: Desk, state: str) -> None:
    desk.take(a_parked_record(state=state, revision=2))
    with pytest.raises(RefusedError, match="PARKED_RECORD_DECIDED"):
        desk.say("parked", "retry", "parked-1", *BY, "--reason", "CAUSE_GONE")
    assert desk.requests() == []


@pytest.mark.parametrize(
    "words",
    [
        ("retry", "parked-1", "--reason", "CAUSE_GONE"),
        ("retry", "parked-1", *BY),
        ("retry", "parked-1", *BY, "--reason", "FORGED"),
        ("discard", "parked-1", *BY, "--reason", "CAUSE_GONE"),
        ("discard", "parked-1", "--by", " ", "--reason", "FORGED"),
    ],
)
def test_a_decision_needs_somebody_and_a_reason_of_its_list(desk: Desk, words: tuple[str, ...]) -> None:
    desk.take(a_parked_record())
    assert desk.say("parked", *words).exit_code == 2
    assert desk.requests() == []


@pytest.mark.parametrize(("reason", "alarm"), [("ERASURE_UNPROVEN", "ErasureRefused"), ("NO_SEALING_KEY", "SealingKeyMissing")])
def test_a_refused_erasure_and_a_missing_key_have_an_alarm_of_their_own(desk: Desk, reason: str, alarm: str) -> None:
    desk.take(
        a_parked_record(), a_parked_record("parked-2", reason=reason), a_parked_record("parked-3", "DISCARDED", 2, reason=reason)
    )
    found = {each["alarm"]: each["count"] for each in desk.told("alarms")}
    assert {name: found.get(name) for name in (alarm, "RecordsParked")} == {alarm: 1, "RecordsParked": 2}


def test_r_flow_01_a_range_that_will_not_come_is_given_up_at_once_whatever_its_size(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = (*BY, "--reason", "SENDER_AGREES")
    it_is(monkeypatch, minutes(5))
    desk.take(a_fact(verdict="routed"), a_fact(verdict="routed", sequence=7, signal_id="signal-7"), a_checkpoint(2**53 - 1))
    it_is(monkeypatch, minutes(20))
    found = json.loads(desk.say("ledger", "conservation", "--json").stdout)
    assert (found["overdue"], [(each["first"], each["last"]) for each in found["gaps"]]) == (2**53 - 3, [(2, 6), (8, 2**53 - 1)])
    assert "5 nummer(s)" in desk.say("ledger", "give-up", "GM0983", "run", "1", "7", *reason).stdout
    assert "0 nummer(s)" in desk.say("ledger", "give-up", "GM0983", "run", "1", "7", *reason).stdout
    with pytest.raises(RefusedError, match="NUMBER_NOT_OVERDUE"):
        desk.say("ledger", "give-up", "GM0983", "run", "2", "6", *reason)
    desk.say("ledger", "give-up", "GM0983", "run", "5", str(2**53 - 1), *reason)
    found = json.loads(desk.say("ledger", "conservation", "--json").stdout)
    assert (found["conserved"], found["overdue"], found["gaps"], found["numbers"]["discarded"]) == (True, 0, [], 2**53 - 3)
