"""The oracle of stories gives the worked values of rules.md: weeks and order of the agenda, terms, and what a form shows."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from signal_exchange_demo.oracle.agendas import CAP, Waiting, agenda, cutoff, meeting_day, week_of
from signal_exchange_demo.oracle.carrying import shown
from signal_exchange_demo.oracle.days import AMSTERDAM, monday_of
from signal_exchange_demo.oracle.reference import load
from signal_exchange_demo.oracle.story import story_of
from signal_exchange_demo.oracle.worked import inside, wire

EQUATED = load().equated


@pytest.mark.parametrize(
    ("week", "meeting", "closes"),
    [
        ("2026-W48", date(2026, 11, 26), date(2026, 11, 24)),
        ("2026-W20", date(2026, 5, 13), date(2026, 5, 11)),
        ("2026-W01", date(2025, 12, 31), date(2025, 12, 29)),
        ("2027-W17", date(2027, 4, 29), date(2027, 4, 26)),
        ("2027-W18", date(2027, 5, 4), date(2027, 4, 30)),
    ],
)
def test_r_agenda_01_worked_meetings_and_cut_offs(week: str, meeting: date, closes: date) -> None:
    monday = monday_of(week)
    assert monday is not None
    assert meeting_day(monday, EQUATED) == meeting
    assert cutoff(monday, EQUATED) == datetime(closes.year, closes.month, closes.day, 12, tzinfo=AMSTERDAM)


def test_r_agenda_02_twelve_o_clock_exactly_is_late() -> None:
    at_noon = datetime(2026, 11, 24, 12, tzinfo=AMSTERDAM)
    assert (week_of(at_noon.replace(hour=11, minute=59), EQUATED), week_of(at_noon, EQUATED)) == ("2026-W48", "2026-W49")


def waits(signal_id: str, urgency: str, day: int, hour: int, minute: int = 0, *, minor: bool = False) -> list[Waiting]:
    return [Waiting(signal_id, urgency, minor, datetime(2026, 11, day, hour, minute, tzinfo=UTC))]


def test_r_agenda_04_worked_order() -> None:
    three = [Waiting(f"f{number}", "REGULAR", False, datetime(2026, 11, 19, 12, tzinfo=UTC)) for number in (1, 2, 3)]
    items = [
        waits("a", "URGENT", 18, 8, 20),
        waits("b", "REGULAR", 18, 10),
        waits("d", "URGENT", 19, 15, 55),
        waits("e", "URGENT", 20, 9, 30, minor=True),
        three,
    ]
    assert [signal_id for _, signal_id, _ in agenda(items, EQUATED)] == ["e", "a", "d", "f1", "b"]


def test_r_agenda_05_what_is_over_the_cap_comes_last_and_urgent_ones_do_not_count() -> None:
    regular = [waits(f"r{number:02}", "REGULAR", 18, 10, number) for number in range(CAP + 2)]
    rows = agenda([*regular, waits("u", "URGENT", 19, 10)], EQUATED)
    assert [signal_id for _, signal_id, rolled in rows if rolled] == ["r20", "r21"]
    assert rows[0][1] == "u"


def test_a_cluster_of_which_all_is_decided_is_no_item_and_a_decided_member_gives_no_due_from() -> None:
    decided = Waiting("a", "URGENT", False, datetime(2026, 11, 2, 9, tzinfo=UTC), decided=True)
    assert agenda([[decided]], EQUATED) == []
    [(week, signal_id, _)] = agenda([[decided, *waits("b", "REGULAR", 20, 9)]], EQUATED)
    assert (week, signal_id) == ("2026-W48", "a")


def the_story(name: str, at: datetime, *events: dict[str, Any]) -> dict[str, Any]:
    signal_id, day = "11111111-1111-4111-8111-111111111111", at.astimezone(AMSTERDAM).date().isoformat()
    published = {"what": "published", "signal_id": signal_id, "version": 1, "publish_day": day, "at": at.isoformat()}
    told = {"versions": {signal_id: {"1": {"record": inside(name)}}}, "until": "2027-02-01T12:00:00+01:00"}
    answer = story_of({**told, "events": [published, *({**each, "signal_id": signal_id} for each in events)]})
    signal: dict[str, Any] = answer["signals"][signal_id]
    return signal


@pytest.mark.parametrize(
    ("name", "offered", "decide_by"),
    [
        ("01_sexual", datetime(2026, 11, 20, 16, 30, tzinfo=AMSTERDAM), "2026-11-23T17:00:00+01:00"),
        ("01_sexual", datetime(2026, 11, 20, 17, 30, tzinfo=AMSTERDAM), "2026-11-24T17:00:00+01:00"),
        ("03_criminal", datetime(2026, 12, 23, 9, tzinfo=AMSTERDAM), "2026-12-31T17:00:00+01:00"),
    ],
)
def test_r_ref_04_worked_terms(name: str, offered: datetime, decide_by: str) -> None:
    assert the_story(name, offered)["decide_by"] == decide_by


def test_a_tip_is_kept_by_its_municipality_until_the_re_screen_brings_it_to_the_agenda() -> None:
    at = datetime(2026, 11, 20, 11, tzinfo=AMSTERDAM)
    told = the_story("06_anonymous_tip", at)
    place = told["places"]["SCREENING_AGENDA"]
    assert (place["rule_id"], place["due_from"], told["kept_by"]) == ("A50", "2026-12-18T17:00:00+01:00", None)


def test_r_route_13_what_each_form_shows_of_a_minor() -> None:
    minor = wire("05_minor")
    assert shown(minor, "MINOR_STUB", "SCREENING_AGENDA").keys() == {"forms", "subjects"}
    assert all(each.keys() == {"age_band"} for each in shown(minor, "MINOR_STUB", "SCREENING_AGENDA")["subjects"])
    assert all(each.keys() <= {"ref", "role"} for each in shown(minor, "FULL_PSEUDONYMOUS", "CARE_COORDINATOR")["subjects"]
               if each["ref"] in {one["ref"] for one in minor["subjects"] if one["is_minor"]})  # fmt: skip
    assert "subjects" not in shown(minor, "CONSULT", "CARE_COORDINATOR")
