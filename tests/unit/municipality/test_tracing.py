from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from node_views import a_step, a_view, an_outcome_of, hear
from nodes import NOW, Town, a_town, example

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.municipality.sending.outbox import OUTBOX
from signal_exchange.municipality.store import SIGNALS

ROUTED = {"destination": "CARE_COORDINATOR", "effect": "SEND", "deliver_as": "CONSULT", "rule_id": "C60", "reason": "MATCHED"}


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return a_town(tmp_path)


@pytest.fixture
def signal_id(town: Town) -> str:
    (result,) = town.publish(example())
    return str(result.signal_id)


def trace(town: Town, reference: str) -> dict[str, Any]:
    return town.actions.trace(reference)


def test_a_signal_is_found_by_its_own_reference_and_by_its_id(town: Town, signal_id: str) -> None:
    assert trace(town, "VEN-2026-0311") == trace(town, signal_id)
    assert trace(town, signal_id)["signal_id"] == signal_id


@pytest.mark.parametrize("reference", ["", "VEN-2026-9999", "11111111-1111-4111-8111-111111111111"])
def test_a_signal_that_is_not_here_is_not_found_and_its_reference_is_not_repeated(town: Town, reference: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        trace(town, reference)
    assert not reference or reference not in str(refusal.value)


def test_before_it_was_sent_a_signal_waits(town: Town, signal_id: str) -> None:
    assert [(row["version"], row["sequence"], row["sent_at"]) for row in trace(town, signal_id)["waiting"]] == [(1, None, None)]
    town.relay().send_all()
    assert [(row["sequence"], row["sent_at"]) for row in trace(town, signal_id)["waiting"]] == [(1, NOW.isoformat())]


def test_the_rule_that_sent_it_there_is_opened_from_the_sealed_detail(town: Town, signal_id: str) -> None:
    town.relay().send_all()
    run = town.waiting()[0].publisher_run
    outcome = an_outcome_of(town, signal_id, {"deliveries": [ROUTED], "urgency": "URGENT"})
    hear(town, a_view(signal_id, (str(run), 1, "routed"), outcomes=[outcome], steps=[a_step("RECEIVED", verdict="routed")]))
    found = trace(town, signal_id)
    assert found["waiting"] == []
    assert found["received"] == [{"publisher_run": run, "sequence": 1, "verdict": "routed"}]
    assert found["outcomes"][0]["detail"]["deliveries"] == [ROUTED]
    assert [step["stage"] for step in found["steps"]] == ["RECEIVED"]


def test_what_came_back_stands_in_the_order_in_which_it_happened(town: Town, signal_id: str) -> None:
    later = an_outcome_of(town, signal_id, None, NOW + timedelta(days=1), kind="REFERRAL", state="ACCEPTED")
    hear(town, a_view(signal_id, outcomes=[later, an_outcome_of(town, signal_id, None)]))
    assert [each["state"] for each in trace(town, signal_id)["outcomes"]] == ["ROUTED", "ACCEPTED"]


def test_a_detail_that_does_not_open_here_is_said_to_be_unreadable_and_hides_nothing_else(town: Town, signal_id: str) -> None:
    moved = an_outcome_of(town, "11111111-1111-4111-8111-111111111111", {"deliveries": [ROUTED]})
    hear(town, a_view(signal_id, outcomes=[moved]))
    assert trace(town, signal_id)["outcomes"][0]["detail"] == {"unreadable": True}


def test_a_withdrawal_is_the_next_version_and_keeps_the_record(town: Town, signal_id: str) -> None:
    withdrawn = town.actions.withdraw("VEN-2026-0311", "MISTAKE")
    assert (withdrawn.signal_id, withdrawn.version, withdrawn.already) == (signal_id, 2, False)
    town.relay().send_all()
    town.relay().send_all()
    (sent,) = town.broker.records("SignalWithdrawn")
    assert {name: sent[name] for name in ("signal_id", "version", "municipality", "reason")} == {
        "signal_id": signal_id,
        "version": 2,
        "municipality": "GM0983",
        "reason": "MISTAKE",
    }
    assert dict(town.broker.outgoing[-1].headers)["ce_id"].decode() == f"{signal_id}.2"
    assert town.broker.numbers() == [1, 2]
    (row,) = town.rows(SIGNALS)
    assert row["state"] == "WITHDRAWN"
    assert row["ciphertext"]


def test_withdrawing_twice_withdraws_once(town: Town, signal_id: str) -> None:
    withdrawer = town.actions
    withdrawer.withdraw(signal_id, "MISTAKE")
    again = withdrawer.withdraw(signal_id, "MISTAKE")
    assert (again.version, again.already) == (2, True)
    assert len(town.rows(OUTBOX)) == 2


def test_a_withdrawal_goes_on_after_the_last_version_that_the_exchange_heard(town: Town, signal_id: str) -> None:
    hear(town, a_view(signal_id, version=5))
    assert town.actions.withdraw(signal_id, "DUPLICATE").version == 6


@pytest.mark.parametrize("reason", ["", "NO_SUCH_REASON"])
def test_r_val_03_a_reason_that_is_no_valid_code_withdraws_nothing(town: Town, signal_id: str, reason: str) -> None:
    with pytest.raises(RefusedError, match=r"WITHDRAWAL_REASON_UNKNOWN field=reason rule=R-VAL-03 .*MISTAKE"):
        town.actions.withdraw(signal_id, reason)
    assert town.rows(SIGNALS)[0]["state"] == "PUBLISHED"


def test_a_signal_that_is_not_here_cannot_be_withdrawn(town: Town) -> None:
    with pytest.raises(RefusedError):
        town.actions.withdraw("VEN-2026-9999", "MISTAKE")


def test_what_was_withdrawn_is_published_again_only_when_a_person_says_so(town: Town, signal_id: str) -> None:
    town.actions.withdraw(signal_id, "MISTAKE")
    (again,) = town.publish(example(), again=True)
    assert (again.outcome.value, again.signal_id, again.version) == ("NEW_VERSION", signal_id, 3)
    assert town.rows(SIGNALS)[0]["state"] == "PUBLISHED"
    (same,) = town.publish(example(), again=True)
    assert same.outcome.value == "UNCHANGED"


def test_r_val_16_what_changes_after_a_withdrawal_is_refused_and_what_does_not_is_nothing(town: Town, signal_id: str) -> None:
    town.actions.withdraw(signal_id, "MISTAKE")
    (same,) = town.publish(example())
    (changed,) = town.publish(example(estimated_victims=9))
    assert same.outcome.value == "UNCHANGED"
    assert [(each.field, each.rule) for each in changed.faults] == [("local_ref", "R-VAL-16")]
