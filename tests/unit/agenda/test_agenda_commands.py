from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from builders import (
    ONE,
    THREE,
    TWO,
    VENLO,
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
    signal_id,
)
from signal_exchange.agenda.commands import app
from signal_exchange.agenda.composition import calendar
from signal_exchange.agenda.handler import AgendaHandler
from signal_exchange.agenda.tables import ACKNOWLEDGEMENTS, AGENDAS, DECISIONS, OPENINGS, TABLES
from signal_exchange.runtime import clock
from signal_exchange.runtime.faults import Refused

CUTOFF = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
BY = ("--by", "chair")
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
        if result.exit_code == 1 and isinstance(result.exception, Refused):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output

    return run


def listed(told: Told, *words: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(told("list", "--json", *words))
    return rows


def test_list_gives_the_items_in_rule_order_with_the_reason(consumer: Consuming, told: Told) -> None:
    later = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
    consumer.take(an_agenda_item(1), an_agenda_item(2, urgency="URGENT"), an_agenda_item(3, urgency="ACUTE", due_from=later))
    rows = listed(told)
    assert [(row["week"], row["position"], row["signal_id"], row["reason"], row["decision"]) for row in rows] == [
        ("2026-W48", 1, TWO, "NEW_SIGNAL", None),
        ("2026-W48", 2, ONE, "NEW_SIGNAL", None),
        ("2026-W49", 1, THREE, "NEW_SIGNAL", None),
    ]
    assert rows[0] | {"urgency": "URGENT", "municipality": VENLO, "agenda_state": "COLLECTING", "version": 1} == rows[0]
    # Nobody froze week 48 yet: asked for week 49, what week 48 would leave behind comes along.
    assert [row["signal_id"] for row in listed(told, "--week", "2026-W49")] == [THREE, TWO, ONE]
    heading, first, *_ = told("list", "--week", "2026-W48").splitlines()
    assert heading.split() == ["week", "plaats", "nummer", "spoed", "minderjarig", "vorm", "waarom", "stand"]
    assert first.split() == ["2026-W48", "1", "P-00000002", "spoed", "nee", "arbeidsuitbuiting", "nieuw", "signaal", "verzamelen"]


def test_r_agenda_05_what_rolls_over_is_shown_as_such(consumer: Consuming, told: Told) -> None:
    consumer.take(*(an_agenda_item(number, due_from=minutes(number)) for number in range(1, 22)))
    rows = listed(told, "--week", "2026-W48")
    assert [row["rolled_over"] for row in rows] == [False] * 20 + [True]
    assert rows[-1]["state_label"] == "schuift door"


def test_an_empty_agenda_says_so(told: Told) -> None:
    assert told("list") == told("list", "--week", "2026-W48") == "Er staat niets op deze agenda.\n"


def test_r_route_07_of_a_minor_only_id_age_band_and_form_are_shown(consumer: Consuming, told: Told) -> None:
    consumer.take(an_agenda_item(deliver_as="MINOR_STUB", minor=True, urgency="URGENT"))
    (row,) = listed(told)
    assert (row["urgency"], row["municipality"], row["due_from"], row["form"]) == (None, None, None, "arbeidsuitbuiting")


def test_r_agenda_06_the_draft_is_made_once_after_the_cutoff_and_then_final(
    consumer: Consuming, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer.take(an_agenda_item())
    with pytest.raises(Refused, match="sluit pas op 24-11-2026 12:00"):
        told("freeze", "2026-W48")
    monkeypatch.setattr(clock, "now", lambda: CUTOFF)
    assert "'concept' (versie 1): 1 punten, 0 schuiven door" in told("freeze", "2026-W48")
    with pytest.raises(Refused, match="--by"):
        told("freeze", "2026-W48")
    assert "'vastgesteld' (versie 2)" in told("freeze", "2026-W48", *BY)
    with pytest.raises(Refused, match="al vastgesteld"):
        told("freeze", "2026-W48", *BY)
    draft, final = consumer.rows(AGENDAS)
    assert draft["content"] == final["content"]
    assert [(row["state"], row["who"]) for row in (draft, final)] == [("DRAFT", None), ("FINAL", "chair")]
    assert [(row["agenda_state"], row["agenda_version"]) for row in listed(told, "--week", "2026-W48")] == [("FINAL", 2)]


@pytest.mark.parametrize(("week", "sentence"), [("2026-48", "Dit is geen week"), ("2025-W53", "Dit is geen week")])
def test_a_week_that_does_not_exist_is_refused(told: Told, week: str, sentence: str) -> None:
    for words in (("freeze", week), ("list", "--week", week)):
        with pytest.raises(Refused, match=sentence):
            told(*words)


def test_r_agenda_06_a_frozen_agenda_keeps_its_order_and_hides_what_is_gone_or_a_minor(
    consumer: Consuming, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: CUTOFF)
    consumer.take(*(an_agenda_item(number) for number in (1, 2, 3)))
    told("freeze", "2026-W48")
    consumer.take(an_agenda_item(1, revision=5, version=2, urgency="MONITOR"))
    consumer.take(an_agenda_item(2, revision=5, version=2, deliver_as="MINOR_STUB", minor=True, urgency="URGENT"))
    with consumer.database.transaction() as connection:
        table = TABLES.tables["projection_items"]
        connection.execute(table.delete().where(table.c.signal_id == THREE))
    rows = listed(told, "--week", "2026-W48")
    assert [(row["signal_id"], row["version"], row["form"]) for row in rows] == [
        (ONE, 1, "arbeidsuitbuiting"),
        (TWO, 1, "[afgeschermd]"),
        (THREE, 1, "[vernietigd]"),
    ]


def test_r_agenda_09_a_criminal_case_goes_home_as_taken_over_and_the_decision_stays(consumer: Consuming, told: Told) -> None:
    consumer.take(an_agenda_item())
    consumer.waiting()
    words = ("--decision", "CASE_CRIMINAL", "--instrument", "HANDOVER_POLICE", "--feedback", "Een partner pakt dit op.")
    text = told("decide", ONE, *words, *OWNED, "--expected-version", "1")
    assert "strafrechtelijk overgenomen" in text
    sent = consumer.waiting()
    (outcome,) = of_record(sent, "Outcome")
    assert (outcome["kind"], outcome["state"], outcome["outcome"], outcome["revision"]) == (
        "DECISION",
        "DECIDED",
        "TAKEN_OVER",
        1,
    )
    assert opened_detail(outcome["detail"], f"{ONE}/{outcome['outcome_id']}") == {"feedback_text": "Een partner pakt dit op."}
    (step,) = of_record(sent, "TraceFact")
    assert (step["stage"], step["destination"], step["verdict"]) == ("OUTCOME", "SCREENING_AGENDA", None)
    assert not any(b"CRIMINAL" in str(each.fields).encode() for each in sent)
    (row,) = consumer.rows(DECISIONS)
    assert (row["decision"], row["version"], row["due_date"], row["legal_basis"], row["week"], row["agenda_version"]) == (
        "CASE_CRIMINAL", 1, "2026-12-10", "PUBLIC_TASK", "2026-W48", 0,
    )  # fmt: skip
    assert (row["instruments"], row["seats_present"], row["who"]) == (["HANDOVER_POLICE"], ["POLICE_AVIM", "RIEC"], "chair")
    assert listed(told) == []


@pytest.mark.parametrize(
    ("decision", "outcome"),
    [
        ("ENRICH", "ACTION_BY_MUNICIPALITY"),
        ("CASE_ADMIN", "IN_TREATMENT"),
        ("CASE_CARE", "IN_TREATMENT"),
        ("CASE_COMBINED", "IN_TREATMENT"),
        ("OTHER_PROBLEM", "REFERRED_ELSEWHERE"),
        ("TRANSFER_REGION", "REFERRED_ELSEWHERE"),
        ("NO_TRAFFICKING", "NO_FURTHER_ACTION"),
    ],
)
def test_r_agenda_09_each_decision_has_its_outcome(consumer: Consuming, told: Told, decision: str, outcome: str) -> None:
    consumer.take(an_agenda_item())
    consumer.waiting()
    told("decide", ONE, "--decision", decision, *OWNED)
    assert [(each["outcome"], each["state"]) for each in of_record(consumer.waiting(), "Outcome")] == [(outcome, "DECIDED")]


def test_r_agenda_07_defer_at_most_twice_in_a_row(consumer: Consuming, told: Told) -> None:
    consumer.take(an_agenda_item())
    consumer.waiting()
    for _ in range(2):
        told("decide", ONE, "--decision", "DEFER", *REQUIRED)
    with pytest.raises(Refused, match="al 2 keer aangehouden"):
        told("decide", ONE, "--decision", "DEFER", *REQUIRED)
    outcomes = of_record(consumer.waiting(), "Outcome")
    assert [(each["state"], each["outcome"], each["revision"]) for each in outcomes] == [
        ("DEFERRED", "IN_TREATMENT", 1),
        ("DEFERRED", "IN_TREATMENT", 2),
    ]
    assert len({each["outcome_id"] for each in outcomes}) == 1
    assert [(row["week"], row["reason"], row["deferrals"]) for row in listed(told)] == [("2026-W50", "DEFERRED", 2)]
    told("decide", ONE, "--decision", "NO_TRAFFICKING", *REQUIRED)
    assert [each["revision"] for each in of_record(consumer.waiting(), "Outcome")] == [3]


def test_a_duplicate_names_the_signal_that_stays_and_its_municipality_hears_no_number(consumer: Consuming, told: Told) -> None:
    consumer.take(an_agenda_item(1), an_agenda_item(2))
    consumer.waiting()
    told("decide", ONE, "--decision", "DUPLICATE", "--keeps", "P-00000002", *REQUIRED)
    (outcome,) = of_record(consumer.waiting(), "Outcome")
    assert outcome["outcome"] == "CLOSED_DUPLICATE"
    assert TWO not in str(opened_detail(outcome["detail"], f"{ONE}/{outcome['outcome_id']}"))
    assert [row["kept_signal"] for row in consumer.rows(DECISIONS)] == [TWO]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--decision", "CASE_ADMIN"), "wie aanwezig was .*, de motivering .*, de eigenaar"),
        (("--decision", "ENRICH", *REQUIRED), "de eigenaar .*, de organisatie van de eigenaar .*, de datum"),
        (("--decision", "NONSENSE", *REQUIRED), "het besluit"),
        (("--decision", "NO_TRAFFICKING", "--instrument", "NONSENSE", *REQUIRED), "een instrument"),
        (("--decision", "NO_TRAFFICKING", "--seat", "NONSENSE", *REQUIRED), "wie aanwezig was"),
        (("--decision", "NO_TRAFFICKING", "--basis", "NONSENSE", *REQUIRED), "de grondslag"),
        (("--decision", "DUPLICATE", *REQUIRED), "het signaal dat blijft"),
        (("--decision", "DUPLICATE", "--keeps", ONE, *REQUIRED), "het signaal dat blijft"),
        (("--decision", "DUPLICATE", "--keeps", signal_id(9), *REQUIRED), "niet bekend"),
        (("--decision", "ENRICH", *OWNED, "--owner", "NONSENSE"), "de eigenaar"),
        (("--decision", "NO_TRAFFICKING", *REQUIRED, "--expected-version", "7"), "intussen veranderd"),
        (("--decision", "NO_TRAFFICKING", *REQUIRED, "--feedback", "Bel 06-00001234."), "een persoon aanwijst"),
        (("--decision", "NO_TRAFFICKING", *REQUIRED, "--motivation", "BSN 999990019"), "een persoon aanwijst"),
    ],
)
def test_a_refused_decision_is_one_clear_sentence_and_changes_nothing(
    consumer: Consuming, told: Told, words: tuple[str, ...], sentence: str
) -> None:
    consumer.take(an_agenda_item())
    before = consumer.everything()
    consumer.waiting()
    with pytest.raises(Refused, match=sentence):
        told("decide", ONE, *(words if "--by" in words else (*words, *BY)))
    assert consumer.everything() == before
    assert consumer.waiting() == []


def test_what_is_decided_or_taken_back_cannot_be_decided_again(consumer: Consuming, told: Told) -> None:
    consumer.take(an_agenda_item(1), an_agenda_item(2))
    told("decide", ONE, "--decision", "NO_TRAFFICKING", *REQUIRED)
    with pytest.raises(Refused, match="al besloten"):
        told("decide", ONE, "--decision", "NO_TRAFFICKING", *REQUIRED)
    consumer.take(an_agenda_item(2, status="RETRACTED", revision=2))
    with pytest.raises(Refused, match="teruggenomen"):
        told("decide", TWO, "--decision", "NO_TRAFFICKING", *REQUIRED)
    assert "teruggenomen" in told("show", TWO)


def test_r_flow_02_a_decision_with_a_date_is_followed_up_until_it_is_done(consumer: Consuming, told: Told) -> None:
    consumer.take(an_agenda_item())
    with pytest.raises(Refused, match="niets besloten waar een datum"):
        told("follow-up", ONE, *BY)
    told("decide", ONE, "--decision", "CASE_ADMIN", *OWNED)
    [decided] = of_record(consumer.waiting(), "TraceFact")[-1:]
    assert (decided["owner_role"], decided["next_date"]) == ("CHAIN_DIRECTOR", "2026-12-10")
    with pytest.raises(Refused, match="verleden"):
        told("follow-up", ONE, "--next", "2026-11-17", *BY)
    assert "voor 2027-01-20" in told("follow-up", ONE, "--next", "2027-01-20", *BY)
    assert "afgerond" in told("follow-up", ONE, *BY)
    steps = of_record(consumer.waiting(), "TraceFact")
    assert [(step["stage"], step["owner_role"], step["next_date"]) for step in steps] == [
        ("OUTCOME", "CHAIN_DIRECTOR", "2027-01-20"),
        ("OUTCOME", None, None),
    ]
    kept = json.loads(told("show", ONE, "--json"))["follow_ups"]
    assert [(each["number"], each["next_date"], each["who"]) for each in kept] == [(1, "2027-01-20", "chair"), (2, None, "chair")]
    assert "opvolging, afgerond  chair" in told("show", ONE)


def test_r_flow_02_a_decision_on_an_earlier_offer_is_not_followed_up_once_a_new_one_waits(
    consumer: Consuming, told: Told
) -> None:
    consumer.take(an_agenda_item())
    told("decide", ONE, "--decision", "ENRICH", *OWNED)
    consumer.take(an_agenda_item(offer=2, revision=2, version=2))
    consumer.waiting()
    with pytest.raises(Refused, match="opnieuw op de agenda"):
        told("follow-up", ONE, *BY)
    assert consumer.waiting() == []
    told("decide", ONE, "--decision", "CASE_ADMIN", *OWNED)
    assert "afgerond" in told("follow-up", ONE, *BY)


def test_a_decision_names_the_version_of_its_frozen_agenda(
    consumer: Consuming, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: CUTOFF)
    consumer.take(an_agenda_item())
    told("freeze", "2026-W48")
    told("freeze", "2026-W48", *BY)
    told("decide", ONE, "--decision", "CASE_ADMIN", *OWNED)
    assert [row["agenda_version"] for row in consumer.rows(DECISIONS)] == [2]
    (row,) = listed(told, "--week", "2026-W48")
    assert (row["decision"], row["state_label"]) == ("CASE_ADMIN", "bestuurlijk traject")


def test_show_tells_the_item_its_decisions_and_notes_and_the_words_only_when_opened(consumer: Consuming, told: Told) -> None:
    consumer.take(an_agenda_item(summary=a_summary("Wat er speelt.", "table", f"{ONE}.1")))
    assert "agenda 2026-W48, plaats 1: nieuw signaal" in told("show", "P-00000001")
    told("decide", ONE, "--decision", "ENRICH", *OWNED, "--feedback", "Vraag de melder om meer.")
    text = told("show", ONE)
    assert "verrijken, aandachtsfunctionaris mensenhandel voor 2026-12-10  chair" in text
    assert "Voldoende aanwijzingen" not in text
    assert "Wat er speelt" not in text
    opened = told("show", ONE, "--open", *BY)
    for words in (
        "samenvatting: Wat er speelt.",
        "motivering: Voldoende aanwijzingen.",
        "aan de gemeente: Vraag de melder om meer.",
    ):
        assert words in opened
    assert [row["who"] for row in consumer.rows(OPENINGS)] == ["chair"]
    consumer.take(an_agenda_item(status="RETRACTED", revision=2, rule_id="A90"))
    assert "na het besluit teruggenomen (regel A90)" in told("show", ONE)
    details = json.loads(told("show", ONE, "--json"))
    assert (details["status"], len(details["decisions"]), len(details["notes"])) == ("RETRACTED", 1, 1)
    assert "words" not in details["decisions"][0]


def test_a_stub_has_no_summary_to_open(consumer: Consuming, told: Told) -> None:
    subject = dict.fromkeys(("ref", "role", "sex", "minor_at_event", "nationality_group", "relation_to_offender"))
    signal = a_delivered_signal(sector=None, care_needs=None, subjects=[{**subject, "age_band": "AGE_12_15", "is_minor": True}])
    consumer.take(an_agenda_item(deliver_as="MINOR_STUB", minor=True, signal=signal))
    text = told("show", ONE, "--open", *BY)
    assert "samenvatting: geen tekst" in text
    assert "minderjarig" in text
    with pytest.raises(Refused, match="--by"):
        told("show", ONE, "--open")


def test_opening_an_item_without_summary_is_refused(consumer: Consuming, told: Told) -> None:
    consumer.take(an_agenda_item())
    with pytest.raises(Refused, match="geen samenvatting"):
        told("show", ONE, "--open", *BY)


def test_alerts_that_nobody_saw_come_first_and_are_late_after_fifteen_minutes(consumer: Consuming, told: Told) -> None:
    consumer.take(a_chair_alert(1, at=minutes(44)), a_chair_alert(2, at=minutes(45)), a_chair_alert(3, at=minutes(59)))
    rows = json.loads(told("alerts", "--json"))
    assert [(row["signal_id"], row["late"], row["acknowledged_by"]) for row in rows] == [
        (THREE, False, None),
        (TWO, False, None),
        (ONE, True, None),
    ]
    told("alerts", "acknowledge", rows[0]["number"], *BY)
    rows = json.loads(told("alerts", "--json"))
    assert [(row["signal_id"], row["acknowledged_by"]) for row in rows] == [(TWO, None), (ONE, None), (THREE, "chair")]
    assert "chair" in told("alerts")
    with pytest.raises(Refused, match="al gezien"):
        told("alerts", "acknowledge", rows[-1]["alert_id"], "--by", "deputy")
    assert [row["who"] for row in consumer.rows(ACKNOWLEDGEMENTS)] == ["chair"]


def test_no_alerts_and_an_unknown_one(told: Told) -> None:
    assert told("alerts") == "Er zijn geen meldingen.\n"
    with pytest.raises(Refused, match="niet bekend"):
        told("alerts", "acknowledge", "A-00000000", *BY)


@pytest.mark.parametrize("words", [["list"], ["show"], ["freeze"], ["decide"], ["alerts"], ["alerts", "acknowledge"]])
def test_every_command_explains_itself(words: list[str]) -> None:
    assert CliRunner().invoke(app, [*words, "--help"]).exit_code == 0


def test_r_agenda_02_a_decided_item_that_another_rule_sends_stays_decided_with_a_note(consumer: Consuming, told: Told) -> None:
    consumer.take(an_agenda_item(rule_id="A40"))
    told("decide", ONE, "--decision", "ENRICH", *OWNED)
    consumer.take(an_agenda_item(revision=2, rule_id="A60"), an_agenda_item(revision=3, rule_id="A60"))
    assert "na het besluit staat het er volgens een andere regel; het besluit blijft (regel R-AGENDA-02)" in told("show", ONE)
    assert len(json.loads(told("show", ONE, "--json"))["notes"]) == 1
    assert listed(told) == []


def test_a_decided_item_that_comes_again_by_the_same_rule_gets_no_note(consumer: Consuming, told: Told) -> None:
    consumer.take(an_agenda_item(rule_id="A40"))
    told("decide", ONE, "--decision", "ENRICH", *OWNED)
    consumer.take(an_agenda_item(revision=2, rule_id="A40"))
    assert json.loads(told("show", ONE, "--json"))["notes"] == []


@pytest.mark.parametrize(("due", "missed"), [("2006-12-01", "ligt in het verleden"), ("2206-12-01", "ligt te ver vooruit")])
def test_r_val_24_a_due_date_that_cannot_be_is_refused(consumer: Consuming, told: Told, due: str, missed: str) -> None:
    consumer.take(an_agenda_item())
    owned = tuple(due if each == "2026-12-10" else each for each in OWNED)
    with pytest.raises(Refused, match=rf"--due\) {missed}: .*400 dagen later \(R-VAL-24\)"):
        told("decide", ONE, "--decision", "ENRICH", *owned)
    told("decide", ONE, "--decision", "ENRICH", *OWNED)
    with pytest.raises(Refused, match=rf"--next\) {missed}: .*\(R-VAL-24\)"):
        told("follow-up", ONE, "--next", due, *BY)
