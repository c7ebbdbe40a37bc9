"""M7: a store is a secret: what a process makes is its owner's alone, and what others may look into is refused."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import an_environment
from sqlalchemy import Column, MetaData, String, Table

from signal_exchange.cli import main as cli
from signal_exchange.cli.context import CommandContext
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.private_files import private_folder
from signal_exchange.runtime.settings import ServiceSettings, loaded
from signal_exchange.words import sentence

TABLES = MetaData()
Table("record_items", TABLES, Column("name", String, primary_key=True))


@pytest.fixture
def careless() -> Iterator[None]:
    """Let this process make files that everybody may read, unless it says otherwise."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


@pytest.mark.sqlite
@pytest.mark.usefixtures("careless")
def test_a_store_and_its_log_are_its_owners_alone_whatever_the_process_would_give(tmp_path: Path) -> None:
    folder = private_folder(tmp_path / "deep" / "data")
    database = Database(f"sqlite+pysqlite:///{folder / 'store.sqlite'}", TABLES)
    database.create_tables()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert modes(folder) == {0o600}
    assert len(list(folder.iterdir())) == 3
    database.close()


@pytest.mark.sqlite
def test_another_connection_takes_no_lock_away_from_those_that_this_process_has(tmp_path: Path) -> None:
    file = tmp_path / "store.sqlite"
    url = f"sqlite+pysqlite:///{file}"
    first, second = Database(url, TABLES), Database(url, TABLES)
    first.create_tables()
    with first.reading() as connection:
        connection.exec_driver_sql("SELECT 1")
        with second.reading() as other:
            other.exec_driver_sql("SELECT 1")
        # The last connection to a store takes its log away: another process must see that it is not the last one.
        looks = (
            "import sqlite3, sys; store = sqlite3.connect(sys.argv[1]); store.execute('SELECT * FROM record_items').fetchall()"
        )
        subprocess.run([sys.executable, "-c", f"{looks}; store.close()", str(file)], check=True)
        assert Path(f"{file}-wal").exists()
    first.close()
    second.close()


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o701, 0o755, 0o777])
def test_a_wider_folder_is_refused_in_one_sentence_that_says_what_to_do(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(RefusedError) as refused:
        private_folder(folder)
    said = f"Anderen mogen in de datamap {folder} kijken: geef haar modus 700 (chmod 700 {folder})."
    assert sentence(refused.value) == said


@pytest.mark.sqlite
@pytest.mark.parametrize("wider", [".", "worklist.sqlite", "worklist.sqlite-wal"])
def test_no_command_of_a_service_opens_a_store_that_others_may_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wider: str
) -> None:
    for name, value in an_environment(tmp_path, "worklist").items():
        monkeypatch.setenv(name, value)
    place = CommandContext("worklist", TABLES, lambda store: store)
    with place.acting() as store, store.reading():
        pass
    file = tmp_path / wider
    file.touch()
    file.chmod(0o755 if wider == "." else 0o640)
    with pytest.raises(RefusedError, match=r"^(FOLDER|STORE)_OPEN_TO_OTHERS"), place.acting():
        pass
    assert loaded(ServiceSettings).data_dir == tmp_path


@pytest.mark.usefixtures("careless")
def test_the_command_line_makes_nothing_that_others_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "app", lambda: (tmp_path / "made").write_text("x", encoding="utf-8"))
    cli.main()
    assert modes(tmp_path) == {0o600}
