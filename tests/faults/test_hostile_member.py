"""A hostile member at full speed beside an honest one, whose signals arrive in order; the ledger has everything of both."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile_member import DOUBTFUL, KINDS, NOBODYS, attacking
from raw_signals import VENLO, Raw, raw, send
from senders import Sender, coded_example
from whole_exchange import QUICK, an_exchange, eventually

from signal_exchange.contracts.codec import decode_whole
from signal_exchange.runtime import clock
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.watching import lag, picture_until_now, records_until_now, states_until_now

pytestmark = [pytest.mark.broker, pytest.mark.faults, pytest.mark.timeout(900)]
HOSTILE, HONEST = "GM1894", VENLO
ATTACK_SECONDS = 18.0
PAUSE_SECONDS = 0.5
SETTINGS = {**QUICK, "SIGNAL_EXCHANGE_BATCH_RECORDS": "200", "SIGNAL_EXCHANGE_FLOOD_RECORDS": "50"}


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Exchange]:
    services = ("routing", "worklist", "oversight")
    with an_exchange(tmp_path / "exchange", services=services, nodes=(), settings=SETTINGS) as exchange:
        yield exchange


def following(sender: Sender) -> Iterator[Raw]:
    """Give versions of one signal after another, three of each."""
    while True:
        signal = {**coded_example("01_sexual"), "signal_id": str(uuid.uuid4())}
        for version in (1, 2, 3):
            changed = {"version": version, "supersedes": version - 1 or None, "estimated_victims": version}
            yield raw(sender.published({**signal, **changed}, at=clock.now()))


def accepted_of(whole: Exchange, municipality: str) -> dict[str, list[int]]:
    """Return the versions of each signal of a municipality in the order in which they were accepted."""
    found: dict[str, list[int]] = {}
    for record in records_until_now(whole.admin, "accepted"):
        fields = decode_whole(record.value).fields
        if fields["municipality"] == municipality:
            found.setdefault(fields["signal_id"], []).append(fields["version"])
    return found


def test_honest_signals_arrive_in_order_and_everything_is_in_the_ledger(whole: Exchange) -> None:
    honest = Sender.of(whole.region, HONEST)
    coming, sent = following(honest), list[Raw]()
    before = whole.processes.children["routing"].process
    with attacking(whole, HOSTILE, ATTACK_SECONDS) as end:
        until = time.monotonic() + ATTACK_SECONDS
        while time.monotonic() < until:
            sent.append(next(coming))
            send(whole, [(sent[-1], 1)], HONEST)
            time.sleep(PAUSE_SECONDS)
        attack = end()
    send(whole, [(raw(honest.checkpoint(len(sent), at=clock.now())), 1)], HONEST)
    eventually(
        lambda: lag(whole.admin, whole.region.catalogue, ("routing", "worklist", "oversight")), lambda left: left == 0, 300
    )

    assert all(attack[kind] for kind in KINDS), attack
    picture = picture_until_now(whole.connection("oversight"))
    own = Counter(each.verdict for each in picture.entries if each.number and each.number[0] == HONEST)
    assert set(own) <= {"routed", "superseded"}
    assert own.total() >= len(sent), "each number has its place"
    accepted = accepted_of(whole, HONEST)
    assert sum(map(len, accepted.values())) == len(sent), "no version was lost or set aside"
    assert all(versions == [1, 2, 3][: len(versions)] for versions in accepted.values()), "none was overtaken"
    nobodys = sum(attack[kind] for kind in NOBODYS)
    assert nobodys <= picture.ledger.unattributed <= nobodys + attack[DOUBTFUL]
    assert picture.ledger.counts["in_flight"] == 0
    assert picture.ledger.conserved
    waiting = Counter((each["municipality"], each["reason"]) for each in states_until_now(whole.admin, "parked").values())
    assert waiting[HOSTILE, "SENDER_HELD"] > 0
    assert not any(municipality == HONEST for municipality, _ in waiting)
    assert whole.processes.children["routing"].process is before
    whole.processes.check()
