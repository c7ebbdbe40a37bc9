"""Two municipalities and one person, on a real broker: tokens that follow, a question, two answers, one person, and the undo."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from whole_exchange import QUICK, an_exchange, eventually, spoken

from signal_exchange.contracts.topics import municipality_principal
from signal_exchange.reference.loading import load_example
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.watching import picture_until_now, states_until_now

pytestmark = [pytest.mark.broker, pytest.mark.timeout(500)]
VENLO, WEERT = "GM0983", "GM0988"
SERVICES = ("routing", "linking", "agenda", "statistics", "feedback")


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    folder, settings = tmp_path_factory.mktemp("questions") / "exchange", {**QUICK, "SIGNAL_EXCHANGE_RENEW_SECONDS": "2"}
    with an_exchange(folder, services=SERVICES, nodes=(VENLO, WEERT), settings=settings) as running:
        yield running


def record_of(code: str) -> dict[str, Any]:
    """Give a report of the same person by this municipality, and of nothing else that is the same."""
    record = copy.deepcopy(load_example("01_sexual", "inside"))
    return record if code == VENLO else {**record, "municipality": code, "local_ref": "WEE-1", "places": [], "plates": []}


def say(exchange: Exchange, code: str, *words: str) -> Any:
    """Give what a command at the node of a municipality says."""
    return spoken(exchange, municipality_principal(code), *words, "--json")


def publish(exchange: Exchange, code: str, folder: Path) -> dict[str, Any]:
    file = folder / f"{code}.jsonl"
    file.write_text(json.dumps(record_of(code)) + "\n", encoding="utf-8")
    said: dict[str, Any] = say(exchange, code, "publish", str(file))
    return said


def decide(exchange: Exchange, act: str) -> None:
    said = exchange.command("agenda", "agenda", "links", act, the_link(exchange)["number"], "--by", "director")
    assert said.returncode == 0, said.stderr


def the_link(exchange: Exchange) -> dict[str, Any]:
    [link] = [each for each in spoken(exchange, "agenda", "agenda", "links", "--json") if each["kind"] == "SAME_PERSON"]
    found: dict[str, Any] = link
    return found


def question_of(exchange: Exchange, code: str, state: str) -> dict[str, Any]:
    """Wait for the question of a municipality in this state."""
    [asked] = eventually(lambda: say(exchange, code, "questions"), lambda rows: [each["state"] for each in rows] == [state])
    found: dict[str, Any] = asked
    return found


def both_answer(exchange: Exchange, state: str, answer: str) -> None:
    for code in (VENLO, WEERT):
        number = question_of(exchange, code, state)["number"] if answer == "compare" else question_in(exchange, code)
        assert not say(exchange, code, "answer", number, answer, "--by", "officer")["already"]


def question_in(exchange: Exchange, code: str) -> str:
    return str(say(exchange, code, "questions")[0]["number"])


def persons(exchange: Exchange) -> list[str]:
    """Give the municipality of every person that the figures count, as the store of statistics has them."""
    told = states_until_now(exchange.admin, "observations")
    ids = sorted(key for key, fields in told.items() if fields["kind"] == "PERSON")
    facts = [spoken(exchange, "statistics", "statistics", "show", each, "--json") for each in ids]
    return sorted(each["municipality"] for each in facts if each["counted"])


def test_two_reports_of_one_person_are_one_person_once_both_officers_confirm_and_two_again_after_the_undo(
    exchange: Exchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert publish(exchange, VENLO, tmp_path)["published"] == 1
    nobody = tmp_path / "no-bearers.json"
    nobody.write_text("{}", encoding="utf-8")
    nobody.chmod(0o600)
    own = exchange.environment
    with monkeypatch.context() as patched:
        patched.setattr(exchange, "environment", lambda name: {**own(name), "SIGNAL_EXCHANGE_KEEPER_TOKEN_FILE": str(nobody)})
        assert publish(exchange, WEERT, tmp_path)["tokens_pending"] == 1

    found = eventually(lambda: spoken(exchange, "agenda", "agenda", "links", "--json"), lambda rows: len(rows) >= 1)
    link = the_link(exchange)
    assert (link["state"], link["across"], "NAME_DOB" in link["key_types"]) == ("CANDIDATE", True, True), found
    assert [say(exchange, code, "questions") for code in (VENLO, WEERT)] == [[], []]
    assert eventually(lambda: persons(exchange), lambda counted: len(counted) == 2) == [VENLO, WEERT]

    decide(exchange, "release")
    question = question_of(exchange, VENLO, "ASKED")
    shown = say(exchange, VENLO, "questions", "show", question["number"], "--by", "officer")
    assert (shown["other"], "NAME_DOB" in shown["key_types"]) == (None, True)
    assert WEERT not in json.dumps(shown)

    both_answer(exchange, "ASKED", "compare")
    compared = question_of(exchange, WEERT, "COMPARING")
    other = say(exchange, WEERT, "questions", "show", compared["number"], "--by", "officer")["other"]
    assert other["form"] == "SEXUAL"
    both_answer(exchange, "COMPARING", "confirm")
    eventually(lambda: the_link(exchange)["state"], lambda state: state == "CONFIRMED")
    assert eventually(lambda: persons(exchange), lambda counted: len(counted) == 1) == [VENLO]
    assert {question_of(exchange, code, "CLOSED")["answer"] for code in (VENLO, WEERT)} == {"CONFIRM"}

    decide(exchange, "undo")
    eventually(lambda: the_link(exchange)["state"], lambda state: state == "REVOKED")
    assert eventually(lambda: persons(exchange), lambda counted: len(counted) == 2) == [VENLO, WEERT]

    for code in (VENLO, WEERT):
        eventually(lambda code=code: say(exchange, code, "outbox"), lambda rows: rows == [])  # type: ignore[misc]  # a loop's variable
    places = picture_until_now(exchange.connection("oversight")).ledger.counts
    assert {place: places[place] for place in ("routed", "answer", "renewed", "parked")} == {
        "routed": 2,
        "answer": 4,
        "renewed": 1,
        "parked": 0,
    }
    exchange.processes.check()
