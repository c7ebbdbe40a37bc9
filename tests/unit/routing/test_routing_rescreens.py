"""What time alone changes: a signal to be enriched comes to the agenda when its re-screen is due (R-ROUTE-08)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from routing_bench import Bench, an_outcome, latest, sender_of
from senders import coded_example, identity_in

from signal_exchange.participants.region import Region
from signal_exchange.routing.composition import handler_of, recheck
from signal_exchange.routing.tables import OUTBOX
from signal_exchange.runtime import clock
from signal_exchange.stream.outbox import Outbox, OutgoingRecord
from signal_exchange.stream.work import Work

TIP, ONE = coded_example("06_anonymous_tip"), coded_example("01_sexual")
DUE = datetime(2026, 12, 18, 16, 0, tzinfo=UTC)
"""17:00 of the 20th working day after Friday 20 November 2026."""


def look(bench: Bench, now: datetime) -> Sequence[OutgoingRecord]:
    with bench.database.transaction() as connection:
        work = Work("routing", connection, bench.seal)
        bench.handler.recheck(now, work)
    bench.outgoing += work.outgoing
    return work.outgoing


def agenda_rule(bench: Bench) -> dict[str, Any]:
    [delivery] = [each for each in bench.sent("accepted")[-1]["deliveries"] if each["destination"] == "SCREENING_AGENDA"]
    return {name: delivery[name] for name in ("rule_id", "due_from", "offer")}


def test_r_route_08_a_tip_comes_to_the_agenda_when_its_rescreen_is_due_and_not_before(bench: Bench) -> None:
    bench.run(sender_of(bench, "06_anonymous_tip").published(TIP))
    assert look(bench, DUE - timedelta(seconds=1)) == []
    look(bench, DUE + timedelta(days=3))
    [item] = latest(bench.sent("agenda-items"))
    assert (item["rule_id"], item["due_from"]) == ("A50", DUE)


def test_looking_again_does_nothing_more(bench: Bench) -> None:
    bench.run(sender_of(bench, "06_anonymous_tip").published(TIP))
    look(bench, DUE)
    assert look(bench, DUE + timedelta(days=1)) == []


def test_a_signal_whose_routes_do_not_change_is_looked_at_once_and_nobody_hears(bench: Bench) -> None:
    bench.run(sender_of(bench, "01_sexual").published(ONE))
    assert look(bench, DUE) == []
    with bench.database.transaction() as connection:
        assert bench.handler.recheck(DUE, Work("routing", connection, bench.seal)) == 0


def test_a_new_version_does_not_restart_the_clock(bench: Bench) -> None:
    sender = sender_of(bench, "06_anonymous_tip")
    bench.run(sender.published(TIP))
    bench.run(sender.published({**TIP, "version": 2, "supersedes": 1}, at=DUE - timedelta(days=10)))
    look(bench, DUE)
    assert agenda_rule(bench) == {"rule_id": "A50", "due_from": DUE, "offer": 1}


def test_a_withdrawn_signal_is_not_screened_again(bench: Bench) -> None:
    sender = sender_of(bench, "06_anonymous_tip")
    bench.run(sender.published(TIP), sender.withdrawn(TIP, 2))
    assert look(bench, DUE) == []


def test_what_the_meeting_decided_is_not_screened_again(bench: Bench) -> None:
    bench.run(sender_of(bench, "01_sexual").published(ONE))
    assert [each.rescreen_at for each in bench.stored()] == [DUE]
    bench.run(an_outcome(ONE, "DECISION", "DECIDED"))
    assert [each.rescreen_at for each in bench.stored()] == [None]


def test_the_running_service_looks_until_nothing_is_due(region: Region, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(region, tmp_path / "store.sqlite")
    bench.run(sender_of(bench, "06_anonymous_tip").published(TIP))
    monkeypatch.setattr(clock, "now", lambda: DUE + timedelta(minutes=1))
    recheck(handler_of(identity_in(region, "routing")), bench.database, bench.seal)
    with bench.database.reading() as connection:
        topics = {each.record.topic for each in Outbox(connection, OUTBOX).waiting(100)}
    assert "agenda-items" in topics
    assert [each.rescreen_at for each in bench.stored()] == [None]
    bench.database.close()
