"""What a node could not read waits for a person of the municipality, who has it read again or drops it (promise 3)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from node_views import SIGNAL, a_view, work_of
from nodes import NOW, Town, a_town
from typer.testing import CliRunner, Result

from signal_exchange.domain.people import Person
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.municipality.composition import count_parked
from signal_exchange.municipality.inbox.commands import app
from signal_exchange.municipality.inbox.parked import DiscardReason
from signal_exchange.municipality.store import PARKED, PARKED_DECISIONS, VIEWS
from signal_exchange.stream.messages import Incoming, Unreadable

Run = Callable[..., Result]
BY = ("--by", "beheer")
MENDED, DAMAGED = ("--reason", "SOFTWARE_MENDED"), ("--reason", "DAMAGED")


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return a_town(tmp_path)


@pytest.fixture
def run(town: Town) -> Run:
    environment = town.region.environment(f"municipality-{town.node.settings.municipality.lower()}", "127.0.0.1:1")

    def run_it(*words: str) -> Result:
        result = CliRunner().invoke(app, list(words), env=environment)
        if isinstance(result.exception, RefusedError):
            raise result.exception
        return result

    return run_it


def parks(town: Town, value: bytes | None = None, *, offset: int = 7) -> str:
    """Park a record, the view of a signal when no value is given, as an inbox that cannot read it yet."""
    value = a_view(revision=3).incoming.value if value is None else value
    incoming = Incoming("feedback.gm0983", 2, offset, SIGNAL.encode(), value, {}, NOW)
    with town.node.database.transaction() as connection:
        work = work_of(town, connection)
        work.park(Unreadable(incoming, "SCHEMA_INVALID", ("unknown_fingerprint",)))
    return incoming.parked_id("municipality-gm0983")


def test_what_waits_is_listed_with_its_headers_and_never_its_content(town: Town, run: Run) -> None:
    assert "is gelezen" in run("list").output
    parked_id = parks(town)
    [row] = json.loads(run("list", "--json").output)
    assert row == {
        "parked_id": parked_id,
        "topic": "feedback.gm0983",
        "partition": 2,
        "offset": 7,
        "reason": "SCHEMA_INVALID",
        "parked_at": NOW.isoformat(),
    }
    assert parked_id in run("list").output


def test_a_record_that_can_be_read_now_is_taken_as_if_it_came_in_and_waits_no_longer(town: Town, run: Run) -> None:
    parked_id = parks(town)
    assert "alsnog verwerkt" in run("retry", parked_id, *BY, *MENDED).output
    assert [row["revision"] for row in town.rows(VIEWS)] == [3]
    assert town.rows(PARKED) == []
    with pytest.raises(RefusedError, match="PARKED_NOT_WAITING"):
        run("retry", parked_id, *BY, *MENDED)
    [decided] = town.rows(PARKED_DECISIONS)
    assert (decided["action"], decided["reason"], decided["who"]) == ("RETRY", "SOFTWARE_MENDED", "beheer")


@pytest.mark.parametrize("size", [10, 300_000])
def test_what_still_cannot_be_read_waits_on(town: Town, run: Run, size: int) -> None:
    parked_id = parks(town, b"x" * size)
    with pytest.raises(RefusedError, match="PARKED_STILL_"):
        run("retry", parked_id, *BY, *MENDED)
    assert [row["parked_id"] for row in town.rows(PARKED)] == [parked_id]
    assert town.rows(PARKED_DECISIONS) == []


def test_what_is_dropped_is_destroyed_and_does_not_come_back_when_it_is_delivered_again(town: Town, run: Run) -> None:
    parked_id = parks(town)
    assert "vernietigd" in run("discard", parked_id, *BY, *DAMAGED).output
    assert parks(town) == parked_id
    assert json.loads(run("list", "--json").output) == []
    assert [(row["wrapped_key"], row["ciphertext"]) for row in town.rows(PARKED)] == [(b"", b"")]
    for action in ("retry", "discard"):
        with pytest.raises(RefusedError, match="PARKED_NOT_WAITING"):
            run(action, parked_id, *BY, *(MENDED if action == "retry" else DAMAGED))


def test_what_another_key_encrypted_waits_on(town: Town, run: Run) -> None:
    parked_id = parks(town)
    with town.node.database.transaction() as connection:
        connection.execute(PARKED.update().values(wrapped_key=b"broken"))
    with pytest.raises(RefusedError, match="PARKED_UNDER_ANOTHER_KEY"):
        run("retry", parked_id, *BY, *MENDED)


@pytest.mark.parametrize("words", [("retry", "x", *MENDED), ("discard", "x", *BY), ("retry", "x", *BY, "--reason", "FORGED")])
def test_a_decision_needs_somebody_and_a_reason_of_the_list(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == 2


def test_a_node_tells_its_own_municipality_what_waits_and_how_long(town: Town) -> None:
    parked_id, metrics, actions = parks(town), town.node.metrics, town.actions
    town.clock.pass_seconds(25 * 3600)
    waits, oldest = "signal_exchange_parked_waiting", "signal_exchange_parked_oldest_seconds"
    labels = {"service": "municipality", "reason": "SCHEMA_INVALID"}
    count_parked(actions)
    assert metrics.registry.get_sample_value(waits, labels) == 1
    assert metrics.registry.get_sample_value(oldest, {"service": "municipality"}) == 25 * 3600
    actions.discard_parked(parked_id, DiscardReason.DAMAGED, Person("beheer"))
    count_parked(actions)
    assert metrics.registry.get_sample_value(waits, labels) is None
    assert metrics.registry.get_sample_value(oldest, {"service": "municipality"}) == 0
