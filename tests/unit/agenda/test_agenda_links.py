"""Links on the chain director's table: what may be done with which, and what linking hears of it (R-LINK-04)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from agenda_records import LINK, TOGETHER, a_candidate, a_membership
from builders import Consuming, a_register, an_agenda_item, an_environment, minutes, signal_id
from domain_cases import CALENDAR
from people import chain_director
from refusing import refused
from typer.testing import CliRunner

from signal_exchange.agenda.commands import app
from signal_exchange.agenda.handler import AgendaHandler
from signal_exchange.agenda.tables import CANDIDATES, LINK_ACTS, TABLES
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.runtime import clock

OWNER = ("--owner", "ATTENTION_OFFICER", "--organisation", "gemeente", "--due", "2026-12-10")
CASE = (
    "--decision",
    "CASE_ADMIN",
    "--motivation",
    "Genoeg.",
    "--seat",
    "POLICE_AVIM",
    "--seat",
    "RIEC",
    "--by",
    "director",
    *OWNER,
)
Told = Callable[..., str]


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
        if result.exit_code == 1 and isinstance(result.exception, RefusedError):
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
    ("act", "changed", "said_"),
    [
        ("confirm", {}, "de signalen horen bij elkaar"),
        ("reject", {}, "de signalen horen niet bij elkaar"),
        ("undo", {"state": "CONFIRMED"}, "de koppeling is ongedaan gemaakt"),
        ("release", {"kind": "SAME_PERSON"}, "de vraag gaat naar beide gemeenten"),
    ],
)
def test_r_link_04_each_command_passes_on_its_act(
    consumer: Consuming, told: Told, act: str, changed: dict[str, Any], said_: str
) -> None:
    consumer.take(a_candidate(**changed))
    assert told(act, "K-5d1f0c0a", "--by", "somebody") == f"Vastgelegd: K-5d1f0c0a, {said_}.\n"
    assert [(row["kind"], row["who"]) for row in consumer.rows(LINK_ACTS)] == [(act.upper(), "somebody")]
    consumer.take(a_candidate(revision=2, state="ERASED"))
    with refused("R-LINK-04"):
        told(act, LINK, "--by", "somebody")


def test_r_agenda_03_signals_of_one_cluster_are_one_item_and_apart_again_when_the_link_is_undone(consumer: Consuming) -> None:
    consumer.take(an_agenda_item(1), an_agenda_item(2), an_agenda_item(3))
    consumer.take(a_membership(1, 1, TOGETHER), a_membership(2, 1, TOGETHER))
    found = {(row.cluster_id, row.size) for row in chain_director(consumer).items()}
    assert found == {(TOGETHER, 2), (signal_id(3), 1)}
    consumer.take(a_membership(1, 2, None), a_membership(2, 2, None), a_membership(1, 1, TOGETHER))
    assert [row.size for row in chain_director(consumer).items()] == [1, 1, 1]


def test_a_decision_on_a_cluster_and_an_undone_link_are_told_in_words(consumer: Consuming, said: Told) -> None:
    consumer.take(an_agenda_item(1), an_agenda_item(2), a_candidate(state="CONFIRMED"))
    consumer.take(a_membership(1, 1, TOGETHER), a_membership(2, 1, TOGETHER))
    assert "Elke gemeente krijgt de uitkomst" in said("decide", signal_id(1), *CASE)
    consumer.take(a_candidate(revision=2, state="REVOKED"))
    assert "na het besluit is een koppeling ongedaan gemaakt (regel R-LINK-06)" in said("show", signal_id(1))
