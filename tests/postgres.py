"""A real PostgreSQL of the tests' own, and every store of a unit test on it instead of on SQLite (`pytest --postgres`).

A store keeps its address: the file that would have been its SQLite database stands for a schema of its own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import pytest
from sqlalchemy import Engine, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from signal_exchange.runtime import database

START_SECONDS = 60.0
QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=300", "listen_addresses=")
"""Settings of a server whose data nobody will miss; it listens on a socket in its own folder only."""


class PostgresCluster:
    """One PostgreSQL server in a folder of its own, under a user that is not root, ended with the tests."""

    def __init__(self) -> None:
        self._programs = _programs()
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._user = _unprivileged()
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the SQLAlchemy URL of its one database."""
        return f"postgresql+psycopg://tests@/postgres?host={self._folder}"

    def start(self) -> None:
        """Make it and start it, and wait until it answers."""
        data = self._folder / "data"
        made = ("-D", str(data), "-U", "tests", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
        subprocess.run([self._programs / "initdb", *made], user=self._user, cwd=self._folder, capture_output=True, check=True)
        settings = [part for setting in (*QUICK, f"unix_socket_directories={self._folder}") for part in ("-c", setting)]
        with (self._folder / "log").open("wb") as log:
            command = [str(self._programs / "postgres"), "-D", str(data), *settings]
            self._process = subprocess.Popen(command, user=self._user, cwd=self._folder, stdout=log, stderr=log)
        self._await_answer()

    def stop(self) -> None:
        """End it and remove what it kept."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
        shutil.rmtree(self._folder, ignore_errors=True)

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
