"""Links on the chain director's table: what may be done with which, and what linking hears of it (R-LINK-04)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from builders import START, Consuming, a_message, a_register, an_agenda_item, an_environment, minutes, of_record, signal_id
from domain_cases import CALENDAR
from signal_exchange.agenda.commands import app
from signal_exchange.agenda.handler import AgendaHandler
from signal_exchange.agenda.tables import CANDIDATES, DECISIONS, LINK_ACTS, NOTES, TABLES
from signal_exchange.runtime import clock
from signal_exchange.runtime.faults import Refused
from signal_exchange.stream.messages import Message

LINK = "5d1f0c0a-6c1c-5f53-8f6c-0f5a6f7ab001"
OWNER = ("--owner", "ATTENTION_OFFICER", "--organisation", "gemeente", "--due", "2026-12-10")
CASE = ("--decision", "CASE_ADMIN", "--motivation", "Genoeg.", "--seat", "POLICE_AVIM", "--seat", "RIEC", "--by", "chair", *OWNER)
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
    return Consuming("agenda", TABLES, AgendaHandler(CALENDAR, a_register), f"sqlite+pysqlite:///{tmp_path / 'agenda.sqlite'}")


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: minutes(60))


@pytest.fixture
def said(tmp_path: Path) -> Told:
    environment = an_environment(tmp_path, "agenda", "table")

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, list(words), env=environment)
        if result.exit_code == 1 and isinstance(result.exception, Refused):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output

    return run


@pytest.fixture
def told(said: Told) -> Told:
    return lambda *words: said("links", *words)


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


def a_membership(number: int, revision: int, cluster_id: str | None) -> Message:
    fields = {
        "signal_id": signal_id(number),
        "revision": revision,
        "cluster_id": cluster_id,
        "kinds": ["SHARED_CONTEXT"] if cluster_id else [],
        "link_ids": [LINK] if cluster_id else [],
        "changed_at": START,
    }
    return a_message("ClusterMembership", fields, topic="links", reader="agenda", at=START)


TOGETHER = "G-7f3a9b21"
DECISION = ("--decision", "NO_TRAFFICKING", "--motivation", "Geen aanwijzingen.", "--seat", "RIEC", "--by", "chair")


def listed(tmp_path: Path) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, ["list", "--json"], env=an_environment(tmp_path, "agenda", "table"))
    rows: list[dict[str, Any]] = json.loads(result.output)
    return rows


def test_r_agenda_03_signals_of_one_cluster_are_one_item_and_apart_again_when_the_link_is_undone(
    consumer: Consuming, tmp_path: Path
) -> None:
    consumer.take(an_agenda_item(1), an_agenda_item(2), an_agenda_item(3))
    consumer.take(a_membership(1, 1, TOGETHER), a_membership(2, 1, TOGETHER))
    assert sorted((row["cluster_id"], row["size"]) for row in listed(tmp_path)) == sorted([(TOGETHER, 2), (signal_id(3), 1)])
    consumer.take(a_membership(1, 2, None), a_membership(2, 2, None), a_membership(1, 1, TOGETHER))
    assert [row["size"] for row in listed(tmp_path)] == [1, 1, 1]


def test_r_agenda_07_a_decision_names_every_signal_of_the_cluster_and_each_gets_one_outcome(
    consumer: Consuming, tmp_path: Path
) -> None:
    consumer.take(an_agenda_item(1), an_agenda_item(2), an_agenda_item(3))
    consumer.take(a_membership(1, 1, TOGETHER), a_membership(2, 1, TOGETHER))
    result = CliRunner().invoke(app, ["decide", signal_id(1), *DECISION], env=an_environment(tmp_path, "agenda", "table"))
    assert result.exit_code == 0, result.output
    assert "Elke gemeente krijgt de uitkomst" in result.output
    assert {(row["signal_id"], row["cluster_id"]) for row in consumer.rows(DECISIONS)} == {
        (signal_id(1), TOGETHER),
        (signal_id(2), TOGETHER),
    }
    outcomes = of_record([each for each in consumer.waiting() if each.topic == "outcomes"], "Outcome")
    assert sorted(each["signal_id"] for each in outcomes) == sorted([signal_id(1), signal_id(2)])
    assert [row["signal_id"] for row in listed(tmp_path)] == [signal_id(3)]


def test_a_duplicate_is_decided_by_itself_and_the_signal_that_stays_remains(consumer: Consuming, tmp_path: Path) -> None:
    consumer.take(an_agenda_item(1), an_agenda_item(2))
    consumer.take(a_membership(1, 1, TOGETHER), a_membership(2, 1, TOGETHER))
    words = ("decide", signal_id(2), "--decision", "DUPLICATE", "--keeps", signal_id(1), *DECISION[2:])
    result = CliRunner().invoke(app, list(words), env=an_environment(tmp_path, "agenda", "table"))
    assert result.exit_code == 0, result.output
    assert [row["signal_id"] for row in consumer.rows(DECISIONS)] == [signal_id(2)]
    assert [row["signal_id"] for row in listed(tmp_path)] == [signal_id(1)]


def test_r_link_06_a_decided_item_gets_a_note_when_its_link_is_undone_and_an_undecided_one_does_not(
    consumer: Consuming, said: Told
) -> None:
    consumer.take(an_agenda_item(), an_agenda_item(signal_id=signal_id(2)), a_candidate(state="CONFIRMED"))
    said("decide", signal_id(1), *CASE)
    undone = a_candidate(revision=2, state="REVOKED")
    consumer.take(undone, undone)
    consumer.take(a_candidate(revision=3, state="REVOKED", frequency="3-5"), a_candidate(revision=1, state="CONFIRMED"))
    assert [(row["signal_id"], row["rule_id"]) for row in consumer.rows(NOTES)] == [(signal_id(1), "R-LINK-06")]
    assert "na het besluit is een koppeling ongedaan gemaakt (regel R-LINK-06)" in said("show", signal_id(1))


def test_what_is_decided_after_the_undo_needs_no_note(consumer: Consuming, said: Told) -> None:
    consumer.take(an_agenda_item(), a_candidate(state="CONFIRMED"), a_candidate(revision=2, state="REVOKED"))
    said("decide", signal_id(1), *CASE)
    consumer.take(a_candidate(revision=3, state="REVOKED", frequency="3-5"))
    assert consumer.rows(NOTES) == []
