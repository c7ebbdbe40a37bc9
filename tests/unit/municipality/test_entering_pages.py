"""An officer enters a signal in a browser without script: nothing typed is lost, nothing identifying leaves, and it goes once."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from nodes import VENLO, Town, a_town
from visiting import Browser

from signal_exchange.domain.people import Person
from signal_exchange.municipality import node
from signal_exchange.municipality.pages.site import site_of
from signal_exchange.municipality.sending.outbox import OUTBOX
from signal_exchange.municipality.store import JUSTIFIED, SIGNALS, TABLES
from signal_exchange.privacy.vault import Encrypted
from signal_exchange.web.app import pages_app
from signal_exchange.web.drafts import KEPT
from signal_exchange.web.login import PRACTICE_ISSUER, PracticeEntrance

OFFICER = Person("af-1", PRACTICE_ISSUER, "af-1", "ATTENTION_OFFICER", VENLO)
DEPUTY = Person("af-2", PRACTICE_ISSUER, "af-2", "ATTENTION_OFFICER", VENLO)
CARER = Person("zc-1", PRACTICE_ISSUER, "zc-1", "CARE_COORDINATOR", VENLO)
KIND = {"form": "LABOUR", "urgency": "URGENT", "age_band": "AGE_30_44"}
"""The only answers that are required."""
TEXT = "Een man kent zijn eigen adres niet en krijgt weinig loon."
NAMED = "Zijn baas, J. Peeters, belt steeds met 06 12 34 56 78."
DRAFTS = TABLES.tables["record_drafts"]


class Desk:
    """A node of Venlo with its screens, and the browser of one officer."""

    def __init__(self, folder: Path) -> None:
        self.town: Town = a_town(folder, web_organisation="gemeente Venlo")
        self.actions = self.town.actions
        persons = PracticeEntrance([OFFICER, DEPUTY, CARER])
        site = replace(site_of(self.actions), practice=True, secure=False, entrances=[persons], known=lambda person: person)
        self.app = pages_app(site)
        self.browser = self.of("af-1")
        self.reference = re.findall(r"/melden/(S-[0-9A-Z-]+)/gezien", self.browser.get("/melden").text)[0]

    def of(self, subject: str) -> Browser:
        browser = Browser(self.app)
        assert browser.become(subject).status_code == 303
        return browser

    def path(self, step: str) -> str:
        return f"/melden/{self.reference}/{step}"

    def see(self, step: str) -> str:
        return html.unescape(self.browser.get(self.path(step)).text)

    def goes(self) -> list[str]:
        found = re.findall(r'name="gaat" value="([A-Z_]+)"([^>]*)>', self.see("controleren"))
        return [code for code, rest in found if "checked" in rest or code in {"STATISTICS", "ACUTE_ALERT"}]

    def fill(self, step: str, do: str = "verder", **answers: str | list[str]) -> httpx2.Response:
        if step == "controleren":
            answers = {"gaat": self.goes(), **answers}
        return self.browser.submit(self.path(step), self.path(step), doe=do, **answers)

    def ready(self, text: str = TEXT, **answers: str) -> None:
        """Answer what is required, and be on the last step."""
        self.fill("gezien", summary=text)
        self.fill("soort", **{**KIND, **answers})
        self.fill("wie-en-waar")

    def send(self, **changed: str | list[str]) -> httpx2.Response:
        page = self.see("controleren")
        seen = re.findall(r'name="gezien" value="([0-9a-f]+)"', page)
        fields: dict[str, Any] = {"gaat": self.goes(), "gezien": seen, "gelezen": "yes", **changed}
        return self.browser.submit(self.path("versturen"), self.path("controleren"), **fields)

    def drafts(self) -> list[dict[str, Any]]:
        return self.town.rows(DRAFTS)

    def outbox(self) -> list[dict[str, Any]]:
        return self.town.rows(OUTBOX)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def where(answer: httpx2.Response) -> str:
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].rpartition("/")[2]


def test_a6_form_urgency_and_age_are_enough_and_a12_the_receipt_says_who_looks_and_by_when(desk: Desk) -> None:
    assert where(desk.fill("gezien")) == "soort"
    assert where(desk.fill("soort", **KIND)) == "wie-en-waar"
    assert where(desk.fill("wie-en-waar")) == "controleren"
    assert where(desk.send()) == "ontvangen"
    (row,) = desk.outbox()
    receipt = desk.see("ontvangen")
    for said in (desk.reference, "De zorgcoördinator kijkt naar uw signaal", "screeningsoverleg", "zondag 22 november 2026"):
        assert said in receipt
    assert "dinsdag 24 november 2026, 17.00" in receipt  # R-REF-04: Sunday counts as Monday, 1 working day
    assert row["record"] == "SignalPublished"


@pytest.mark.parametrize("left_out", sorted(KIND))
def test_a6_each_of_the_three_is_asked_for_and_what_was_answered_stays(desk: Desk, left_out: str) -> None:
    answer = desk.fill("soort", **{name: each for name, each in KIND.items() if name != left_out})
    assert answer.status_code == 422
    assert f'href="#{left_out}"' in answer.text
    assert answer.text.count(" checked") == 2
    assert desk.outbox() == []


def test_a4_112_stands_before_the_first_field(desk: Desk) -> None:
    page = desk.see("gezien")
    assert page.index("tel:112") < page.index("<textarea")


def test_a5_acute_repeats_112_before_anything_is_stored(desk: Desk) -> None:
    asked = desk.fill("soort", **{**KIND, "urgency": "ACUTE"})
    assert asked.status_code == 422
    assert 'role="alert"' in asked.text
    assert asked.text.count("tel:112") >= 2
    assert 'value="ACUTE" checked' in re.sub(r'(value="ACUTE")[^>]*?( checked)', r"\1\2", asked.text)
    assert desk.drafts() == []
    assert where(desk.fill("soort", advised="yes", **{**KIND, "urgency": "ACUTE"})) == "wie-en-waar"
    assert where(desk.send()) == "ontvangen"


def test_back_and_forth_loses_nothing(desk: Desk) -> None:
    desk.fill("gezien", summary=TEXT, indicators=["FREE_NO_ID", "COND_LONG_DAYS"], observed_from="13-11-2026")
    assert where(desk.fill("soort", "terug", **KIND, care_needs=["INTERPRETER"])) == "gezien"
    page = desk.see("gezien")
    assert TEXT in page
    assert 'value="13-11-2026"' in page
    assert len(re.findall(r'value="(?:FREE_NO_ID|COND_LONG_DAYS)"[^>]* checked', page)) == 2
    assert len(re.findall(r'value="(?:LABOUR|URGENT|AGE_30_44|INTERPRETER)"[^>]* checked', desk.see("soort"))) == 4


def test_a14_a_draft_is_sealed_and_its_maker_s_alone_and_ends(desk: Desk) -> None:
    desk.fill("gezien", "bewaar", summary=TEXT)
    (row,) = desk.drafts()
    assert TEXT.encode() not in row["ciphertext"]
    assert (row["issuer"], row["subject"], row["name"]) == (PRACTICE_ISSUER, "af-1", desk.reference)
    other = desk.of("af-2")
    assert desk.reference not in other.get("/melden").text
    assert TEXT not in other.get(desk.path("gezien")).text
    again = desk.of("af-1")  # another log-in of the same person
    mine = html.unescape(again.get("/melden").text)
    assert desk.reference in mine
    assert "blijft tot di 22 dec" in mine
    assert TEXT in html.unescape(again.get(desk.path("gezien")).text)
    desk.town.clock.now += KEPT - timedelta(seconds=1)
    desk.actions.end_old()
    assert len(desk.drafts()) == 1
    desk.town.clock.now += timedelta(seconds=1)
    desk.actions.end_old()
    assert desk.drafts() == []


def test_a14_what_was_typed_outlives_the_log_in_for_its_maker_alone(desk: Desk) -> None:
    token = desk.browser.csrf(desk.path("soort"))
    desk.town.clock.now += timedelta(minutes=31)
    late = desk.browser.post(desk.path("soort"), data={"csrf": token, "form": "ORGAN", "urgency": "ACUTE"})
    assert late.headers["location"] == f"/aanmelden?terug=/melden/{desk.reference}/soort"
    assert desk.browser.get(desk.path("soort")).status_code == 303  # nobody is logged in by it
    assert len(desk.drafts()) == 1
    desk.browser.become("af-2")  # in the same browser
    assert 'value="ORGAN" checked' not in desk.see("soort")
    desk.browser.become("af-1")
    assert re.search(r'value="ORGAN"[^>]* checked', desk.see("soort"))
    assert not re.search(r'value="ACUTE"[^>]* checked', desk.see("soort"))  # R-VAL-18: 112 comes first


def test_a14_nothing_is_kept_of_a_form_that_shows_no_log_in_of_its_maker(desk: Desk) -> None:
    desk.town.clock.now += timedelta(minutes=31)
    for token in ("", "x"):
        assert desk.browser.post(desk.path("soort"), data={"csrf": token, "form": "ORGAN"}).status_code == 303
    assert desk.drafts() == []


def test_a_draft_of_somebody_else_cannot_be_opened_by_moving_its_row(desk: Desk) -> None:
    desk.fill("gezien", "bewaar", summary=TEXT)
    with desk.town.node.database.transaction() as connection:
        connection.execute(DRAFTS.update().values(subject="af-2"))
    assert desk.of("af-2").get(desk.path("gezien")).status_code == 500


def test_a_draft_can_be_thrown_away(desk: Desk) -> None:
    desk.fill("gezien", "bewaar", summary=TEXT)
    assert where(desk.browser.submit(desk.path("weg"), "/melden")) == "melden"
    assert desk.drafts() == []


def test_nobody_but_who_may_publish_enters_signals(desk: Desk) -> None:
    carer = desk.of("zc-1")
    assert carer.get("/melden").status_code == 403
    assert carer.get(desk.path("gezien")).status_code == 403


def test_a7_sending_stays_blocked_until_each_finding_is_settled(desk: Desk) -> None:
    assert where(desk.fill("gezien", summary=NAMED)) == "gezien#lek"
    page = desk.see("gezien")
    assert "2 gegevens moeten weg" in page
    desk.fill("soort", **KIND)
    assert "Verstuur signaal" not in desk.see("controleren")
    assert desk.send().status_code == 422
    assert desk.outbox() == []
    desk.fill("controleren", "vervang|NAME|J. Peeters")
    assert (
        where(desk.fill("gezien", "weg|PHONE|06 12 34 56 78", summary="Zijn baas, [naam], belt met 06 12 34 56 78."))
        == "gezien#lek"
    )
    assert "Alles is opgelost" in desk.see("gezien")
    assert where(desk.send()) == "ontvangen"


def test_a10_words_that_were_taken_out_do_not_stand_on_the_last_step(desk: Desk) -> None:
    desk.ready(NAMED)
    desk.fill("controleren", "vervang|NAME|J. Peeters")
    desk.fill("controleren", "weg|PHONE|06 12 34 56 78")
    page = desk.see("controleren")
    assert "Peeters" not in page
    assert "06 12" not in page
    assert "1 naam, 1 telefoonnummer" in page


def test_a17_each_replacement_can_be_undone(desk: Desk) -> None:
    desk.fill("gezien", summary=NAMED)
    desk.fill("gezien", "vervang|NAME|J. Peeters", summary=NAMED)
    masked = NAMED.replace("J. Peeters", "[naam]")
    desk.fill("gezien", "vervang|PHONE|06 12 34 56 78", summary=masked)
    assert "Zijn baas, [naam], belt steeds met [telefoon]." in desk.see("gezien")
    desk.fill("gezien", "zet|0", summary="En nu dit: Zijn baas, [naam], belt steeds met [telefoon].")
    assert "En nu dit: Zijn baas, J. Peeters, belt steeds met [telefoon]." in desk.see("gezien")


def test_a16_and_a18_doubt_differs_from_sure_and_is_no_name_leaves_without_the_word(desk: Desk) -> None:
    text = "Ioana zei dat ze niet weg mag."
    desk.ready(text)
    page = desk.see("gezien")
    assert "Twijfel" in page
    assert "Moet weg" not in page
    desk.fill("gezien", "mag|NAME|FALSE_ALARM|Ioana", summary=text)
    preview = desk.see("controleren")
    assert "blijft staan" in preview
    assert where(desk.send()) == "ontvangen"
    sent = json.loads(desk.outbox()[0]["fields"])
    assert sent["signal"]["guard"]["overrides"] == [{"type": "NAME", "reason": "FALSE_ALARM"}]
    assert "Ioana" not in json.dumps(sent)
    assert "af-1" not in json.dumps(sent)


def test_r_val_13_words_reason_and_officer_stay_in_the_vault_until_the_signal_is_erased(desk: Desk) -> None:
    desk.ready("Ioana zei dat ze niet weg mag.")
    desk.fill("controleren", "mag|NAME|NOT_IDENTIFYING|Ioana")
    desk.send()
    (row,) = desk.town.rows(JUSTIFIED)
    sealed = Encrypted(row["wrapped_key"], row["ciphertext"])
    told = json.loads(desk.town.node.vault_key.decrypt(f"{row['signal_id']}.1/justified", sealed))
    assert told == [{"type": "NAME", "words": "Ioana", "reason": "NOT_IDENTIFYING", "by": "af-1"}]
    desk.actions.erase(row["signal_id"], OFFICER)
    assert desk.town.rows(JUSTIFIED) == []


def test_a_reason_that_is_no_code_lets_nothing_pass(desk: Desk) -> None:
    desk.ready("Ioana zei dat ze niet weg mag.")
    assert desk.fill("gezien", "mag|NAME|BECAUSE|Ioana").status_code == 422
    assert desk.send().status_code == 422


def test_the_guard_reads_along_and_what_is_typed_is_kept(desk: Desk) -> None:
    token = desk.browser.csrf(desk.path("gezien"))
    told = desk.browser.post(desk.path("lek"), data={"csrf": token, "summary": NAMED}, headers={"HX-Request": "true"})
    assert told.status_code == 200
    assert "<html" not in told.text
    assert "<textarea" not in told.text  # who types keeps the cursor
    assert 'id="lek"' in told.text
    assert "Wij zien 2 gegevens" in told.text
    assert "vervang|NAME|J. Peeters" in told.text
    assert NAMED in desk.see("gezien")


@pytest.mark.parametrize(("kind", "words"), [("BSN", "999990019"), ("IBAN", "NL13 TEST 0123 4567 89"), ("DOCNR", "XR1001R58")])
def test_a19_what_must_always_go_has_no_leave_it(desk: Desk, kind: str, words: str) -> None:
    text = f"Het nummer is {words}."
    desk.ready(text)
    page = desk.see("gezien")
    assert f"vervang|{kind}|{words}" in page
    assert f"mag|{kind}" not in page
    assert desk.fill("gezien", f"mag|{kind}|FALSE_ALARM|{words}", summary=text).status_code == 422
    assert desk.send().status_code == 422


def test_r_leak_03_a_name_of_step_three_is_found_in_the_text(desk: Desk) -> None:
    desk.ready("Zij heet in huis xandrella.")
    desk.fill("wie-en-waar", given_names="Xandrella")
    page = desk.see("controleren")
    assert "vervang|NAME|xandrella" in page
    assert "staat ook bij stap 3" in page


def test_a8_with_the_guard_down_nothing_leaves_and_the_text_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: object) -> tuple[()]:
        raise RuntimeError

    monkeypatch.setattr(node, "check_text", down)
    desk = Desk(tmp_path)
    assert where(desk.fill("gezien", summary=TEXT)) == "gezien#lek"
    page = desk.see("gezien")
    assert "De lekcontrole geeft geen antwoord" in page
    assert TEXT in page
    desk.fill("soort", **KIND)
    assert "De lekcontrole geeft geen antwoord" in desk.see("controleren")
    assert desk.send().status_code == 422
    assert desk.outbox() == []
    assert TEXT in desk.see("gezien")


def test_a10_no_identifier_stands_outside_the_dashed_frame(desk: Desk) -> None:
    own = {
        "given_names": "Xandrella",
        "family_name": "Proefjes",
        "birth_date": "14-03-1994",
        "bsn": "999900018",
        "phone": "0600001234",
    }
    own |= {"street": "Voorbeeldstraat", "number": "12", "postcode": "5999 ZZ", "plate": "GX-123-B", "kvk": "90000012"}
    desk.ready()
    desk.fill("wie-en-waar", **own, suspect_family_name="Testman")
    page = desk.see("controleren")
    inside = page[page.index('id="in"') : page.index("</section>", page.index('id="in"'))]
    outside = page.replace(inside, "")
    for each in (*own.values(), "Testman"):
        assert f">{each}<" in inside
        assert f">{each}<" not in outside
    form = desk.see("wie-en-waar")
    local = form[form.index("sp-local") : form.index("Gaat naar de regio")]
    assert {f'name="{each}"' in local for each in own} == {True}
    assert where(desk.send()) == "ontvangen"
    left = json.dumps(desk.outbox()[0]["fields"].decode())
    assert not any(each in left for each in own.values() if len(each) > 3)


def test_a11_an_unknown_age_is_handled_as_a_minor_and_says_so(desk: Desk) -> None:
    desk.ready(age_band="AGE_UNKNOWN_MAYBE_MINOR")
    assert "Wij behandelen de persoon als minderjarig" in desk.see("soort")
    page = desk.see("controleren")
    assert "via de jeugdroute, als minderjarig" in page
    assert where(desk.send()) == "ontvangen"
    sent = json.loads(desk.outbox()[0]["fields"])["signal"]
    assert sent["subjects"][0]["is_minor"] is True
    assert {each["purpose"]: each["legal_basis"] for each in sent["exchanges"]}["ACUTE_ALERT"] == "YOUTH_PROTECTION"


@pytest.mark.parametrize(("born", "means"), [("14-03-1994", ["MEANS_UNKNOWN"]), ("14-03-2012", [])])
def test_r_val_08_a_birth_date_that_is_found_later_decides(desk: Desk, born: str, means: list[str]) -> None:
    desk.ready(age_band="AGE_UNKNOWN_MAYBE_MINOR")
    desk.fill("wie-en-waar", birth_date=born)
    assert where(desk.send()) == "ontvangen"
    assert json.loads(desk.outbox()[0]["fields"])["signal"]["means"] == means


def test_a13_sending_twice_gives_one_signal(desk: Desk) -> None:
    desk.ready()
    fields = {"gaat": ["SCREENING", "STATISTICS"], "gelezen": "yes", "doe": "verder"}
    token = desk.browser.csrf(desk.path("controleren"))
    first = desk.send()
    again = desk.browser.post(desk.path("versturen"), data={**fields, "csrf": token})
    assert (where(first), where(again)) == ("ontvangen", "ontvangen")
    assert len(desk.outbox()) == 1
    assert len(desk.town.rows(SIGNALS)) == 1
    assert desk.drafts() == []


def test_a_draft_that_was_sent_does_not_come_back_from_another_tab(desk: Desk) -> None:
    desk.ready()
    token = desk.browser.csrf(desk.path("controleren"))
    desk.send()
    late = desk.browser.post(desk.path("gezien"), data={"csrf": token, "summary": "anders"})
    assert late.status_code == 422
    assert desk.drafts() == []


def test_what_goes_is_what_was_seen(desk: Desk) -> None:
    desk.ready()
    page = desk.see("controleren")
    seen = re.findall(r'name="gezien" value="([0-9a-f]+)"', page)
    desk.fill("soort", **{**KIND, "urgency": "REGULAR"})  # in another tab
    answer = desk.send(gezien=seen)
    assert answer.status_code == 422
    assert "Er is iets veranderd" in html.unescape(answer.text)
    assert desk.outbox() == []


def test_purpose_and_ground_are_proposed_and_can_be_changed(desk: Desk) -> None:
    desk.ready()
    goes = ["CARE_REFERRAL", "STATISTICS", "FEEDBACK"]
    changed: dict[str, Any] = {"gaat": goes, "basis.CARE_REFERRAL": "LEGAL_DUTY"}
    assert desk.browser.submit(desk.path("controleren"), desk.path("controleren"), doe="controle", **changed).status_code == 303
    assert where(desk.send(**changed)) == "ontvangen"
    sent = json.loads(desk.outbox()[0]["fields"])["signal"]["exchanges"]
    assert {each["purpose"]: each["legal_basis"] for each in sent} == {
        "CARE_REFERRAL": "LEGAL_DUTY",
        "STATISTICS": "STATISTICS_ART89",
        "FEEDBACK": "PUBLIC_TASK",
    }


def test_r_val_25_a_contradiction_asks_and_goes_when_it_is_meant(desk: Desk) -> None:
    desk.ready()
    desk.fill("wie-en-waar", birth_date="14-03-2003")
    assert "Dit spreekt elkaar tegen" in desk.see("controleren")
    assert desk.send().status_code == 422
    assert where(desk.send(bedoeld="yes")) == "ontvangen"


@pytest.mark.parametrize(
    ("step", "question", "written", "rule"),
    [
        ("soort", "sector", "CRI_THEFT", "R-VAL-05"),
        ("gezien", "observed_from", "09/03/2026", "R-VAL-22"),
        ("wie-en-waar", "birth_date", "14-03-2031", "R-VAL-07"),
        ("gezien", "summary", "woord " * 90, "R-VAL-15"),
    ],
)
def test_a_refusal_comes_back_at_the_question_with_its_rule(
    desk: Desk, step: str, question: str, written: str, rule: str
) -> None:
    desk.ready()
    desk.fill(step, **({**KIND} if step == "soort" else {}), **{question: written})
    listed = desk.see("controleren")
    (href,) = set(re.findall(rf'href="([^"]+#{question})"', listed))
    page = html.unescape(desk.browser.get(href.partition("#")[0]).text)
    assert f"/{step}?" in href
    assert rule in page
    assert f'id="{question}-error"' in page
    assert desk.outbox() == []


def test_a15_every_form_of_the_pages_works_without_script(desk: Desk) -> None:
    desk.ready(NAMED)
    for step in ("gezien", "soort", "wie-en-waar", "controleren"):
        page = desk.see(step)
        form = page[page.index(f'action="{desk.path(step)}"') :]
        first = re.findall(r"<button[^>]*>", form)[0]
        assert 'value="verder"' in first  # what Enter presses changes no text
        assert "onclick" not in page
