from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from builders import (
    ONE,
    TWO,
    Consuming,
    a_chair_alert,
    a_delivered_signal,
    a_register,
    a_summary,
    an_agenda_item,
    an_environment,
    minutes,
    of_record,
    opened_detail,
)
from refusing import refused
from typer.testing import CliRunner

from signal_exchange.agenda.commands import app
from signal_exchange.agenda.composition import calendar
from signal_exchange.agenda.handler import AgendaHandler
from signal_exchange.agenda.tables import DECISIONS, ITEMS, OPENINGS, TABLES
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.runtime import clock

CUTOFF = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
BY = ("--by", "director")
REQUIRED = ("--motivation", "Voldoende aanwijzingen.", "--seat", "POLICE_AVIM", "--seat", "RIEC", *BY)
OWNED = ("--owner", "ATTENTION_OFFICER", "--organisation", "gemeente", "--due", "2026-12-10", *REQUIRED)
Told = Callable[..., str]


@pytest.fixture
def consumer(tmp_path: Path) -> Consuming:
    return Consuming("agenda", TABLES, AgendaHandler(calendar(), a_register), f"sqlite+pysqlite:///{tmp_path / 'agenda.sqlite'}")


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: minutes(60))


@pytest.fixture
def told(tmp_path: Path) -> Told:
    environment = an_environment(tmp_path, "agenda", "table")

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


def test_the_list_is_in_words_and_takes_a_week(consumer: Consuming, told: Told) -> None:
    later = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
    stub = an_agenda_item(3, deliver_as="MINOR_STUB", minor=True, urgency="URGENT")
    consumer.take(an_agenda_item(1), an_agenda_item(2, urgency="ACUTE", due_from=later), stub)
    assert [(row["week"], row["number"]) for row in listed(told)] == [
        ("2026-W48", "P-00000003"),
        ("2026-W48", "P-00000001"),
        ("2026-W49", "P-00000002"),
    ]
    heading, of_minor, row = told("list", "--week", "2026-W48").splitlines()
    assert heading.split() == ["week", "plaats", "nummer", "spoed", "minderjarig", "vorm", "waarom", "stand"]
    assert of_minor.split() == ["2026-W48", "1", "P-00000003", "-", "ja", "arbeidsuitbuiting", "nieuw", "signaal", "verzamelen"]
    assert row.split() == [
        "2026-W48",
        "2",
        "P-00000001",
        "regulier",
        "nee",
        "arbeidsuitbuiting",
        "nieuw",
        "signaal",
        "verzamelen",
    ]


def test_an_empty_agenda_says_so(told: Told) -> None:
    assert told("list") == told("list", "--week", "2026-W48") == "Er staat niets op deze agenda.\n"


def test_freezing_says_what_is_on_the_agenda_and_who_makes_it_final(
    consumer: Consuming, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer.take(*(an_agenda_item(number) for number in (1, 2)))
    with refused("sluit pas op 24-11-2026 12:00"):
        told("freeze", "2026-W48")
    monkeypatch.setattr(clock, "now", lambda: CUTOFF)
    assert "'concept' (versie 1): 2 punten, 0 schuiven door" in told("freeze", "2026-W48")
    assert "'vastgesteld' (versie 2)" in told("freeze", "2026-W48", *BY)
    with consumer.database.transaction() as connection:
        connection.execute(ITEMS.delete().where(ITEMS.c.signal_id == ONE))
    consumer.take(an_agenda_item(2, revision=5, version=2, deliver_as="MINOR_STUB", minor=True))
    assert [row["form"] for row in listed(told, "--week", "2026-W48")] == ["[vernietigd]", "[afgeschermd]"]


def test_a_decision_passes_on_everything_that_was_entered(consumer: Consuming, told: Told) -> None:
    consumer.take(an_agenda_item())
    consumer.waiting()
    words = ("--decision", "CASE_CRIMINAL", "--instrument", "HANDOVER_POLICE", "--feedback", "Een partner pakt dit op.")
    text = told("decide", ONE, *words, *OWNED, "--basis", "PUBLIC_TASK", "--expected-version", "1")
    assert text == "Vastgelegd: P-00000001 'strafrechtelijk overgenomen'. De gemeente krijgt de uitkomst.\n"
    (row,) = consumer.rows(DECISIONS)
    named = ("decision", "owner_role", "owner_organisation", "due_date", "legal_basis", "instruments", "seats_present", "who")
    assert [row[name] for name in named] == [
        "CASE_CRIMINAL", "ATTENTION_OFFICER", "gemeente", "2026-12-10", "PUBLIC_TASK", ["HANDOVER_POLICE"],
        ["POLICE_AVIM", "RIEC"], BY[1],
    ]  # fmt: skip
    (outcome,) = of_record(consumer.waiting(), "Outcome")
    assert opened_detail(outcome["detail"], f"{ONE}/{outcome['outcome_id']}") == {"feedback_text": "Een partner pakt dit op."}


def test_a_duplicate_names_the_signal_that_stays(consumer: Consuming, told: Told) -> None:
    consumer.take(an_agenda_item(1), an_agenda_item(2))
    told("decide", ONE, "--decision", "DUPLICATE", "--keeps", "P-00000002", *REQUIRED)
    assert [row["kept_signal"] for row in consumer.rows(DECISIONS)] == [TWO]


def test_a_refusal_is_one_sentence_that_names_every_field(consumer: Consuming, told: Told) -> None:
    consumer.take(an_agenda_item())
    with refused("^Dit ontbreekt of klopt niet: wie aanwezig was; de motivering; de eigenaar; .*; de datum.$"):
        told("decide", ONE, "--decision", "CASE_ADMIN", *BY)
    with refused("intussen veranderd"):
        told("decide", ONE, "--decision", "NO_TRAFFICKING", *REQUIRED, "--expected-version", "7")


def test_a_follow_up_says_until_when(consumer: Consuming, told: Told) -> None:
    consumer.take(an_agenda_item())
    told("decide", ONE, "--decision", "CASE_ADMIN", *OWNED)
    assert "voor 2027-01-20" in told("follow-up", ONE, "--next", "2027-01-20", *BY)
    assert "afgerond" in told("follow-up", ONE, *BY)
    assert f"opvolging, afgerond  {BY[1]}" in told("show", ONE)


def test_show_tells_the_item_its_decisions_and_notes_and_the_words_only_when_opened(consumer: Consuming, told: Told) -> None:
    consumer.take(an_agenda_item(summary=a_summary("Wat er speelt.", "table", f"{ONE}.1")))
    assert "agenda 2026-W48, plaats 1: nieuw signaal" in told("show", "P-00000001")
    told("decide", ONE, "--decision", "ENRICH", *OWNED, "--feedback", "Vraag de melder om meer.")
    text = told("show", ONE)
    assert "verrijken, aandachtsfunctionaris mensenhandel voor 2026-12-10  director" in text
    assert "Voldoende aanwijzingen" not in text
    assert "Wat er speelt" not in text
    opened = told("show", ONE, "--open", *BY)
    for words in (
        "samenvatting: Wat er speelt.",
        "motivering: Voldoende aanwijzingen.",
        "aan de gemeente: Vraag de melder om meer.",
    ):
        assert words in opened
    assert [row["who"] for row in consumer.rows(OPENINGS)] == ["director"]
    consumer.take(an_agenda_item(status="RETRACTED", revision=2, rule_id="A90"))
    assert "na het besluit teruggenomen (regel A90)" in told("show", ONE)
    details = json.loads(told("show", ONE, "--json"))
    assert (details["status"], len(details["decisions"]), len(details["notes"])) == ("RETRACTED", 1, 1)
    assert "words" not in details["decisions"][0]


def test_opening_needs_a_name_and_a_stub_has_no_text(consumer: Consuming, told: Told) -> None:
    subject = dict.fromkeys(("ref", "role", "sex", "minor_at_event", "nationality_group", "relation_to_offender"))
    signal = a_delivered_signal(sector=None, care_needs=None, subjects=[{**subject, "age_band": "AGE_12_15", "is_minor": True}])
    consumer.take(an_agenda_item(deliver_as="MINOR_STUB", minor=True, signal=signal))
    text = told("show", ONE, "--open", *BY)
    assert "samenvatting: geen tekst" in text
    assert "minderjarig" in text
    with refused("wie de samenvatting opent"):
        told("show", ONE, "--open")


def test_alerts_are_listed_and_acknowledged(consumer: Consuming, told: Told) -> None:
    assert told("alerts") == "Er zijn geen meldingen.\n"
    consumer.take(a_chair_alert(1, at=minutes(44)))
    [row] = json.loads(told("alerts", "--json"))
    assert (row["signal"], row["late"], row["acknowledged_by"]) == ("P-00000001", True, None)
    assert "is gezien" in told("alerts", "acknowledge", row["number"], *BY)
    assert BY[1] in told("alerts")
    with refused("al gezien, op 18-11-2026 11:00"):
        told("alerts", "acknowledge", row["alert_id"], "--by", "deputy")


@pytest.mark.parametrize("words", [["list"], ["show"], ["freeze"], ["decide"], ["alerts"], ["alerts", "acknowledge"]])
def test_every_command_explains_itself(words: list[str]) -> None:
    assert CliRunner().invoke(app, [*words, "--help"]).exit_code == 0
