"""The databases of the region, made by psql on a real PostgreSQL: what broke off is mended, and a second time changes nothing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from postgres import PostgresCluster
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from signal_exchange.participants.container_files import databases_text

SERVICES = ("routing", "worklist-youth")
PASSWORDS = {name: f"synthetic-{name}" for name in SERVICES}


@pytest.fixture
def cluster() -> Iterator[PostgresCluster]:
    """Give a PostgreSQL of the test's own: roles belong to a whole server."""
    own = PostgresCluster()
    own.start()
    yield own
    own.stop()


def read_by_psql(cluster: PostgresCluster, lines: list[str], folder: Path) -> None:
    script, place = folder / "databases.sql", make_url(cluster.url).query["host"]
    script.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    environment = {
        **os.environ,
        "PGHOST": str(place),
        "PGUSER": "tests",
        "PGDATABASE": "postgres",
        "PGOPTIONS": "-cclient_min_messages=warning",
    }
    command = ["psql", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--quiet", f"--file={script}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def made(cluster: PostgresCluster) -> list[tuple[str, str, bool]]:
    return [
        (name, owner, closed)
        for name, owner, closed in cluster.ask(
            "SELECT datname, rolname, NOT has_database_privilege('stranger', datname, 'CONNECT') FROM pg_database "
            "JOIN pg_roles ON pg_roles.oid = datdba WHERE datname = ANY (ARRAY['routing', 'worklist-youth']) ORDER BY datname"
        )
    ]


def test_wherever_the_first_time_broke_off_the_next_one_makes_it_whole(cluster: PostgresCluster, tmp_path: Path) -> None:
    cluster.ask("CREATE ROLE stranger LOGIN")
    lines = databases_text(PASSWORDS).splitlines()
    for end in range(0, len(lines), 3):
        read_by_psql(cluster, lines[:end], tmp_path)
        read_by_psql(cluster, lines, tmp_path)
        assert made(cluster) == [(name, name, True) for name in SERVICES]
        for name in SERVICES:
            cluster.ask(f'DROP DATABASE "{name}"')
            cluster.ask(f'DROP OWNED BY "{name}"')
            cluster.ask(f'DROP ROLE "{name}"')


def test_a_second_time_leaves_what_is_in_the_databases(cluster: PostgresCluster, tmp_path: Path) -> None:
    cluster.ask("CREATE ROLE stranger LOGIN")
    lines = databases_text(PASSWORDS).splitlines()
    read_by_psql(cluster, lines, tmp_path)
    with create_engine(cluster.url_of("routing", "routing"), poolclass=NullPool).begin() as connection:
        connection.execute(text("CREATE TABLE kept AS SELECT 1 AS number"))
    read_by_psql(cluster, lines, tmp_path)
    with create_engine(cluster.url_of("routing", "routing"), poolclass=NullPool).connect() as connection:
        assert connection.execute(text("SELECT number FROM kept")).scalars().all() == [1]


def test_no_service_enters_the_database_of_another(cluster: PostgresCluster, tmp_path: Path) -> None:
    cluster.ask("CREATE ROLE stranger LOGIN")
    read_by_psql(cluster, databases_text(PASSWORDS).splitlines(), tmp_path)
    for own, other in pairwise((*SERVICES, SERVICES[0])):
        with pytest.raises(DBAPIError, match="permission denied"):
            create_engine(cluster.url_of(other, own), poolclass=NullPool).connect()
