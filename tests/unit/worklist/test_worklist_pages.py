"""The promises of the list of a worklist: what cannot wait stands first, each figure is that of its list, nobody is named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from builders import ONE, THREE, TWO, VENLO, WEERT, a_delivered_signal, a_referral, minutes, signal_id
from worklist_desk import Desk, read

from signal_exchange.worklist.listing import PAGE
from signal_exchange.worklist.pages.telling import HOME


@pytest.fixture(params=["worklist", "worklist-youth"])
def desk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    made = Desk(tmp_path, request.param)
    yield made
    made.consumer.database.close()


def shown(desk: Desk, query: str = "") -> list[str]:
    """Give the signals of a list, from top to bottom."""
    page = desk.first.get(f"{HOME}{query}").text
    return re.findall(rf'<a class="nl-link sp-ref" href="{HOME}/([^"]+)"', page)


def figures(desk: Desk) -> dict[str, int]:
    """Give the figures above the list, by the address of the list behind each."""
    page = desk.first.get(HOME).text
    found = re.findall(r'<dd[^>]*>(\d+)</dd><dd class="sp-stats__n">(?:<a class="nl-link" href="([^"]+)")?', page)
    return {href: int(count) for count, href in found if href}


def test_c1_acute_stands_on_top_then_what_is_new_and_in_each_the_shortest_time(desk: Desk) -> None:
    urgencies = ("REGULAR", "ACUTE", "URGENT", "URGENT", "MONITOR")
    desk.consumer.take(*(a_referral(number, urgency=urgency) for number, urgency in enumerate(urgencies, 1)))
    desk.actions.mark_seen(TWO, desk.site.entrances[0].persons[0])  # type: ignore[attr-defined]  # of practice
    desk.take(THREE, "gezien")
    assert shown(desk) == [signal_id(number) for number in (2, 4, 1, 5, 3)]
    headings = re.findall(r'<h2 [^>]*id="group-\d">([^<]+)<', desk.first.get(HOME).text)
    assert headings == ["Acuut", "Nieuw voor u", "Bij u in behandeling"]


def test_each_figure_is_the_number_of_rows_behind_it(desk: Desk) -> None:
    desk.consumer.take(
        a_referral(1, urgency="ACUTE"),
        a_referral(2, urgency="REGULAR"),
        a_referral(3, urgency="URGENT"),
        a_referral(4, urgency="URGENT", due_from=minutes(-24 * 60)),
        a_referral(5, deliver_as="CONSULT", rule_id="C60"),
    )
    desk.at = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)
    desk.take(TWO, "gezien")
    found = figures(desk)
    assert len(found) == 4
    assert {href: len(shown(desk, href.removeprefix(HOME))) for href in found} == found
    assert list(found.values()) == [1, 1, 4, 5]


def test_a_list_goes_by_pages_and_a_figure_counts_all_of_it(desk: Desk) -> None:
    desk.consumer.take(*(a_referral(number) for number in range(1, PAGE + 4)))
    first, second = shown(desk), shown(desk, "?bladzijde=2")
    assert (len(first), len(second), len({*first, *second})) == (PAGE, 3, PAGE + 3)
    assert figures(desk)[HOME] == PAGE + 3
    assert f"1 tot en met {PAGE} van {PAGE + 3}" in desk.text()
    assert f"{PAGE + 1} tot en met {PAGE + 3} van {PAGE + 3}" in desk.text("?bladzijde=2")
    assert desk.first.get(f"{HOME}?bladzijde=99").headers["location"] == f"{HOME}?bladzijde=2"


def test_a_filter_is_a_chip_that_goes_by_one_click(desk: Desk) -> None:
    desk.consumer.take(
        a_referral(1, urgency="URGENT"), a_referral(2, municipality=WEERT), a_referral(3, urgency="URGENT", municipality=WEERT)
    )
    assert shown(desk, f"?gemeente={WEERT}&urgentie=URGENT") == [THREE]
    page = desk.first.get(f"{HOME}?gemeente={WEERT}&urgentie=URGENT").text
    chips = re.search(r'<ul class="sp-chips".*?</ul>', page, re.DOTALL)
    assert chips
    assert re.findall(r'href="([^"]+)"', chips[0]) == [f"{HOME}?gemeente={WEERT}", f"{HOME}?urgentie=URGENT"]
    assert f'<option value="{WEERT}" selected>Weert' in page
    assert shown(desk, "?stand=SEEN&urgentie=&gemeente=") == []
    assert len(shown(desk, "?urgentie=NONSENSE&stand=COMPLETED&wat=iets&bladzijde=-1&gemeente=Weert")) == 3


def test_an_empty_list_says_why_and_one_without_hits_how_many_there_are(desk: Desk) -> None:
    assert "Er wacht niets op u. Een nieuwe verwijzing verschijnt hier vanzelf." in desk.text()
    desk.consumer.take(a_referral(1), a_referral(2))
    text = desk.text("?urgentie=ACUTE")
    assert "Niets past bij dit filter. Zonder filter staan hier 2 verwijzingen." in text
    assert f'href="{HOME}"' in desk.first.get(f"{HOME}?urgentie=ACUTE").text


def test_c3_what_is_late_says_how_late_and_what_is_not_how_long_is_left(desk: Desk) -> None:
    desk.consumer.take(a_referral(1, urgency="ACUTE"), a_referral(2, urgency="URGENT"))
    desk.at = minutes(60)
    assert "wo 18 nov, 12.00 Nog 1 uur" in desk.text()
    assert "do 19 nov, 17.00 Nog 1 werkdag" in desk.text()
    desk.at = minutes(225)
    assert "wo 18 nov, 12.00 2 uur te laat" in desk.text()


def test_c4_a_row_has_a_badge_of_its_urgency_and_of_a_minor(desk: Desk) -> None:
    subject = {"ref": "P1", "role": "VICTIM", "age_band": "AGE_16_17", "is_minor": True, "minor_at_event": True}
    signal = a_delivered_signal(subjects=[{**subject, "sex": None, "nationality_group": None, "relation_to_offender": None}])
    desk.consumer.take(a_referral(1, urgency="URGENT", deliver_as="YOUTH_ROUTE", rule_id="C20", signal=signal), a_referral(2))
    rows = desk.text().split("V-0000000")[1:]
    assert "Minderjarig" in rows[0]
    assert "Spoed" in rows[0]
    assert "Minderjarig" not in rows[1].partition("Werkdagen zijn")[0]


def test_what_ended_leaves_the_list_and_says_why(desk: Desk) -> None:
    desk.consumer.take(a_referral(1), a_referral(2))
    desk.take(ONE, "afwijzen", reason="PERSON_DECLINES")
    desk.consumer.take(a_referral(2, revision=2, status="RETRACTED", rule_id="state", signal=None))
    assert shown(desk) == []
    assert sorted(shown(desk, "?lijst=beeindigd")) == [ONE, TWO]
    text = desk.text("?lijst=beeindigd")
    assert "Persoon wil geen hulp" in text
    assert "De gemeente trok het signaal in." in text


def test_who_is_no_coordinator_here_sees_nothing(desk: Desk) -> None:
    desk.consumer.take(a_referral(1))
    stranger = desk.browser("af-1")
    for path in (HOME, f"{HOME}/{ONE}"):
        answer = stranger.get(path)
        assert answer.status_code == 403
        assert ONE not in answer.text
        assert VENLO not in read(answer)


def test_htmx_gets_the_rows_alone_and_tells_how_many_there_are(desk: Desk) -> None:
    desk.consumer.take(a_referral(1), a_referral(2))
    part = desk.first.get(f"{HOME}?urgentie=REGULAR", headers={"HX-Request": "true"})
    assert part.text.lstrip().startswith('<div id="rows"')
    assert "2 verwijzingen gevonden." in read(part)
    assert "gevonden" not in desk.text("?urgentie=REGULAR")
