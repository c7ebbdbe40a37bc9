"""The promises of a list of people: who may come in and when, who changes it, and that it never stands without administrator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from refusing import refused
from sqlalchemy import select

from signal_exchange.domain.people import Person
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.people.access import Act
from signal_exchange.people.actions import NewPerson, PeopleActions
from signal_exchange.people.audit import AuditLog, Wanted
from signal_exchange.people.cover import Cover
from signal_exchange.people.store import ListedPerson
from signal_exchange.people.tables import TOKENS, people_tables
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.migrations import store_tables
from signal_exchange.worklist.store import TABLES

NOON = datetime(2026, 12, 1, 11, 0, tzinfo=UTC)
TODAY = date(2026, 12, 1)
YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
ISSUER = "https://log-in.example"


class Desk:
    """The people of one worklist, with a clock that a test sets and the work that it says people have."""

    def __init__(self, url: str = "sqlite+pysqlite:///:memory:") -> None:
        self.database = Database(url, TABLES)
        self.database.create_tables()
        self.at, self.work = NOON, dict[str, int]()
        self.people = PeopleActions(self.database, "worklist", lambda: self.at, self._work_of)
        self.admin = self.people.add_first(somebody("admin", "ORGANISATION_ADMIN")).person()

    def _work_of(self, _connection: object, person: Person) -> dict[str, int]:
        return {"referrals": self.work.get(person.name, 0)}

    def add(self, name: str, role: str = "CARE_COORDINATOR", **more: Any) -> ListedPerson:
        return self.people.add(somebody(name, role, **more), self.admin)

    def find(self, name: str) -> Person | None:
        return self.people.find(ISSUER, name)

    def entries(self) -> list[tuple[str, str, str]]:
        with self.database.reading() as connection:
            found = AuditLog(connection).entries(Wanted(), page_size=100)
        return [(each.act, each.action, each.result) for each in reversed(found)]


def somebody(name: str, role: str, *, begins: date = TODAY, until: date | None = None) -> NewPerson:
    return NewPerson(ISSUER, name, name, role, "care", begins, until)


@pytest.fixture
def desk() -> Iterator[Desk]:
    opened = Desk()
    yield opened
    opened.database.close()


def test_who_is_on_the_list_comes_in_with_role_and_organisation(desk: Desk) -> None:
    added = desk.add("noor")
    assert desk.find("noor") == Person("noor", ISSUER, "noor", "CARE_COORDINATOR", "care", added.person_id)
    assert desk.people.again(added.person_id) == desk.find("noor")
    assert desk.find("nobody") is None
    assert desk.people.find("https://other.example", "noor") is None
    assert desk.people.again("nobody") is None


def test_nobody_comes_in_before_the_first_day_or_after_the_last(desk: Desk) -> None:
    desk.add("noor", begins=TOMORROW, until=TOMORROW)
    seen = []
    for hours in (0, 11.9, 12.1, 35.9, 36.1):  # of 1 December at noon: the 2nd begins at midnight in Amsterdam
        desk.at = NOON + timedelta(hours=hours)
        seen.append(desk.find("noor") is not None)
    assert seen == [False, False, True, True, False]


def test_the_first_person_is_an_administrator_who_stays() -> None:
    database = Database("sqlite+pysqlite:///:memory:", TABLES)
    database.create_tables()
    people = PeopleActions(database, "worklist", lambda: NOON)
    assert people.is_empty()
    for wrong in (
        somebody("x", "CARE_COORDINATOR"),
        somebody("x", "ORGANISATION_ADMIN", until=TOMORROW),
        somebody("x", "ORGANISATION_ADMIN", begins=TOMORROW),
    ):
        with refused("eerste op de lijst"):
            people.add_first(wrong)
    people.add_first(somebody("x", "ORGANISATION_ADMIN"))
    assert not people.is_empty()
    with refused("al mensen"):
        people.add_first(somebody("y", "ORGANISATION_ADMIN"))
    database.close()


@pytest.mark.parametrize("role", ["CARE_COORDINATOR", "PRIVACY_OFFICER", "CHAIN_DIRECTOR", ""])
def test_only_the_administrator_changes_the_list(desk: Desk, role: str) -> None:
    who = desk.add("other", role).person()
    noor = desk.add("noor").person_id
    tries: list[Callable[[], object]] = [
        lambda: desk.people.add(somebody("new", ""), who),
        lambda: desk.people.change(noor, who, name="x"),
        lambda: desk.people.end(noor, who, last_day=TODAY),
        lambda: desk.people.stop(noor, who),
        lambda: desk.people.arrange_deputy(noor, "admin", who, first_day=TODAY, last_day=TODAY),
        lambda: desk.people.make_token(noor, who),
    ]
    for attempt in tries:
        with refused("mag u niet"):
            attempt()
    assert len(desk.people.people(desk.admin)) == 3
    assert [entry[1:] for entry in desk.entries()[3:-1]] == [("DENIED", "NOT_ALLOWED")] * 6


def test_every_change_stands_in_the_audit_log_with_the_person_it_is_about(desk: Desk) -> None:
    noor = desk.add("noor")
    desk.people.change("noor", desk.admin, name="noor b")
    desk.people.arrange_deputy(noor.person_id, desk.add("bas", "").person_id, desk.admin, first_day=TODAY, last_day=TODAY)
    desk.people.make_token("bas", desk.admin)
    desk.people.stop("bas", desk.admin)
    desk.people.end("noor b", desk.admin, last_day=TODAY)
    assert desk.entries() == [
        ("people.add", "CREATE", "DONE"),
        ("people.add", "CREATE", "DONE"),
        ("people.change", "UPDATE", "DONE"),
        ("people.add", "CREATE", "DONE"),
        ("people.arrange_deputy", "UPDATE", "DONE"),
        ("people.make_token", "CREATE", "DONE"),
        ("people.stop", "UPDATE", "DONE"),
        ("people.end", "UPDATE", "DONE"),
    ]
    with desk.database.reading() as connection:
        about = AuditLog(connection).entries(Wanted(about=noor.person_id), page_size=100)
    assert {each.act for each in about} == {Act.PEOPLE_ADD, Act.PEOPLE_CHANGE, Act.PEOPLE_ARRANGE_DEPUTY, Act.PEOPLE_END}
    assert {each.who for each in about} == {desk.admin.person_id}


def test_a_role_is_one_of_this_service(desk: Desk) -> None:
    for role in ("YOUTH_COORDINATOR", "ATTENTION_OFFICER", "NONSENSE"):
        with refused("bestaat hier niet"):
            desk.add("noor", role)
    noor = desk.add("noor")
    with refused("bestaat hier niet"):
        desk.people.change(noor.person_id, desk.admin, role="YOUTH_COORDINATOR")


def test_a_person_has_days_that_can_be_and_no_empty_field(desk: Desk) -> None:
    with refused("ligt voor de eerste"):
        desk.add("noor", begins=TOMORROW, until=TODAY)
    with refused("al voorbij"):
        desk.add("noor", begins=YESTERDAY, until=YESTERDAY)
    whole: dict[str, Any] = {"issuer": "i", "subject": "s", "name": "n", "organisation": "o", "role": "", "valid_from": TODAY}
    for field in ("issuer", "subject", "name", "organisation"):
        new = NewPerson(**{**whole, field: " "})
        with refused("leeg") as refusal:
            desk.people.add(new, desk.admin)
        assert refusal.value.field == field


def test_a_log_in_is_of_one_person_at_a_time_and_of_a_later_one_afterwards(desk: Desk) -> None:
    first = desk.add("noor", until=TOMORROW)
    for begins in (TODAY, TOMORROW):
        with refused("al van iemand"):
            desk.add("noor", begins=begins)
    later = desk.add("noor", begins=TOMORROW + timedelta(days=1))
    assert first.person_id != later.person_id
    desk.at = NOON + timedelta(days=2)
    found = desk.find("noor")
    assert found is not None
    assert found.person_id == later.person_id


def test_nobody_changes_the_own_role(desk: Desk) -> None:
    second = desk.add("second", "ORGANISATION_ADMIN").person()
    with refused("eigen rol"):
        desk.people.change(desk.admin.person_id, desk.admin, role="CARE_COORDINATOR")
    noor = desk.add("noor")
    with refused("eigen rol"):
        desk.people.arrange_deputy(noor.person_id, desk.admin.person_id, desk.admin, first_day=TODAY, last_day=TODAY)
    assert desk.people.change(desk.admin.person_id, desk.admin, name="other name", role="ORGANISATION_ADMIN").name == "other name"
    assert desk.people.change(desk.admin.person_id, second, role="").role == ""


def test_the_last_administrator_stays(desk: Desk) -> None:
    other = desk.add("other", "ORGANISATION_ADMIN", until=TOMORROW).person()
    desk.add("coming", "ORGANISATION_ADMIN", begins=TOMORROW)
    own = desk.admin.person_id
    tries: list[Callable[[], object]] = [
        lambda: desk.people.end(own, other, last_day=TODAY),
        lambda: desk.people.stop(own, other),
        lambda: desk.people.change(own, other, role=""),
    ]
    for attempt in tries:
        with refused("enige beheerder"):
            attempt()
    desk.at = NOON + timedelta(days=1)
    assert desk.people.end(own, other, last_day=TOMORROW).valid_until == str(TOMORROW)


def test_of_two_administrators_who_remove_each_other_at_once_one_stays(tmp_path: Path) -> None:
    desk = Desk(f"sqlite+pysqlite:///{tmp_path / 'worklist.sqlite'}")
    second = desk.add("second", "ORGANISATION_ADMIN").person()
    together = Barrier(2)

    def stop(named: Person, who: Person) -> str:
        together.wait()
        try:
            desk.people.stop(named.person_id, who)
        except RefusedError as refusal:
            return refusal.code
        return "DONE"

    with ThreadPoolExecutor(2) as pool:
        done = sorted(pool.map(stop, (desk.admin, second), (second, desk.admin)))
    assert done == ["DONE", "LAST_ADMIN"]
    desk.database.close()


def test_who_leaves_hands_over_open_work_first(desk: Desk) -> None:
    noor = desk.add("noor")
    desk.work["noor"] = 2
    with refused("2 open zaken"):
        desk.people.end("noor", desk.admin, last_day=TODAY)
    desk.work["noor"] = 1
    with refused("1 open zaak"):
        desk.people.end("noor", desk.admin, last_day=TODAY)
    desk.work.clear()
    with refused("al voorbij"):
        desk.people.end("noor", desk.admin, last_day=YESTERDAY)
    desk.people.end("noor", desk.admin, last_day=TODAY, seen_version=noor.row_version)
    assert desk.find("noor") is not None
    desk.at = NOON + timedelta(days=1)
    assert desk.find("noor") is None


def test_access_can_be_stopped_at_once_whatever_is_in_hand(desk: Desk) -> None:
    noor = desk.add("noor")
    desk.work["noor"] = 2
    token = desk.people.make_token("noor", desk.admin)
    desk.people.stop(noor.person_id[:8], desk.admin)
    assert desk.find("noor") is None
    assert desk.people.find_by_token(token) is None
    [row] = [row for row in desk.people.people(desk.admin) if row.listed.name == "noor"]
    assert (row.state, row.open_work) == ("STOPPED", {"referrals": 2})


def test_an_act_on_an_older_page_is_refused(desk: Desk) -> None:
    noor = desk.add("noor")
    changed = desk.people.change("noor", desk.admin, name="noor b", seen_version=1)
    assert changed.row_version == 2
    tries: list[Callable[[], object]] = [
        lambda: desk.people.change(noor.person_id, desk.admin, name="x", seen_version=1),
        lambda: desk.people.end(noor.person_id, desk.admin, last_day=TODAY, seen_version=1),
        lambda: desk.people.stop(noor.person_id, desk.admin, seen_version=1),
    ]
    for attempt in tries:
        with refused("intussen veranderd"):
            attempt()


def test_a_person_is_named_by_name_or_by_the_start_of_the_id(desk: Desk) -> None:
    noor = desk.add("noor")
    desk.people.add(NewPerson(ISSUER, "another", "noor", "", "care", TODAY), desk.admin)
    with refused("heten zo"):
        desk.people.change("noor", desk.admin, name="x")
    with refused("staat niet op de lijst"):
        desk.people.change("nobody", desk.admin, name="x")
    with refused("staat niet op de lijst"):
        desk.people.change(noor.person_id[:7], desk.admin, name="x")
    assert desk.people.change(noor.person_id[:8].upper(), desk.admin, name="noor a").person_id == noor.person_id


def test_a_deputy_has_the_role_of_who_is_absent_within_the_days_and_nothing_outside_them(desk: Desk) -> None:
    noor, bas = desk.add("noor"), desk.add("bas", "")
    desk.people.arrange_deputy("noor", "bas", desk.admin, first_day=TOMORROW, last_day=TOMORROW)
    roles = []
    for days in range(3):
        desk.at = NOON + timedelta(days=days)
        found = desk.find("bas")
        assert found is not None
        assert found.person_id == bas.person_id
        roles.append((sorted(found.roles), [each.person_id for each in found.deputy_of]))
    assert roles == [([], []), (["CARE_COORDINATOR"], [noor.person_id]), ([], [])]


def test_a_deputy_stands_in_for_who_was_stopped_and_not_for_who_left(desk: Desk) -> None:
    desk.add("noor")
    desk.add("bas", "")
    desk.people.arrange_deputy("noor", "bas", desk.admin, first_day=TODAY, last_day=TOMORROW)
    desk.people.stop("noor", desk.admin)
    standing = desk.find("bas")
    desk.people.end("noor", desk.admin, last_day=TODAY)
    desk.at = NOON + timedelta(days=1)
    later = desk.find("bas")
    assert standing is not None
    assert later is not None
    assert [sorted(each.roles) for each in (standing, later)] == [["CARE_COORDINATOR"], []]


def test_a_deputy_can_be_called_off(desk: Desk) -> None:
    desk.add("noor")
    desk.add("bas", "")
    arranged = desk.people.arrange_deputy("noor", "bas", desk.admin, first_day=TODAY, last_day=TOMORROW)
    desk.people.end_deputy(arranged.deputy_id, desk.admin)
    found = desk.find("bas")
    assert found is not None
    assert not found.roles
    with refused("staat niet op de lijst"):
        desk.people.end_deputy("nobody", desk.admin)


def test_who_is_absent_arranges_the_own_deputy_only(desk: Desk) -> None:
    noor, bas = desk.add("noor").person(), desk.add("bas").person()
    arranged = desk.people.arrange_deputy("noor", "bas", noor, first_day=TODAY, last_day=TOMORROW)
    with refused("mag u niet"):
        desk.people.arrange_deputy("bas", "admin", noor, first_day=TODAY, last_day=TODAY)
    with refused("mag u niet"):
        desk.people.end_deputy(arranged.deputy_id, bas)
    desk.people.end_deputy(arranged.deputy_id, noor)


def test_a_deputy_is_somebody_else_who_is_there_on_days_that_can_be(desk: Desk) -> None:
    desk.add("noor")
    desk.add("bas", "", until=TOMORROW)
    wanted = [
        ("noor", "voor zichzelf", TODAY, TODAY),
        ("bas", "ligt voor de eerste", TOMORROW, TODAY),
        ("bas", "al voorbij", YESTERDAY, YESTERDAY),
        ("bas", "op die dagen geen toegang", TODAY, TOMORROW + timedelta(days=1)),
        ("bas", "op die dagen geen toegang", YESTERDAY, TODAY),
    ]
    for deputy, said, first_day, last_day in wanted:
        with refused(said):
            desk.people.arrange_deputy("noor", deputy, desk.admin, first_day=first_day, last_day=last_day)


def test_the_list_tells_of_everybody_the_state_and_who_left_comes_last(desk: Desk) -> None:
    desk.add("left", until=TODAY)
    desk.at = NOON + timedelta(days=1)
    desk.add("coming", begins=TOMORROW + timedelta(days=1))
    desk.add("leaving", until=TOMORROW)
    desk.add("bas", "", begins=TOMORROW)
    desk.add("noor", begins=TOMORROW)
    desk.work["noor"] = 3
    deputy = desk.people.arrange_deputy("noor", "bas", desk.admin, first_day=TOMORROW, last_day=TOMORROW)
    rows = {row.listed.name: row for row in desk.people.people(desk.admin)}
    states = {"admin": "ACTIVE", "coming": "COMING", "leaving": "LEAVING", "bas": "DEPUTY", "noor": "ACTIVE", "left": "ENDED"}
    assert {name: row.state for name, row in rows.items()} == states
    assert list(rows)[-1] == "left"
    assert rows["bas"].deputy_of == [deputy]
    assert (rows["noor"].open_work, rows["left"].open_work) == ({"referrals": 3}, {})
    assert desk.entries()[-1] == ("people.see", "READ", "DONE")


def test_a_token_proves_its_owner_until_the_next_one(desk: Desk) -> None:
    noor = desk.add("noor").person()
    first = desk.people.make_token("noor", noor)
    assert desk.people.find_by_token(f"{first}\n") == noor
    second = desk.people.make_token(noor.person_id, desk.admin)
    assert [desk.people.find_by_token(each) for each in (first, second, "")] == [None, noor, None]
    with refused("mag u niet"):
        desk.people.make_token("admin", noor)
    with desk.database.reading() as connection:
        kept = connection.execute(select(TOKENS)).all()
    assert len(kept) == 1
    assert second not in str(kept)


def test_it_is_seen_ahead_from_when_on_nobody_does_the_work_or_stands_in(desk: Desk) -> None:
    assert desk.people.cover() == Cover(TODAY, TODAY)
    desk.add("noor", until=TODAY + timedelta(days=4))
    desk.add("bas", "", until=TODAY + timedelta(days=9))
    assert desk.people.cover() == Cover(TODAY + timedelta(days=5), TODAY)
    desk.people.arrange_deputy("noor", "bas", desk.admin, first_day=TODAY, last_day=TODAY + timedelta(days=6))
    assert desk.people.cover() == Cover(TODAY + timedelta(days=7), TODAY + timedelta(days=7))
    desk.people.stop("bas", desk.admin)
    assert desk.people.cover() == Cover(TODAY + timedelta(days=5), TODAY)
    desk.add("stays")
    assert desk.people.cover().nobody_from is None


def test_who_is_two_weeks_ahead_is_not_looked_for_yet(desk: Desk) -> None:
    desk.add("noor", until=TODAY + timedelta(days=13))
    desk.add("bas", "")
    desk.people.arrange_deputy("noor", "bas", desk.admin, first_day=TODAY, last_day=TODAY + timedelta(days=13))
    assert desk.people.cover() == Cover(None, None)


def test_the_tables_of_people_are_added_once() -> None:
    tables = store_tables("worklist")
    people_tables(tables)
    before = dict(tables.tables)
    people_tables(tables)
    assert dict(tables.tables) == before
