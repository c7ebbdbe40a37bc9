"""A real PostgreSQL of the tests' own, and every store of a unit test on it instead of on SQLite (`pytest --postgres`).

A store keeps its address: the file that would have been its SQLite database stands for a schema of its own.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from signal_exchange.participants.container_files import erasing_grants
from signal_exchange.runtime import database

START_SECONDS = 60.0
COMMON = ("max_connections=300", "listen_addresses=", "deadlock_timeout=50ms", "wal_recycle=off")
"""It listens on a socket in its own folder only, and a segment of its log that it needs no more goes (docs/decisions/0026)."""
QUICK = (*COMMON, "fsync=off", "full_page_writes=off", "synchronous_commit=off")
"""Settings of a server whose data nobody will miss."""
SORTED = ("--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=nl-NL")
"""It sorts text as people do, as most servers: what stands on the order of bytes must say so."""
GUARDED = "guarded"
"""The role of those who need a password; the tests themselves come in without one."""


class PostgresCluster:
    """One PostgreSQL server in a folder of its own, under a user that is not root, ended with the tests.

    One that is not `careless` keeps what it committed when it crashes.
    """

    def __init__(self, *, careless: bool = True) -> None:
        self._programs, self._quick = _programs(), QUICK if careless else COMMON
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._user = _unprivileged()
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the SQLAlchemy URL of the database that every server has."""
        return self.url_of("postgres")

    def url_of(self, database: str, user: str = "tests") -> str:
        """Return the SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://{user}@/{database}?host={self._folder}"

    def ask(self, statement: str, database: str = "postgres") -> list[Any]:
        """Run a statement outside any transaction, and return its rows."""
        with create_engine(self.url_of(database), poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
            found = connection.execute(text(statement))
            return [tuple(row) for row in found] if found.returns_rows else []

    def run_file(self, file: Path) -> None:
        """Run a file of SQL as a container of PostgreSQL runs it at its first start."""
        to = ["-h", str(self._folder), "-U", "tests", "-d", "postgres"]
        words = ["-v", "ON_ERROR_STOP=1", "--no-psqlrc", *to, "-f", str(file)]
        subprocess.run([self._programs / "psql", *words], capture_output=True, check=True)

    def fresh_database(self) -> str:
        """Make an empty database and return its URL."""
        name = f"fresh_{uuid.uuid4().hex}"
        self.ask(f"CREATE DATABASE {name}")
        return self.url_of(name)

    def where(self, marks: Mapping[str, bytes]) -> dict[str, list[str]]:
        """Return in which files on the disk of this server each of these byte strings stands: tables, indexes, log."""
        data = self._folder / "data"
        contents = {str(file.relative_to(data)): _content(file) for file in data.rglob("*") if file.is_file()}
        found = {name: [file for file, content in contents.items() if mark in content] for name, mark in marks.items()}
        return {name: files for name, files in found.items() if files}

    def service_database(self, *but: str) -> str:
        """Make a database whose owner may do what a service needs, but for these grants; return its URL."""
        name = f"service_{uuid.uuid4().hex}"
        self.ask(f"CREATE ROLE {name} LOGIN")
        self.ask(f"CREATE DATABASE {name} OWNER {name}")
        for grant in (each for each in erasing_grants(name) if not any(part in each for part in but)):
            self.ask(grant, database=name)
        return self.url_of(name, name)

    def start(self) -> None:
        """Make it and start it, and wait until it answers."""
        data = self._folder / "data"
        made = ("-D", str(data), "-U", "tests", "-A", "trust", "--no-sync", "-E", "UTF8", *SORTED)
        subprocess.run([self._programs / "initdb", *made], user=self._user, cwd=self._folder, capture_output=True, check=True)
        self._guard(data)
        self.start_again()
        self.ask(f"CREATE ROLE {GUARDED}")

    def start_again(self) -> None:
        """Start it where it was, and wait until it answers."""
        settings = [part for setting in (*self._quick, f"unix_socket_directories={self._folder}") for part in ("-c", setting)]
        with (self._folder / "log").open("ab") as log:
            command = [str(self._programs / "postgres"), "-D", str(self._folder / "data"), *settings]
            self._process = subprocess.Popen(command, user=self._user, cwd=self._folder, stdout=log, stderr=log)
        self._await_answer()

    def crash(self) -> None:
        """End it at once, in the middle of whatever it does: it recovers from its log at the next start."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(60)

    def stop(self) -> None:
        """End it and remove what it kept."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # without waiting for whoever is still connected
            self._process.wait(60)
        shutil.rmtree(self._folder, ignore_errors=True)

    def guarded_user(self, passfile: Path) -> str:
        """Make a user who may make databases and enters with the password in this file; return the URL of their own database."""
        user, password = f"guarded_{uuid.uuid4().hex}", secrets.token_urlsafe(24)
        self.ask(f"CREATE ROLE {user} LOGIN CREATEDB PASSWORD '{password}' IN ROLE {GUARDED}")
        self.ask(f"CREATE DATABASE {user} OWNER {user}")
        for grant in erasing_grants(user):
            self.ask(grant, database="template1")  # the databases that this user makes are copies
        passfile.write_text(f"*:*:*:{user}:{password}\n", encoding="utf-8")
        passfile.chmod(0o600)
        return f"{self.url_of(user, user)}&passfile={passfile}"

    def _guard(self, data: Path) -> None:
        file = data / "pg_hba.conf"
        file.write_text(f"local all +{GUARDED} scram-sha-256\n" + file.read_text(encoding="utf-8"), encoding="utf-8")

    def _await_answer(self) -> None:
        engine, end = create_engine(self.url, poolclass=NullPool), time.monotonic() + START_SECONDS
        while True:
            try:
                engine.connect().close()
            except OperationalError:
                if time.monotonic() > end:
                    pytest.exit(f"PostgreSQL does not answer: {(self._folder / 'log').read_text(encoding='utf-8')}", 1)
                time.sleep(0.05)
            else:
                return


def stand_in_for_sqlite(cluster: PostgresCluster) -> None:
    """Let every store of this test run that names a SQLite file use a schema of this server instead."""
    own_engine = database._engine

    def engine(url: str) -> Engine:
        if not url.startswith("sqlite"):
            return own_engine(url)
        schema = _schema_of(url)
        with create_engine(cluster.url, poolclass=NullPool).begin() as connection:
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
        options = {"options": f"-csearch_path={schema}"}
        return create_engine(cluster.url, hide_parameters=True, poolclass=NullPool, connect_args=options)

    database._engine = engine


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:  # removed meanwhile
        return b""


def _schema_of(url: str) -> str:
    in_memory = url in ("sqlite+pysqlite://", "sqlite+pysqlite:///:memory:")
    name = uuid.uuid4().hex if in_memory else hashlib.sha256(url.encode()).hexdigest()[:32]
    return f"store_{name}"


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        pytest.exit("PostgreSQL is missing: install the package postgresql, or run `make system`.", 1)
    return found[-1].parent


def _unprivileged() -> str | None:
    """Return the user under whom the server runs: it refuses root."""
    return "postgres" if os.geteuid() == 0 else None
