from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from builders import (
    ONE,
    START,
    TWO,
    VENLO,
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
from signal_exchange.privacy import leak_guard
from signal_exchange.privacy.register import NoSealingKey, Register
from signal_exchange.privacy.sealing import SealingPublicKey
from signal_exchange.runtime import clock
from signal_exchange.runtime.faults import Refused
from signal_exchange.stream import texts
from signal_exchange.worklist.commands import app, youth_app
from signal_exchange.worklist.composition import rules
from signal_exchange.worklist.handler import WorklistHandler
from signal_exchange.worklist.store import OPENINGS, REFERRALS, TABLES

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
    environment = an_environment(tmp_path, "worklist", "care")

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, list(words), env=environment)
        if result.exit_code == 1 and isinstance(result.exception, Refused):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output

    return run


def listed(told: Told, *words: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(told("list", "--json", *words))
    return rows


def test_list_shows_the_open_ones_first_by_what_is_due(consumer: Consuming, told: Told) -> None:
    consumer.take(a_referral(1, urgency="REGULAR"), a_referral(2, urgency="ACUTE"), a_referral(3, urgency="URGENT"))
    told("reject", ONE, *BY, "--reason", "OUTSIDE_REGION")
    assert [row["number"] for row in listed(told)] == ["V-00000002", "V-00000003"]
    rows = listed(told, "--all")
    assert [(row["number"], row["state"], row["open"]) for row in rows] == [
        ("V-00000002", "OFFERED", True),
        ("V-00000003", "OFFERED", True),
        ("V-00000001", "REJECTED", False),
    ]
    assert rows[0] | {"signal_id": TWO, "expected_version": 1, "municipality": VENLO, "overdue": False} == rows[0]


def test_list_in_words_names_urgency_form_state_and_term(consumer: Consuming, told: Told) -> None:
    consumer.take(a_referral(urgency="URGENT"))
    heading, row = told("list").splitlines()
    assert heading.split() == ["nummer", "spoed", "vorm", "stand", "klaar", "voor", "te", "laat", "let", "op"]
    assert row.split() == ["V-00000001", "spoed", "arbeidsuitbuiting", "aangeboden", "19-11-2026", "17:00", "nee", "-"]


def test_an_empty_worklist_says_so(told: Told) -> None:
    assert told("list") == "Er wacht niets op deze werklijst.\n"


def test_what_is_past_its_term_is_overdue(consumer: Consuming, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    consumer.take(a_referral(urgency="ACUTE"))
    monkeypatch.setattr(clock, "now", lambda: minutes(121))
    assert [row["overdue"] for row in listed(told)] == [True]


def test_the_whole_way_of_a_referral_by_commands(consumer: Consuming, told: Told) -> None:
    consumer.take(a_referral())
    consumer.waiting()
    told("seen", ONE, *BY)
    assert "geaccepteerd" in told("accept", ONE, *BY, "--planned", "2026-11-19", "--expected-version", "2")
    told("in-care", "V-00000001", *BY, "--first-contact", "2026-11-18")
    told("complete", ONE, *BY, "--result", "PERSON_STOPPED")
    sent = consumer.waiting()
    outcomes = of_record(sent, "Outcome")
    assert [(each["state"], each["outcome"]) for each in outcomes] == [
        ("SEEN", None),
        ("ACCEPTED", "IN_TREATMENT"),
        ("IN_CARE", "IN_TREATMENT"),
        ("COMPLETED", "CARE_DECLINED"),
    ]
    detail = opened_detail(outcomes[-1]["detail"], f"{ONE}/{outcomes[-1]['outcome_id']}")
    assert detail == {"reason": "PERSON_STOPPED", "text": None}
    assert [(step["stage"], step["verdict"]) for step in of_record(sent, "TraceFact")] == [("OUTCOME", None)] * 4
    assert {each.key for each in sent if each.record == "Outcome"} == {f"{ONE}/{outcomes[0]['outcome_id']}"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("accept", ONE, "--planned", "2026-11-19", "--expected-version", "7"), "intussen veranderd"),
        (("reject", ONE, "--reason", "NO_CAPACITY"), "Geen capaciteit is geen reden om af te wijzen"),
        (("reject", ONE, "--reason", "NONSENSE"), "Deze reden bestaat niet"),
        (("in-care", ONE, "--first-contact", "2026-11-18"), "Deze verwijzing is 'aangeboden': 'in zorg' kan nu niet."),
        (("complete", ONE, "--result", "TRANSFERRED"), "'afgerond' kan nu niet"),
        (("withdraw", ONE, "--reason", "MISTAKE"), "'ingetrokken' kan nu niet"),
        (("seen", TWO), "niet bekend"),
        (("seen", "V-000"), "niet volledig genoeg"),
        (("advise", ONE, "Neem contact op."), "geen advies gevraagd"),
        (("show", TWO), "niet bekend"),
        (("show", ONE, "--open"), "hoort geen samenvatting"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_refused_wish_is_one_clear_sentence_and_changes_nothing(
    consumer: Consuming, told: Told, words: tuple[str, ...], sentence: str
) -> None:
    consumer.take(a_referral())
    before = consumer.everything()
    consumer.waiting()
    with pytest.raises(Refused, match=sentence):
        told(*words, *BY)
    assert consumer.everything() == before
    assert consumer.waiting() == []


def test_no_capacity_never_rejects(consumer: Consuming, told: Told) -> None:
    consumer.take(a_referral())
    with pytest.raises(Refused, match="voorzitter"):
        told("reject", ONE, *BY, "--reason", "NO_CAPACITY")
    assert [row["state"] for row in consumer.rows(REFERRALS)] == ["OFFERED"]


def test_an_accepted_referral_can_be_withdrawn_only_after_it_was_asked_back(consumer: Consuming, told: Told) -> None:
    consumer.take(a_referral())
    told("accept", ONE, *BY, "--planned", "2026-11-19")
    with pytest.raises(Refused, match="Intrekken kan pas"):
        told("withdraw", ONE, *BY, "--reason", "MISTAKE")
    consumer.take(a_referral(status="RETRACTED", revision=4, rule_id="C40"))
    assert [row["note"] for row in listed(told)] == ["intrekking gevraagd"]
    told("withdraw", ONE, *BY, "--reason", "MISTAKE")
    assert [row["state"] for row in consumer.rows(REFERRALS)] == ["WITHDRAWN"]
    with pytest.raises(Refused, match="geen open verwijzing"):
        told("seen", ONE, *BY)


def test_a_first_contact_lies_not_in_the_future(consumer: Consuming, told: Told) -> None:
    consumer.take(a_referral())
    told("accept", ONE, *BY, "--planned", "2026-11-19")
    with pytest.raises(Refused, match="toekomst"):
        told("in-care", ONE, *BY, "--first-contact", "2026-11-19")


def test_the_offer_that_waited_is_opened_when_the_first_ends(consumer: Consuming, told: Told) -> None:
    consumer.take(a_referral())
    told("accept", ONE, *BY, "--planned", "2026-11-19")
    consumer.take(a_referral(revision=5, offer=2, at=minutes(9)))
    assert "nieuw aanbod" in told("complete", ONE, *BY, "--result", "TRANSFERRED")
    assert [(row["offer"], row["state"]) for row in listed(told)] == [(2, "OFFERED")]


def test_opening_the_summary_needs_a_name_is_recorded_and_marks_as_seen(consumer: Consuming, told: Told) -> None:
    consumer.take(a_referral(summary=a_summary("Wil graag hulp.\x1b[2J", "care", f"{ONE}.1")))
    consumer.waiting()
    with pytest.raises(Refused, match="--by"):
        told("show", ONE, "--open")
    text = told("show", ONE, "--open", *BY)
    assert "samenvatting: Wil graag hulp.\ufffd[2J" in text
    assert "gezien  officer" in text
    assert [(row["who"], row["at"]) for row in consumer.rows(OPENINGS)] == [("officer", minutes(60))]
    assert [outcome["state"] for outcome in of_record(consumer.waiting(), "Outcome")] == ["SEEN"]
    assert json.loads(told("show", ONE, "--open", *BY, "--json"))["summary"].startswith("Wil graag hulp.")
    assert consumer.waiting() == []


def test_a_summary_for_another_group_cannot_be_opened(consumer: Consuming, told: Told) -> None:
    consumer.take(a_referral(summary=a_summary("Tekst", "youth", f"{ONE}.1")))
    with pytest.raises(Refused, match="kan met de sleutels van deze dienst niet worden geopend"):
        told("show", ONE, "--open", *BY)
    assert consumer.rows(OPENINGS) == []


def test_show_tells_what_was_delivered_and_what_happened(consumer: Consuming, told: Told) -> None:
    consumer.take(a_referral(summary=a_summary("Tekst", "care", f"{ONE}.1")))
    text = told("show", "V-00000001")
    for words in ("V-00000001", "aanbod 1: aangeboden", "vorm: arbeidsuitbuiting", "hulpvraag:", "18-11-2026 10:00  aangeboden"):
        assert words in text
    assert "samenvatting" not in text
    details = json.loads(told("show", ONE, "--json"))
    assert details["delivered"]["forms"]["primary"] == "LABOUR"
    assert "summary" not in details


def test_advice_on_a_consult_goes_home_sealed_and_takes_it_off_the_list(consumer: Consuming, told: Told) -> None:
    consumer.take(a_referral(deliver_as="CONSULT", rule_id="C60"))
    consumer.waiting()
    assert [(row["state"], row["due_by"] is not None) for row in listed(told)] == [("CONSULT", True)]
    told("advise", ONE, "Vraag eerst toestemming en bel dan.", *BY, "--expected-version", "1")
    sent = consumer.waiting()
    (outcome,) = of_record(sent, "Outcome")
    assert (outcome["kind"], outcome["state"], outcome["outcome"]) == ("REFERRAL", "ADVISED", None)
    detail = opened_detail(outcome["detail"], f"{ONE}/{outcome['outcome_id']}")
    assert detail == {"reason": None, "text": "Vraag eerst toestemming en bel dan."}
    assert listed(told) == []
    assert "advies gegeven  officer" in told("show", ONE)
    told("advise", ONE, "Nog een aanvulling.", *BY)
    assert [each["revision"] for each in of_record(consumer.waiting(), "Outcome")] == [2]


def test_r_ref_04_in_care_a_progress_note_is_due_and_each_one_moves_it(
    consumer: Consuming, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer.take(a_referral())
    told("accept", ONE, "--planned", "2026-11-20", *BY)
    with pytest.raises(Refused, match="als de zorg is begonnen"):
        told("progress", ONE, *BY)
    told("in-care", ONE, "--first-contact", "2026-11-18", *BY)
    consumer.waiting()
    [before] = [row["due_by"] for row in listed(told)]
    monkeypatch.setattr(clock, "now", lambda: minutes(60 + 5 * 24 * 60))
    with pytest.raises(Refused, match="intussen veranderd"):
        told("progress", ONE, *BY, "--expected-version", "1")
    assert "Volgende notitie voor 21-12-2026" in told("progress", ONE, *BY, "--expected-version", "3")
    [row] = listed(told)
    assert (row["state"], row["due_by"] > before, row["expected_version"]) == ("IN_CARE", True, 4)
    [step] = of_record(consumer.waiting(), "TraceFact")
    assert (step["owner_role"], step["next_date"]) == ("CARE_COORDINATOR", "2026-12-21")


def test_advice_on_an_older_version_is_refused(consumer: Consuming, told: Told) -> None:
    consumer.take(a_referral(deliver_as="CONSULT", version=2))
    with pytest.raises(Refused, match="intussen veranderd"):
        told("advise", ONE, "Vraag eerst toestemming.", *BY, "--expected-version", "1")


@pytest.mark.parametrize("text", ["Bel 06-00001234 eerst.", "Het gaat om BSN 999990019."])
def test_r_leak_01_a_text_that_may_name_somebody_does_not_go(consumer: Consuming, told: Told, text: str) -> None:
    consumer.take(a_referral(deliver_as="CONSULT"))
    consumer.waiting()
    with pytest.raises(Refused, match="een persoon aanwijst") as refusal:
        told("advise", ONE, text, *BY)
    assert "9999" not in str(refusal.value)
    assert consumer.waiting() == []


def test_r_leak_01_no_answer_of_the_guard_means_that_nothing_goes(
    consumer: Consuming, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_text: str) -> None:
        raise leak_guard.GuardUnavailable

    monkeypatch.setattr(texts, "check_text", fails)
    consumer.take(a_referral(deliver_as="CONSULT"))
    with pytest.raises(Refused, match="geen antwoord"):
        told("advise", ONE, "Vraag eerst toestemming.", *BY)


@pytest.mark.parametrize("text", ["", "   ", "a" * 1001])
def test_a_text_has_1_to_1000_signs(consumer: Consuming, told: Told, text: str) -> None:
    consumer.take(a_referral(deliver_as="CONSULT"))
    with pytest.raises(Refused, match="1 tot 1000"):
        told("advise", ONE, text, *BY)


def test_a_nameless_person_decides_nothing(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["seen", ONE, "--by", " "], env=an_environment(tmp_path, "worklist"))
    assert result.exit_code == 2


def test_the_youth_commands_work_on_their_own_database(consumer: Consuming, told: Told, tmp_path: Path) -> None:
    consumer.take(a_referral())
    youth = Consuming("worklist-youth", TABLES, HANDLER, f"sqlite+pysqlite:///{tmp_path / 'worklist-youth.sqlite'}")
    youth.take(a_referral(2, deliver_as="YOUTH_ROUTE", due_from=START))
    youth.waiting()
    environment = an_environment(tmp_path, "worklist-youth", "youth")
    result = CliRunner().invoke(youth_app, ["seen", TWO, *BY], env=environment)
    assert result.exit_code == 0, result.output
    assert [outcome["source"] for outcome in of_record(youth.waiting(), "Outcome")] == ["worklist-youth"]
    assert [row["signal_id"] for row in listed(told)] == [ONE]


def test_every_command_explains_itself() -> None:
    for command in ("list", "show", "seen", "accept", "reject", "in-care", "complete", "withdraw", "advise"):
        result = CliRunner().invoke(app, [command, "--help"])
        assert result.exit_code == 0


@pytest.mark.parametrize(
    ("step", "missed"),
    [
        (("accept", "--planned", "2006-12-01"), r"--planned\) ligt in het verleden: .*60 dagen later \(R-VAL-24\)"),
        (("accept", "--planned", "2206-12-01"), r"--planned\) ligt te ver vooruit: .*60 dagen later \(R-VAL-24\)"),
        (("in-care", "--first-contact", "1926-12-01"), r"--first-contact\) ligt te ver terug: .*90 dagen geleden .*\(R-VAL-24\)"),
    ],
)
def test_r_val_24_a_contact_that_cannot_be_is_refused(
    consumer: Consuming, told: Told, step: tuple[str, str, str], missed: str
) -> None:
    consumer.take(a_referral())
    command, option, day = step
    if command == "in-care":
        told("accept", ONE, *BY, "--planned", "2026-11-19")
    with pytest.raises(Refused, match=missed):
        told(command, ONE, *BY, option, day)


def test_what_cannot_be_sealed_to_the_municipality_changes_nothing_and_is_one_sentence(
    consumer: Consuming, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer.take(a_referral())
    before = consumer.everything()
    key_of = Register.sealing_key

    def lacking(register: Register, group: str, at: datetime) -> SealingPublicKey:
        if group == f"gm:{VENLO}":
            raise NoSealingKey(f"The register has no valid sealing key for {group}.")
        return key_of(register, group, at)

    monkeypatch.setattr(Register, "sealing_key", lacking)
    with pytest.raises(Refused, match=r"gm:GM0983.*Er is niets veranderd"):
        told("seen", ONE, *BY)
    assert consumer.everything() == before
