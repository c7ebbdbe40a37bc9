"""Processes that make one SQLite store at once: each gets its turn, though SQLite refuses all but one to change the journal."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import MetaData, text

from signal_exchange.runtime.database import Database

pytestmark = pytest.mark.sqlite
STORES, AT_ONCE = 200, 6
"""Without its turn somebody is refused in one store of a hundred or so: enough of them for the test to see it."""


def test_processes_that_make_one_store_at_once_all_get_it(tmp_path: Path) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for number in range(STORES):
            url, together = f"sqlite+pysqlite:///{tmp_path / str(number)}", Barrier(AT_ONCE)
            list(pool.map(lambda _, url=url, together=together: _read(url, together), range(AT_ONCE)))


def _read(url: str, together: Barrier) -> None:
    database = Database(url, MetaData())
    together.wait()
    with database.reading() as connection:
        connection.execute(text("SELECT 1"))
    database.close()
