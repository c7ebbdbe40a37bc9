"""Links on the chain director's table: what may be done with which, and what linking hears of it (R-LINK-04)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from builders import START, Consuming, a_message, an_environment, minutes, signal_id
from domain_cases import CALENDAR
from signal_exchange.agenda.commands import app
from signal_exchange.agenda.handler import AgendaHandler
from signal_exchange.agenda.tables import CANDIDATES, LINK_ACTS, TABLES
from signal_exchange.runtime import clock
from signal_exchange.runtime.faults import Refused
from signal_exchange.stream.messages import Message

LINK = "5d1f0c0a-6c1c-5f53-8f6c-0f5a6f7ab001"
Told = Callable[..., str]


def a_candidate(link_id: str = LINK, revision: int = 1, **changed: Any) -> Message:
    fields = {
        "link_id": link_id,
        "revision": revision,
        "kind": "SHARED_CONTEXT",
        "key_types": ["PLATE"],
        "frequency": "2",
        "state": "CANDIDATE",
        "evidence_gone": False,
        "signal_a": signal_id(1),
        "signal_b": signal_id(2),
        "across": True,
        "found_at": START,
        "released_at": None,
        "awaits": ["CHAIN_DIRECTOR"],
        "answer_by": None,
        "overdue": False,
        **changed,
    }
    return a_message("LinkCandidate", fields, topic="link-candidates", reader="agenda", at=START)


@pytest.fixture
def consumer(tmp_path: Path) -> Consuming:
    return Consuming("agenda", TABLES, AgendaHandler(CALENDAR), f"sqlite+pysqlite:///{tmp_path / 'agenda.sqlite'}")


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: minutes(60))


@pytest.fixture
def told(tmp_path: Path) -> Told:
    environment = an_environment(tmp_path, "agenda", "table")

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, ["links", *words], env=environment)
        if result.exit_code == 1 and isinstance(result.exception, Refused):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output

    return run


def test_the_list_shows_kind_key_and_state_and_no_value(consumer: Consuming, told: Told) -> None:
    assert "geen koppelingen" in told()
    consumer.take(a_candidate())
    [row] = json.loads(told("--json"))
    assert (row["number"], row["key_labels"], row["state_label"]) == ("K-5d1f0c0a", "kenteken", "kandidaat")
    assert "K-5d1f0c0a" in told()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"key_types": [], "evidence_gone": True}, "niets meer"),
        ({"frequency": "COMMON"}, "veelvoorkomend"),
        ({"state": "ERASED"}, "vernietigd"),
    ],
)
def test_what_a_link_is_stands_in_words(consumer: Consuming, told: Told, changed: dict[str, Any], words: str) -> None:
    consumer.take(a_candidate(**changed))
    assert words in told()


def test_an_older_state_never_wins_and_the_same_twice_is_once(consumer: Consuming) -> None:
    newer = a_candidate(revision=2, state="CONFIRMED")
    consumer.take(newer, a_candidate(), newer)
    [row] = consumer.rows(CANDIDATES)
    assert (row["revision"], row["state"]) == (2, "CONFIRMED")


@pytest.mark.parametrize(
    ("act", "changed"),
    [
        ("confirm", {}),
        ("reject", {}),
        ("undo", {"state": "CONFIRMED"}),
        ("release", {"kind": "SAME_PERSON"}),
    ],
)
def test_an_allowed_act_is_recorded_and_told_to_linking(
    consumer: Consuming, told: Told, act: str, changed: dict[str, Any]
) -> None:
    consumer.take(a_candidate(**changed))
    assert "Vastgelegd: K-5d1f0c0a" in told(act, "K-5d1f0c0a", "--by", "chair")
    [row] = consumer.rows(LINK_ACTS)
    assert (row["link_id"], row["kind"], row["who"]) == (LINK, act.upper(), "chair")
    with consumer.database.transaction() as connection:
        [letter] = [dict(each._mapping) for each in connection.execute(consumer.outbox.select())]
    assert (letter["topic"], letter["key"]) == ("link-answers", LINK)


@pytest.mark.parametrize(
    ("act", "changed"),
    [
        ("confirm", {"kind": "SAME_PERSON"}),
        ("confirm", {"state": "REJECTED"}),
        ("confirm", {"evidence_gone": True}),
        ("reject", {"state": "CONFIRMED"}),
        ("undo", {}),
        ("release", {}),
        ("release", {"kind": "SAME_PERSON", "across": False}),
        ("release", {"kind": "SAME_PERSON", "released_at": START + timedelta(days=1)}),
    ],
)
def test_what_the_rules_do_not_allow_is_refused_and_tells_nobody(
    consumer: Consuming, told: Told, act: str, changed: dict[str, Any]
) -> None:
    consumer.take(a_candidate(**changed))
    with pytest.raises(Refused, match="R-LINK-04"):
        told(act, LINK, "--by", "chair")
    assert (consumer.rows(LINK_ACTS), consumer.waiting()) == ([], [])


def test_an_unknown_number_is_refused(consumer: Consuming, told: Told) -> None:
    consumer.take(a_candidate())
    with pytest.raises(Refused, match="niet bekend"):
        told("confirm", "K-00000000", "--by", "chair")
