"""The promises of the screen of one referral: each step tells its consequences, is judged, and overwrites nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from builders import ONE, TWO, a_referral, a_summary, erases, minutes, of_record, opened_detail
from worklist_desk import Desk, hidden, read

from signal_exchange.worklist.pages.telling import HOME
from signal_exchange.worklist.store import OPENINGS, TABLES

SECRET = "Zij slaapt boven de zaak."
GROUPS = {"worklist": "care", "worklist-youth": "youth"}
WITHOUT = ("sitting", "record_audit", "record_audit_months")
PLANNED = {"planned_contact": "19-11-2026"}


@pytest.fixture(params=sorted(GROUPS))
def desk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    made = Desk(tmp_path, request.param)
    yield made
    made.consumer.database.close()


def offered(desk: Desk, **changed: Any) -> None:
    """Let the consumer take an offer with a sealed summary, of a minor on the youth route."""
    youth = {"deliver_as": "YOUTH_ROUTE", "rule_id": "C20"} if desk.site.name == "worklist-youth" else {}
    version = changed.get("version", 1)
    summary = a_summary(SECRET, GROUPS[desk.site.name], f"{ONE}.{version}")
    desk.consumer.take(a_referral(1, **{"summary": summary, **youth, **changed}))
    desk.consumer.waiting()


def state(desk: Desk) -> str:
    (row,) = [each for each in desk.actions.referrals(ended=True) if each.signal_id == ONE]
    return row.state


def test_each_step_is_taken_told_and_reported_home(desk: Desk) -> None:
    offered(desk)
    steps = {
        "aannemen": (PLANNED, "ACCEPTED", "De gemeente krijgt bericht."),
        "zorg-begonnen": ({"first_contact": "18-11-2026"}, "IN_CARE", "Vastgelegd: de zorg begon."),
        "voortgang": ({}, "IN_CARE", "Vastgelegd: de zorg loopt door."),
        "afronden": ({"result": "TRANSFERRED"}, "COMPLETED", "U rondde de zaak af."),
    }
    for step, (fields, after, told) in steps.items():
        answer = desk.take(ONE, step, **fields)
        assert (answer.status_code, answer.headers.get("location")) == (303, f"{HOME}/{ONE}"), read(answer)
        assert state(desk) == after
        assert told in desk.text(f"/{ONE}")
    told_home = [each["state"] for each in of_record(desk.consumer.waiting(), "Outcome")]
    assert told_home == ["ACCEPTED", "IN_CARE", "IN_CARE", "COMPLETED"]
    assert "antwoord" not in re.findall(r'<h2 [^>]*id="([^"]+)"', desk.first.get(f"{HOME}/{ONE}").text)


def test_above_the_button_stands_what_happens_and_to_whom(desk: Desk) -> None:
    offered(desk)
    text = desk.text(f"/{ONE}")
    assert "Wat gebeurt er dan? De gemeente krijgt bericht dat u de zaak aannam. U wordt eigenaar." in text
    assert "De gemeente krijgt bericht, met uw reden." in text
    assert text.index("U wordt eigenaar.") < text.index("Neem deze zaak aan")
    assert "Een nieuwe verwijzing geldt dan als gezien." in text
    desk.take(ONE, "aannemen", **PLANNED)
    text = desk.text(f"/{ONE}")
    assert "Voor wo 16 dec, 17.00 legt u vast hoe het dan gaat." in text
    assert "Een nieuwe verwijzing geldt dan als gezien." not in text


@pytest.mark.parametrize(
    ("step", "fields", "field", "says"),
    [
        ("aannemen", {"planned_contact": ""}, "planned_contact", "Geef de datum van het geplande contact."),
        ("aannemen", {"planned_contact": "morgen"}, "planned_contact", "Schrijf de datum als dag-maand-jaar"),
        ("aannemen", {"planned_contact": "17-11-2026"}, "planned_contact", "(R-VAL-24)"),
        ("afwijzen", {"reason": ""}, "reason", "Deze reden bestaat niet in de lijst."),
        ("afwijzen", {"reason": "NO_CAPACITY"}, "reason", "niemand wordt daarom weggestuurd"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_what_was_typed_is_kept(
    desk: Desk, step: str, fields: dict[str, str], field: str, says: str
) -> None:
    offered(desk)
    before = desk.consumer.everything(*WITHOUT)
    answer = desk.take(ONE, step, **fields)
    assert answer.status_code == 422
    error = re.search(rf'id="{field}-error">(.*?)</div>', answer.text, re.DOTALL)
    assert error
    assert says in error[1]
    assert f'href="#{field}"' in answer.text
    typed = fields[field]
    assert f'value="{typed}"' in answer.text or not typed or field == "reason"
    assert desk.consumer.everything(*WITHOUT) == before


def test_c7_nobody_can_choose_to_reject_for_lack_of_capacity(desk: Desk) -> None:
    offered(desk)
    page = desk.first.get(f"{HOME}/{ONE}").text
    assert "PERSON_DECLINES" in page
    assert "NO_CAPACITY" not in page
    assert "Geen capaciteit is geen reden: niemand wordt daarom weggestuurd." in desk.text(f"/{ONE}")
    desk.take(ONE, "afwijzen", reason="PERSON_DECLINES")
    (outcome,) = of_record(desk.consumer.waiting(), "Outcome")
    assert opened_detail(outcome["detail"], f"{ONE}/{outcome['outcome_id']}")["reason"] == "PERSON_DECLINES"
    assert "Persoon wil geen hulp" in desk.text(f"/{ONE}")


def test_c9_of_two_who_accept_at_once_one_wins_and_the_other_sees_only_what_differs(desk: Desk) -> None:
    offered(desk)
    desk.take(ONE, "samenvatting")
    seen = hidden(desk.second.get(f"{HOME}/{ONE}"))
    mine = hidden(desk.first.get(f"{HOME}/{ONE}"))
    won = desk.second.post(f"{HOME}/{ONE}/aannemen", data={**seen, "planned_contact": "19-11-2026"})
    assert won.status_code == 303
    lost = desk.send(ONE, "aannemen", mine, planned_contact="20-11-2026")
    assert lost.status_code == 409
    text = read(lost)
    assert "zc-2 wijzigde deze verwijzing" in text
    assert "Uw antwoord is niet verwerkt." in text
    rows = [read_row(each) for each in re.findall(r'<tr role="row" class="utrecht-table__row">.*?</tr>', lost.text, re.DOTALL)]
    assert rows[:2] == ["Stand Gezien Geaccepteerd Geaccepteerd", "Datum van het geplande contact Niets do 19 nov 20-11-2026"]
    assert len(rows) == 2
    (row,) = desk.actions.referrals()
    assert (row.state, row.planned_contact) == ("ACCEPTED", "2026-11-19")


def read_row(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_c9_what_was_typed_stays_when_the_signal_was_corrected_meanwhile(desk: Desk) -> None:
    offered(desk)
    mine = hidden(desk.first.get(f"{HOME}/{ONE}"))
    offered(desk, revision=2, version=2, urgency="URGENT")
    lost = desk.send(ONE, "aannemen", mine, planned_contact="20-11-2026")
    assert lost.status_code == 409
    assert "Deze verwijzing is gewijzigd. Uw antwoord is niet verwerkt." in read(lost)
    assert "Versie van het signaal 1 2 Niets" in read(lost)
    assert 'value="20-11-2026"' in lost.text
    again = desk.send(ONE, "aannemen", hidden(lost), planned_contact="20-11-2026")
    assert again.status_code == 303
    assert state(desk) == "ACCEPTED"


def test_a_page_of_an_earlier_offer_never_decides_on_a_later_one(desk: Desk) -> None:
    offered(desk)
    mine = hidden(desk.first.get(f"{HOME}/{ONE}"))
    offered(desk, revision=2, status="RETRACTED", signal=None, rule_id="state", summary=None)
    assert desk.send(ONE, "aannemen", mine, **PLANNED).status_code == 409
    offered(desk, revision=3, version=2, offer=2)
    assert desk.send(ONE, "aannemen", mine, **PLANNED).status_code == 409
    assert [row.state for row in desk.actions.referrals()] == ["OFFERED"]
    assert "Eerdere verwijzingen van dit signaal" in desk.text(f"/{ONE}")


def test_a_form_that_does_not_say_what_was_seen_decides_nothing(desk: Desk) -> None:
    offered(desk)
    csrf = hidden(desk.first.get(f"{HOME}/{ONE}"))["csrf"]
    assert desk.first.post(f"{HOME}/{ONE}/aannemen", data={"csrf": csrf, **PLANNED}).status_code == 409
    assert desk.first.post(f"{HOME}/{ONE}/verzinsel", data={"csrf": csrf}).status_code == 404
    assert state(desk) == "OFFERED"


def test_the_summary_stands_in_the_answer_to_who_opened_it_and_nowhere_else(desk: Desk) -> None:
    offered(desk)
    assert SECRET not in desk.text(f"/{ONE}")
    opened = desk.take(ONE, "samenvatting")
    assert (opened.status_code, opened.headers["cache-control"]) == (200, "no-store")
    assert SECRET in read(opened)
    assert SECRET not in desk.text(f"/{ONE}") + desk.text()
    assert [(each["signal_id"], each["who"]) for each in desk.consumer.rows(OPENINGS)] == [(ONE, "zc-1")]
    assert state(desk) == "SEEN"
    assert "Samenvatting geopend (versie 1)" in desk.text(f"/{ONE}")


def test_each_look_at_the_list_and_at_a_referral_stands_in_the_audit_log(desk: Desk) -> None:
    offered(desk)
    desk.text()
    desk.text(f"/{ONE}")
    kept = [(each["act"], each["about"], each["result"]) for each in desk.consumer.rows(TABLES.tables["record_audit"])]
    assert [about for act, about, _ in kept if act == "worklist.see"] == ["", ONE]
    desk.browser("af-1").get(HOME)
    assert [each["result"] for each in desk.consumer.rows(TABLES.tables["record_audit"])][-1] == "NOT_ALLOWED"


def test_a_summary_that_cannot_be_opened_says_so(desk: Desk) -> None:
    offered(desk, summary=a_summary(SECRET, GROUPS[desk.site.name], f"{TWO}.1"))
    answer = desk.take(ONE, "samenvatting")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert desk.consumer.rows(OPENINGS) == []


def test_c11_r_ref_06_each_attempt_to_reach_the_person_is_kept_and_nobody_is_told(desk: Desk) -> None:
    offered(desk)
    refused = desk.take(ONE, "contact", next_try="19-11-2026")
    assert refused.status_code == 422
    assert "Zeg of de persoon bereikt is." in read(refused)
    assert desk.take(ONE, "contact", reached="nee", next_try="17-11-2026").status_code == 422
    assert desk.take(ONE, "contact", reached="nee", next_try="19-11-2026").status_code == 303
    desk.take(ONE, "aannemen", **PLANNED)
    desk.consumer.waiting()
    assert desk.take(ONE, "contact", reached="ja").status_code == 303
    assert desk.consumer.waiting() == []
    text = desk.text(f"/{ONE}")
    first = "Persoon niet bereikt (poging 1) woensdag 18 november 2026, 11.00 zc-1. Volgende poging: donderdag 19 november 2026."
    assert first in text
    assert text.index(first) < text.index("Persoon bereikt (poging 2)")
    desk.take(ONE, "afronden", result="TRANSFERRED")
    assert desk.take(ONE, "contact", reached="ja").status_code == 422


def test_advice_on_a_consult_passes_the_leak_guard_and_names_no_persons(desk: Desk) -> None:
    desk.consumer.take(a_referral(deliver_as="CONSULT", rule_id="C60"))
    text = desk.text(f"/{ONE}")
    assert "Toestemming is nog niet gevraagd. U geeft alleen advies en ziet geen personen." in text
    assert "niets over gezondheid" in text
    assert "Verloop Advies gevraagd woensdag 18 november 2026, 10.00 Het systeem" in text
    refused = desk.take(ONE, "advies", text="Bel 06 12 34 56 78 en vraag naar haar.")
    assert refused.status_code == 422
    assert 'id="text-error"' in refused.text
    assert "Bel 06 12 34 56 78 en vraag naar haar.</textarea>" in refused.text
    assert desk.take(ONE, "advies", text="Vraag eerst toestemming.").status_code == 303
    (outcome,) = of_record(desk.consumer.waiting(), "Outcome")
    assert opened_detail(outcome["detail"], f"{ONE}/{outcome['outcome_id']}")["text"] == "Vraag eerst toestemming."
    assert "Vraag eerst toestemming." not in desk.text(f"/{ONE}")


def test_c15_what_was_taken_back_changes_the_page_and_says_why(desk: Desk) -> None:
    offered(desk)
    retracted = {"status": "RETRACTED", "signal": None, "summary": None}
    offered(desk, revision=2, rule_id="state", **retracted)
    text = desk.text(f"/{ONE}")
    assert "Deze verwijzing is teruggenomen. De gemeente trok het signaal in. U hoeft niets meer te doen." in text
    assert "Neem deze zaak aan" not in text
    offered(desk, revision=3, version=2, offer=2)
    desk.take(ONE, "aannemen", **PLANNED)
    offered(desk, revision=4, version=2, offer=2, rule_id="gate", **retracted)
    text = desk.text(f"/{ONE}")
    assert "Intrekking gevraagd. De gemeente deelt dit signaal niet meer met u." in text
    assert desk.take(ONE, "terugnemen", reason="MISTAKE").status_code == 303
    assert desk.actions.referrals() == []


def test_c15_a_consult_that_was_taken_back_asks_nothing_any_more(desk: Desk) -> None:
    desk.consumer.take(a_referral(deliver_as="CONSULT", rule_id="C60"))
    desk.consumer.take(a_referral(revision=2, deliver_as="CONSULT", rule_id="state", status="RETRACTED", signal=None))
    text = desk.text(f"/{ONE}")
    assert "Deze verwijzing is teruggenomen. De gemeente trok het signaal in." in text
    assert "Stuur het advies" not in text


def test_c15_a_corrected_signal_tells_its_reader_what_to_read_again(desk: Desk) -> None:
    offered(desk)
    desk.take(ONE, "samenvatting")
    offered(desk, revision=2, version=2)
    assert "Sinds u de samenvatting las, is er versie 2." in desk.text(f"/{ONE}")
    desk.take(ONE, "samenvatting")
    assert "De gemeente verbeterde dit signaal. U ziet versie 2." in desk.text(f"/{ONE}")


def test_c15_of_an_erased_signal_the_page_says_that_and_when(desk: Desk) -> None:
    message = a_referral(1)
    desk.consumer.take(message)
    desk.consumer.take(erases(message))
    answer = desk.first.get(f"{HOME}/{ONE}")
    assert answer.status_code == 410
    assert "De gemeente liet dit signaal wissen: woensdag 18 november 2026, 11.00." in read(answer)
    assert desk.first.get(f"{HOME}/{TWO}").status_code == 404
    assert desk.first.get(f"{HOME}/V-0").status_code == 404


def test_c2_a_term_is_told_in_working_days_over_christmas(desk: Desk) -> None:
    day_before = datetime(2026, 12, 23, 9, tzinfo=UTC)
    offered(desk, urgency="URGENT", due_from=day_before)
    desk.at = day_before
    assert "Neem aan of wijs af voor donderdag 24 december 2026, 17.00 Nog 1 werkdag" in desk.text(f"/{ONE}")
    desk.at = datetime(2026, 12, 28, 9, tzinfo=UTC)
    assert "1 werkdag te laat" in desk.text(f"/{ONE}")


def test_c4_a_minor_has_a_banner_that_says_what_differs(desk: Desk) -> None:
    offered(desk)
    says = "Deze persoon is minderjarig. Dwang hoeft niet te worden aangetoond."
    assert (says in desk.text(f"/{ONE}")) is (desk.site.name == "worklist-youth")


def test_the_title_names_the_reference_only_and_headings_go_down_by_one(desk: Desk) -> None:
    offered(desk)
    page = desk.first.get(f"{HOME}/{ONE}").text
    assert "<title>V-00000001 - Signaalpunt</title>" in page
    levels = [int(each) for each in re.findall(r"<h([1-6])", page)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_c14_no_page_names_another_municipality_or_a_person(desk: Desk) -> None:
    offered(desk)
    desk.at = minutes(90)
    text = desk.text(f"/{ONE}")
    assert "Er staat nergens een naam Bel de gemeente en noem V-00000001." in text
    assert "Venlo" in text
    assert "Weert" not in text
