"""Who is at the keyboard: proven by the account or an own token, never by a name; a demo without people takes any name."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from refusing import refused

from signal_exchange.domain.people import Person
from signal_exchange.people import proving
from signal_exchange.people.access import ROLES_OF
from signal_exchange.people.actions import NewPerson, PeopleActions
from signal_exchange.people.proving import OS, account, acting_person, looking_person
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.settings import ProcessSettings
from signal_exchange.worklist.store import TABLES

NOON, TODAY = datetime(2026, 12, 1, 11, 0, tzinfo=UTC), date(2026, 12, 1)


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> Iterator[PeopleActions]:
    database = Database("sqlite+pysqlite:///:memory:", TABLES)
    database.create_tables()
    monkeypatch.setattr(proving, "account", lambda: "znoor")
    yield PeopleActions(database, "worklist", lambda: NOON)
    database.close()


def settings(tmp_path: Path, mode: Literal["production", "demo"] = "production", **more: Any) -> ProcessSettings:
    return ProcessSettings(data_dir=tmp_path, register_file=tmp_path / "r", region_key_file=tmp_path / "k", mode=mode, **more)


def with_noor(people: PeopleActions) -> tuple[Person, Person]:
    """Put an administrator and noor on the list, who is known by her account."""
    admin = people.add_first(NewPerson("https://log-in.example", "a", "admin", "ORGANISATION_ADMIN", "care", TODAY)).person()
    noor = people.add(NewPerson(OS, "znoor", "noor", "CARE_COORDINATOR", "care", TODAY), admin).person()
    return admin, noor


def test_the_account_is_that_of_the_operating_system(monkeypatch: pytest.MonkeyPatch) -> None:
    assert account() == pwd.getpwuid(os.geteuid()).pw_name

    def nobody(_: int) -> None:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    assert account() == str(os.geteuid())


def test_whom_the_operating_system_knows_is_who_acts(people: PeopleActions, tmp_path: Path) -> None:
    _, noor = with_noor(people)
    for named in (None, " ", "noor", noor.person_id, noor.person_id[:8].upper()):
        assert acting_person(people, settings(tmp_path), named) == noor
    assert looking_person(people, settings(tmp_path)) == noor


def test_naming_another_is_refused_in_a_demo_too(people: PeopleActions, tmp_path: Path) -> None:
    admin, noor = with_noor(people)
    for mode in ("production", "demo"):
        for named in ("admin", admin.person_id, noor.person_id[:7], "Noor"):
            with refused("onder uw eigen naam"):
                acting_person(people, settings(tmp_path, mode), named)


def test_an_account_that_no_person_has_acts_for_nobody(
    people: PeopleActions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin, _ = with_noor(people)
    people.stop("noor", admin)
    for mode in ("production", "demo"):
        with refused("account znoor is van niemand"):
            acting_person(people, settings(tmp_path, mode), "noor")
    monkeypatch.setattr(proving, "account", lambda: "a")  # the subject of the administrator, at another issuer
    with refused("account a is van niemand"):
        looking_person(people, settings(tmp_path))


def test_an_own_token_proves_before_the_account_does(people: PeopleActions, tmp_path: Path) -> None:
    admin, _ = with_noor(people)
    file = tmp_path / "token"
    file.write_text(f"{people.make_token('admin', admin)}\n", encoding="utf-8")
    file.chmod(0o600)
    assert acting_person(people, settings(tmp_path, person_token_file=file)) == admin
    with refused("onder uw eigen naam"):
        acting_person(people, settings(tmp_path, person_token_file=file), "noor")
    people.make_token("admin", admin)
    with refused("token in token is van niemand"):
        acting_person(people, settings(tmp_path, person_token_file=file))


def test_a_token_that_others_may_read_or_that_is_not_there_proves_nobody(people: PeopleActions, tmp_path: Path) -> None:
    admin, _ = with_noor(people)
    file = tmp_path / "token"
    with refused("niet te lezen"):
        acting_person(people, settings(tmp_path, person_token_file=file))
    file.write_text(people.make_token("admin", admin), encoding="utf-8")
    file.chmod(0o640)
    with refused("Anderen mogen"):
        acting_person(people, settings(tmp_path, person_token_file=file))


def test_production_refuses_everybody_until_there_are_people(people: PeopleActions, tmp_path: Path) -> None:
    with refused("nog niemand op de lijst"):
        acting_person(people, settings(tmp_path), "noor")
    with refused("nog niemand op de lijst"):
        looking_person(people, settings(tmp_path))


def test_a_demo_without_people_takes_any_name_in_every_role_of_the_service(people: PeopleActions, tmp_path: Path) -> None:
    person = acting_person(people, settings(tmp_path, "demo"), "Z. Voorbeeld")
    assert (person.name, person.person_id, person.roles) == ("Z. Voorbeeld", "", ROLES_OF["worklist"])
    assert looking_person(people, settings(tmp_path, "demo")).roles == ROLES_OF["worklist"]
    for nameless in (None, " "):
        with refused("Zeg wie dit doet"):
            acting_person(people, settings(tmp_path, "demo"), nameless)
