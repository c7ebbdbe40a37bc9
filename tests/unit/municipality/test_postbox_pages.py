"""An officer reads what reporters told, makes a signal of it, merges, or closes with an answer."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import unescape
from pathlib import Path

import pytest
from node_views import asked
from nodes import NOW, Town, a_town
from own_signals import OFFICER, OUTSIDER, at_the_screens, published
from visiting import Browser

from signal_exchange.domain.people import Role
from signal_exchange.municipality.reports.acts import CloseReason
from signal_exchange.municipality.reports.contents import Minor, Told
from signal_exchange.municipality.reports.postbox import PAGE
from signal_exchange.municipality.service import SERVICE
from signal_exchange.municipality.store import REPORTS
from signal_exchange.people.actions import NewPerson, PeopleActions
from signal_exchange.people.store import ListedPerson

TEXT = "Balie: begeleider hield paspoort vast"
THANKS = "Dank voor uw melding. Wij hebben ernaar gekeken."


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return a_town(tmp_path, web_organisation="gemeente Venlo")


@pytest.fixture
def browser(town: Town) -> Browser:
    return at_the_screens(town)


def told(town: Town, text: str = TEXT, **more: object) -> str:
    """Let a reporter tell something, and give the reference."""
    return town.actions.reports.report(Told(text, **more), text).reference  # type: ignore[arg-type]  # fields by name


def saved(browser: Browser) -> str:
    """Begin a signal and save it as a draft."""
    [reference] = re.findall(r"/melden/(S-[0-9A-Z-]+)/gezien", browser.get("/melden").text)[:1]
    path = f"/melden/{reference}/gezien"
    browser.submit(path, path, doe="bewaar", summary="Een man krijgt weinig loon.")
    return str(reference)


def counted(text: str) -> list[int]:
    return [int(each) for each in re.findall(r'nl-number-badge">(\d+)<', text)]


def test_i1_and_i2_every_kind_stands_in_one_list_by_its_time_and_counts_equal_lists(town: Town, browser: Browser) -> None:
    asked(town)
    published(town)
    later = saved(browser)
    first = told(town)
    text = browser.get("/postvak").text
    assert counted(text) == [3, 1, 1, 1, 0]
    assert text.index(first) < text.index("Vraag over koppeling") < text.index(later)
    assert "Lezen voor ma 23 nov, 17.00" in text
    for kind, count in (("meldingen", 1), ("koppelingen", 1), ("concepten", 1)):
        assert browser.get(f"/postvak?soort={kind}").text.count('class="sp-row"') == count


def test_a_long_list_is_cut_into_pages(town: Town, browser: Browser) -> None:
    for number in range(PAGE + 1):
        told(town, f"Melding {number}")
    assert browser.get("/postvak").text.count('class="sp-row"') == PAGE
    assert browser.get("/postvak?blz=2").text.count('class="sp-row"') == 1


def test_i3_a_report_stands_in_the_frame_of_what_stays_and_an_unknown_age_is_a_minor(town: Town, browser: Browser) -> None:
    reference = told(town, place="Balie, vrijdag", signs=("FREE_NO_ID",), name="Jan Voorbeeld", works="COUNTER_STAFF")
    text = browser.get(f"/postvak/{reference}").text
    frame = text[text.index("sp-pane--in") : text.index("sp-due")]
    for each in (TEXT, "Balie, vrijdag", "geen eigen identiteitspapieren", "Jan Voorbeeld", "Behandel als minderjarig."):
        assert each in frame
    assert "Minderjarig</span>" in text
    adult = told(town, "Een vrouw van in de dertig.", minor=Minor.NO)
    assert "Minderjarig</span>" not in browser.get(f"/postvak/{adult}").text


def test_a_report_that_was_read_waits_until_its_reporter_must_have_an_answer_and_is_late_afterwards(
    town: Town, browser: Browser
) -> None:
    reference = told(town)
    browser.get(f"/postvak/{reference}")
    text = browser.get("/postvak").text
    assert "Kiezen voor vr 4 dec, 17.00" in text
    assert "Te laat" not in text
    town.clock.now += timedelta(days=20)
    assert "Te laat" in at_the_screens(town).get("/postvak").text


def test_i4_a_signal_takes_the_text_along_once_and_sends_nothing(town: Town, browser: Browser) -> None:
    reference = told(town, signs=("FREE_NO_ID",), works="COUNTER_STAFF")
    path = f"/postvak/{reference}"
    made = browser.submit(f"{path}/signaal", path)
    assert re.fullmatch(r"/melden/S-[0-9A-Z]{4}-[0-9A-Z]{2}/gezien", made.headers["location"])
    step = browser.get(made.headers["location"]).text
    assert TEXT in step
    assert re.search(r'value="FREE_NO_ID"[^>]* checked', step)
    assert browser.submit(f"{path}/signaal", path).headers["location"] == made.headers["location"]
    assert town.waiting() == []
    assert counted(browser.get("/postvak").text)[:1] == [2]


def test_i4_a_draft_that_was_thrown_away_gets_the_text_again(town: Town, browser: Browser) -> None:
    path = f"/postvak/{told(town)}"
    made = browser.submit(f"{path}/signaal", path).headers["location"]
    browser.submit(made.replace("gezien", "weg"), made)
    assert TEXT not in browser.get(made).text
    assert browser.submit(f"{path}/signaal", path).headers["location"] == made
    assert TEXT in browser.get(made).text


def test_i6_a_merge_keeps_both_references_and_one_answer_is_for_both(town: Town, browser: Browser) -> None:
    one, other = told(town), told(town, "Wijkteam: dezelfde begeleider")
    path = f"/postvak/{one}"
    merged = browser.submit(f"{path}/samen", path, into=other)
    assert merged.headers["location"] == f"/postvak/{other}"
    text = browser.get(f"/postvak/{other}").text
    assert one in text
    assert TEXT in text
    assert f'href="/postvak/{other}"' in browser.get(path).text
    assert counted(browser.get("/postvak").text)[1] == 1
    browser.submit(f"/postvak/{other}/sluiten", f"/postvak/{other}", reason="TOO_LITTLE", answer=THANKS)
    assert [town.actions.reports.answer_to(each) for each in (one, other)] == [THANKS, THANKS]


def test_a_merge_keeps_the_shortest_time_and_a_minor_of_either(town: Town) -> None:
    reports, minor = town.actions.reports, told(town)
    adult = told(town, "Een vrouw van in de dertig.", minor=Minor.NO)
    due = reports.look(minor).report.due_at
    reports.open(adult)
    reports.merge(minor, adult)
    merged = reports.look(adult)
    assert merged.may_be_minor
    assert merged.report.due_at == due


def test_a_report_cannot_be_merged_with_itself(town: Town, browser: Browser) -> None:
    told(town, "Een andere melding")
    path = f"/postvak/{told(town)}"
    answer = browser.submit(f"{path}/samen", path, into=path.rpartition("/")[2])
    assert answer.status_code == 422
    assert 'href="#into"' in answer.text


@pytest.mark.parametrize(
    ("reason", "answer", "field"),
    [("", THANKS, "reason"), ("TOO_LITTLE", "", "answer"), ("TOO_LITTLE", "Bel 06 12 34 56 78.", "answer")],
)
def test_i7_closing_needs_a_reason_and_a_text_that_names_nobody(
    town: Town, browser: Browser, reason: str, answer: str, field: str
) -> None:
    path = f"/postvak/{told(town)}"
    refused = browser.submit(f"{path}/sluiten", path, reason=reason, answer=answer)
    assert refused.status_code == 422
    assert f'href="#{field}"' in refused.text
    assert unescape(refused.text).count(answer) >= 1
    assert town.rows(REPORTS)[0]["closed_at"] is None


def test_i7_a_closed_report_says_why_until_when_it_is_kept_and_cannot_be_closed_again(town: Town, browser: Browser) -> None:
    reference = told(town)
    path = f"/postvak/{reference}"
    seen = browser.csrf(path)
    assert browser.post(f"{path}/sluiten", data={"csrf": seen, "reason": "OTHER_HELP", "answer": THANKS}).status_code == 303
    again = browser.post(f"{path}/sluiten", data={"csrf": seen, "reason": "TOO_LITTLE", "answer": "Iets anders."})
    assert again.status_code == 422
    text = browser.get(path).text
    for each in ("Andere hulp past", THANKS, "Iris Voorbeeld", "zaterdag 22 mei 2027"):
        assert each in text
    assert counted(browser.get("/postvak").text) == [0, 0, 0, 0, 1]
    assert reference in browser.get("/postvak?soort=afgehandeld").text


def test_the_text_that_is_proposed_for_the_reporter_passes_the_guard(town: Town, browser: Browser) -> None:
    path = f"/postvak/{told(town)}"
    found = re.search(r'<textarea[^>]*name="answer"[^>]*>([^<]+)<', browser.get(path).text)
    assert found
    assert browser.submit(f"{path}/sluiten", path, reason="TOO_LITTLE", answer=found[1].strip()).status_code == 303


def test_a_closed_report_is_erased_after_six_months_with_what_was_merged_into_it(town: Town) -> None:
    reports, one = town.actions.reports, told(town)
    other = told(town, "Wijkteam: dezelfde begeleider")
    open_still = told(town, "Een loods met matrassen")
    reports.merge(one, other)
    reports.close(other, CloseReason.KNOWN_ALREADY, THANKS, OFFICER)
    town.clock.now = NOW.replace(year=2027, month=5, day=21)
    town.actions.end_old()
    assert len(town.rows(REPORTS)) == 3
    town.clock.now += timedelta(days=1)
    town.actions.end_old()
    assert [row["reference"] for row in town.rows(REPORTS)] == [open_still]
    assert town.actions.still_owes_bytes()


def a_person(town: Town, subject: str, role: str, first: date, last: date | None = None) -> ListedPerson:
    people = PeopleActions(town.node.database, SERVICE, town.clock)
    new = NewPerson("https://log-in.example", subject, subject, role, "GM0983", first, last)
    if people.is_empty():
        return people.add_first(new)
    admin = people.find("https://log-in.example", "beheer")
    assert admin
    return people.add(new, admin)


def test_i11_nobody_there_today_is_said_on_top_and_a_deputy_takes_it_away(town: Town, browser: Browser) -> None:
    today = NOW.date()
    assert "geen waarnemer" not in browser.get("/postvak").text
    a_person(town, "beheer", Role.ORGANISATION_ADMIN, today - timedelta(days=9))
    a_person(town, "iris", Role.ATTENTION_OFFICER, today + timedelta(days=1))
    text = browser.get("/postvak").text
    assert text.index("geen waarnemer") < text.index("sp-tabs")
    a_person(town, "bas", Role.ATTENTION_OFFICER, today)
    assert "geen waarnemer" not in browser.get("/postvak").text


def test_who_is_no_officer_sees_nothing_of_it(town: Town) -> None:
    path, stranger = f"/postvak/{told(town)}", at_the_screens(town, OUTSIDER)
    for each in ("/postvak", path):
        refused = stranger.get(each)
        assert refused.status_code == 403
        assert TEXT not in refused.text


def test_a_report_that_is_not_there_is_told(browser: Browser) -> None:
    assert browser.get("/postvak/M-1234").status_code == 422
