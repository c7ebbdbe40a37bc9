"""What an attention officer types about questions and link tokens, and what a trace says of a question."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from node_views import DETAIL, SIGNAL, a_view, asked, hear
from nodes import NOW, Town, a_town, example
from typer.testing import CliRunner

from signal_exchange.cli.main import app
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.municipality import node, printing
from signal_exchange.privacy.keeper_client import NoTokens, Reason

Say = Callable[..., str]
OTHER = {"form": "LABOUR", "subjects": [{"role": "VICTIM", "age_class": "AGE_23_PLUS"}]}


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return a_town(tmp_path)


@pytest.fixture
def say(town: Town, monkeypatch: pytest.MonkeyPatch) -> Say:
    monkeypatch.setattr(node, "KafkaSender", lambda *_: town.broker)
    monkeypatch.setattr(node, "keeper_tokens", lambda *_, **__: nullcontext(town.keepers))

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, list(words), env=town.region.environment("municipality-gm0983", "127.0.0.1:1"))
        if isinstance(result.exception, RefusedError):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output

    return run


def test_no_questions_is_said_so(say: Say) -> None:
    assert say("questions").strip() == "Er zijn geen koppelvragen."


def test_a_question_is_listed_opened_and_answered(town: Town, say: Say) -> None:
    question = asked(town)
    number = f"Q-{question[:8]}"
    assert [each["number"] for each in json.loads(say("questions", "--json"))] == [number]
    assert "gevraagd" in say("questions")
    opened = say("questions", "show", number, "--by", "officer")
    assert "naam en geboortedatum" in opened
    assert "pas te zien als beide gemeenten willen vergelijken" in opened
    assert json.loads(say("questions", "show", number, "--by", "officer", "--json"))["key_types"] == ["NAME_DOB"]
    assert say("answer", number, "confirm", "--by", "officer").strip() == f"Vastgelegd: {number}, bevestigd."
    assert "was al beantwoord" in say("answer", number, "confirm", "--by", "officer")
    assert json.loads(say("answer", number, "confirm", "--by", "officer", "--json"))["already"]
    assert [each["kind"] for each in town.broker.records("MunicipalAnswer")] == ["CONFIRM"]


def test_r_link_04_the_other_signal_is_shown_in_words_once_both_compare(town: Town, say: Say) -> None:
    question = asked(town, "COMPARING", detail={**DETAIL, "other": OTHER})
    assert "slachtoffer" in say("questions", "show", question, "--by", "officer").lower()


def test_an_answer_that_does_not_exist_is_refused_with_the_choices(town: Town, say: Say) -> None:
    with pytest.raises(RefusedError, match=r"ANSWER_UNKNOWN .*confirm.*compare.*deny.*undo"):
        say("answer", asked(town), "yes", "--by", "officer")


def test_pending_tokens_are_renewed_by_hand(town: Town, say: Say) -> None:
    town.keepers.refusal = NoTokens(Reason.QUOTA, "keeper-a")
    town.publish(example())
    assert "0 signalen zijn de koppelsleutels vernieuwd; de andere volgen later: KEEPER_QUOTA." in say("tokens", "renew")
    town.keepers.refusal = None
    assert json.loads(say("tokens", "renew", "--json")) == {"count": 1, "waits": None}
    assert len(town.broker.records("TokensRenewed")) == 1


def test_a_trace_says_that_there_is_a_question_and_not_what_it_says(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    [result] = town.publish(example(local_ref="T-1"))
    outcome: dict[str, Any] = {"outcome_id": SIGNAL, "source": "linking", "kind": "LINK_QUESTION", "state": "ASKED"}
    sealed = town.node.identity.sealed_part("gm:GM0983", json.dumps(DETAIL).encode(), f"{result.signal_id}/{SIGNAL}")
    outcome |= {"outcome": None, "version": 1, "occurred_at": NOW, "detail": sealed}
    hear(town, a_view(str(result.signal_id), outcomes=[outcome]))
    found = town.actions.trace("T-1")
    assert found["outcomes"][0]["detail"] is None
    printing.show_trace(found)
    assert "koppelvraag: gevraagd" in capsys.readouterr().out
