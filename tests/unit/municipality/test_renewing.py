"""Link tokens that follow: when a keeper answers again, and when a new epoch begins (R-LINK-01)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from nodes import Town, a_town, example
from structlog.testing import capture_logs

from signal_exchange.domain.people import Person
from signal_exchange.municipality.publishing.renewing import Renewed, Renewer, RenewLoop
from signal_exchange.privacy.keeper_client import NoTokens, Reason
from signal_exchange.privacy.sealing import decode_tokens
from signal_exchange.runtime.faults import StoreUnavailableError

SILENT = NoTokens(Reason.TIMEOUT, "keeper-a")
NEXT_EPOCH = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return a_town(tmp_path)


def renewer(town: Town) -> Renewer:
    return replace(town.node.renewer(town.keepers), now=town.clock)


def renewed(town: Town) -> list[dict[str, Any]]:
    town.relay().send_all()
    return town.broker.records("TokensRenewed")


def epochs(town: Town, fields: dict[str, Any]) -> set[str]:
    opened = town.opened("linking", fields["tokens"], f"{fields['signal_id']}.{fields['version']}")
    return {each.epoch for each in decode_tokens(opened)}


def test_tokens_that_were_pending_follow_once_the_keepers_answer_again(town: Town) -> None:
    town.keepers.refusal = SILENT
    [result] = town.publish(example())
    assert renewer(town).renew() == Renewed(0, "KEEPER_TIMEOUT")
    assert renewed(town) == []
    town.keepers.refusal = None
    assert renewer(town).renew() == Renewed(1)
    [fields] = renewed(town)
    assert (fields["signal_id"], fields["version"], fields["municipality"]) == (result.signal_id, 1, "GM0983")
    assert epochs(town, fields) == {"2026H2"}
    assert dict(town.broker.outgoing[-1].headers)["ce_id"].decode() == fields["renewal_id"]
    assert [each["envelope"]["sequence"] for each in town.broker.records()] == [1, 2]


def test_what_has_its_tokens_is_not_renewed_before_the_next_epoch_and_then_once(town: Town) -> None:
    town.publish(example())
    assert renewer(town).renew() == Renewed(0)
    town.clock.now = NEXT_EPOCH
    assert renewer(town).renew() == Renewed(1)
    assert renewer(town).renew() == Renewed(0)
    [fields] = renewed(town)
    assert epochs(town, fields) == {"2027H1"}


def test_a_withdrawn_signal_gets_no_new_tokens(town: Town) -> None:
    town.publish(example(local_ref="W-1"))
    town.actions.withdraw("W-1", "MISTAKE")
    town.clock.now = NEXT_EPOCH
    assert renewer(town).renew() == Renewed(0)


def test_a_signal_that_may_not_link_needs_no_tokens(town: Town) -> None:
    record = example()
    town.publish({**record, "exchanges": [each for each in record["exchanges"] if each["purpose"] != "LINKING"]})
    asked = len(town.keepers.asked)
    town.clock.now = NEXT_EPOCH
    assert renewer(town).renew() == Renewed(0)
    assert len(town.keepers.asked) == asked


def test_r_link_07_a_value_of_the_municipal_list_is_not_renewed(town: Town) -> None:
    town.publish(example())
    values = [(each.type, each.value) for asked in town.keepers.asked for record in asked for each in record]
    town.clock.now, own = NEXT_EPOCH, renewer(town)
    barred = frozenset(values[1:])
    replace(own, preparer=replace(own.preparer, barred=barred)).renew()
    [fields] = renewed(town)
    opened = town.opened("linking", fields["tokens"], f"{fields['signal_id']}.1")
    assert {each.type for each in decode_tokens(opened)} == {values[0][0]}


def test_tokens_of_a_version_that_is_replaced_meanwhile_are_not_sent(town: Town) -> None:
    town.publish(example(local_ref="V-1"))
    town.clock.now = NEXT_EPOCH
    before = renewer(town)
    due = before._due("2027H1")
    town.publish(example(local_ref="V-1", estimated_victims=9))
    made, _ = before._made(due, "2027H1")
    assert before._keep(made, "2027H1") == 0
    assert renewed(town) == []


def test_many_signals_are_renewed_chunk_by_chunk(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signal_exchange.municipality.publishing.renewing.CHUNK_SIGNALS", 2)
    town.publish(*(example(local_ref=f"M-{number}") for number in range(5)))
    town.clock.now = NEXT_EPOCH
    assert renewer(town).renew() == Renewed(5)
    assert len({each["renewal_id"] for each in renewed(town)}) == 5


def test_the_loop_waits_for_a_store_that_does_not_answer(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = iter([False, True])

    def unavailable(*_: object) -> None:
        raise StoreUnavailableError("OperationalError")

    monkeypatch.setattr(Renewer, "renew", unavailable)
    with capture_logs() as logged:
        RenewLoop(renewer(town), 1.0).run(lambda _: next(rounds))
    assert [(each["event"], each["step"]) for each in logged] == [("world_unavailable", "store")]


def test_a_signal_that_left_is_erased_at_the_exchange_although_its_new_tokens_never_left(town: Town) -> None:
    town.publish(example(local_ref="E-1"))
    town.relay().send_all()
    town.clock.now = NEXT_EPOCH
    renewer(town).renew()
    assert town.actions.erase("E-1", Person("officer")).left
    assert (renewed(town), len(town.broker.records("SignalErased"))) == ([], 1)
