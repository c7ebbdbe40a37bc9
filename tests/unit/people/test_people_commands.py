"""The commands on people and the audit log: they pass on what was typed, prove who types, and tell what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from builders import an_environment
from refusing import refused
from sqlalchemy import delete, update
from typer.testing import CliRunner

from signal_exchange.cli.main import app
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.municipality.node import TABLES_OF_NODE
from signal_exchange.people import proving
from signal_exchange.people.tables import AUDIT, AUDIT_MONTHS
from signal_exchange.runtime import clock
from signal_exchange.runtime.database import Database
from signal_exchange.worklist.store import TABLES

Told = Callable[..., str]
ADMIN = ("--name", "admin", "--role", "ORGANISATION_ADMIN", "--organisation", "care", "--subject", "zadmin")
NOOR = ("--name", "noor", "--role", "CARE_COORDINATOR", "--organisation", "care", "--subject", "znoor")


def commands(environment: dict[str, str]) -> Told:
    def run(*words: str) -> str:
        result = CliRunner().invoke(app, list(words), env=environment)
        if isinstance(result.exception, RefusedError):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.stdout

    return run


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 12, 1, 11, 0, tzinfo=UTC))


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    types(monkeypatch, "zadmin")
    return commands(an_environment(tmp_path, "worklist", "care"))


def types(monkeypatch: pytest.MonkeyPatch, account: str) -> None:
    """Let an account of the operating system type from here on."""
    monkeypatch.setattr(proving, "account", lambda: account)


def test_the_first_administrator_adds_the_others_and_each_stands_on_the_list(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    assert told("people", "add", *ADMIN).startswith("admin staat op de lijst, met kenmerk ")
    told("people", "add", *NOOR, "--first-day", "2026-12-01", "--last-day", "2026-12-31")
    told(
        "people",
        "add",
        "--name",
        "bas",
        "--role",
        "",
        "--organisation",
        "care",
        "--subject",
        "x",
        "--issuer",
        "https://i.example",
    )
    arranged = told("people", "deputy", "bas", "--for", "noor", "--first-day", "2026-12-01", "--last-day", "2026-12-04")
    assert "bas neemt waar voor noor, van 01-12-2026 tot en met 04-12-2026" in arranged
    rows = {row["name"]: row for row in json.loads(told("people", "list", "--json"))}
    names = ("role", "organisation", "valid_from", "valid_until", "state", "deputy_of")
    assert {name: tuple(row[each] for each in names) for name, row in rows.items()} == {
        "admin": ("beheerder van de organisatie", "care", "2026-12-01", None, "actief", ""),
        "noor": ("zorgcoördinator mensenhandel", "care", "2026-12-01", "2026-12-31", "vertrekt", ""),
        "bas": ("", "care", "2026-12-01", None, "neemt waar", "noor 2026-12-01 - 2026-12-04"),
    }
    assert "zorgcoördinator" in told("people", "list")
    told("people", "end-deputy", arranged.partition(":")[0])
    assert json.loads(told("people", "list", "--json"))[-1]["deputy_of"] == ""
    types(monkeypatch, "znoor")
    with refused("mag u niet"):
        told("people", "list")


def test_the_list_warns_when_nobody_will_do_the_work_or_stand_in(told: Told, tmp_path: Path) -> None:
    def warned() -> str:
        return CliRunner().invoke(app, ["people", "list"], env=an_environment(tmp_path, "worklist")).stderr

    told("people", "add", *ADMIN)
    assert warned().startswith("Vanaf 01-12-2026 is er niemand")
    told("people", "add", *NOOR)
    assert warned().startswith("Vanaf 01-12-2026 is er geen waarnemer")
    told("people", "add", "--name", "bas", "--role", "", "--organisation", "care", "--subject", "zbas")
    told("people", "deputy", "bas", "--for", "noor", "--first-day", "2026-12-01", "--last-day", "2026-12-31")
    assert warned() == ""


def test_people_change_stop_and_leave(told: Told) -> None:
    told("people", "add", *ADMIN)
    told("people", "add", *NOOR)
    assert told("people", "change", "noor", "--name", "noor b", "--role", "CHAIN_DIRECTOR") == "noor b is gewijzigd.\n"
    assert "geen toegang meer" in told("people", "stop", "noor b")
    assert told("people", "end", "noor b", "--last-day", "2026-12-02") == "noor b heeft toegang tot en met 02-12-2026.\n"
    with refused("enige beheerder"):
        told("people", "end", "admin", "--last-day", "2026-12-02")


def test_a_token_file_is_of_its_owner_alone_and_proves_on_another_account(
    tmp_path: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    told("people", "add", *ADMIN)
    file = tmp_path / "token"
    assert str(file) in told("people", "token", "admin", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    types(monkeypatch, "zother")
    with refused("account zother"):
        told("people", "list")
    environment = {**an_environment(tmp_path, "worklist", "care"), "SIGNAL_EXCHANGE_PERSON_TOKEN_FILE": str(file)}
    assert "admin" in commands(environment)("people", "list")


def test_the_node_of_a_municipality_has_people_and_a_service_without_them_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    types(monkeypatch, "zadmin")
    told = commands(an_environment(tmp_path, "municipality-gm0983"))
    told("people", "add", "--name", "a", "--role", "ORGANISATION_ADMIN", "--organisation", "GM0983", "--subject", "zadmin")
    told("people", "add", "--name", "o", "--role", "ATTENTION_OFFICER", "--organisation", "GM0983", "--subject", "zo")
    database = Database(f"sqlite+pysqlite:///{tmp_path / 'municipality.sqlite'}", TABLES_OF_NODE)
    with database.reading() as connection:
        assert connection.execute(AUDIT.select()).all()
    database.close()
    with refused("houdt geen mensen bij: routing"):
        commands(an_environment(tmp_path, "routing"))("people", "list")


def test_the_privacy_officer_lists_searches_checks_and_takes_along(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told("people", "add", *ADMIN)
    told("people", "add", "--name", "fg", "--role", "PRIVACY_OFFICER", "--organisation", "care", "--subject", "zfg")
    types(monkeypatch, "zfg")
    with refused("mag u niet"):
        told("people", "add", *NOOR)
    listed = json.loads(told("audit", "list", "--json", "--first-day", "2026-12-01", "--last-day", "2026-12-01"))
    assert [(row["act"], row["result"]) for row in listed] == [
        ("people.add", "NOT_ALLOWED"),
        ("people.add", "DONE"),
        ("people.add", "DONE"),
    ]
    assert "geweigerde toegang" in told("audit", "list", "--action", "DENIED", "--page", "1")
    assert told("audit", "list", "--about", "ffffffff") == "Er zijn geen regels gevonden.\n"
    exported = json.loads(told("audit", "export", "--who", listed[0]["who"]))
    assert {row["who"] for row in exported} == {listed[0]["who"]}
    assert told("audit", "check") == "De keten klopt tot 01-12-2026 12:00.\n"
    assert told("audit", "end-months") == "Geen maand is oud genoeg om te wissen.\n"
    monkeypatch.setattr(clock, "now", lambda: datetime(2032, 1, 1, 12, 0, tzinfo=UTC))
    assert told("audit", "end-months") == "Gewist: 2026-12.\n"
    broken = Database(f"sqlite+pysqlite:///{tmp_path / 'worklist.sqlite'}", TABLES)
    with broken.transaction() as connection:
        connection.execute(update(AUDIT).values(why="X"))
    broken.close()
    result = CliRunner().invoke(app, ["audit", "check"], env=an_environment(tmp_path, "worklist"))
    assert (result.exit_code, result.output) == (1, "De keten klopt niet vanaf regel 1 van 2032-01.\n")


def test_an_empty_log_has_nothing_to_check(told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told("people", "add", *ADMIN)
    told("people", "add", "--name", "fg", "--role", "PRIVACY_OFFICER", "--organisation", "care", "--subject", "zfg")
    store = Database(f"sqlite+pysqlite:///{tmp_path / 'worklist.sqlite'}", TABLES)
    with store.transaction() as connection:
        connection.execute(delete(AUDIT))
        connection.execute(delete(AUDIT_MONTHS))
    store.close()
    types(monkeypatch, "zfg")
    assert told("audit", "check") == "Er zijn geen regels gevonden.\n"
