"""The process of linking: what it reads, what its commands show, and what time alone changes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import ROERMOND, START, VENLO, WEERT, Consuming, an_environment, an_identity, signal_id
from link_records import PERSON, PLATE, a_signal, an_answer, confirmed, linking, the_link
from sqlalchemy import select
from typer.testing import CliRunner

from signal_exchange.domain.links.sharing import SHARED_CONTEXT
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.linking.commands import app
from signal_exchange.linking.composition import consumer_spec, handler_of, recheck
from signal_exchange.linking.handler import LinkingHandler
from signal_exchange.linking.rebuilding import empty
from signal_exchange.linking.tables import LINKS, OUTBOX, TOKENS
from signal_exchange.privacy.register import NoSealingKeyError
from signal_exchange.runtime.settings import ServiceSettings, loaded
from signal_exchange.stream.consumer import ConsumerSpec
from signal_exchange_demo.linking_score import app as with_score

LINK = the_link(1, 2)


def a_file(folder: Path) -> Consuming:
    return linking(f"sqlite+pysqlite:///{folder / 'linking.sqlite'}")


def told(folder: Path, *words: str) -> str:
    result = CliRunner().invoke(app, list(words), env=an_environment(folder, "linking", "linking"))
    assert result.exit_code == 0, result.output
    return result.output


def test_links_are_listed_without_any_value(tmp_path: Path) -> None:
    a_file(tmp_path).take(
        a_signal(1, PERSON, PLATE), a_signal(2, PERSON, PLATE), an_answer(the_link(1, 2, SHARED_CONTEXT), "REJECT")
    )
    assert "zelfde persoon" in told(tmp_path, "list")
    assert [each["kind"] for each in json.loads(told(tmp_path, "list", "--json"))] == ["SAME_PERSON"]
    assert len(json.loads(told(tmp_path, "list", "--all", "--json"))) == 2


def test_one_link_is_shown_with_who_must_still_answer(tmp_path: Path) -> None:
    a_file(tmp_path).take(a_signal(1, PERSON), a_signal(2, PERSON))
    shown = json.loads(told(tmp_path, "show", LINK, "--json"))
    assert (shown["signal_a"], shown["key_types"], VENLO in shown["awaits"]) == (signal_id(1), ["NAME_DOB"], True)
    assert "NAME_DOB" in told(tmp_path, "show", LINK)
    unknown = CliRunner().invoke(app, ["show", "unknown"], env=an_environment(tmp_path, "linking", "linking"))
    assert isinstance(unknown.exception, RefusedError)


def test_an_empty_store_says_so(tmp_path: Path) -> None:
    assert told(tmp_path, "list").strip() == "Er is nog geen samenhang gevonden."


def test_linking_finds_what_truly_agrees_and_confirms_nothing_else() -> None:
    result = CliRunner().invoke(with_score, ["--scale", "2.5", "--seed", "7", "--json"])
    figures = json.loads(result.output)
    assert figures["same_person"]["recall_of_agreeing"] >= 0.95
    assert figures["same_person"]["precision"] >= 0.60
    assert (figures["precision_after_confirmation"], figures["junk"]["after_the_cap"]) == (1.0, 0)
    assert figures["b_cubed"]["f1"] >= 0.95


def test_the_score_is_shown_to_people_too() -> None:
    assert "same_person" in CliRunner().invoke(with_score, ["--scale", "0.2"]).output


def spec_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ConsumerSpec:
    for name, value in an_environment(folder, "linking", "linking", "parking:linking").items():
        monkeypatch.setenv(name, value)
    return consumer_spec(loaded(ServiceSettings))


def test_the_service_reads_tokens_and_answers_and_looks_at_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = spec_in(tmp_path, monkeypatch)
    assert (spec.name, spec.reader, spec.sources) == ("linking", "linking", ("link-tokens", "link-answers", "retry.linking"))
    assert isinstance(spec.handle, LinkingHandler)
    assert len(spec.alongside) == 1


def test_a_question_that_nobody_answers_becomes_overdue_and_expires_by_time_alone(tmp_path: Path) -> None:
    consumer = a_file(tmp_path)
    consumer.take(a_signal(1, PERSON), a_signal(2, PERSON), an_answer(LINK, "RELEASE"))
    assert isinstance(consumer.handle, LinkingHandler)

    def after(days: int) -> tuple[object, object]:
        assert isinstance(consumer.handle, LinkingHandler)
        handler = replace(consumer.handle, now=lambda: START + timedelta(days=days))
        recheck(handler, consumer.database, an_identity().parking_seal("linking"))
        [row] = consumer.rows(LINKS)
        return row["state"], row["overdue"]

    consumer.waiting()
    assert after(6) == ("CANDIDATE", False)
    assert consumer.waiting() == []
    assert after(20) == ("CANDIDATE", True)
    assert {each.record for each in consumer.waiting()} == {"LinkCandidate"}
    assert after(80)[0] == "EXPIRED"
    assert {each.record for each in consumer.waiting()} == {"LinkCandidate", "Outcome"}


def test_a_municipality_without_a_key_keeps_only_its_own_questions_waiting(tmp_path: Path) -> None:
    consumer, other = a_file(tmp_path), ("subject:s1", "NAME_DOB", "berg|piet|19800101")
    consumer.take(a_signal(1, PERSON), a_signal(2, PERSON), an_answer(LINK, "RELEASE"))
    consumer.take(a_signal(3, other), a_signal(4, other, municipality=ROERMOND), an_answer(the_link(3, 4), "RELEASE"))
    assert isinstance(consumer.handle, LinkingHandler)
    consumer.waiting()
    whole = consumer.handle

    def lacking(group: str, plaintext: bytes, bound_to: str) -> Mapping[str, object]:
        if group == f"gm:{WEERT}":
            raise NoSealingKeyError(f"The register has no valid sealing key for {group}.")
        return whole.seal_to(group, plaintext, bound_to)

    def states(**changed: Any) -> dict[str, str]:
        handler = replace(whole, now=lambda: START + timedelta(days=80), **changed)
        recheck(handler, consumer.database, an_identity().parking_seal("linking"))
        return {row["link_id"]: row["state"] for row in consumer.rows(LINKS)}

    assert states(seal_to=lacking) == {LINK: "CANDIDATE", the_link(3, 4): "EXPIRED"}
    assert {each.fields["municipality"] for each in consumer.waiting() if each.record == "Outcome"} == {VENLO, ROERMOND}
    assert states() == {LINK: "EXPIRED", the_link(3, 4): "EXPIRED"}
    assert {each.fields["municipality"] for each in consumer.waiting() if each.record == "Outcome"} == {VENLO, WEERT}


def test_a_look_at_an_empty_store_tells_nobody_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = spec_in(tmp_path, monkeypatch)
    spec.database.create_tables()
    recheck(handler_of(an_identity("linking")), spec.database, spec.seal)
    with spec.database.reading() as connection:
        assert connection.execute(select(OUTBOX)).all() == []
    spec.database.close()


def test_r_ret_02_tokens_are_kept_for_two_epochs_and_a_confirmed_link_outlives_them(tmp_path: Path) -> None:
    consumer = a_file(tmp_path)
    consumer.take(a_signal(1, PERSON), a_signal(2, PERSON), *confirmed(LINK))
    came = START + timedelta(days=50)
    consumer.take(a_signal(1, PERSON, epoch="2027H1", revision=2, tokens_at=came))

    def epochs_at(days: int) -> set[str]:
        assert isinstance(consumer.handle, LinkingHandler)
        handler = replace(consumer.handle, now=lambda: START + timedelta(days=days))
        recheck(handler, consumer.database, an_identity().parking_seal("linking"))
        return {row["epoch"] for row in consumer.rows(TOKENS)}

    before = consumer.rows(LINKS)
    assert epochs_at(200) == {"2026H2", "2027H1"}
    assert epochs_at(250) == {"2027H1"}
    assert consumer.rows(LINKS) == before
    assert epochs_at(450) == set()
    consumer.take(a_signal(2, revision=2))
    assert consumer.rows(LINKS)[0]["state"] == "CONFIRMED"


def test_a_rebuild_keeps_the_tokens_that_the_topic_does_not_give_back(tmp_path: Path) -> None:
    consumer, came = a_file(tmp_path), START + timedelta(days=50)
    corrected = a_signal(2, PERSON, version=2, revision=2)
    renewed = a_signal(1, PERSON, epoch="2027H1", revision=2, tokens_at=came)
    consumer.take(a_signal(1, PERSON), a_signal(2, PLATE), corrected, renewed)
    before = consumer.rows(TOKENS)
    with consumer.database.transaction() as connection:
        empty(connection)
        left = {(row.signal_id, row.version, row.epoch) for row in connection.execute(select(TOKENS))}
    assert left == {(signal_id(1), 1, "2026H2"), (signal_id(2), 1, "2026H2")}
    consumer.take(corrected, renewed)
    assert consumer.rows(TOKENS) == before
