"""Where a demo keeps its stores in PostgreSQL: no password on a command line, and only databases of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import make_url

from signal_exchange_demo import commands
from signal_exchange_demo.databases import Databases
from signal_exchange_demo.refusing import DemoError

MARK = "a-secret-that-must-never-show"


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("nonsense", "is no address"),
        ("sqlite:///store.sqlite", "must begin with"),
        ("postgresql+psycopg2://demo@localhost/demo", "must begin with"),
        ("postgresql+psycopg://demo@localhost", "name a database"),
        (f"postgresql+psycopg://demo:{MARK}@localhost/demo", "holds a password"),
        (f"postgresql+psycopg://demo@localhost/demo?password={MARK}", "holds a password"),
        ("postgresql+psycopg://demo@localhost/demo?passfile=missing", "passfile of --database-url is missing"),
    ],
)
def test_an_address_that_will_not_do_is_refused_with_the_reason_and_without_a_secret(address: str, reason: str) -> None:
    with pytest.raises(DemoError, match=re.escape(reason)) as refusal:
        Databases(address)
    assert MARK not in str(refusal.value)


def a_passfile(folder: Path, mode: int) -> Path:
    file = folder / "pgpass"
    file.write_text(f"*:*:*:demo:{MARK}\n", encoding="utf-8")
    file.chmod(mode)
    return file


def test_a_passfile_that_others_may_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="mode 600"):
        Databases(f"postgresql+psycopg://demo@localhost/demo?passfile={a_passfile(tmp_path, 0o640)}")


@pytest.mark.parametrize("driver", ["postgresql", "postgresql+psycopg"])
def test_each_process_has_a_database_of_its_own_beside_the_named_one(tmp_path: Path, driver: str) -> None:
    passfile = a_passfile(tmp_path, 0o600)
    databases = Databases(f"{driver}://demo@db.example:5433/demo?passfile={passfile}&sslmode=require")
    address = databases.address_of("worklist-youth")
    url = make_url(address)
    assert (url.drivername, url.host, url.port, url.username) == ("postgresql+psycopg", "db.example", 5433, "demo")
    assert (url.database, dict(url.query)) == ("demo-worklist-youth", {"passfile": str(passfile), "sslmode": "require"})
    assert MARK not in address


def test_a_server_that_does_not_answer_is_told_in_one_sentence() -> None:
    with pytest.raises(DemoError, match=r"PostgreSQL at --database-url refuses \(OperationalError\)") as refusal:
        Databases("postgresql+psycopg://demo@127.0.0.1:1/demo?connect_timeout=2").make(["routing"])
    assert refusal.value.__cause__ is None


def test_a_demo_goes_on_with_the_stores_that_it_has(tmp_path: Path) -> None:
    (tmp_path / commands.MARK).write_text("postgresql+psycopg://demo@localhost/demo", encoding="utf-8")
    with pytest.raises(DemoError, match="are elsewhere"):
        commands._kept(tmp_path, "postgresql+psycopg://demo@localhost/other")
    assert commands._kept(tmp_path, "") == tmp_path


def test_what_a_demo_made_before_stays_when_its_new_address_will_not_do(tmp_path: Path) -> None:
    (tmp_path / commands.MARK).touch()
    with pytest.raises(DemoError, match="is no address"):
        commands._emptied(tmp_path, "nonsense")
    assert (tmp_path / commands.MARK).exists()
