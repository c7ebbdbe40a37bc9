"""What was parked is tried again by its owner or dropped, and the ledger balances: on a real Kafka, judged from outside."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from raw_signals import VENLO, raw, send
from senders import Sender, coded_example, identity_in
from whole_exchange import QUICK, eventually, spoken, today

from signal_exchange.participants.region import SIX
from signal_exchange.privacy.register import sign_register
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.runtime import clock
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.watching import picture_until_now, states_until_now

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600)]
STRANGER = "GM1507"
"""Its key is missing in the register at first: a cause that goes away."""


def sign(exchange: Exchange, *, without: str | None) -> None:
    """Sign the register anew, with or without the keys of one municipality."""
    folder = exchange.region.folder
    whole = identity_in(exchange.region, "routing").register
    members = tuple(replace(each, signing_keys=()) if str(each.code) == without else each for each in whole.municipalities)
    key = SigningKey.from_mapping(json.loads((folder / "region-secret.json").read_text(encoding="utf-8")))
    (folder / "register.json").write_bytes(sign_register(replace(whole, municipalities=members), key))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """Give an exchange of routing and oversight, in which the register does not know one municipality's key yet."""
    folder: Path = tmp_path_factory.mktemp("oversight")
    made = Exchange(folder, today(), municipalities=SIX, services=("routing", "oversight"), nodes=(), settings=QUICK)
    (folder / "register-full.json").write_bytes((folder / "register.json").read_bytes())
    sign(made, without=STRANGER)
    with made as exchange:
        yield exchange


def parked(exchange: Exchange) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = spoken(exchange, "oversight", "parked", "list", "--all", "--json")
    return rows


def conservation(exchange: Exchange) -> dict[str, Any]:
    said = exchange.command("oversight", "ledger", "conservation", "--json")
    found: dict[str, Any] = json.loads(said.stdout)
    assert said.returncode == (0 if found["conserved"] else 1)
    return found


def decide(exchange: Exchange, action: str, parked_id: str, reason: str) -> None:
    said = exchange.command("oversight", "parked", action, parked_id, "--by", "beheer", "--reason", reason)
    assert said.returncode == 0, said.stderr


def state_of(exchange: Exchange, parked_id: str) -> str:
    return str(next(each["state"] for each in parked(exchange) if each["parked_id"] == parked_id))


def restart(exchange: Exchange, service: str) -> None:
    child = exchange.processes.children[service]
    child.send(signal.SIGTERM)
    child.wait(60)
    child.start()
    eventually(child.is_ready, bool)


def test_a_parked_signal_is_tried_again_after_its_cause_is_gone_and_another_is_dropped(whole: Exchange) -> None:
    lacking = (whole.region.folder / "register.json").read_bytes()
    full = (whole.region.folder / "register-full.json").read_bytes()
    stranger, sender = Sender.of(whole.region, STRANGER), Sender.of(whole.region, VENLO)
    assert lacking != full
    unknown = {**coded_example("02_labour"), "signal_id": "44444444-4444-4444-8444-444444444444"}
    wrong = {**coded_example("01_sexual"), "signal_id": "55555555-5555-4555-8555-555555555555", "sector": "NO_SUCH_SECTOR"}
    early = raw(stranger.published(unknown, at=clock.now()))
    send(whole, [(early, 1), (raw(sender.published(wrong, at=clock.now())), 1)])
    rows = eventually(lambda: parked(whole), lambda seen: len(seen) == 2)
    by_reason = {row["reason"]: row["parked_id"] for row in rows}
    assert {"record", "ciphertext"}.isdisjoint(rows[0])

    decide(whole, "retry", by_reason["UNKNOWN_CODE"], "CAUSE_GONE")  # its cause is not gone
    eventually(lambda: parked(whole), lambda seen: max(row["revision"] for row in seen) == 2)
    assert state_of(whole, by_reason["UNKNOWN_CODE"]) == "PARKED"

    (whole.region.folder / "register.json").write_bytes(full)
    restart(whole, "routing")
    send(
        whole, [(early, 1)]
    )  # as its node does until it hears that the number came in: of what nobody could be named for a part was kept
    decide(whole, "discard", by_reason["SENDER_NOT_ALLOWED"], "SENT_AGAIN")
    decide(whole, "discard", by_reason["UNKNOWN_CODE"], "SENDER_AGREES")
    eventually(lambda: {row["state"] for row in parked(whole)}, lambda seen: seen == {"DISCARDED"})

    checkpoints = [raw(each.checkpoint(1, at=clock.now())) for each in (stranger, sender)]
    send(whole, [(each, 1) for each in checkpoints])
    found = eventually(lambda: conservation(whole), lambda seen: seen["numbers_sent"] == 2)
    assert {place: count for place, count in found["numbers"].items() if count} == {"routed": 1, "discarded": 1}
    assert (found["conserved"], found["published"], found["unattributed"]) == (True, 2, 1)
    dropped = {(each["reason"], each["by"]) for each in found["discarded_records"]}
    assert dropped == {("SENDER_AGREES", "beheer"), ("SENT_AGAIN", "beheer")}
    assert found["municipalities"][STRANGER]["signals"]["routed"] == 1

    outside = picture_until_now(whole.connection("oversight")).ledger
    assert (outside.counts, outside.signals, outside.unattributed) == (found["numbers"], found["signals"], found["unattributed"])
    assert set(states_until_now(whole.admin, "accepted")) == {unknown["signal_id"]}


def test_oversight_tells_lag_and_commit_age_of_every_group_though_it_reads_none_of_their_topics(whole: Exchange) -> None:
    metrics = eventually(lambda: scraped(whole), lambda text: 'consumer_lag{group="routing",topic="signals"}' in text)
    assert 'signal_exchange_commit_age_seconds{group="worklist-youth",topic="referrals-youth"}' in metrics
    assert "signal_exchange_ledger_difference 0.0" in metrics


def scraped(exchange: Exchange) -> str:
    child = exchange.processes.children["oversight"]
    with urlopen(child.ready_url.replace("/health/ready", "/metrics"), timeout=10) as answer:
        return str(answer.read().decode())


def test_what_is_decided_is_decided(whole: Exchange) -> None:
    for row in parked(whole):
        said = whole.command("oversight", "parked", "retry", row["parked_id"], "--by", "beheer", "--reason", "CAUSE_GONE")
        assert (said.returncode, said.stderr) == (1, "signal-exchange: Over dit record is al besloten.\n")
