"""The keys of back-ups: two halves, each in a file of its owner alone, and one never in place of the other."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from backups import key_files
from refusing import refused
from typer.testing import CliRunner

from signal_exchange.cli.main import app
from signal_exchange.recovery.backup_key_files import make_backup_keys, read_backup_key, read_restore_key


def test_the_command_makes_both_halves_which_belong_together(tmp_path: Path) -> None:
    makes, opens = tmp_path / "makes.json", tmp_path / "opens.json"
    words = ["backup-keys", "--name", "region-2026-1", "--backup-key", str(makes), "--restore-key", str(opens)]
    said = CliRunner().invoke(app, words)
    assert (said.exit_code, "niet op deze machine" in said.output) == (0, True)
    assert {stat.S_IMODE(file.stat().st_mode) for file in (makes, opens)} == {0o600}
    assert read_backup_key(makes).sealing == read_restore_key(opens).sealing.public
    assert read_backup_key(makes).signing.public == read_restore_key(opens).signing


@pytest.mark.parametrize("name", ["", "a b", "../x", "x" * 41])
def test_a_name_that_says_something_else_is_refused(tmp_path: Path, name: str) -> None:
    with refused("hoogstens 40"):
        make_backup_keys(name, tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize("number", [0, 1])
def test_no_key_is_ever_overwritten(tmp_path: Path, number: int) -> None:
    files = [tmp_path / "a", tmp_path / "b"]
    files[number].write_text("before", encoding="utf-8")
    with refused("bestaat al"):
        make_backup_keys("one", *files)
    assert [each.name for each in tmp_path.iterdir()] == [files[number].name]


def test_without_a_key_no_back_up_is_made() -> None:
    with refused("backup-keys"):
        read_backup_key(None)


def test_a_key_that_others_may_read_or_that_is_none_is_refused(tmp_path: Path) -> None:
    makes, opens = key_files(tmp_path)
    with refused("niet de sleutel"):
        read_restore_key(makes)
    with refused("niet de sleutel"):
        read_backup_key(opens)
    for text in ("[]", "no json", "{}"):
        (tmp_path / "other").write_text(text, encoding="utf-8")
        with refused("niet de sleutel"):
            read_restore_key(tmp_path / "other")
    opens.chmod(0o640)
    with refused("modus 600"):
        read_restore_key(opens)
    with refused("niet te lezen"):
        read_restore_key(tmp_path / "nothing")


@pytest.mark.parametrize("words", [["--older"], ["--reason", "x"], ["--older", "--reason", " "]])
def test_an_older_back_up_and_its_reason_belong_together(tmp_path: Path, words: list[str]) -> None:
    said = CliRunner().invoke(app, ["restore", "worklist", str(tmp_path / "x"), "--key", str(tmp_path / "k"), *words])
    assert said.exit_code == 2
    assert "--reason" in said.output
