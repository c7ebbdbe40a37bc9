"""One signal through an exchange whose clock is driven (docs/decisions/0031): four weeks pass within seconds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from whole_exchange import QUICK, eventually, today

from signal_exchange.contracts.codec import decode_whole
from signal_exchange.domain.times import local, local_day
from signal_exchange.reference.loading import load_example
from signal_exchange.runtime import clock
from signal_exchange_demo.driving import DrivenClock
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.oracle.days import deadline
from signal_exchange_demo.oracle.reference import load
from signal_exchange_demo.watching import records_until_now, states_until_now

TIP = dict(load_example("06_anonymous_tip", "inside"))


@pytest.fixture
def driven(tmp_path: Path) -> Iterator[DrivenClock]:
    yield DrivenClock(tmp_path)
    clock.follow(None)


def deliveries(exchange: Exchange) -> dict[str, Any]:
    [state] = states_until_now(exchange.admin, "accepted").values()
    return {each["destination"]: each for each in state["deliveries"]}


@pytest.mark.broker
@pytest.mark.timeout(400)
def test_a_tip_comes_to_the_agenda_when_four_weeks_are_driven_by(tmp_path: Path, driven: DrivenClock) -> None:
    node = TIP["municipality"]
    services = ("routing", "agenda")
    with Exchange(tmp_path / "x", today(), services=services, nodes=(node,), settings=dict(QUICK), driven=driven) as exchange:
        (tmp_path / "tip.jsonl").write_text(json.dumps(TIP) + "\n", encoding="utf-8")
        said = exchange.publish({node: tmp_path / "tip.jsonl"})[node]
        assert said.returncode == 0, said.stderr
        before = eventually(lambda: states_until_now(exchange.admin, "accepted"), bool)
        [first] = (each["first_published_at"] for each in before.values())
        assert deliveries(exchange)["SCREENING_AGENDA"]["rule_id"] == "A10"
        assert abs(first - datetime.now(UTC)) < timedelta(minutes=5)  # noqa: TID251 - the machine's own time
        due = deadline(local(first), 20, load().equated)
        driven.drive(due + timedelta(days=1))
        after = eventually(lambda: deliveries(exchange)["SCREENING_AGENDA"], lambda found: found["rule_id"] == "A50", seconds=20)
        assert after["due_from"] == due
        items = eventually(lambda: list(states_until_now(exchange.admin, "agenda-items").values()), bool)
        assert [each["due_from"] for each in items] == [due]
        facts = [decode_whole(record.value).fields for record in records_until_now(exchange.admin, "signal-trace")]
        last = records_until_now(exchange.admin, "agenda-items")[-1]
        assert facts
        assert local_day(datetime.fromtimestamp(last.timestamp / 1000, tz=UTC)) == local_day(clock.now())
