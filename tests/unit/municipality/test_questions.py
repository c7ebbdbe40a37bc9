"""What an attention officer sees of a question about a link, and what an answer sends (R-LINK-04)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from node_views import DETAIL, LINK, SIGNAL, a_view, asked, hear
from nodes import NOW, Town, a_town

from signal_exchange.domain.links.states import COMPARE, CONFIRM, REJECT, UNDO
from signal_exchange.domain.policy import Policy
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.municipality.inbox.erasing import destroy
from signal_exchange.municipality.inbox.questions import ACTS, Officers
from signal_exchange.municipality.store import Erased

OTHER = {"form": "LABOUR", "subjects": [{"role": "VICTIM", "age_class": "AGE_23_PLUS"}]}


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return a_town(tmp_path)


def officers(town: Town, **limits: int) -> Officers:
    return replace(town.actions.officers, policy=replace(Policy(), **limits))  # type: ignore[arg-type]  # numbers by name


def sent(town: Town) -> list[dict[str, Any]]:
    town.relay().send_all()
    return town.broker.records("MunicipalAnswer")


def test_questions_are_listed_without_what_they_say(town: Town) -> None:
    question = asked(town)
    [row] = officers(town).questions()
    assert (row["question_id"], row["number"], row["signal_id"], row["state"]) == (question, f"Q-{question[:8]}", SIGNAL, "ASKED")
    assert "NAME_DOB" not in str(row)
    assert LINK not in str(row)


def test_r_link_04_a_question_is_opened_for_an_officer_and_that_is_recorded(town: Town) -> None:
    question = asked(town)
    shown = officers(town).show(f"Q-{question[:8]}", who="officer", at=NOW)
    assert (shown["key_types"], shown["other"], shown["state"]) == (["NAME_DOB"], None, "ASKED")
    assert "link_id" not in shown
    asked(town, "COMPARING", revision=2, question=question, detail={**DETAIL, "other": OTHER})
    assert officers(town).show(question, who="officer", at=NOW)["other"] == OTHER
    assert [(row["kind"], row["who"]) for row in town.rows(ACTS)] == [("SHOW", "officer")] * 2


def test_an_answer_is_signed_and_numbered_with_an_id_of_its_own(town: Town) -> None:
    question = asked(town)
    answered = officers(town).answer(question, CONFIRM, who="officer", at=NOW)
    assert (answered.kind, answered.already) == (CONFIRM, False)
    [fields] = sent(town)
    assert {name: fields[name] for name in ("signal_id", "version", "municipality", "link_id", "kind", "key_types")} == {
        "signal_id": SIGNAL,
        "version": 1,
        "municipality": "GM0983",
        "link_id": LINK,
        "kind": "CONFIRM",
        "key_types": ["NAME_DOB"],
    }
    assert fields["envelope"]["sequence"] == 1
    [record] = town.broker.outgoing
    assert (record.key, dict(record.headers)["ce_id"].decode()) == (SIGNAL, fields["answer_id"])


def test_the_same_answer_twice_is_sent_once_and_another_one_too(town: Town) -> None:
    question, own = asked(town), officers(town)
    own.answer(question, COMPARE, who="officer", at=NOW)
    assert own.answer(question, COMPARE, who="another", at=NOW + timedelta(minutes=1)).already
    own.answer(question, REJECT, who="officer", at=NOW + timedelta(minutes=2))
    assert [each["kind"] for each in sent(town)] == ["COMPARE", "REJECT"]
    assert own.questions()[0]["answer"] == "REJECT"


def test_an_answer_that_the_exchange_did_not_confirm_is_sent_again_under_the_same_id(town: Town) -> None:
    officers(town).answer(asked(town), CONFIRM, who="officer", at=NOW)
    sent(town)
    town.clock.pass_seconds(700)
    first, again = sent(town)
    assert first == again
    assert len({dict(each.headers)["ce_id"] for each in town.broker.outgoing}) == 1


def test_a_closed_question_takes_no_answer_but_the_undoing_of_what_was_confirmed_here(town: Town) -> None:
    question, own = asked(town), officers(town)
    with pytest.raises(RefusedError, match="LINK_NOT_CONFIRMED_HERE field=answer rule=R-LINK-04"):
        own.answer(question, UNDO, who="officer", at=NOW)
    own.answer(question, CONFIRM, who="officer", at=NOW)
    asked(town, "CLOSED", revision=2, question=question)
    with pytest.raises(RefusedError, match="QUESTION_CLOSED"):
        own.answer(question, REJECT, who="officer", at=NOW)
    own.answer(question, UNDO, who="officer", at=NOW + timedelta(days=1))
    assert [each["kind"] for each in sent(town)] == ["CONFIRM", "UNDO"]


def test_the_questions_of_one_officer_are_counted_and_limited(town: Town) -> None:
    first, second, third = (asked(town) for _ in range(3))
    own = officers(town, link_questions_officer=2, link_questions_days=30)
    own.show(first, who="officer", at=NOW)
    own.answer(second, CONFIRM, who="officer", at=NOW)
    for refused in (lambda: own.show(third, who="officer", at=NOW), lambda: own.answer(third, CONFIRM, who="officer", at=NOW)):
        with pytest.raises(RefusedError, match=r"QUESTIONS_USED_UP .*days=30 most=2"):
            refused()
    own.answer(first, CONFIRM, who="officer", at=NOW)
    own.answer(third, CONFIRM, who="colleague", at=NOW)
    own.show(third, who="officer", at=NOW + timedelta(days=31))


def test_a_question_of_an_older_view_never_wins(town: Town) -> None:
    question = asked(town, "CLOSED", revision=5)
    asked(town, "ASKED", revision=4, question=question)
    assert officers(town).questions()[0]["state"] == "CLOSED"


def test_what_is_unknown_or_cannot_be_opened_is_refused(town: Town) -> None:
    with pytest.raises(RefusedError, match="NUMBER_UNKNOWN"):
        officers(town).show("Q-12345678", who="officer", at=NOW)
    outcome = {"outcome_id": LINK, "source": "linking", "kind": "LINK_QUESTION", "state": "ASKED", "outcome": None}
    hear(town, a_view(SIGNAL, outcomes=[{**outcome, "version": 1, "occurred_at": NOW, "detail": None}]))
    with pytest.raises(RefusedError, match="QUESTION_UNREADABLE"):
        officers(town).show(LINK, who="officer", at=NOW)
    assert json.dumps(town.rows(ACTS)) == "[]"


def test_an_erased_signal_leaves_no_question_and_no_act(town: Town) -> None:
    question = asked(town)
    officers(town).show(question, who="officer", at=NOW)
    with town.node.database.transaction() as connection:
        destroy(connection, Erased(SIGNAL, 2, NOW, "officer"), town.node.vault_key)
    asked(town, revision=2, question=question)
    assert (town.rows(ACTS), officers(town).questions()) == ([], [])
