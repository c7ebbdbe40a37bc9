from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from builders import (
    ONE,
    START,
    TWO,
    Consuming,
    a_referral,
    a_register,
    a_summary,
    an_environment,
    an_identity,
    minutes,
    of_record,
    opened_detail,
)
from refusing import refused
from speaking import speaking
from typer.testing import CliRunner

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.people import proving
from signal_exchange.people.actions import NewPerson, PeopleActions
from signal_exchange.people.tables import AUDIT
from signal_exchange.runtime import clock
from signal_exchange.worklist.commands import app, youth_app
from signal_exchange.worklist.composition import rules
from signal_exchange.worklist.handler import WorklistHandler
from signal_exchange.worklist.store import OPENINGS, REFERRALS, TABLES, TRANSITIONS

HANDLER = WorklistHandler("CARE_COORDINATOR", rules().calendar, an_identity().sealed_part, a_register)
BY = ("--by", "officer")
Told = Callable[..., str]


@pytest.fixture
def consumer(tmp_path: Path) -> Consuming:
    return Consuming("worklist", TABLES, HANDLER, f"sqlite+pysqlite:///{tmp_path / 'worklist.sqlite'}")


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: minutes(60))


@pytest.fixture
def told(tmp_path: Path) -> Told:
    environment = {**an_environment(tmp_path, "worklist", "care"), "SIGNAL_EXCHANGE_MODE": "demo"}

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, list(words), env=environment)
        if result.exit_code == 1 and isinstance(result.exception, RefusedError):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output

    return run


def listed(told: Told, *words: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(told("list", "--json", *words))
    return rows


def test_list_in_words_names_urgency_form_state_and_term(consumer: Consuming, told: Told) -> None:
    consumer.take(a_referral(urgency="URGENT"))
    heading, row = told("list").splitlines()
    assert heading.split() == ["nummer", "spoed", "vorm", "stand", "klaar", "voor", "te", "laat", "let", "op"]
    assert row.split() == ["V-00000001", "spoed", "arbeidsuitbuiting", "aangeboden", "19-11-2026", "17:00", "nee", "-"]


def test_a_reader_of_english_gets_english(consumer: Consuming, told: Told) -> None:
    consumer.take(a_referral(urgency="URGENT"))
    with speaking("en"):
        heading, row = told("list").splitlines()
        assert heading.split() == ["number", "urgency", "form", "state", "due", "by", "late", "note"]
        assert "labour exploitation" in row
        assert told("seen", ONE, *BY) == "Recorded: V-00000001 is now 'seen'. Due by 19-11-2026 17:00.\n"


def test_an_empty_worklist_says_so(told: Told) -> None:
    assert told("list") == "Er wacht niets op deze werklijst.\n"


def test_the_list_takes_its_filters(consumer: Consuming, told: Told) -> None:
    consumer.take(a_referral(1, urgency="REGULAR"), a_referral(2, urgency="ACUTE"))
    told("reject", ONE, *BY, "--reason", "OUTSIDE_REGION")
    assert [row["number"] for row in listed(told)] == ["V-00000002"]
    assert [(row["number"], row["state_label"]) for row in listed(told, "--all", "--urgency", "REGULAR")] == [
        ("V-00000001", "afgewezen")
    ]
    nonsense = CliRunner().invoke(app, ["list", "--urgency", "NONSENSE"])
    assert nonsense.exit_code == 2


def test_the_steps_pass_on_what_was_entered(consumer: Consuming, told: Told) -> None:
    consumer.take(a_referral())
    assert told("seen", ONE, *BY) == "Vastgelegd: V-00000001 is nu 'gezien'. Klaar voor 25-11-2026 17:00.\n"
    assert "geaccepteerd" in told("accept", ONE, *BY, "--planned", "2026-11-19", "--expected-version", "2")
    told("in-care", "V-00000001", *BY, "--first-contact", "2026-11-18")
    assert "Volgende notitie voor 16-12-2026" in told("progress", ONE, *BY, "--expected-version", "4")
    told("complete", ONE, *BY, "--result", "PERSON_STOPPED")
    [row] = consumer.rows(REFERRALS)
    names = ("state", "planned_contact", "first_contact", "reason")
    assert [row[name] for name in names] == ["COMPLETED", "2026-11-19", "2026-11-18", "PERSON_STOPPED"]
    assert {step["who"] for step in consumer.rows(TRANSITIONS)} == {"ROUTING", "officer"}


def test_what_was_asked_back_is_withdrawn_and_the_offer_that_waited_is_told(consumer: Consuming, told: Told) -> None:
    consumer.take(a_referral())
    told("accept", ONE, *BY, "--planned", "2026-11-19")
    consumer.take(a_referral(status="RETRACTED", revision=4, rule_id="C40"), a_referral(revision=5, offer=2, at=minutes(9)))
    assert [row["note"] for row in listed(told)] == ["intrekking gevraagd"]
    assert "nieuw aanbod" in told("withdraw", ONE, *BY, "--reason", "MISTAKE")


def test_a_refusal_is_one_sentence_and_a_stale_page_is_refused(consumer: Consuming, told: Told) -> None:
    consumer.take(a_referral())
    with refused("^Deze verwijzing is 'aangeboden': 'in zorg' kan nu niet.$"):
        told("in-care", ONE, *BY, "--first-contact", "2026-11-18")
    with refused("^Dit is intussen veranderd: bekijk het opnieuw en beslis dan.$"):
        told("accept", ONE, *BY, "--planned", "2026-11-19", "--expected-version", "7")
    with refused("^Het geplande contact ligt in het verleden: dat kan van vandaag t/m 60 dagen later "):
        told("accept", ONE, *BY, "--planned", "2006-12-01")


def test_opening_the_summary_needs_a_name_and_shows_no_control_characters(consumer: Consuming, told: Told) -> None:
    consumer.take(a_referral(summary=a_summary("Wil graag hulp.\x1b[2J", "care", f"{ONE}.1")))
    with refused("Zeg wie dit doet"):
        told("show", ONE, "--open")
    text = told("show", ONE, "--open", *BY)
    assert "samenvatting: Wil graag hulp.\ufffd[2J" in text
    assert "gezien  officer" in text
    assert [row["who"] for row in consumer.rows(OPENINGS)] == ["officer"]
    assert json.loads(told("show", ONE, "--open", *BY, "--json"))["summary"].startswith("Wil graag hulp.")


def test_show_tells_what_was_delivered_and_what_happened(consumer: Consuming, told: Told) -> None:
    consumer.take(a_referral(summary=a_summary("Tekst", "care", f"{ONE}.1")))
    text = told("show", "V-00000001")
    for line in ("V-00000001", "aanbod 1: aangeboden", "vorm: arbeidsuitbuiting", "hulpvraag:", "18-11-2026 10:00  aangeboden"):
        assert line in text
    assert "samenvatting" not in text
    details = json.loads(told("show", ONE, "--json"))
    assert details["delivered"]["forms"]["primary"] == "LABOUR"
    assert "summary" not in details


def test_advice_is_passed_on_with_who_gave_it(consumer: Consuming, told: Told) -> None:
    consumer.take(a_referral(deliver_as="CONSULT", rule_id="C60"))
    consumer.waiting()
    told("advise", ONE, "Vraag eerst toestemming en bel dan.", *BY, "--expected-version", "1")
    (outcome,) = of_record(consumer.waiting(), "Outcome")
    assert opened_detail(outcome["detail"], f"{ONE}/{outcome['outcome_id']}")["text"] == "Vraag eerst toestemming en bel dan."
    assert listed(told) == []
    assert "advies gegeven  officer" in told("show", ONE)


def test_a_nameless_person_decides_nothing(told: Told) -> None:
    for nameless in ([], ["--by", " "]):
        with refused("Zeg wie dit doet"):
            told("seen", ONE, *nameless)


def test_who_types_is_proven_where_there_are_people_and_another_name_is_refused(
    consumer: Consuming, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proving, "account", lambda: "znoor")
    consumer.take(a_referral(), a_referral(2))
    people = PeopleActions(consumer.database, "worklist", clock.now)
    today = date(2026, 11, 18)
    admin = people.add_first(NewPerson("os", "root", "admin", "ORGANISATION_ADMIN", "care", today)).person()
    with refused("account znoor is van niemand"):
        told("list")
    noor = people.add(NewPerson("os", "znoor", "noor", "CARE_COORDINATOR", "care", today), admin)
    told("list")
    told("show", "V-00000001")
    told("seen", ONE)
    told("seen", TWO, "--by", "noor")
    with refused("onder uw eigen naam"):
        told("reject", ONE, "--by", "admin", "--reason", "OUTSIDE_REGION")
    people.change("noor", admin, role="PRIVACY_OFFICER")
    for command in (("list",), ("reject", ONE, "--reason", "OUTSIDE_REGION")):
        with refused("mag u niet"):
            told(*command)
    done = [(row["act"], row["about"], row["result"]) for row in consumer.rows(AUDIT) if row["who"] == noor.person_id]
    assert done == [
        ("worklist.see", "", "DONE"),
        ("worklist.see", ONE, "DONE"),
        ("worklist.mark_seen", ONE, "DONE"),
        ("worklist.mark_seen", TWO, "DONE"),
        ("worklist.see", "", "NOT_ALLOWED"),
        ("worklist.reject", "", "NOT_ALLOWED"),
    ]
    assert {step["who"] for step in consumer.rows(TRANSITIONS)} == {"ROUTING", "noor"}


def test_in_production_nobody_acts_or_looks_before_there_are_people(tmp_path: Path, consumer: Consuming) -> None:
    consumer.take(a_referral())
    for words in (["list"], ["show", ONE], ["seen", ONE, *BY]):
        result = CliRunner().invoke(app, words, env=an_environment(tmp_path, "worklist", "care"))
        assert isinstance(result.exception, RefusedError)
        assert result.exception.code == "NO_PEOPLE"


def test_the_youth_commands_work_on_their_own_database(consumer: Consuming, told: Told, tmp_path: Path) -> None:
    consumer.take(a_referral())
    youth = Consuming("worklist-youth", TABLES, HANDLER, f"sqlite+pysqlite:///{tmp_path / 'worklist-youth.sqlite'}")
    youth.take(a_referral(2, deliver_as="YOUTH_ROUTE", due_from=START))
    youth.waiting()
    environment = {**an_environment(tmp_path, "worklist-youth", "youth"), "SIGNAL_EXCHANGE_MODE": "demo"}
    result = CliRunner().invoke(youth_app, ["seen", TWO, *BY], env=environment)
    assert result.exit_code == 0, result.output
    assert [outcome["source"] for outcome in of_record(youth.waiting(), "Outcome")] == ["worklist-youth"]
    assert [row["signal_id"] for row in listed(told)] == [ONE]


def test_every_command_explains_itself() -> None:
    for command in ("list", "show", "seen", "accept", "reject", "in-care", "complete", "withdraw", "advise"):
        result = CliRunner().invoke(app, [command, "--help"])
        assert result.exit_code == 0
